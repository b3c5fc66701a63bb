// SPDX-License-Identifier: Apache-2.0
#include "crypto/secret_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.hpp"

namespace regroup::crypto {
namespace {

constexpr std::string_view kClause = "docs/operations.md, files with secrets";

struct File {
  explicit File(int opened) : fd(opened) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd >= 0) ::close(fd);
  }
  const int fd;
};

// Words about one file.
struct Named {
  std::string_view what;
  const std::string& path;
  [[nodiscard]] Error refuse(const std::string& why, std::string cure) const {
    return fail(Errc::usage, kClause, std::string(what) + " " + printable(path) + " " + why, std::move(cure));
  }
};

Result<void> examine(int fd, const Named& file) {
  struct stat about {};
  if (::fstat(fd, &about) != 0) return file.refuse("cannot be examined", "check the file system");
  if (!S_ISREG(about.st_mode)) return file.refuse("is not a regular file", "name a regular file");
  if (about.st_uid != ::geteuid())
    return file.refuse("belongs to user " + std::to_string(about.st_uid) + ", not to user " +
                           std::to_string(::geteuid()) + " of this process",
                       "chown " + std::to_string(::geteuid()) + " " + printable(file.path));
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return file.refuse("can be reached by other users", "chmod 600 " + printable(file.path));
  return {};
}

// At most one octet more than `most`, which tells that there is more.
Result<SecretOctets> read_up_to(const Named& named, std::size_t most, std::string make) {
  // O_NONBLOCK: a FIFO of that name must not hold the process.
  const File file(::open(named.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (file.fd < 0)
    return named.refuse(std::string("cannot be opened: ") + std::strerror(errno), std::move(make));
  TRY(examine(file.fd, named));
  SecretOctets buffer(most + 1);
  const auto space = buffer.expose_mutable();
  std::size_t size = 0;
  while (size < space.size()) {
    const ssize_t n = ::read(file.fd, space.data() + size, space.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      return named.refuse(std::string("cannot be read: ") + std::strerror(errno), "check the file system");
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  return SecretOctets(buffer.expose().first(size));
}

}  // namespace

OctetsView first_line(OctetsView octets) {
  const auto end = std::find(octets.begin(), octets.end(), std::uint8_t{'\n'});
  OctetsView line = octets.first(static_cast<std::size_t>(end - octets.begin()));
  if (!line.empty() && line.back() == '\r') line = line.first(line.size() - 1);
  return line;
}

Result<SecretOctets> read_secret_file(const std::string& path, std::string_view what, std::size_t most,
                                      std::string make) {
  const Named named{what, path};
  SecretOctets whole = TRY(read_up_to(named, most, std::move(make)));
  if (whole.size() > most)
    return named.refuse("has more than " + std::to_string(most) + " octets", "name the right file");
  return whole;
}

Result<SecretOctets> read_secret_line(const std::string& path, std::string_view what, std::size_t most,
                                      std::string make) {
  const Named named{what, path};
  const SecretOctets read = TRY(read_up_to(named, most, std::move(make)));
  const OctetsView line = first_line(read.expose());
  if (line.empty()) return named.refuse("has an empty first line", "write the secret into its first line");
  if (line.size() > most)
    return named.refuse("has a first line of more than " + std::to_string(most) + " octets", "shorten it");
  return SecretOctets(line);
}

}  // namespace regroup::crypto
