// SPDX-License-Identifier: Apache-2.0
// The MIKEY-SAKKE I_MESSAGE (RFC 6509 2.1; TS 33.179 E.2; TS 33.180 E.1.2) as syntax: HDR first, SIGN last,
// the rest in any order on reading and in the order of the clause on writing. parse() refuses sizes outside
// 300..16384 octets, truncation, trailing octets, missing, repeated and unknown payloads, and the
// contradictions of IDRs and SPs. It judges no value that a tolerance may let through (PRF func, ID scheme,
// NUL in a KMS URI, KMS role 3, T, the content of extensions) and checks no signature: a Message is not
// Verified.
#pragma once

#include "mikey/payload/cert.hpp"
#include "mikey/payload/err.hpp"
#include "mikey/payload/general_ext.hpp"
#include "mikey/payload/hdr.hpp"
#include "mikey/payload/idr.hpp"
#include "mikey/payload/key_parameters.hpp"
#include "mikey/payload/protected_payload.hpp"
#include "mikey/payload/rand.hpp"
#include "mikey/payload/sakke.hpp"
#include "mikey/payload/sign.hpp"
#include "mikey/payload/sp.hpp"
#include "mikey/payload/t.hpp"

namespace regroup::mikey {

inline constexpr std::size_t kSmallestMessage = 300;
inline constexpr std::size_t kLargestMessage = 16384;

// What is signed: everything before the signature.
struct Unsigned {
  Hdr hdr;
  T t;
  Rand rand;
  Idr initiator;      // role 1, or 8 when hidden
  Idr responder;      // role 2, or 9 when hidden
  Idr initiator_kms;  // role 6; role 3 when the message names its KMSs that way (accept_kms_role_3)
  Idr responder_kms;  // role 7; likewise
  std::vector<Sp> policies;
  Sakke sakke;
  std::vector<GeneralExt> extensions;  // as received, at most one of type 6 and one of type 7
  bool operator==(const Unsigned&) const = default;

  [[nodiscard]] bool kms_by_role_3() const { return initiator_kms.role == Role::kms; }
  [[nodiscard]] const GeneralExt* extension(ExtType type) const;  // nullptr when absent
  // The SP that governs a crypto session: the one its map entry names, else the only one. nullptr: no SP, the
  // default profile of TS 33.179 Table E.2-1 applies.
  [[nodiscard]] const Sp* policy_of(std::uint8_t cs_id) const;
};

struct Message : Unsigned {
  Sign sign;
  Octets raw;  // as received; signatures and hashes are over these, never over a re-encoding

  // Everything but the last 129 octets (RFC 3830 5.2): HDR to the SIGN header, included.
  [[nodiscard]] OctetsView signed_octets() const { return OctetsView(raw).first(raw.size() - kSignature); }
  // The same without the two octets of the SIGN header: only for accept_sign_without_header.
  [[nodiscard]] OctetsView signed_octets_without_header() const {
    return OctetsView(raw).first(raw.size() - kSignature - kSignHeader);
  }
  [[nodiscard]] OctetsView signature() const { return OctetsView(raw).last(kSignature); }  // r || s || PVT
};

[[nodiscard]] Result<Message> parse(OctetsView octets);

// HDR to the SIGN header in the order of TS 33.180 E.1.2, next-payload fields filled in here: the octets to
// sign. The message is these octets and the 129 of the signature.
[[nodiscard]] Octets write_to_sign(const Unsigned& message);
// The whole message from its parts. Octets that were read in another order come out in ours.
[[nodiscard]] Octets write(const Message& message);

// An error message (RFC 3830 6.12): HDR with data type 6 and one ERR.
struct ErrorMessage {
  Hdr hdr;
  Err err;
};
[[nodiscard]] Result<ErrorMessage> parse_error_message(OctetsView octets);

}  // namespace regroup::mikey
