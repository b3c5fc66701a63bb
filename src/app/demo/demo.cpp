// SPDX-License-Identifier: Apache-2.0
#include "app/demo/demo.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <ostream>

#include "app/demo/evidence.hpp"
#include "app/demo/flows.hpp"
#include "app/demo/refusals.hpp"
#include "base/text.hpp"

namespace regroup::app::demo {
namespace {

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
  TRY(go_on());
  out << "\nrefusals\n";
  TRY(try_refusals(lab, report, out));
  if (!options.evidence_dir.empty()) TRY(write_evidence(lab, report, options.evidence_dir));
  return {};
}

// A file that cannot be written is told before the work, not after it.
Result<void> prepare_report(const std::string& file) {
  if (file.empty() || std::ofstream(file, std::ios::app)) return {};
  return fail(Errc::usage, "docs/formats.md, Demo",
              "--json: cannot write " + printable(file) + ": " + std::strerror(errno),
              "name a file in a folder that this user may write to");
}

Result<void> write_report(const std::string& file, const Report& report) {
  if (file.empty()) return {};
  std::ofstream out(file, std::ios::trunc);
  out << report.json().dump(1) << "\n";
  out.close();
  if (!out)
    return fail(Errc::storage, "", "--json: cannot write " + printable(file), "see whether the disk is full");
  return {};
}

Result<void> make_and_walk(const DemoOptions& options, Report& report, std::ostream& out) {
  const auto lab = TRY(Lab::make(options.members));
  return walk(*lab, options, report, out);
}

}  // namespace

int run_demo(const DemoOptions& options, std::ostream& out, std::ostream& err) {
  const auto tell = [&err](const Error& error) {
    err << "regroup demo: " << error.text() << std::endl;
    return error.code == Errc::usage ? 2 : 1;
  };
  if (options.members < 1 || options.members > 1000)
    return tell(fail(Errc::usage, "docs/formats.md, Demo", "--members is 1 to 1000",
                     "choose a number of that range"));
  if (const auto ready = prepare_report(options.json_file); !ready.ok()) return tell(ready.error());
  if (const auto ready = prepare_evidence(options.evidence_dir); !ready.ok()) return tell(ready.error());
  watch_for_stop();
  const auto from = std::chrono::steady_clock::now();
  Report report;
  const auto walked = make_and_walk(options, report, out);
  report.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
  const auto written = write_report(options.json_file, report);
  if (!written.ok()) tell(written.error());
  if (!walked.ok()) tell(walked.error());
  const bool good = walked.ok() && written.ok() && report.ok();
  out << "\n"
      << (good ? "All flows and refusals as they must be" : "NOT everything is as it must be") << ", "
      << report.wall_s << " s.\n"
      << std::flush;
  return good ? 0 : 1;
}

}  // namespace regroup::app::demo
