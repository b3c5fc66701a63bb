// SPDX-License-Identifier: Apache-2.0
// Ownership of files: an exclusive advisory lock that lives as long as its process, and the small set of file
// operations a careful store needs (mode 0600 from the first moment, names made durable).
#pragma once

#include <string>
#include <utility>

#include "base/result.hpp"

namespace regroup::storage {

// A descriptor that is closed once.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

// Takes the lock file `path` (created, 0600) for this process, or says which process has it. The lock file
// stays after release: unlinking it would let two owners in.
[[nodiscard]] Result<Descriptor> lock_file(const std::string& path);

// Creates an empty file of mode 0600 and makes its name durable; Errc::storage when it exists.
[[nodiscard]] Result<void> create_private_file(const std::string& path);

// A regular file that only its owner can read and write.
[[nodiscard]] Result<void> check_private_file(const std::string& path);

[[nodiscard]] Result<void> sync_path(const std::string& path);
[[nodiscard]] std::string folder_of(const std::string& path);

}  // namespace regroup::storage
