// SPDX-License-Identifier: Apache-2.0
#include "kms/transport_keys.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "kms/registry.hpp"

namespace regroup::kms {
namespace {

constexpr std::string_view kClause = "docs/formats.md, KMS transport keys";
constexpr std::size_t kMostKeys = 8;  // of one client

bool is_known(Wrapping wrapping) { return wrapping >= Wrapping::w1 && wrapping <= Wrapping::w3; }

std::string without_scheme(const std::string& identity) {
  const std::size_t colon = identity.find(':');
  return colon == std::string::npos || colon > identity.find('@') ? identity : identity.substr(colon + 1);
}

}  // namespace

TransportKeys TransportKeys::duplicate() const {
  return {trk_id, Secret<32>(trk.expose()), ink_id, Secret<32>(ink.expose())};
}

TransportKeys make_transport_keys(const mcx::McpttId& identity, Random& random) {
  TransportKeys out;
  out.trk_id = "tk.0001." + without_scheme(identity.text());
  out.ink_id = "ink.0001." + without_scheme(identity.text());
  random.fill(out.trk.expose_mutable());
  random.fill(out.ink.expose_mutable());
  return out;
}

const ClientKeys* TransportKeyStore::find(std::string_view identity) const {
  const auto found = clients_.find(folded(identity));
  return found == clients_.end() ? nullptr : &found->second;
}

Result<void> TransportKeyStore::add(const mcx::McpttId& identity, ClientKeys keys) {
  if (clients_.try_emplace(folded(identity.text()), std::move(keys)).second) return {};
  return fail(Errc::conflict, "TS 33.180 5.3.3",
              "identity " + identity.text() + " has transport keys already",
              "use the file that was written for it; a lost one cannot be written again");
}

struct TransportKeyStore::Wire {
  struct Entry {
    std::string identity;  // folded
    ClientKeys keys;
  };
  std::vector<Entry> clients;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.list(4, "clients", self.clients, [](auto& inner, auto& one) {
      inner.counted(2, "identity", one.identity);
      inner.uint(1, "signs", one.keys.signs);
      inner.uint(1, "wrapping", one.keys.wrapping);
      inner.list(1, "keys", one.keys.keys,
                 [](auto& io_of_one, auto& key) { TransportKeys::wire(io_of_one, key); });
    });
  }
};

SecretOctets TransportKeyStore::write() const {
  if (clients_.empty()) return {};
  Wire out;
  std::size_t size = 64;
  for (const auto& [identity, held] : clients_) {
    Wire::Entry& entry = out.clients.emplace_back();
    entry.identity = identity;
    entry.keys.signs = held.signs;
    entry.keys.wrapping = held.wrapping;
    size += identity.size() + 8;
    for (const TransportKeys& one : held.keys) {
      size += one.trk_id.size() + one.ink_id.size() + 2 * Secret<32>::size + 8;
      entry.keys.keys.push_back(one.duplicate());
    }
  }
  Writer writer;
  writer.reserve_for_secret(size);
  writer.put_uint(1, 1);  // version
  Wire::wire(writer, out);
  Octets octets = std::move(writer).octets();
  SecretOctets record{OctetsView(octets)};
  wipe(octets);
  return record;
}

Result<TransportKeyStore> TransportKeyStore::parse(OctetsView record) {
  TransportKeyStore out;
  if (record.empty()) return out;
  Wire in = TRY(decode_record<Wire>(record, "transport key"));
  for (Wire::Entry& one : in.clients) {
    const ClientKeys& keys = one.keys;
    const bool named = std::all_of(keys.keys.begin(), keys.keys.end(),
                                   [](const TransportKeys& key) { return !key.trk_id.empty(); });
    if (keys.keys.empty() || keys.keys.size() > kMostKeys || !named || !is_known(keys.wrapping) ||
        one.identity != folded(one.identity))
      return fail(Errc::malformed, kClause, "the entry of " + printable(one.identity) + " cannot be one",
                  "restore the directory from its last good backup");
    TRY(out.add(TRY(mcx::McpttId::parse(one.identity)), std::move(one.keys)));
  }
  if (out.empty())
    return fail(Errc::malformed, kClause, "a record without a client",
                "restore the directory from its last good backup");
  return out;
}

}  // namespace regroup::kms
