// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <iostream>

#include "app/cli/command_line.hpp"
#include "app/process.hpp"
#include "crypto/eccsi.hpp"
#include "crypto/kernel.hpp"
#include "crypto/sakke.hpp"
#include "mcx/uid.hpp"

namespace {

// Fail closed: a build whose arithmetic is wrong must not touch a key.
bool self_tests_pass() {
  for (const auto& tested : {regroup::crypto::sakke::self_test(), regroup::crypto::eccsi::self_test(),
                             regroup::mcx::self_test()}) {
    if (tested.ok()) continue;
    std::cerr << "regroup: self-test: " << tested.error().text() << std::endl;
    return false;
  }
  return true;
}

// REGROUP_KERNEL, for tests and for comparisons.
bool kernel_is_chosen() {
  const char* const name = std::getenv("REGROUP_KERNEL");
  if (!name) return true;
  const auto forced = regroup::crypto::force_kernel(name);
  if (!forced.ok()) std::cerr << "regroup: " << forced.error().text() << std::endl;
  return forced.ok();
}

}  // namespace

int main(int argc, char** argv) {
  regroup::app::harden_process();
  if (!kernel_is_chosen()) return 2;
  if (!self_tests_pass()) return 1;
  return regroup::app::cli::run_command_line(argc, argv, std::cerr);
}
