// SPDX-License-Identifier: Apache-2.0
#include "kms/transport_keys.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "kms/registry.hpp"

namespace regroup::kms {
namespace {

constexpr std::string_view kClause = "docs/formats.md, KMS store";
constexpr std::string_view kKind = "transport";
constexpr std::size_t kMostKeys = 2;  // of one client

bool is_known(Wrapping wrapping) { return wrapping >= Wrapping::w1 && wrapping <= Wrapping::w3; }

std::string without_scheme(const std::string& identity) {
  const std::size_t colon = identity.find(':');
  return colon == std::string::npos || colon > identity.find('@') ? identity : identity.substr(colon + 1);
}

}  // namespace

TransportKeys TransportKeys::duplicate() const {
  return {trk_id, Secret<32>(trk.expose()), ink_id, Secret<32>(ink.expose())};
}

TransportKeys make_transport_keys(const mcx::McpttId& identity, Random& random, unsigned number) {
  std::string digits = std::to_string(number);
  if (digits.size() < 4) digits.insert(0, 4 - digits.size(), '0');
  const std::string owner = "." + digits + "." + without_scheme(identity.text());
  TransportKeys out;
  out.trk_id = "tk" + owner;
  out.ink_id = "ink" + owner;
  random.fill(out.trk.expose_mutable());
  random.fill(out.ink.expose_mutable());
  return out;
}

const ClientKeys* TransportKeyStore::find(std::string_view identity) const {
  const auto found = clients_.find(folded(identity));
  return found == clients_.end() ? nullptr : &found->second;
}

const TransportKeys& ClientKeys::signing(std::string_view key_name) const {
  const TransportKeys* next = successor();
  return next && next->signing_id() == key_name ? *next : present();
}

Result<void> TransportKeyStore::add(const mcx::McpttId& identity, ClientKeys keys) {
  const std::string name = folded(identity.text());
  if (clients_.try_emplace(name, std::move(keys)).second) {
    keep(name);
    return {};
  }
  return fail(Errc::conflict, "TS 33.180 5.3.3",
              "identity " + identity.text() + " has transport keys already",
              "use the file that was written for it; if that is lost: regroup kms transport-keys replace");
}

Result<ClientKeys*> TransportKeyStore::existing(const mcx::McpttId& identity) {
  const auto found = clients_.find(folded(identity.text()));
  if (found != clients_.end()) return &found->second;
  return fail(Errc::unknown_group, "TS 33.180 5.3.3",
              "identity " + identity.text() + " has no transport keys",
              "regroup kms add-identity --transport-keys-out gives it some");
}

Result<void> TransportKeyStore::replace(const mcx::McpttId& identity, NtpTime now, Random& random) {
  ClientKeys* held = TRY(existing(identity));
  held->keys.clear();
  held->keys.push_back(make_transport_keys(identity, random, ++held->number));
  held->made = now;
  keep(folded(identity.text()));
  return {};
}

Result<bool> TransportKeyStore::offer_successor(const mcx::McpttId& identity, NtpTime now, Random& random) {
  ClientKeys* held = TRY(existing(identity));
  if (held->successor()) return false;
  held->keys.push_back(make_transport_keys(identity, random, ++held->number));
  if (held->present().ink_id.empty()) held->keys.back().ink_id.clear();  // its client has no InK
  held->made = now;
  keep(folded(identity.text()));
  return true;
}

bool TransportKeyStore::promote(std::string_view identity) {
  const auto found = clients_.find(folded(identity));
  if (found == clients_.end() || !found->second.successor()) return false;
  found->second.keys.erase(found->second.keys.begin());
  keep(found->first);
  return true;
}

namespace {

template <class Io, class Self>
void keys_wire(Io& io, Self& self) {
  io.uint(1, "signs", self.signs);
  io.uint(1, "wrapping", self.wrapping);
  io.list(1, "keys", self.keys, [](auto& inner, auto& key) { TransportKeys::wire(inner, key); });
}

struct ClientRecord {
  ClientKeys keys;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    keys_wire(io, self.keys);
    io.uint(4, "number", self.keys.number);
    io.uint(8, "made", self.keys.made.seconds);
  }
};

Result<void> check(const std::string& identity, const ClientKeys& keys) {
  const bool named = std::all_of(keys.keys.begin(), keys.keys.end(),
                                 [](const TransportKeys& key) { return !key.trk_id.empty(); });
  if (named && !keys.keys.empty() && keys.keys.size() <= kMostKeys && is_known(keys.wrapping) &&
      identity == folded(identity))
    return {};
  return fail(Errc::malformed, kClause, "the transport keys of " + printable(identity) + " cannot be some",
              "restore the directory from its last good backup");
}

}  // namespace

void TransportKeyStore::keep(const std::string& identity) {
  const ClientKeys& held = clients_.at(identity);
  ClientRecord record;
  record.keys.signs = held.signs;
  record.keys.wrapping = held.wrapping;
  record.keys.number = held.number;
  record.keys.made = held.made;
  for (const TransportKeys& one : held.keys) record.keys.keys.push_back(one.duplicate());
  changes_.insert_or_assign(identity, encode_record(record));
}

Writes TransportKeyStore::take_changes() {
  Writes out;
  for (auto& [identity, value] : changes_)
    out.push_back(Write{std::string(kKind), identity, std::move(value)});
  changes_.clear();
  return out;
}

Result<void> TransportKeyStore::take(const Record& record) {
  auto in = TRY(decode_record<ClientRecord>(record.value.expose(), record.kind));
  TRY(check(record.id, in.keys));
  clients_.insert_or_assign(record.id, std::move(in.keys));
  return {};
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
      keys_wire(inner, one.keys);
    });
  }
};

Result<TransportKeyStore> TransportKeyStore::parse(OctetsView record) {
  TransportKeyStore out;
  if (record.empty()) return out;
  Wire in = TRY(decode_record<Wire>(record, "transport key"));
  for (Wire::Entry& one : in.clients) {
    TRY(check(one.identity, one.keys));
    TRY(out.add(TRY(mcx::McpttId::parse(one.identity)), std::move(one.keys)));
  }
  if (out.clients_.empty())
    return fail(Errc::malformed, kClause, "a record without a client",
                "restore the directory from its last good backup");
  return out;
}

}  // namespace regroup::kms
