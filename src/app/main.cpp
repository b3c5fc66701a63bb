// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "app/cli/command_line.hpp"
#include "app/process.hpp"
#include "crypto/eccsi.hpp"
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

}  // namespace

int main(int argc, char** argv) {
  regroup::app::harden_process();
  if (!self_tests_pass()) return 1;
  return regroup::app::cli::run_command_line(argc, argv, std::cerr);
}
