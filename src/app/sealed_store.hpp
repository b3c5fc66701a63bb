// SPDX-License-Identifier: Apache-2.0
// The records of a domain room on disk: every value sealed by the vault, whose key a passphrase file or a
// token gives, and bound to its kind and id, so that neither a reader of the disk nor one who exchanges
// records learns or gains anything.
#pragma once

#include <functional>
#include <memory>

#include "base/record.hpp"
#include "crypto/vault.hpp"
#include "storage/store.hpp"

namespace regroup::app {

class SealedStore {
 public:
  // Opens the vault that the store's header names, or makes one in an empty store. Errc::not_authorised:
  // another passphrase.
  [[nodiscard]] static Result<SealedStore> open(std::unique_ptr<storage::Store> store, OctetsView passphrase,
                                                Random& random);
  // The SQLite file at `path`, made for `purpose`, under the passphrase in `passphrase_file`.
  [[nodiscard]] static Result<SealedStore> open_file(const std::string& path, const std::string& purpose,
                                                     const std::string& passphrase_file, Random& random);

  // The same of a file that is there and that several processes use (their changes are kept apart by them).
  // Errc::storage when there is none.
  [[nodiscard]] static Result<SealedStore> open_shared(const std::string& path, const std::string& purpose,
                                                       OctetsView passphrase, Random& random);
  // The same by whatever opens the vault of that header.
  using Opener = std::function<Result<crypto::Vault>(OctetsView header)>;
  [[nodiscard]] static Result<SealedStore> open_shared(const std::string& path, const std::string& purpose,
                                                       const Opener& opener, Random& random);
  // A new file with these records, whole from the moment it has its name. Errc::conflict when it exists.
  [[nodiscard]] static Result<void> create_file(const std::string& path, const std::string& purpose,
                                                crypto::Vault vault, const Writes& writes, Random& random);

  // A copy of a backup under a name of its own; `check` may refuse it, or change it, before it has that name.
  using Check = std::function<Result<void>(SealedStore&)>;
  [[nodiscard]] static Result<void> copy_file(const std::string& from, const std::string& path,
                                              const std::string& purpose, const Opener& opener,
                                              Random& random, const Check& check);

  // Another text once another process has committed.
  [[nodiscard]] Result<std::string> generation() { return store_->generation(); }
  // Whether another process has put the store under another vault since this one opened it. Nothing may be
  // committed then: the store would hold values of two keys.
  [[nodiscard]] Result<bool> sealed_anew();
  // Opens the vault that is now in force.
  [[nodiscard]] Result<void> follow(const Opener& opener);
  // Every record of these kinds, which must be all there are, under another vault, in one transaction: what
  // opened the store before it opens nothing after it.
  [[nodiscard]] Result<void> reseal(const std::vector<std::string>& kinds, crypto::Vault next);
  [[nodiscard]] Octets header_octets() const { return vault_.header_octets(); }
  // A consistent copy as a new file, sealed as this one is.
  [[nodiscard]] Result<void> backup(const std::string& path) { return store_->backup(path); }

  // Durable when it returns success.
  [[nodiscard]] Result<void> commit(const Writes& writes);
  using Take = std::function<Result<void>(const Record&)>;
  // Every record of these kinds, in the order given.
  [[nodiscard]] Result<void> load(const std::vector<std::string>& kinds, const Take& take);

 private:
  SealedStore(std::unique_ptr<storage::Store> store, crypto::Vault vault, Random& random)
      : store_(std::move(store)), vault_(std::move(vault)), random_(&random) {}
  [[nodiscard]] std::vector<storage::Write> sealed(const Writes& writes) const;
  [[nodiscard]] storage::Write sealed_by(const crypto::Vault& vault, const Record& record) const;

  std::unique_ptr<storage::Store> store_;
  crypto::Vault vault_;
  Random* random_;
};

}  // namespace regroup::app
