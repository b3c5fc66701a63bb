// SPDX-License-Identifier: Apache-2.0
// `regroup bench extract`: key sets (RSK, SSK and PVT) of N identities of one period, as a KMS makes them for
// a roll-over (kms/kms.hpp, provision_all).
#pragma once

#include "app/bench/bench.hpp"

namespace regroup::app::bench {

// 0; 1 when a sampled key set does not validate; 2 for a kernel that is not here.
int run_extract_bench(const BenchOptions& options, std::ostream& out, std::ostream& err);

}  // namespace regroup::app::bench
