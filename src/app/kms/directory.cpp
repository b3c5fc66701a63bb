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
#include "kms/state_file.hpp"
#include "storage/file_lock.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kManual = "docs/operations.md, kms";
constexpr const char* kPurpose = "kms";

bool exists(const std::string& path) {
  struct stat about {};
  return ::lstat(path.c_str(), &about) == 0;
}

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

// The state of an earlier release becomes the store, whole or not at all; then it goes aside. Whoever comes
// after a crash between the two finds the store and only moves it.
Result<void> move_state(const std::string& directory, OctetsView passphrase) {
  const std::string file = kms_store_file(directory);
  crypto::SystemRandom random;
  if (!exists(file)) {
    const kms::SealedState state = TRY(kms::read_state(directory));
    crypto::Vault vault = TRY(crypto::Vault::open(state.header, passphrase));
    kms::Kms moved = TRY(kms::Kms::open(TRY(kms::open_state(state, vault))));
    TRY(SealedStore::create_file(file, kPurpose, std::move(vault), moved.take_changes(), random));
  }
  if (std::rename((directory + "/state").c_str(), (directory + "/state.old").c_str()) == 0)
    return storage::sync_path(directory);
  return fail(Errc::storage, kManual, printable(directory) + "/state cannot be renamed to state.old",
              "check the rights of the directory");
}

Result<void> refuse_second_kms(const std::string& directory) {
  if (!exists(kms_store_file(directory)) && !kms::has_state(directory)) return {};
  return fail(Errc::conflict, "docs/formats.md, KMS store",
              printable(directory) + " holds the master secrets of a KMS",
              "choose another --dir; overwriting them would make every issued key useless");
}

Result<kms::Kms> load(SealedStore& store) {
  kms::Stored stored;
  TRY(store.load(kms::kKinds, [&](const Record& record) { return stored.take(record); }));
  return kms::Kms::open(std::move(stored));
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

std::string kms_store_file(const std::string& directory) { return directory + "/kms.sqlite"; }

Result<void> create_kms(const std::string& directory, const std::string& passphrase_file, kms::Kms& made) {
  const SecretOctets passphrase = TRY(crypto::read_passphrase_file(passphrase_file));
  TRY(kms::make_directory(directory));
  const auto lock = TRY(kms::DirectoryLock::take(directory));
  TRY(refuse_second_kms(directory));
  crypto::SystemRandom random;
  crypto::Vault vault = crypto::Vault::make(passphrase.expose(), random);
  return SealedStore::create_file(kms_store_file(directory), kPurpose, std::move(vault), made.take_changes(),
                                  random);
}

Result<OpenedKms> open_kms(const std::string& directory, const std::string& passphrase_file,
                           KmsAccessMode mode) {
  static crypto::SystemRandom random;
  TRY(kms::check_directory(directory));
  const bool old = kms::has_state(directory);
  if (!old && !exists(kms_store_file(directory)))
    return fail(Errc::storage, "docs/formats.md, KMS store", printable(directory) + " holds no KMS",
                "make a new KMS with regroup kms init; an old one comes back from its backup only");
  const SecretOctets passphrase = TRY(passphrase_of(directory, passphrase_file));
  std::optional<kms::DirectoryLock> lock;
  if (old || mode == KmsAccessMode::changing) lock.emplace(TRY(kms::DirectoryLock::take(directory)));
  if (kms::has_state(directory)) TRY(move_state(directory, passphrase.expose()));
  if (mode == KmsAccessMode::reading) lock.reset();
  SealedStore store =
      TRY(SealedStore::open_shared(kms_store_file(directory), kPurpose, passphrase.expose(), random));
  std::string generation = TRY(store.generation());  // before reading: a later change is then seen as one
  kms::Kms opened = TRY(load(store));
  return OpenedKms{std::move(lock), std::move(store), std::move(opened), std::move(generation)};
}

Result<OpenedKms> restore_kms(const std::string& directory, const std::string& backup,
                              const std::string& passphrase_file) {
  static crypto::SystemRandom random;
  const SecretOctets passphrase = TRY(crypto::read_passphrase_file(passphrase_file));
  TRY(kms::make_directory(directory));
  auto lock = TRY(kms::DirectoryLock::take(directory));
  const std::string file = kms_store_file(directory);
  TRY(refuse_second_kms(directory));
  TRY(SealedStore::copy_file(backup, file, kPurpose, passphrase.expose(), random,
                             [](SealedStore& copy) -> Result<void> {
                               kms::Kms restored = TRY(load(copy));
                               restored.registry().renumber();
                               return copy.commit(restored.take_changes());
                             }));
  SealedStore store = TRY(SealedStore::open_shared(file, kPurpose, passphrase.expose(), random));
  std::string generation = TRY(store.generation());
  kms::Kms opened = TRY(load(store));
  return OpenedKms{std::move(lock), std::move(store), std::move(opened), std::move(generation)};
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
    return fail(Errc::storage, "docs/formats.md, KMS directory",
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
  const std::unique_lock one(refreshing_, std::try_to_lock);
  return one.owns_lock() ? refresh_locked() : false;  // another thread is at it
}

// Read beside the present state, which goes on answering meanwhile.
Result<bool> LiveKms::refresh_locked() {
  std::string generation = TRY(opened_.store.generation());
  if (generation == opened_.generation) return false;
  opened_.generation = std::move(generation);
  kms::Kms stored = TRY(load(opened_.store));
  const std::unique_lock lock(mutex_);
  TRY(opened_.kms.adopt(std::move(stored)));
  return true;
}

Result<void> LiveKms::change(const Change& change) {
  const std::lock_guard one(refreshing_);
  const auto lock = TRY(kms::DirectoryLock::take(directory_));
  TRY(refresh_locked());
  Result<void> done;
  {
    const std::unique_lock writing(mutex_);
    done = change(opened_.kms);
    if (done.ok()) done = opened_.store.commit(opened_.kms.take_changes());
  }
  if (done.ok()) return done;
  opened_.generation.clear();  // what is in memory may not be on the disk: read it again
  const auto again = refresh_locked();
  return again.ok() ? done : again.error();
}

}  // namespace regroup::app
