// SPDX-License-Identifier: Apache-2.0
// The transport key (TrK) and integrity key (InK) that a KMS shares with one client (TS 33.180 D.1, 9.3), and
// the store of a KMS that keeps them: secret, sealed as a record of its own beside registry and master
// secrets. A client that is in it is served wrapped keys, signed too unless it was registered otherwise. Each
// client has a list of keys, the present ones last, so that a successor can stand beside them.
#pragma once

#include <map>

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
// Fresh keys, named after their owner: tk.0001.bob@mcx.example and ink.0001.bob@mcx.example.
[[nodiscard]] TransportKeys make_transport_keys(const mcx::McpttId& identity, Random& random);

// How the three keys of a key set are wrapped (TS 33.180 9.3.4 leaves it open).
enum class Wrapping : std::uint8_t {
  w1 = 1,  // all with padding, RFC 5649
  w2 = 2,  // all without, RFC 3394, the leading 04 of points dropped
  w3 = 3,  // SSK RFC 3394, RSK and PVT RFC 5649
};

struct ClientKeys {
  bool signs = true;  // wrap+sign; false: wrap
  Wrapping wrapping = Wrapping::w3;
  std::vector<TransportKeys> keys;  // never empty

  [[nodiscard]] const TransportKeys& present() const { return keys.back(); }
};

class TransportKeyStore {
 public:
  // nullptr for an identity without transport keys.
  [[nodiscard]] const ClientKeys* find(std::string_view identity) const;
  // Errc::conflict when it has some.
  [[nodiscard]] Result<void> add(const mcx::McpttId& identity, ClientKeys keys);
  [[nodiscard]] bool empty() const { return clients_.empty(); }
  [[nodiscard]] std::size_t size() const { return clients_.size(); }

  // The record; empty octets for an empty store.
  [[nodiscard]] SecretOctets write() const;
  [[nodiscard]] static Result<TransportKeyStore> parse(OctetsView record);

 private:
  struct Wire;
  std::map<std::string, ClientKeys> clients_;  // by folded identity
};

}  // namespace regroup::kms
