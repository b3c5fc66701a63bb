// SPDX-License-Identifier: Apache-2.0
#include "app/kms/directory.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <mutex>

#include "app/kms/documents.hpp"
#include "base/text.hpp"

namespace regroup::app {

std::string certificate_file(const std::string& directory) { return directory + "/certificate.xml"; }

Result<OpenedKms> open_kms(const std::string& directory, const std::string& passphrase_file) {
  std::string stamp = kms::state_stamp(directory);  // before reading: a later change is then seen as one
  const kms::SealedState state = TRY(kms::read_state(directory));
  const SecretOctets passphrase = TRY(crypto::read_passphrase_file(passphrase_file));
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
    return fail(Errc::storage, "kms.md 6.1", printable(path) + " cannot be written: " + std::strerror(errno),
                "check the rights of the directory");
  return {};
}

Result<Octets> read_document(const std::string& path) {
  constexpr std::size_t kMost = std::size_t{1} << 20;
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return fail(Errc::storage, "", printable(path) + " cannot be opened: " + std::strerror(errno),
                "check the name");
  Octets out(kMost + 1);
  file.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
  if (file.bad()) return fail(Errc::storage, "", printable(path) + " cannot be read");
  out.resize(static_cast<std::size_t>(file.gcount()));
  if (out.size() > kMost) return fail(Errc::limit, "kms.md 6.5", printable(path) + " has more than 1 MiB");
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
  const kms::Kms stored = TRY(kms::Kms::open(state, opened_.vault));
  TRY(opened_.kms.adopt(stored.registry()));
  return true;
}

}  // namespace regroup::app
