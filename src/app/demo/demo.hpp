// SPDX-License-Identifier: Apache-2.0
// `regroup demo`: two MCPTT systems over loopback with real processes, from the first key to the tear-down,
// and the refusals that matter (TS 33.179 7.3.4, 7.3.5).
#pragma once

#include <iosfwd>
#include <string>

namespace regroup::app::demo {

struct DemoOptions {
  int members = 4;           // clients in each system; up to four have a process each
  std::string json_file;     // the report
  std::string evidence_dir;  // messages, KMS certificates, key sets: lab keys only
};

// 0: every member of each keying flow INSTALLED, of tear-down WITHDRAWN, every refusal refused. 1 otherwise,
// 2 usage.
int run_demo(const DemoOptions& options, std::ostream& out, std::ostream& err);

}  // namespace regroup::app::demo
