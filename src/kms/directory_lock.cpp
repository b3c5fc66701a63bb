// SPDX-License-Identifier: Apache-2.0
#include "kms/directory_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "base/text.hpp"

namespace regroup::kms {
namespace {

constexpr std::string_view kClause = "docs/formats.md, KMS directory";

Error refuse(const std::string& path, const std::string& what, std::string cure) {
  return fail(Errc::storage, kClause, printable(path) + " " + what, std::move(cure));
}
Error refuse_errno(const std::string& path, const std::string& what, std::string cure) {
  return refuse(path, what + ": " + std::strerror(errno), std::move(cure));
}

Result<void> examine(int fd, const std::string& directory) {
  struct stat about {};
  if (::fstat(fd, &about) != 0)
    return refuse_errno(directory, "cannot be examined", "check the rights of the directory");
  if (about.st_uid != ::geteuid())
    return refuse(directory, "belongs to another user", "run the KMS as the owner of its directory");
  if (about.st_mode & 022)
    return refuse(directory, "may be written by group or others", "chmod 0700 " + printable(directory));
  return {};
}

}  // namespace

Result<void> check_directory(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT)  // its name is wrong, not the disk
    return fail(Errc::usage, kClause, "the directory " + printable(directory) + " does not exist",
                "name the one of the KMS with --dir; regroup kms init makes it");
  if (fd < 0) return refuse_errno(directory, "cannot be opened", "check its rights");
  auto examined = examine(fd, directory);
  ::close(fd);
  return examined;
}

Result<void> make_directory(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return refuse_errno(directory, "cannot be made", "make its parent directory first");
  return check_directory(directory);
}

Result<DirectoryLock> DirectoryLock::take(const std::string& directory) {
  const std::string path = directory + "/lock";
  DirectoryLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (lock.fd_ < 0) return refuse_errno(path, "cannot be opened", "check the rights of the directory");
  for (int tries = 0; tries < 1000; ++tries) {
    if (::flock(lock.fd_, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno != EWOULDBLOCK && errno != EINTR) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return refuse(path, "is held by another administrator", "wait for the other command to end");
}

DirectoryLock::~DirectoryLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace regroup::kms
