// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ostream>

#include "app/cli/key_files.hpp"
#include "app/cli/kms_keep.hpp"
#include "app/cli/kms_verb.hpp"
#include "app/process.hpp"
#include "base/text.hpp"
#include "crypto/secret_file.hpp"
#include "crypto/shares.hpp"
#include "storage/file_lock.hpp"

namespace regroup::app::cli {
namespace {

constexpr std::string_view kClause = "docs/operations.md, Backup";
constexpr std::size_t kMostShareFile = 16384;

Error cannot_write(const std::string& path) {
  return fail(Errc::storage, kClause, printable(path) + " cannot be written: " + std::strerror(errno),
              errno == EEXIST ? "name a place where there is none: nothing is overwritten"
                              : "check the space and rights of its folder");
}

// One line, mode 0600, a new file, durable.
Result<void> write_secret_line(const std::string& path, OctetsView line) {
  SecretOctets text(line);
  text.append(view("\n"));
  const storage::Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.ok()) return cannot_write(path);
  const OctetsView octets = text.expose();
  if (::write(file.get(), octets.data(), octets.size()) != static_cast<ssize_t>(octets.size()) ||
      ::fsync(file.get()) != 0) {
    const Error error = cannot_write(path);
    ::unlink(path.c_str());
    return error;
  }
  return storage::sync_path(storage::folder_of(path));
}

Result<Said> split(const KmsSplitOptions& options) {
  TRY(need(options.out_directory, "--out-dir"));
  const SecretOctets passphrase = TRY(crypto::read_passphrase_file(options.passphrase_file));
  if (!options.directory.empty()) TRY(open_kms(options.directory, {options.passphrase_file}));
  crypto::SystemRandom random;
  const auto shares =
      TRY(argument(crypto::split_secret(passphrase.expose(), options.shares, options.threshold, random),
                   "--shares, --threshold"));
  if (::mkdir(options.out_directory.c_str(), 0700) != 0 && errno != EEXIST)
    return cannot_write(options.out_directory);
  nlohmann::json files = nlohmann::json::array();
  for (const crypto::Share& one : shares) {
    const std::string file = options.out_directory + "/share-" + std::to_string(one.number) + ".txt";
    const auto written = write_secret_line(file, crypto::write_share(one).expose());
    if (!written.ok()) {  // all or none: half a set in a drawer would pass for a whole one
      for (const auto& made : files) ::unlink(made.get<std::string>().c_str());
      return written.error();
    }
    files.push_back(file);
  }
  const std::string threshold = std::to_string(options.threshold);
  return Said{
      std::to_string(shares.size()) + " shares are in " + options.out_directory + "; any " + threshold +
          " of them give the passphrase back\nprint or carry each to its own safe, then remove it here",
      {{"files", files}, {"threshold", options.threshold}, {"set", hex(shares[0].set)}}};
}

Result<crypto::Share> share_in(const std::string& path) {
  const SecretOctets line =
      TRY(crypto::read_secret_line(path, "share file", kMostShareFile, "name the file of a share"));
  auto share = crypto::parse_share(line.expose());
  if (!share.ok()) return std::move(share).error().with(printable(path));
  return share;
}

Result<Said> combine(const KmsCombineOptions& options) {
  TRY(need(options.out_file, "--out"));
  std::vector<crypto::Share> shares;
  for (const std::string& file : options.share_files) shares.push_back(TRY(share_in(file)));
  const SecretOctets passphrase = TRY(crypto::combine_shares(shares));
  TRY(write_secret_line(options.out_file, passphrase.expose()));
  return Said{"the passphrase is in " + options.out_file + ": use it with --passphrase-file",
              {{"file", options.out_file}, {"set", hex(shares[0].set)}}};
}

}  // namespace

int run_kms_split(const KmsSplitOptions& options, std::ostream& out, std::ostream& err) {
  harden_process();
  return finish_kms_verb("split", split(options), options.json, out, err);
}

int run_kms_combine(const KmsCombineOptions& options, std::ostream& out, std::ostream& err) {
  harden_process();
  return finish_kms_verb("combine", combine(options), options.json, out, err);
}

}  // namespace regroup::app::cli
