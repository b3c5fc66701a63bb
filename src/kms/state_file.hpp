// SPDX-License-Identifier: Apache-2.0
// The KMS directory: `state` holds the sealed secrets and the registry (layout in docs/formats.md), `lock`
// keeps two administrators apart. `state` is created exactly once, replaced as a whole (written beside,
// fsync, rename, fsync of the directory), mode 0600, owned by this user. Refused: a file or directory that
// others may write or read, one of another owner, one that is not a regular file, an unknown version, a
// second creation.
#pragma once

#include "kms/kms.hpp"

namespace regroup::kms {

// Held while a state is read, changed and replaced. Waits for another administrator, at most ten seconds.
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

// Makes the directory (0700) if it is missing. Errc::conflict when it holds a state already.
[[nodiscard]] Result<void> create_state(const std::string& directory, const SealedState& state);
[[nodiscard]] Result<SealedState> read_state(const std::string& directory);
[[nodiscard]] Result<void> replace_state(const std::string& directory, const SealedState& state,
                                         const DirectoryLock& lock);

// Tells one stored state from the next without reading it; empty when there is none.
[[nodiscard]] std::string state_stamp(const std::string& directory);

}  // namespace regroup::kms
