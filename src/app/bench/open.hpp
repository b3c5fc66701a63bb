// SPDX-License-Identifier: Apache-2.0
// `regroup bench open`: SAKKE opening of N messages for one receiver key or several, with the mandatory
// re-encryption check, signatures aside; and of one message alone.
#pragma once

#include "app/bench/bench.hpp"

namespace regroup::app::bench {

struct OpenBenchOptions : BenchOptions {
  std::size_t keys = 1;  // receivers, each with one key
};

// 0; 1 when a message does not open to its SSV; 2 for a kernel that is not here.
int run_open_bench(const OpenBenchOptions& options, std::ostream& out, std::ostream& err);

}  // namespace regroup::app::bench
