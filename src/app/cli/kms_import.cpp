// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <ostream>

#include "app/cli/key_files.hpp"
#include "app/cli/kms_identity.hpp"
#include "app/cli/kms_verb.hpp"
#include "app/cli/progress.hpp"
#include "app/kms/identity_list.hpp"
#include "app/kms/transport_file.hpp"
#include "app/process.hpp"
#include "base/text.hpp"
#include "crypto/hash/sha256.hpp"

namespace regroup::app::cli {
namespace {

struct Imported {
  std::size_t added = 0, changed = 0, unchanged = 0;
  std::vector<std::string> key_files;  // written, of no use unless the change is kept
};

Result<Octets> read_list(const std::string& path) {
  constexpr const char* kCure = "name a regular file that is there and that this user may read";
  struct stat about {};
  if (::stat(path.c_str(), &about) == 0 && !S_ISREG(about.st_mode))
    return fail(Errc::usage, "", printable(path) + " is no regular file", kCure);
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return fail(Errc::usage, "", printable(path) + " cannot be opened: " + std::strerror(errno), kCure);
  std::string text(kMaxIdentityList + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxIdentityList)
    return fail(Errc::limit, "docs/formats.md, Identity list", printable(path) + " has more than 64 MiB",
                "split it");
  return to_octets(view(text));
}

std::string key_file_of(const std::string& directory, const std::string& identity) {
  return directory + "/" + file_name_of(identity) + "-trk.json";
}

// The keys of a line that asks for some and whose identity has none yet, on disk already; else none.
Result<std::optional<kms::ClientKeys>> keys_for(const kms::Kms& kms, const IdentityLine& line,
                                                const std::string& directory, Random& random) {
  if (line.transport_keys.empty() || kms.transport_keys().find(line.identity.text()))
    return std::optional<kms::ClientKeys>();
  if (directory.empty())
    return fail(Errc::usage, "TS 33.180 5.3.3", "transport_keys: there is no place for the key file",
                "name a directory with --transport-keys-out");
  kms::ClientKeys keys;
  keys.signs = line.transport_keys == "wrap+sign";
  keys.made = SystemClock().now();
  keys.keys.push_back(kms::make_transport_keys(line.identity, random));
  TRY(write_transport_key_file(key_file_of(directory, line.identity.text()), keys.present()));
  return std::optional(std::move(keys));
}

// A line that says what is so already changes nothing: the list can be imported again. What can fail comes
// first: a bad line changes nothing either.
Result<void> take_line(kms::Kms& kms, const IdentityLine& line, const std::string& directory, Random& random,
                       Imported& out) {
  kms::Registry& registry = kms.registry();
  const kms::Subscriber* there = registry.find(line.identity.text());
  const bool known = there && there->server == line.server && there->identity.text() == line.identity.text();
  const auto standing = line.suspended ? kms::Standing::suspended : kms::Standing::active;
  bool changed = known ? TRY(registry.set_standing(line.identity.text(), standing)) : false;
  auto keys = TRY(keys_for(kms, line, directory, random));
  const std::string file = keys ? key_file_of(directory, line.identity.text()) : std::string();
  if (!known) {
    const auto added = registry.add(line.identity, line.server);
    if (!added.ok() && keys) std::remove(file.c_str());
    TRY(added);
    TRY(registry.set_standing(line.identity.text(), standing));
  }
  if (keys) {
    TRY(kms.transport_keys().add(line.identity, std::move(*keys)));
    out.key_files.push_back(file);
    changed = true;
  }
  ++(!known ? out.added : changed ? out.changed : out.unchanged);
  return {};
}

Result<void> make_key_directory(const std::string& directory) {
  if (directory.empty() || ::mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return fail(Errc::usage, "docs/formats.md, Transport key file",
              "--transport-keys-out: " + printable(directory) + " cannot be made: " + std::strerror(errno),
              "name a directory that this user may make");
}

Result<Said> import(const KmsIdentityImportOptions& options, std::ostream& err) {
  TRY(need(options.directory, "--dir"));
  const Octets text = TRY(argument(read_list(options.file), "FILE"));
  IdentityList list = TRY(parse_identity_list(text));
  TRY(make_key_directory(options.transport_keys_out));
  OpenedKms opened =
      TRY(open_kms(options.directory, {options.passphrase_file, options.token}, KmsAccessMode::changing));
  crypto::SystemRandom random;
  Imported done;
  Progress progress(err, "identities", list.lines.size());
  for (const IdentityLine& line : list.lines) {
    const auto taken = take_line(opened.kms, line, options.transport_keys_out, random, done);
    if (!taken.ok()) list.bad.push_back({line.line, taken.error()});
    progress.step();
  }
  progress.end();
  const auto stored =
      administer(options.directory, opened, "identity-import",
                 {{"sha256", hex(crypto::sha256(text))}, {"added", done.added}, {"changed", done.changed}});
  if (!stored.ok())
    for (const std::string& file : done.key_files) std::remove(file.c_str());
  TRY(stored);
  std::sort(list.bad.begin(), list.bad.end(), [](const auto& a, const auto& b) { return a.line < b.line; });
  nlohmann::json bad = nlohmann::json::array();
  for (const IdentityList::Bad& one : list.bad) {
    err << printable(options.file) << ":" << one.line << ": " << one.why.text() << "\n";
    bad.push_back({{"line", one.line}, {"error", one.why.text()}});
  }
  Said said{"added " + std::to_string(done.added) + ", changed " + std::to_string(done.changed) +
                ", as they were " + std::to_string(done.unchanged) + ", bad lines " +
                std::to_string(list.bad.size()),
            {{"added", done.added},
             {"changed", done.changed},
             {"unchanged", done.unchanged},
             {"transport_keys", done.key_files.size()},
             {"bad", bad}}};
  if (!done.key_files.empty())
    said.text += "\n" + std::to_string(done.key_files.size()) + " transport key files are in " +
                 options.transport_keys_out + ": carry each to its owner, then remove it here";
  said.exit_code = list.bad.empty() ? 0 : 3;
  return said;
}

}  // namespace

int run_kms_identity_import(const KmsIdentityImportOptions& options, std::ostream& out, std::ostream& err) {
  harden_process();
  return finish_kms_verb("identity import", import(options, err), options.json, out, err);
}

}  // namespace regroup::app::cli
