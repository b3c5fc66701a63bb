// SPDX-License-Identifier: Apache-2.0
#include "app/cli/kms_issue.hpp"

#include <sys/stat.h>

#include <ostream>

#include "app/cli/kms_verb.hpp"
#include "app/cli/progress.hpp"
#include "app/kms/audit.hpp"
#include "app/kms/offline.hpp"
#include "app/kms/transport_file.hpp"
#include "app/process.hpp"
#include "base/text.hpp"

namespace regroup::app::cli {
namespace {

constexpr std::string_view kClause = "docs/operations.md, Machines without a network";
constexpr unsigned kMostPeriods = 60;

struct Made {
  std::string identity, directory;
  OfflinePackage package;
};

Result<void> check_options(const KmsIssueOptions& options) {
  TRY(need(options.directory, "--dir"));
  TRY(need(options.out_directory, "--out-dir"));
  if (!options.offline)
    return fail(Errc::usage, kClause, "--offline is missing: keys are issued on request over HTTPS",
                "say --offline for a machine that never sees a network");
  if (options.periods >= 1 && options.periods <= kMostPeriods) return {};
  return fail(Errc::usage, kClause, "--periods: " + std::to_string(options.periods) + " periods",
              "choose 1 to 60");
}

Result<std::vector<Made>> packages(const KmsIssueOptions& options, const kms::Kms& kms, NtpTime now,
                                   std::ostream& err) {
  crypto::SystemRandom random;
  std::vector<std::int64_t> periods;
  for (unsigned i = 0; i < options.periods; ++i) periods.push_back(kms.periods().number_at(now) + i);
  std::vector<Made> out;
  Progress progress(err, "identities", options.identities.size());
  for (const std::string& one : options.identities) {
    const kms::Subscriber* subscriber = kms.registry().find(one);
    if (!subscriber)
      return fail(Errc::unknown_group, "TS 33.180 D.3.3", "no subscriber " + printable(one),
                  "regroup kms list names those that are registered");
    const mcx::McpttId& identity = subscriber->identity;
    OfflinePackage package = TRY(offline_package(kms, identity, periods, now, random));
    const std::string directory = options.out_directory + "/" + file_name_of(identity.text());
    out.push_back({identity.text(), directory, std::move(package)});
    progress.step();
  }
  return out;
}

Result<Said> issue(const KmsIssueOptions& options, std::ostream& err) {
  TRY(check_options(options));
  const OpenedKms opened = TRY(open_kms(options.directory, {options.passphrase_file, options.token}));
  const NtpTime now = SystemClock().now();
  const std::vector<Made> made = TRY(packages(options, opened.kms, now, err));
  const std::int64_t first = opened.kms.periods().number_at(now), last = first + options.periods - 1;
  nlohmann::json identities = nlohmann::json::array(), files = nlohmann::json::array();
  for (const Made& one : made) identities.push_back(one.identity);
  TRY(audit_command(options.directory, "issue-offline",
                    {{"identities", identities}, {"periods", {first, last}}}));
  ::mkdir(options.out_directory.c_str(), 0700);  // a failure shows at the first package
  for (const Made& one : made) {
    TRY(write_offline_package(one.directory, one.package));
    files.push_back(one.directory);
  }
  const std::string until = date_time(opened.kms.periods().start_of(last + 1));
  return Said{std::to_string(made.size()) + " packages are in " + options.out_directory + ", for use until " +
                  until + "\ncarry each directory to its machine and name it there: [kms] url = \"file:...\"",
              {{"identities", identities},
               {"directories", files},
               {"first_period", first},
               {"last_period", last},
               {"until", until}}};
}

}  // namespace

int run_kms_issue(const KmsIssueOptions& options, std::ostream& out, std::ostream& err) {
  harden_process();
  return finish_kms_verb("issue", issue(options, err), options.json, out, err);
}

}  // namespace regroup::app::cli
