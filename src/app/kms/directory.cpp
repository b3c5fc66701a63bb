// SPDX-License-Identifier: Apache-2.0
#include "app/kms/directory.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <mutex>

#include "app/kms/documents.hpp"
#include "base/text.hpp"
#include "kms/state_file.hpp"
#include "storage/file_lock.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kManual = "docs/operations.md, kms";

bool exists(const std::string& path) {
  struct stat about {};
  return ::lstat(path.c_str(), &about) == 0;
}

SealedStore::Opener opener_of(const std::string& directory, const StoreKey& key) {
  return [&directory, &key](OctetsView header) { return open_vault(directory, key, header); };
}

// The state of an earlier release becomes the store, whole or not at all; then it goes aside. Whoever comes
// after a crash between the two finds the store and only moves it.
Result<void> move_state(const std::string& directory, const StoreKey& key) {
  const std::string file = kms_store_file(directory);
  crypto::SystemRandom random;
  if (!exists(file)) {
    const kms::SealedState state = TRY(kms::read_state(directory));
    crypto::Vault vault = TRY(open_vault(directory, key, state.header.write()));
    kms::Kms moved = TRY(kms::Kms::open(TRY(kms::open_state(state, vault))));
    TRY(SealedStore::create_file(file, kKmsPurpose, std::move(vault), moved.take_changes(), random));
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

std::string certificate_file(const std::string& directory) { return directory + "/certificate.xml"; }

std::string kms_store_file(const std::string& directory) { return directory + "/kms.sqlite"; }

Result<void> create_kms(const std::string& directory, const StoreKey& key, kms::Kms& made,
                        const BeforeNamed& before_named) {
  crypto::SystemRandom random;
  TRY(refuse_second_kms(directory));  // before a key is made in a token
  crypto::Vault vault = TRY(make_vault(key, random));
  TRY(kms::make_directory(directory));
  const auto lock = TRY(kms::DirectoryLock::take(directory));
  TRY(refuse_second_kms(directory));
  TRY(before_named(made));
  return SealedStore::create_file(kms_store_file(directory), kKmsPurpose, std::move(vault),
                                  made.take_changes(), random);
}

Result<OpenedKms> open_kms(const std::string& directory, const StoreKey& key, KmsAccessMode mode) {
  static crypto::SystemRandom random;
  TRY(kms::check_directory(directory));
  const bool old = kms::has_state(directory);
  if (!old && !exists(kms_store_file(directory)))
    return fail(Errc::storage, "docs/formats.md, KMS store", printable(directory) + " holds no KMS",
                "make a new KMS with regroup kms init; an old one comes back from its backup only");
  std::optional<kms::DirectoryLock> lock;
  if (old || mode == KmsAccessMode::changing) lock.emplace(TRY(kms::DirectoryLock::take(directory)));
  if (kms::has_state(directory)) TRY(move_state(directory, key));
  if (mode == KmsAccessMode::reading) lock.reset();
  SealedStore store = TRY(
      SealedStore::open_shared(kms_store_file(directory), kKmsPurpose, opener_of(directory, key), random));
  std::string generation = TRY(store.generation());  // before reading: a later change is then seen as one
  kms::Kms opened = TRY(load(store));
  return OpenedKms{std::move(lock), std::move(store), std::move(opened), std::move(generation)};
}

Result<OpenedKms> restore_kms(const std::string& directory, const std::string& backup, const StoreKey& key,
                              const BeforeNamed& before_named) {
  static crypto::SystemRandom random;
  TRY(kms::make_directory(directory));
  auto lock = TRY(kms::DirectoryLock::take(directory));
  const std::string file = kms_store_file(directory);
  TRY(refuse_second_kms(directory));
  const SealedStore::Opener opener = opener_of(directory, key);
  TRY(SealedStore::copy_file(backup, file, kKmsPurpose, opener, random,
                             [&](SealedStore& copy) -> Result<void> {
                               kms::Kms restored = TRY(load(copy));
                               restored.renumber();
                               TRY(copy.commit(restored.take_changes()));
                               return before_named(restored);
                             }));
  SealedStore store = TRY(SealedStore::open_shared(file, kKmsPurpose, opener, random));
  std::string generation = TRY(store.generation());
  kms::Kms opened = TRY(load(store));
  return OpenedKms{std::move(lock), std::move(store), std::move(opened), std::move(generation)};
}

Result<void> reseal_kms(const std::string& directory, OpenedKms& opened, const StoreKey& next,
                        crypto::Vault vault) {
  TRY(remember_next_store_key(directory, next, vault.header_octets()));
  return opened.store.reseal(kms::kKinds, std::move(vault));
}

namespace {

Result<void> publish(const std::string& path, const kms::CertificateRecord& certificate) {
  const std::string text = kmsxml::write(document_of(certificate, kmsxml::Role::root));
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

}  // namespace

std::string successor_file(const std::string& directory) { return directory + "/successor.xml"; }

Result<void> publish_certificates(const std::string& directory, const kms::Kms& kms, NtpTime now) {
  const kms::CertificateRecord& present = kms.registry().own_at(now);
  const kms::CertificateRecord& last = kms.registry().all_own().back().certificate;
  TRY(publish(certificate_file(directory), present));
  if (last.cert_uri != present.cert_uri) return publish(successor_file(directory), last);
  ::unlink(successor_file(directory).c_str());
  return {};
}

Result<Octets> published_certificate(const std::string& directory, NtpTime now) {
  const auto successor = read_document(successor_file(directory));
  if (successor.ok()) {
    const auto found = TRY(kmsxml::find_certificates(*successor));
    if (!found.empty() && found.front().valid_from && *found.front().valid_from <= now) return *successor;
  }
  return read_document(certificate_file(directory));
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
  const auto followed = follow_locked();
  const std::unique_lock lock(mutex_);
  behind_ = followed.ok() ? std::string() : followed.error().text();
  if (!followed.ok()) return followed.error();
  return true;
}

Result<void> LiveKms::follow_locked() {
  TRY(opened_.store.follow(opener_of(directory_, key_)));  // at most one try of a PIN per change
  kms::Kms stored = TRY(load(opened_.store));
  const std::unique_lock lock(mutex_);
  return opened_.kms.adopt(std::move(stored));
}

std::string LiveKms::behind() const {
  const std::shared_lock lock(mutex_);
  return behind_;
}

Result<void> LiveKms::change(const Change& change) {
  const std::lock_guard one(refreshing_);
  const auto lock = TRY(kms::DirectoryLock::take(directory_));
  TRY(refresh_locked());
  if (TRY(opened_.store.sealed_anew()))
    return fail(Errc::conflict, kManual, "the store was sealed anew, and this server cannot open it",
                "start the server again with what opens the store now");
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
