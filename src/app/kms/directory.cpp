// SPDX-License-Identifier: Apache-2.0
#include "app/kms/directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "app/kms/documents.hpp"
#include "base/text.hpp"
#include "crypto/secret_file.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kManual = "docs/operations.md, kms";

std::string memory_of(const std::string& directory) { return directory + "/passphrase-file"; }

// Where the passphrase is, by what `kms init` wrote down.
Result<std::string> remembered_passphrase_file(const std::string& directory) {
  const std::string memory = memory_of(directory);
  std::error_code ignored;
  if (!std::filesystem::exists(memory, ignored))
    return fail(Errc::usage, kManual, printable(directory) + " does not say where its passphrase file is",
                "name it with --passphrase-file FILE");
  const SecretOctets line =
      TRY(crypto::read_secret_line(memory, "file", 4096, "name it with --passphrase-file FILE"));
  std::string name(text_of(line.expose()));
  if (std::filesystem::exists(name, ignored)) return name;
  return fail(
      Errc::usage, kManual,
      "the passphrase file " + printable(name) + ", which " + printable(memory) + " names, is gone",
      "bring it back, or name its new place with --passphrase-file FILE; a new passphrase opens nothing");
}

Result<SecretOctets> passphrase_of(const std::string& directory, const std::string& passphrase_file) {
  return crypto::read_passphrase_file(passphrase_file.empty() ? TRY(remembered_passphrase_file(directory))
                                                              : passphrase_file);
}

}  // namespace

Result<void> remember_passphrase_file(const std::string& directory, const std::string& passphrase_file) {
  std::error_code code;
  const std::string name =
      std::filesystem::absolute(passphrase_file, code).lexically_normal().string() + "\n";
  const std::string path = memory_of(directory);
  ::unlink(path.c_str());  // of a KMS that was here before
  const int fd = code ? -1 : ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  const bool written = fd >= 0 &&
                       ::write(fd, name.data(), name.size()) == static_cast<ssize_t>(name.size()) &&
                       ::fsync(fd) == 0;
  const int fault = code ? code.value() : errno;
  if (fd >= 0) ::close(fd);
  if (written) return {};
  return fail(Errc::storage, kManual, printable(path) + " cannot be written: " + std::strerror(fault),
              "the KMS is made all the same: name the passphrase file with --passphrase-file each time");
}

std::string certificate_file(const std::string& directory) { return directory + "/certificate.xml"; }

Result<OpenedKms> open_kms(const std::string& directory, const std::string& passphrase_file) {
  std::string stamp = kms::state_stamp(directory);  // before reading: a later change is then seen as one
  const kms::SealedState state = TRY(kms::read_state(directory));
  const SecretOctets passphrase = TRY(passphrase_of(directory, passphrase_file));
  crypto::Vault vault = TRY(crypto::Vault::open(state.header, passphrase.expose()));
  kms::Kms opened = TRY(kms::Kms::open(state, vault));
  return OpenedKms{std::move(vault), std::move(opened), std::move(stamp)};
}

Result<void> publish_certificate(const std::string& directory, const kms::Kms& kms) {
  const std::string path = certificate_file(directory);
  const std::string text = kmsxml::write(document_of(kms.registry().own(), kmsxml::Role::root));
  const auto present = read_document(path);
  if (present.ok() && text_of(*present) == text) return {};
  const std::string beside = path + ".new";
  std::ofstream file(beside, std::ios::binary | std::ios::trunc);
  file << text << std::flush;
  if (!file || std::rename(beside.c_str(), path.c_str()) != 0)
    return fail(Errc::storage, "docs/formats.md, KMS state",
                printable(path) + " cannot be written: " + std::strerror(errno),
                "check the rights of the directory");
  return {};
}

Result<Octets> read_document(const std::string& path) {
  constexpr std::size_t kMost = std::size_t{1} << 20;
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return fail(Errc::usage, "", printable(path) + " cannot be opened: " + std::strerror(errno),
                "name a file that is there and that this user may read");
  Octets out(kMost + 1);
  file.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
  if (file.bad())
    return fail(Errc::storage, "", printable(path) + " cannot be read",
                "name a file that this user may read");
  out.resize(static_cast<std::size_t>(file.gcount()));
  if (out.size() > kMost)
    return fail(Errc::limit, "", printable(path) + " has more than 1 MiB", "name one document of the KMS");
  return out;
}

Result<bool> LiveKms::refresh() {
  const std::string stamp = kms::state_stamp(directory_);
  {
    const auto lock = reading();
    if (stamp == opened_.stamp) return false;
  }
  const std::unique_lock lock(mutex_);
  if (stamp == opened_.stamp) return false;
  opened_.stamp = stamp;
  const kms::SealedState state = TRY(kms::read_state(directory_));
  TRY(opened_.kms.adopt(TRY(kms::Kms::open(state, opened_.vault))));
  return true;
}

}  // namespace regroup::app
