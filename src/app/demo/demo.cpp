// SPDX-License-Identifier: Apache-2.0
#include "app/demo/demo.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <set>

#include "app/demo/flows.hpp"
#include "app/demo/refusals.hpp"

namespace regroup::app::demo {
namespace {

// A file of mode 0600 from its first octet on.
Result<void> keep_private(const std::string& path, OctetsView octets) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Errc::storage, "", "cannot write " + path);
  fchmod(fd, 0600);
  std::size_t at = 0;
  while (at < octets.size()) {
    const ssize_t n = write(fd, octets.data() + at, octets.size() - at);
    if (n <= 0) break;
    at += static_cast<std::size_t>(n);
  }
  close(fd);
  if (at < octets.size()) return fail(Errc::storage, "", "cannot write " + path);
  return {};
}

// Everything needed to repeat the claims with other software.
Result<void> write_evidence(Lab& lab, const Report& report, const std::string& directory) {
  std::error_code code;
  std::filesystem::create_directories(directory, code);
  if (code) return fail(Errc::storage, "", "cannot make " + directory);
  std::string lines;
  for (const json& line : report.messages) lines += line.dump() + "\n";
  TRY(keep_private(directory + "/messages.jsonl", view(lines)));
  for (System* system : lab.systems) {
    std::ifstream file(system->file("kms-certificate.xml"));
    const std::string xml((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    TRY(keep_private(directory + "/" + system->kms_uri + ".certificate.xml", view(xml)));
    std::vector<std::string> receivers = system->users;
    receivers.push_back(system->gms_uri);
    for (const std::string& receiver : receivers) {
      const KmsAnswers answers = TRY(fetch_keys(system->kms_access(receiver), receiver));
      TRY(keep_private(directory + "/" + system->name + "-" + stem(receiver) + ".keyset.xml",
                       answers.keyprov.expose()));
    }
  }
  return {};
}

Result<void> walk(Lab& lab, const DemoOptions& options, Report& report, std::ostream& out) {
  out << "Starting two MCPTT systems on loopback: alpha.example and beta.example, " << options.members
      << " clients each.\n"
      << std::flush;
  TRY(lab.start_kms());
  out << "  KMS:  " << lab.alpha().kms_url << " (key period 30 d), " << lab.beta().kms_url << " (7 d)\n"
      << std::flush;
  TRY(lab.start_gms());
  out << "  GMS:  " << lab.alpha().gms_uri << ", " << lab.beta().gms_uri
      << "; each with keys from its own KMS\n"
      << std::flush;
  TRY(lab.start_clients());
  out << "  UE:   " << lab.alpha().users.size() + lab.beta().users.size()
      << " clients provisioned, subscribed and ready\n"
      << std::flush;

  Flows flows(lab, report, out);
  const auto step = [&](auto&& run) {
    if (!stop_wanted()) run();
  };
  step([&] { flows.group_creation(); });
  step([&] { flows.regroup_single(); });
  step([&] { flows.regroup_multi("regroup_multi", "regroup_multi_floor_one", "one"); });
  step([&] { flows.teardown(); });
  step([&] { flows.regroup_multi("regroup_multi_media_two", "regroup_multi_floor_two", "two"); });
  if (stop_wanted()) return fail(Errc::transport, "", "stopped");
  out << "\nrefusals\n";
  TRY(try_refusals(lab, report, out));
  if (!options.evidence_dir.empty()) TRY(write_evidence(lab, report, options.evidence_dir));
  return {};
}

}  // namespace

int run_demo(const DemoOptions& options, std::ostream& out, std::ostream& err) {
  if (options.members < 2 || options.members > 1000) {
    err << "regroup demo: --members is 2 to 1000" << std::endl;
    return 2;
  }
  watch_for_stop();
  const auto from = std::chrono::steady_clock::now();
  Report report;
  auto lab = Lab::make(options.members);
  if (!lab.ok()) {
    err << "regroup demo: " << lab.error().text() << std::endl;
    return 1;
  }
  const auto walked = walk(*lab.value(), options, report, out);
  report.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
  if (!options.json_file.empty()) {
    std::ofstream file(options.json_file, std::ios::trunc);
    file << report.json().dump(1) << "\n";
    if (!file) err << "regroup demo: cannot write " << options.json_file << std::endl;
  }
  if (!walked.ok()) err << "regroup demo: " << walked.error().text() << std::endl;
  const bool good = walked.ok() && report.ok();
  out << "\n"
      << (good ? "All flows and refusals as they must be" : "NOT everything is as it must be") << ", "
      << report.wall_s << " s.\n"
      << std::flush;
  return good ? 0 : 1;
}

}  // namespace regroup::app::demo
