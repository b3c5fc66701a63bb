// SPDX-License-Identifier: Apache-2.0
// The directory of a KMS and who may change it: 0700, owned by this user; `lock` in it keeps two
// administrators, and a server that writes, apart.
#pragma once

#include <string>

#include "base/result.hpp"

namespace regroup::kms {

// Held while the store is read, changed and committed. Waits for another administrator, at most ten seconds.
class DirectoryLock {
 public:
  [[nodiscard]] static Result<DirectoryLock> take(const std::string& directory);
  DirectoryLock(DirectoryLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int fd) : fd_(fd) {}
  int fd_;
};

// Errc::usage when there is none, Errc::storage when others may write to it or it is another user's.
[[nodiscard]] Result<void> check_directory(const std::string& directory);
// Makes it if it is missing, then the same.
[[nodiscard]] Result<void> make_directory(const std::string& directory);

}  // namespace regroup::kms
