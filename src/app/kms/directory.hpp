// SPDX-License-Identifier: Apache-2.0
// A KMS directory as the commands and the server use it: `kms.sqlite`, the sealed store (docs/formats.md, KMS
// store), opened with a passphrase file or a token (app/kms/store_key.hpp), `certificate.xml` and, before a
// roll-over, `successor.xml`: the own certificates in the clear for everybody to read. The `state` file of
// releases up to 0.1 is moved into the store when it is met, and kept as `state.old`.
#pragma once

#include <optional>
#include <shared_mutex>

#include "app/kms/store_key.hpp"
#include "app/sealed_store.hpp"
#include "crypto/random.hpp"
#include "kms/directory_lock.hpp"
#include "kms/kms.hpp"

namespace regroup::app {

// Whoever changes holds the lock of the directory until it is done.
enum class KmsAccessMode { reading, changing };

struct OpenedKms {
  std::optional<kms::DirectoryLock> lock;
  SealedStore store;
  kms::Kms kms;
  std::string generation;  // of the store when it was read
};

[[nodiscard]] std::string kms_store_file(const std::string& directory);
// A new KMS in its directory, made if it is missing. Errc::conflict when one is there already: nothing is
// ever overwritten.
// `before_named` does what else belongs to a directory, before its store has its name: a KMS whose making was
// cut off at any moment is made again by the same command.
using BeforeNamed = std::function<Result<void>(const kms::Kms&)>;
[[nodiscard]] Result<void> create_kms(const std::string& directory, const StoreKey& key, kms::Kms& made,
                                      const BeforeNamed& before_named);
[[nodiscard]] Result<OpenedKms> open_kms(const std::string& directory, const StoreKey& key,
                                         KmsAccessMode mode = KmsAccessMode::reading);
// A new directory with the KMS of a backup, checked before it has its name; the backup is left as it is.
[[nodiscard]] Result<OpenedKms> restore_kms(const std::string& directory, const std::string& backup,
                                            const StoreKey& key, const BeforeNamed& before_named);
// Puts the opened store under another key, for good: the present one opens nothing any more. Whenever it is
// cut off, the directory opens with what it remembers; forget_former_store_key() ends it. `opened` has the
// lock.
[[nodiscard]] Result<void> reseal_kms(const std::string& directory, OpenedKms& opened, const StoreKey& next,
                                      crypto::Vault vault);
[[nodiscard]] std::string certificate_file(const std::string& directory);
[[nodiscard]] std::string successor_file(const std::string& directory);
// Writes certificate.xml and, of an announced roll-over, successor.xml if they are missing or other ones.
[[nodiscard]] Result<void> publish_certificates(const std::string& directory, const kms::Kms& kms,
                                                NtpTime now);
// What they hold: the certificate in force at that time.
[[nodiscard]] Result<Octets> published_certificate(const std::string& directory, NtpTime now);
// A whole file of at most 1 MiB.
[[nodiscard]] Result<Octets> read_document(const std::string& path);

// The KMS of a running server: follows what administrators change in the directory.
class LiveKms {
 public:
  LiveKms(std::string directory, OpenedKms opened, StoreKey key = {})
      : directory_(std::move(directory)), key_(std::move(key)), opened_(std::move(opened)) {}

  [[nodiscard]] const kms::Kms& kms() const { return opened_.kms; }
  // Takes over a changed store; an error leaves the present state in force and is given once per change.
  [[nodiscard]] Result<bool> refresh();
  // Why the present state is not the store's any more: who was suspended or revoked since is not known here.
  // Empty: it is.
  [[nodiscard]] std::string behind() const;
  // Held while kms() is used.
  [[nodiscard]] std::shared_lock<std::shared_mutex> reading() { return std::shared_lock(mutex_); }
  // One change of the server's own, on the newest state and alone, durable when it returns. Not to be called
  // while reading() is held.
  using Change = std::function<Result<void>(kms::Kms&)>;
  [[nodiscard]] Result<void> change(const Change& change);

 private:
  [[nodiscard]] Result<bool> refresh_locked();
  [[nodiscard]] Result<void> follow_locked();

  std::string directory_;
  StoreKey key_;
  mutable std::shared_mutex mutex_;
  std::string behind_;
  std::mutex refreshing_;
  OpenedKms opened_;
};

}  // namespace regroup::app
