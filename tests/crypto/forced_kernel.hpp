// SPDX-License-Identifier: Apache-2.0
// The kernel of the process is put back at the end of a scope.
#pragma once

#include <gtest/gtest.h>

#include "crypto/kernel.hpp"

namespace regroup::test {

struct KernelRestored {
  KernelRestored() = default;
  KernelRestored(const KernelRestored&) = delete;
  KernelRestored& operator=(const KernelRestored&) = delete;
  ~KernelRestored() { EXPECT_TRUE(crypto::force_kernel(crypto::name_of(before)).ok()); }
  crypto::Kernel before = crypto::active_kernel();
};

struct ForcedKernel : KernelRestored {
  explicit ForcedKernel(crypto::Kernel kernel) {
    EXPECT_TRUE(crypto::force_kernel(crypto::name_of(kernel)).ok());
  }
};

}  // namespace regroup::test
