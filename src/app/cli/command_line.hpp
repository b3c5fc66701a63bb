// SPDX-License-Identifier: Apache-2.0
// The command line: `regroup <noun> <verb>`. Each verb is a function with its own options; here they only get
// their names, their help and their examples.
#pragma once

#include <CLI/CLI.hpp>

namespace regroup::app::cli {

inline constexpr const char* kExitCodes =
    "\nExit codes: 0 done, 1 failure, 2 usage or configuration, 3 refused.";

// inspect, open, seal, lab, info, bench; kms, kms-client, gms, ue, demo. A verb that ran leaves its exit code
// in `result`.
void add_lab_verbs(CLI::App& app, int& result);
void add_role_verbs(CLI::App& app, int& result);
void add_kms_verbs(CLI::App& app, int& result);         // of add_role_verbs
void add_kms_client_verbs(CLI::App& app, int& result);  // of add_role_verbs

// Runs the verb that the arguments name. Exit code: the verb's, 0 after help, 2 when they cannot be read:
// then the first mistake is told on `err`, and with --json anywhere on the line as an object on stdout too.
[[nodiscard]] int run_command_line(int argc, const char* const* argv, std::ostream& err);

}  // namespace regroup::app::cli
