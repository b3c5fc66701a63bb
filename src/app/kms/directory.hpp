// SPDX-License-Identifier: Apache-2.0
// A KMS directory as the commands and the server use it: `kms.sqlite`, the sealed store (docs/formats.md, KMS
// store), opened with a passphrase file, `passphrase-file`, where that file is, and `certificate.xml`, the
// own certificate in the clear for everybody to read. The `state` file of releases up to 0.1 is moved into
// the store when it is met, and kept as `state.old`.
#pragma once

#include <optional>
#include <shared_mutex>

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
[[nodiscard]] Result<void> create_kms(const std::string& directory, const std::string& passphrase_file,
                                      kms::Kms& made);
// An empty `passphrase_file`: the one whose name the directory remembers.
[[nodiscard]] Result<OpenedKms> open_kms(const std::string& directory, const std::string& passphrase_file,
                                         KmsAccessMode mode = KmsAccessMode::reading);
// A new directory with the KMS of a backup, checked before it has its name; the backup is left as it is.
[[nodiscard]] Result<OpenedKms> restore_kms(const std::string& directory, const std::string& backup,
                                            const std::string& passphrase_file);
// `passphrase-file` in the directory, mode 0600: the absolute name of the passphrase file, never the
// passphrase.
[[nodiscard]] Result<void> remember_passphrase_file(const std::string& directory,
                                                    const std::string& passphrase_file);
[[nodiscard]] std::string certificate_file(const std::string& directory);
// Writes certificate.xml if it is missing or another one.
[[nodiscard]] Result<void> publish_certificate(const std::string& directory, const kms::Kms& kms);
// A whole file of at most 1 MiB.
[[nodiscard]] Result<Octets> read_document(const std::string& path);

// The KMS of a running server: follows what administrators change in the directory.
class LiveKms {
 public:
  LiveKms(std::string directory, OpenedKms opened)
      : directory_(std::move(directory)), opened_(std::move(opened)) {}

  [[nodiscard]] const kms::Kms& kms() const { return opened_.kms; }
  // Takes over a changed store; an error leaves the present state in force and is given once per change.
  [[nodiscard]] Result<bool> refresh();
  // Held while kms() is used.
  [[nodiscard]] std::shared_lock<std::shared_mutex> reading() { return std::shared_lock(mutex_); }
  // One change of the server's own, on the newest state and alone, durable when it returns. Not to be called
  // while reading() is held.
  using Change = std::function<Result<void>(kms::Kms&)>;
  [[nodiscard]] Result<void> change(const Change& change);

 private:
  [[nodiscard]] Result<bool> refresh_locked();

  std::string directory_;
  std::shared_mutex mutex_;
  std::mutex refreshing_;
  OpenedKms opened_;
};

}  // namespace regroup::app
