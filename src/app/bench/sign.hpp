// SPDX-License-Identifier: Apache-2.0
// `regroup bench sign`: ECCSI signatures of N messages under one key, each verified before it counts, as
// those of a fan-out are; and one signature and one verification alone.
#pragma once

#include "app/bench/bench.hpp"

namespace regroup::app::bench {

// 0; 1 when a signature does not verify; 2 for a kernel that is not here.
int run_sign_bench(const BenchOptions& options, std::ostream& out, std::ostream& err);

}  // namespace regroup::app::bench
