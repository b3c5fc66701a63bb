// SPDX-License-Identifier: Apache-2.0
// `regroup bench fanout`: whole Group Key Transport payloads for N distinct identities of one KMS, as a GMS
// makes them for a new GMK: SAKKE, key parameters, MIKEY, ECCSI, each read and verified before it counts.
#pragma once

#include "app/bench/bench.hpp"

namespace regroup::app::bench {

// 0; 1 when a sampled payload does not open to the key; 2 for a kernel that is not here.
int run_fanout(const BenchOptions& options, std::ostream& out, std::ostream& err);

}  // namespace regroup::app::bench
