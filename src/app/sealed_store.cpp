// SPDX-License-Identifier: Apache-2.0
#include "app/sealed_store.hpp"

#include <unistd.h>

#include <fstream>

#include "base/text.hpp"
#include "storage/file_lock.hpp"
#include "storage/sqlite_store.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kVaultId = "vault";

std::string context_of(std::string_view kind, std::string_view id) {
  return std::string(kind) + "/" + std::string(id);
}

Result<Octets> header_of(storage::Store& store) {
  std::optional<Octets> header = TRY(store.get(storage::kHeaderKind, kVaultId));
  if (header) return std::move(*header);
  return fail(Errc::storage, "docs/formats.md, vault header", "the store has no vault header",
              "restore the store from its last backup");
}

}  // namespace

Result<SealedStore> SealedStore::open(std::unique_ptr<storage::Store> store, OctetsView passphrase,
                                      Random& random) {
  const std::optional<Octets> header = TRY(store->get(storage::kHeaderKind, kVaultId));
  if (header) {
    crypto::Vault vault = TRY(crypto::Vault::open(TRY(crypto::VaultHeader::parse(*header)), passphrase));
    return SealedStore(std::move(store), std::move(vault), random);
  }
  crypto::Vault vault = crypto::Vault::make(passphrase, random);
  TRY(store->commit(storage::Write::put(storage::kHeaderKind, kVaultId, vault.header_octets())));
  return SealedStore(std::move(store), std::move(vault), random);
}

Result<SealedStore> SealedStore::open_file(const std::string& path, const std::string& purpose,
                                           const std::string& passphrase_file, Random& random) {
  const SecretOctets passphrase = TRY(crypto::read_passphrase_file(passphrase_file));
  storage::SqliteOptions options;
  options.path = path;
  options.purpose = purpose;
  return open(TRY(storage::open_sqlite(options)), passphrase.expose(), random);
}

Result<SealedStore> SealedStore::open_shared(const std::string& path, const std::string& purpose,
                                             OctetsView passphrase, Random& random) {
  const auto opener = [&](OctetsView header) -> Result<crypto::Vault> {
    return crypto::Vault::open(TRY(crypto::VaultHeader::parse(header)), passphrase);
  };
  return open_shared(path, purpose, Opener(opener), random);
}

Result<SealedStore> SealedStore::open_shared(const std::string& path, const std::string& purpose,
                                             const Opener& opener, Random& random) {
  storage::SqliteOptions options;
  options.path = path;
  options.purpose = purpose;
  options.create = false;
  options.shared = true;
  std::unique_ptr<storage::Store> store = TRY(storage::open_sqlite(options));
  crypto::Vault vault = TRY(opener(TRY(header_of(*store))));
  return SealedStore(std::move(store), std::move(vault), random);
}

namespace {

// A file that gets its name when it is whole; what a cut-off attempt left goes first and what this one leaves
// goes last.
Result<void> under_another_name(const std::string& path,
                                const std::function<Result<void>(const std::string&)>& make) {
  if (::access(path.c_str(), F_OK) == 0)
    return fail(Errc::conflict, "docs/formats.md, Stores: SQLite schema", printable(path) + " exists already",
                "name another place; nothing is overwritten");
  const std::string beside = path + ".new";
  const auto remove_parts = [&] {
    for (const char* suffix : {"", "-wal", "-shm"}) ::unlink((beside + suffix).c_str());
  };
  remove_parts();
  auto made = make(beside);
  remove_parts();
  return made;
}

Result<void> copy_octets(const std::string& from, const std::string& to) {
  TRY(storage::check_private_file(from));
  TRY(storage::create_private_file(to));
  std::ifstream in(from, std::ios::binary);
  std::ofstream out(to, std::ios::binary | std::ios::trunc);
  out << in.rdbuf() << std::flush;
  if (in && out) return storage::sync_path(to);
  return fail(Errc::storage, "docs/formats.md, Stores: SQLite schema",
              printable(from) + " cannot be copied to " + printable(to),
              "check that it can be read, and the space beside the copy");
}

}  // namespace

Result<void> SealedStore::create_file(const std::string& path, const std::string& purpose,
                                      crypto::Vault vault, const Writes& writes, Random& random) {
  return under_another_name(path, [&](const std::string& beside) -> Result<void> {
    storage::SqliteOptions options;
    options.path = beside;
    options.purpose = purpose;
    options.shared = true;
    SealedStore store(TRY(storage::open_sqlite(options)), std::move(vault), random);
    std::vector<storage::Write> all = store.sealed(writes);
    all.push_back(storage::Write::put(storage::kHeaderKind, kVaultId, store.vault_.header_octets()));
    TRY(store.store_->commit(std::span<const storage::Write>(all)));
    return store.backup(path);
  });
}

Result<void> SealedStore::copy_file(const std::string& from, const std::string& path,
                                    const std::string& purpose, const Opener& opener, Random& random,
                                    const Check& check) {
  return under_another_name(path, [&](const std::string& beside) -> Result<void> {
    TRY(copy_octets(from, beside));
    SealedStore copy = TRY(open_shared(beside, purpose, opener, random));
    TRY(check(copy));
    return copy.backup(path);
  });
}

std::vector<storage::Write> SealedStore::sealed(const Writes& writes) const {
  std::vector<storage::Write> out;
  out.reserve(writes.size());
  for (const Write& write : writes) {
    if (!write.value) {
      out.push_back(storage::Write::erase(write.kind, write.id));
      continue;
    }
    const Octets value = vault_.seal(context_of(write.kind, write.id), write.value->expose(), *random_);
    out.push_back(storage::Write::put(write.kind, write.id, value));
  }
  return out;
}

storage::Write SealedStore::sealed_by(const crypto::Vault& vault, const Record& record) const {
  return storage::Write::put(record.kind, record.id,
                             vault.seal(context_of(record.kind, record.id), record.value.expose(), *random_));
}

Result<bool> SealedStore::sealed_anew() { return TRY(header_of(*store_)) != vault_.header_octets(); }

Result<void> SealedStore::follow(const Opener& opener) {
  if (!TRY(sealed_anew())) return {};
  vault_ = TRY(opener(TRY(header_of(*store_))));
  return {};
}

Result<void> SealedStore::reseal(const std::vector<std::string>& kinds, crypto::Vault next) {
  std::vector<storage::Write> all;
  TRY(load(kinds, [&](const Record& record) -> Result<void> {
    all.push_back(sealed_by(next, record));
    return {};
  }));
  all.push_back(storage::Write::put(storage::kHeaderKind, kVaultId, next.header_octets()));
  TRY(store_->commit(std::span<const storage::Write>(all)));
  vault_ = std::move(next);
  return {};
}

Result<void> SealedStore::commit(const Writes& writes) {
  if (writes.empty()) return {};
  const std::vector<storage::Write> all = sealed(writes);
  return store_->commit(std::span<const storage::Write>(all));
}

Result<void> SealedStore::load(const std::vector<std::string>& kinds, const Take& take) {
  for (const std::string& kind : kinds)
    TRY(store_->for_each(kind, [&](std::string_view id, OctetsView value) -> Result<void> {
      auto opened = vault_.open(context_of(kind, id), value);
      if (!opened.ok()) return std::move(opened).error().with("record " + kind + "/" + printable(id));
      return take(Record{kind, std::string(id), std::move(opened).value()});
    }));
  return {};
}

}  // namespace regroup::app
