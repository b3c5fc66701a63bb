// SPDX-License-Identifier: Apache-2.0
#include "kms/state_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>

#include "base/text.hpp"
#include "base/wire.hpp"

namespace regroup::kms {
namespace {

constexpr std::string_view kClause = "docs/formats.md, KMS state";
constexpr std::string_view kMagic = "regroup-kms";
constexpr std::uint16_t kVersion = 1;                   // without transport keys
constexpr std::uint16_t kVersionWithTransportKeys = 2;  // a release that knows none does not drop them
constexpr std::size_t kMostOctets = std::size_t{256} << 20;

struct Descriptor {
  int fd;
  explicit Descriptor(int opened) : fd(opened) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

constexpr std::string_view kCheckDisk = "check the space and rights of the file system";

Error refuse(const std::string& path, const std::string& what, std::string cure) {
  return fail(Errc::storage, kClause, printable(path) + " " + what, std::move(cure));
}
Error refuse_errno(const std::string& path, const std::string& what, std::string cure) {
  return refuse(path, what + ": " + std::strerror(errno), std::move(cure));
}

std::string state_path(const std::string& directory) { return directory + "/state"; }

Result<void> examine(int fd, const std::string& path, bool directory) {
  struct stat about {};
  if (::fstat(fd, &about) != 0)
    return refuse_errno(path, "cannot be examined", "check the rights of the directory");
  if (directory ? !S_ISDIR(about.st_mode) : !S_ISREG(about.st_mode))
    return refuse(path, directory ? "is no directory" : "is no regular file",
                  "name the directory that regroup kms init made");
  if (about.st_uid != ::geteuid())
    return refuse(path, "belongs to another user", "run the KMS as the owner of its directory");
  const mode_t others = directory ? 022 : 077;
  if (about.st_mode & others)
    return refuse(path, directory ? "may be written by group or others" : "may be read by group or others",
                  std::string("chmod ") + (directory ? "0700 " : "0600 ") + printable(path));
  return {};
}

Result<void> write_all(int fd, OctetsView octets, const std::string& path) {
  while (!octets.empty()) {
    const ssize_t n = ::write(fd, octets.data(), octets.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return refuse_errno(path, "cannot be written", std::string(kCheckDisk));
    octets = octets.subspan(static_cast<std::size_t>(n));
  }
  if (::fsync(fd) != 0) return refuse_errno(path, "cannot be made durable", std::string(kCheckDisk));
  return {};
}

Result<void> sync_directory(const std::string& directory) {
  const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.fd < 0 || ::fsync(opened.fd) != 0)
    return refuse_errno(directory, "cannot be made durable", std::string(kCheckDisk));
  return {};
}

template <class Io>
void wire(Io& io, Octets& header, Octets& master, Octets& registry) {
  io.counted(2, "vault header", header);
  io.counted(2, "master secret record", master);
  io.counted(4, "registry record", registry);
}

Octets octets_of(const SealedState& state) {
  Octets header = state.header.write(), master = state.master, registry = state.registry;
  Writer writer;
  writer.put(view(kMagic));
  writer.put_uint(2, state.transport.empty() ? kVersion : kVersionWithTransportKeys);
  wire(writer, header, master, registry);
  if (!state.transport.empty()) writer.counted(4, "transport key record", state.transport);
  return std::move(writer).octets();
}

Result<SealedState> state_of(OctetsView octets, const std::string& path) {
  Reader reader(octets, "docs/formats.md, KMS state");
  if (text_of(reader.take(kMagic.size(), "magic")) != kMagic)
    return refuse(path, "is no KMS state", "name the directory that regroup kms init made");
  const std::uint64_t version = reader.take_uint(2, "version");
  if (version != kVersion && version != kVersionWithTransportKeys)
    return refuse(path, "has version " + std::to_string(version) + "; this program reads versions 1 and 2",
                  "use the program that wrote it");
  Octets header;
  SealedState out;
  wire(reader, header, out.master, out.registry);
  if (version == kVersionWithTransportKeys) reader.counted(4, "transport key record", out.transport);
  TRY(reader.finish());
  if (version == kVersionWithTransportKeys && out.transport.empty())
    return refuse(path, "has version 2, but no transport keys",
                  "restore the directory from its last good backup");
  out.header = TRY(crypto::VaultHeader::parse(header));
  return out;
}

// A complete, durable file beside the state; the caller gives it its name.
Result<std::string> write_beside(const std::string& directory, const SealedState& state) {
  const std::string path = state_path(directory) + ".new";
  ::unlink(path.c_str());  // left by a crash; the lock, or O_EXCL below, keeps a living writer's safe
  const Descriptor opened(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (opened.fd < 0) return refuse_errno(path, "cannot be created", "check the rights of the directory");
  TRY(write_all(opened.fd, octets_of(state), path));
  return path;
}

Result<void> examine_directory(const std::string& directory) {
  const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.fd < 0 && errno == ENOENT)  // its name is wrong, not the disk
    return fail(Errc::usage, kClause, "the directory " + printable(directory) + " does not exist",
                "name the one of the KMS with --dir; regroup kms init makes it");
  if (opened.fd < 0) return refuse_errno(directory, "cannot be opened", "check its rights");
  return examine(opened.fd, directory, true);
}

}  // namespace

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

Result<void> create_state(const std::string& directory, const SealedState& state) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return refuse_errno(directory, "cannot be made", "make its parent directory first");
  TRY(examine_directory(directory));
  const DirectoryLock lock = TRY(DirectoryLock::take(directory));
  const std::string written = TRY(write_beside(directory, state));
  const std::string path = state_path(directory);
  const bool linked =
      ::link(written.c_str(), path.c_str()) == 0;  // fails if the name exists: nothing is ever overwritten
  const int fault = errno;
  ::unlink(written.c_str());
  if (linked) return sync_directory(directory);
  if (fault == EEXIST)
    return fail(Errc::conflict, kClause,
                printable(path) + " exists: this directory holds the master secrets of a KMS",
                "choose another --dir; overwriting them would make every issued key useless");
  errno = fault;
  return refuse_errno(path, "cannot be created", std::string(kCheckDisk));
}

Result<SealedState> read_state(const std::string& directory) {
  TRY(examine_directory(directory));
  const std::string path = state_path(directory);
  const Descriptor opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (opened.fd < 0)
    return refuse_errno(path, "cannot be opened",
                        "make a new KMS with regroup kms init; an old one comes back from its backup only");
  TRY(examine(opened.fd, path, false));
  Octets octets;
  Octets piece(std::size_t{64} << 10);
  for (;;) {
    const ssize_t n = ::read(opened.fd, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return refuse_errno(path, "cannot be read", std::string(kCheckDisk));
    if (n == 0) return state_of(octets, path);
    append(octets, OctetsView(piece).first(static_cast<std::size_t>(n)));
    if (octets.size() > kMostOctets)
      return refuse(path, "is larger than 256 MiB", "name the directory that regroup kms init made");
  }
}

Result<void> replace_state(const std::string& directory, const SealedState& state, const DirectoryLock&) {
  const std::string written = TRY(write_beside(directory, state));
  const std::string path = state_path(directory);
  if (::rename(written.c_str(), path.c_str()) != 0)
    return refuse_errno(path, "cannot be replaced", std::string(kCheckDisk));
  return sync_directory(directory);
}

std::string state_stamp(const std::string& directory) {
  struct stat about {};
  if (::stat(state_path(directory).c_str(), &about) != 0) return {};
  return std::to_string(about.st_ino) + "/" + std::to_string(about.st_mtim.tv_sec) + "." +
         std::to_string(about.st_mtim.tv_nsec) + "/" + std::to_string(about.st_size);
}

}  // namespace regroup::kms
