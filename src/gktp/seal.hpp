// SPDX-License-Identifier: Apache-2.0
// Making Group Key Transport payloads: one MIKEY-SAKKE I_MESSAGE per receiver (TS 33.179 7.3.1, E.2),
// encapsulated to the receiver's UID under its own KMS, signed by the sender. A batch is one pipeline.
#pragma once

#include "base/random.hpp"
#include "gktp/key_material.hpp"
#include "mcx/domain.hpp"

namespace regroup::gktp {

struct Sender {
  const mcx::KmsCertificate& certificate;  // of the sender's own domain
  const mcx::KeySet& keys;                 // of the period of `time`
};

struct Receiver {
  mcx::McpttId identity;
  const mcx::KmsCertificate* certificate;  // of the receiver's domain
};

struct Sealed {
  mcx::McpttId receiver;
  mcx::GukId guk_id;  // CSB ID; for an undiversified key (MKFC) the key's own ID
  Octets message;     // the whole I_MESSAGE
};

struct SealOptions {
  bool hide_initiator = false;  // IDR role 8 instead of 1 (TS 33.180 E.7)
  bool hide_responder = false;  // IDR role 9 instead of 2
};

// All or nothing, in the order of `receivers`. `time` is T of every message; the sender's key set must be of
// its period. Each result was parsed again and its signature verified before it is returned. Draws 16
// octets of IV for extension 7 per receiver, in order, and then what eccsi::sign_all draws.
[[nodiscard]] Result<std::vector<Sealed>> seal(const KeyMaterial& material, const Sender& sender,
                                               std::span<const Receiver> receivers, NtpTime time,
                                               Random& random, const SealOptions& options = {});

// The GUK-ID of a receiver: GMK-ID xor the 28-bit user salt of its URI (TS 33.179 7.3.1, F.1.3); unchanged
// for keys without end-point diversity. A GMS draws again when two receivers of one key share one.
[[nodiscard]] mcx::GukId guk_id_of(const mcx::Gmk& key, mcx::GmkId id, const mcx::McpttId& receiver);

}  // namespace regroup::gktp
