// SPDX-License-Identifier: Apache-2.0
// What the module of counting_module.cpp shares with the test that loads it, by `regroup_counts`.
#pragma once

namespace regroup::test {

struct ModuleCounts {
  int initialized = 0, finalized = 0;
  int opened = 0, closed = 0;
  int logins = 0, logouts = 0;
  unsigned long more_token_flags = 0;
};

}  // namespace regroup::test
