// SPDX-License-Identifier: Apache-2.0
// The transport key (TrK) and integrity key (InK) that a KMS shares with one client (TS 33.180 D.1, 9.3), and
// the store of a KMS that keeps them: secret, one sealed record per client. A client that is in it is served
// wrapped keys, signed too unless it was registered otherwise. Roll-over (TS 33.180 D.3): a successor is
// offered beside the present keys until the client has used it, then the present ones are gone; whatever
// answer is lost, one of the two works.
#pragma once

#include <map>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/record.hpp"
#include "mcx/ids.hpp"

namespace regroup::kms {

struct TransportKeys {
  std::string trk_id;  // opaque; ds:KeyName of what the TrK wraps
  Secret<32> trk;
  std::string ink_id;  // empty: the TrK signs (TS 33.179 D.3.0)
  Secret<32> ink;

  [[nodiscard]] const std::string& signing_id() const { return ink_id.empty() ? trk_id : ink_id; }
  [[nodiscard]] const Secret<32>& signing_key() const { return ink_id.empty() ? trk : ink; }
  [[nodiscard]] TransportKeys duplicate() const;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.counted(2, "TrK-ID", self.trk_id);
    io.secret_fixed("TrK", self.trk);
    io.counted(2, "InK-ID", self.ink_id);
    io.secret_fixed("InK", self.ink);
  }
};
// Fresh keys, named after their owner and their number: tk.0001.bob@mcx.example, ink.0001.bob@mcx.example.
[[nodiscard]] TransportKeys make_transport_keys(const mcx::McpttId& identity, Random& random,
                                                unsigned number = 1);

// How the three keys of a key set are wrapped (TS 33.180 9.3.4 leaves it open).
enum class Wrapping : std::uint8_t {
  w1 = 1,  // all with padding, RFC 5649
  w2 = 2,  // all without, RFC 3394, the leading 04 of points dropped
  w3 = 3,  // SSK RFC 3394, RSK and PVT RFC 5649
};

struct ClientKeys {
  bool signs = true;  // wrap+sign; false: wrap
  Wrapping wrapping = Wrapping::w3;
  std::vector<TransportKeys> keys;  // one, or two while the second is offered as the successor
  unsigned number = 1;              // of the last one made
  NtpTime made = {};                // when that was

  [[nodiscard]] const TransportKeys& present() const { return keys.front(); }
  [[nodiscard]] const TransportKeys* successor() const { return keys.size() > 1 ? &keys[1] : nullptr; }
  // The key of that name, to sign and verify with: the successor when it is its, else the present one.
  [[nodiscard]] const TransportKeys& signing(std::string_view key_name) const;
};

class TransportKeyStore {
 public:
  // nullptr for an identity without transport keys.
  [[nodiscard]] const ClientKeys* find(std::string_view identity) const;
  // Errc::conflict when it has some.
  [[nodiscard]] Result<void> add(const mcx::McpttId& identity, ClientKeys keys);
  // Fresh keys in the place of all it has, for a client that lost them; given to it by hand.
  [[nodiscard]] Result<void> replace(const mcx::McpttId& identity, NtpTime now, Random& random);
  // A successor is made, unless one is offered already: then false. Errc::unknown_group without keys.
  [[nodiscard]] Result<bool> offer_successor(const mcx::McpttId& identity, NtpTime now, Random& random);
  // The client has used the successor: the keys before it are gone. False when none was offered.
  bool promote(std::string_view identity);
  [[nodiscard]] std::size_t size() const { return clients_.size(); }

  // As of Registry.
  [[nodiscard]] Writes take_changes();
  [[nodiscard]] Result<void> take(const Record& record);

  // All clients as one record, as releases up to 0.1 kept them; empty octets: none.
  [[nodiscard]] static Result<TransportKeyStore> parse(OctetsView record);

 private:
  struct Wire;
  [[nodiscard]] Result<ClientKeys*> existing(const mcx::McpttId& identity);
  void keep(const std::string& folded_identity);
  std::map<std::string, ClientKeys> clients_;  // by folded identity
  std::map<std::string, SecretOctets> changes_;
};

}  // namespace regroup::kms
