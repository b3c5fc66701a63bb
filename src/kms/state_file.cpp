// SPDX-License-Identifier: Apache-2.0
#include "kms/state_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/text.hpp"
#include "base/wire.hpp"
#include "kms/directory_lock.hpp"

namespace regroup::kms {
namespace {

constexpr std::string_view kClause = "docs/formats.md, KMS store";
constexpr std::string_view kMagic = "regroup-kms";
constexpr std::uint16_t kVersion = 1;                   // without transport keys
constexpr std::uint16_t kVersionWithTransportKeys = 2;  // a release that knows none does not drop them
constexpr std::size_t kMostOctets = std::size_t{256} << 20;

constexpr std::string_view kCheckDisk = "check the space and rights of the file system";

struct Descriptor {
  int fd;
  explicit Descriptor(int opened) : fd(opened) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

Error refuse(const std::string& path, const std::string& what, std::string cure) {
  return fail(Errc::storage, kClause, printable(path) + " " + what, std::move(cure));
}
Error refuse_errno(const std::string& path, const std::string& what, std::string cure) {
  return refuse(path, what + ": " + std::strerror(errno), std::move(cure));
}

std::string state_path(const std::string& directory) { return directory + "/state"; }

Result<void> examine(int fd, const std::string& path) {
  struct stat about {};
  if (::fstat(fd, &about) != 0)
    return refuse_errno(path, "cannot be examined", "check the rights of the directory");
  if (!S_ISREG(about.st_mode))
    return refuse(path, "is no regular file", "name the directory that regroup kms init made");
  if (about.st_uid != ::geteuid())
    return refuse(path, "belongs to another user", "run the KMS as the owner of its directory");
  if (about.st_mode & 077)
    return refuse(path, "may be read by group or others", "chmod 0600 " + printable(path));
  return {};
}

Result<SealedState> state_of(OctetsView octets, const std::string& path) {
  Reader reader(octets, "docs/formats.md, KMS store");
  if (text_of(reader.take(kMagic.size(), "magic")) != kMagic)
    return refuse(path, "is no KMS state", "name the directory that regroup kms init made");
  const std::uint64_t version = reader.take_uint(2, "version");
  if (version != kVersion && version != kVersionWithTransportKeys)
    return refuse(path, "has version " + std::to_string(version) + "; this program reads versions 1 and 2",
                  "use the program that wrote it");
  Octets header;
  SealedState out;
  reader.counted(2, "vault header", header);
  reader.counted(2, "master secret record", out.master);
  reader.counted(4, "registry record", out.registry);
  if (version == kVersionWithTransportKeys) reader.counted(4, "transport key record", out.transport);
  TRY(reader.finish());
  if (version == kVersionWithTransportKeys && out.transport.empty())
    return refuse(path, "has version 2, but no transport keys",
                  "restore the directory from its last good backup");
  out.header = TRY(crypto::VaultHeader::parse(header));
  return out;
}

}  // namespace

bool has_state(const std::string& directory) {
  struct stat about {};
  return ::lstat(state_path(directory).c_str(), &about) == 0;
}

Result<SealedState> read_state(const std::string& directory) {
  TRY(check_directory(directory));
  const std::string path = state_path(directory);
  const Descriptor opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (opened.fd < 0)
    return refuse_errno(path, "cannot be opened",
                        "make a new KMS with regroup kms init; an old one comes back from its backup only");
  TRY(examine(opened.fd, path));
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

Result<Stored> open_state(const SealedState& state, const crypto::Vault& vault) {
  const SecretOctets master = TRY(vault.open("kms/master", state.master));
  const SecretOctets registry = TRY(vault.open("kms/registry", state.registry));
  SecretOctets transport;
  if (!state.transport.empty()) transport = TRY(vault.open("kms/transport", state.transport));
  return Stored::of_release_0_1(master.expose(), registry.expose(), transport.expose());
}

}  // namespace regroup::kms
