// SPDX-License-Identifier: Apache-2.0
// The keys a client holds: GMKs (and MKFCs) by identifier, one of them chosen for transmission, any live one
// accepted on reception (TS 33.179 7.3.1). A withdrawn or revoked key leaves a
// tombstone, so that an old payload offered again cannot bring it back: once revoked, always revoked.
#pragma once

#include <map>
#include <optional>

#include "gktp/key_record.hpp"
#include "gktp/open.hpp"
#include "mcx/key_use.hpp"
#include "mcx/srtp_keys.hpp"

namespace regroup::ue {

enum class KeyState : std::uint8_t { active, withdrawn, revoked };

struct RingKey {
  gktp::KeyMaterial material;  // the key is wiped when the state leaves active
  mcx::GukId guk_id;           // our own: the CSB ID of what we send
  std::string group;           // the group or temporary group the key is for
  mcx::KeyUse use = mcx::KeyUse::both;
  KeyState state = KeyState::active;
  std::string initiator;  // the GMS that signed
  NtpTime t;              // T of the newest payload of this key

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    gktp::wire_material(io, self.material);
    io.uint(4, "guk id", self.guk_id.value);
    io.counted(2, "group", self.group);
    io.uint(1, "use", self.use);
    io.uint(1, "state", self.state);
    io.counted(2, "initiator", self.initiator);
    gktp::wire_time(io, "t", self.t);
  }
};

enum class Install : std::uint8_t {
  installed,  // a new key
  updated,    // held already: parameters or T are newer
  duplicate,  // nothing new (same T or older: superseded, answered as a duplicate)
  revoked,    // a valid revocation: the key is gone from now on
  tombstone,  // a payload of a key that was withdrawn or revoked before: stays gone
  conflict,   // the same identifier with another key: refused, nothing changes
};

class KeyRing {
 public:
  // Step 11 of docs/wire.md, "Order of checks". Changes the ring only for installed, updated, revoked.
  Install install(gktp::Opened opened, const std::string& group);
  // Stops using a key; keeps its identifier. False when it was not active.
  bool withdraw(mcx::GmkId id, KeyState to);
  void put(RingKey key) { keys_.insert_or_assign(key.material.id, std::move(key)); }

  [[nodiscard]] const std::map<mcx::GmkId, RingKey>& keys() const { return keys_; }
  [[nodiscard]] const RingKey* find(mcx::GmkId id) const;

  // The key to transmit with: active, activated, not expired, of the needed use; the latest activation wins,
  // then the higher GMK-ID. Errors tell none held from not yet active, expired and revoked; there is no
  // fallback.
  [[nodiscard]] Result<const RingKey*> for_transmission(std::string_view group, mcx::KeyUse use,
                                                        NtpTime now) const;
  // The key a received MKI names, for media of `group`. Never tries keys in turn.
  [[nodiscard]] Result<const RingKey*> for_reception(std::string_view group, mcx::GmkId id, mcx::KeyUse use,
                                                     NtpTime now) const;

 private:
  std::map<mcx::GmkId, RingKey> keys_;
};

// SRTP master key and salt of the sender `guk_id` under this key (TS 33.180 7.4.2).
[[nodiscard]] mcx::SrtpKeys srtp_keys_of(const RingKey& key, mcx::GukId sender);

}  // namespace regroup::ue
