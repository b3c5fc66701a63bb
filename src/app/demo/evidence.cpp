// SPDX-License-Identifier: Apache-2.0
#include "app/demo/evidence.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/text.hpp"

namespace regroup::app::demo {
namespace {

constexpr std::string_view kCheckFolder = "name a folder that this user may write to";
constexpr std::string_view kMessages = "messages.jsonl", kCertificate = ".certificate.xml",
                           kKeySet = ".keyset.xml";

// A file of mode 0600 from its first octet on.
Result<void> keep_private(const std::string& path, OctetsView octets) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Errc::storage, "", "cannot write " + path, std::string(kCheckFolder));
  fchmod(fd, 0600);
  std::size_t at = 0;
  while (at < octets.size()) {
    const ssize_t n = write(fd, octets.data() + at, octets.size() - at);
    if (n <= 0) break;
    at += static_cast<std::size_t>(n);
  }
  close(fd);
  if (at < octets.size()) return fail(Errc::storage, "", "cannot write " + path, std::string(kCheckFolder));
  return {};
}

// A name that an earlier run may have given.
bool is_ours(const std::string& name) {
  return name == kMessages || name.ends_with(kCertificate) || name.ends_with(kKeySet);
}

}  // namespace

Result<void> prepare_evidence(const std::string& directory) {
  if (directory.empty()) return {};
  namespace fs = std::filesystem;
  std::error_code code;
  fs::create_directories(directory, code);
  if (code)
    return fail(Errc::storage, "", "cannot make " + printable(directory) + ": " + code.message(),
                std::string(kCheckFolder));
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(directory, code)) found.push_back(entry.path());
  if (code)
    return fail(Errc::storage, "", "cannot read " + printable(directory) + ": " + code.message(),
                std::string(kCheckFolder));
  if (found.empty()) return {};
  if (!fs::exists(fs::path(directory) / kMessages, code))
    return fail(Errc::usage, "docs/formats.md, Demo",
                "--evidence: " + printable(directory) + " has other files and no " + std::string(kMessages) +
                    " of an earlier run",
                "name a new or an empty directory");
  for (const fs::path& path : found)
    if (is_ours(path.filename().string()) && !fs::remove(path, code))
      return fail(Errc::storage, "", "cannot remove " + printable(path.string()) + ": " + code.message(),
                  std::string(kCheckFolder));
  return {};
}

Result<void> write_evidence(Lab& lab, const Report& report, const std::string& directory) {
  std::string lines;
  for (const json& line : report.messages) lines += line.dump() + "\n";
  TRY(keep_private(directory + "/" + std::string(kMessages), view(lines)));
  for (System* system : lab.systems) {
    std::ifstream file(system->file("kms-certificate.xml"));
    const std::string xml((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    TRY(keep_private(directory + "/" + system->kms_uri + std::string(kCertificate), view(xml)));
    std::vector<std::string> receivers = system->users;
    receivers.push_back(system->gms_uri);
    for (const std::string& receiver : receivers) {
      TRY(go_on());
      const KmsAnswers answers = TRY(fetch_keys(system->kms_access(receiver), receiver));
      TRY(keep_private(directory + "/" + system->name + "-" + stem(receiver) + std::string(kKeySet),
                       answers.keyprov.expose()));
    }
  }
  return {};
}

}  // namespace regroup::app::demo
