// SPDX-License-Identifier: Apache-2.0
#include "storage/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/text.hpp"

namespace regroup::storage {
namespace {

Error system_error(const std::string& what, const std::string& path, std::string cure) {
  const int number = errno;
  return fail(Errc::storage, "", what + " " + path + ": " + std::strerror(number), std::move(cure));
}

// The process that wrote its number into the lock file; for the error text only.
std::string holder(int fd) {
  std::array<char, 16> text{};
  const ssize_t count = ::pread(fd, text.data(), text.size(), 0);
  if (count <= 0) return "another process";
  const std::string_view all(text.data(), static_cast<std::size_t>(count));
  return "process " + printable(all.substr(0, all.find('\n')));
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Descriptor> lock_file(const std::string& path) {
  Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.ok()) return system_error("cannot open lock file", path, "make its folder writable for this user");
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return system_error("cannot lock", path, "use a local disk, not a network share");
    return fail(Errc::storage, "", path + " is held by " + holder(fd.get()),
                "stop that server, or give this one a store of its own");
  }
  const std::string number = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd.get(), 0) != 0 ||
      ::pwrite(fd.get(), number.data(), number.size(), 0) != static_cast<ssize_t>(number.size()))
    return system_error("cannot write", path, "see whether the disk is full");
  return fd;
}

Result<void> create_private_file(const std::string& path) {
  {
    const Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd.ok())
      return system_error("cannot create", path, "name a file that does not exist in a folder that does");
  }
  return sync_path(folder_of(path));
}

Result<void> check_private_file(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    return system_error("cannot read", path, "name an existing file that this user may read");
  if (!S_ISREG(info.st_mode))
    return fail(Errc::storage, "", path + " is not a regular file", "name another path");
  if (info.st_mode & 077)
    return fail(Errc::storage, "", path + " can be read or written by others", "chmod 600 " + path);
  return {};
}

Result<void> sync_path(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok() || ::fsync(fd.get()) != 0)
    return system_error("cannot sync", path, "check the space and rights of the file system");
  return {};
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace regroup::storage
