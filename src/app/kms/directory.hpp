// SPDX-License-Identifier: Apache-2.0
// A KMS directory as the commands and the server use it: the sealed state (kms/state_file.hpp) opened with a
// passphrase file, `passphrase-file`, where that file is, and `certificate.xml`, the own certificate in the
// clear for everybody to read.
#pragma once

#include <shared_mutex>

#include "crypto/random.hpp"
#include "kms/state_file.hpp"

namespace regroup::app {

struct OpenedKms {
  crypto::Vault vault;
  kms::Kms kms;
  std::string stamp;  // of the state that was opened
};

// An empty `passphrase_file`: the one whose name the directory remembers.
[[nodiscard]] Result<OpenedKms> open_kms(const std::string& directory, const std::string& passphrase_file);
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
  // Takes over a changed registry; an error leaves the present one in force and is given once per change.
  [[nodiscard]] Result<bool> refresh();
  // Held while kms() is used.
  [[nodiscard]] std::shared_lock<std::shared_mutex> reading() { return std::shared_lock(mutex_); }

 private:
  std::string directory_;
  std::shared_mutex mutex_;
  OpenedKms opened_;
};

}  // namespace regroup::app
