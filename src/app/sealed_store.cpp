// SPDX-License-Identifier: Apache-2.0
#include "app/sealed_store.hpp"

#include "storage/sqlite_store.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kVaultId = "vault";

std::string context_of(std::string_view kind, std::string_view id) {
  return std::string(kind) + "/" + std::string(id);
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
  TRY(store->commit(storage::Write::put(storage::kHeaderKind, kVaultId, vault.header().write())));
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

Result<void> SealedStore::commit(const Writes& writes) {
  if (writes.empty()) return {};
  std::vector<storage::Write> sealed;
  sealed.reserve(writes.size());
  for (const Write& write : writes) {
    if (!write.value) {
      sealed.push_back(storage::Write::erase(write.kind, write.id));
      continue;
    }
    const Octets value = vault_.seal(context_of(write.kind, write.id), write.value->expose(), *random_);
    sealed.push_back(storage::Write::put(write.kind, write.id, value));
  }
  return store_->commit(std::span<const storage::Write>(sealed));
}

Result<void> SealedStore::load(const std::vector<std::string>& kinds, const Take& take) {
  for (const std::string& kind : kinds)
    TRY(store_->for_each(kind, [&](std::string_view id, OctetsView value) -> Result<void> {
      auto opened = vault_.open(context_of(kind, id), value);
      if (!opened.ok()) return std::move(opened).error().with("record " + kind + "/" + std::string(id));
      return take(Record{kind, std::string(id), std::move(opened).value()});
    }));
  return {};
}

}  // namespace regroup::app
