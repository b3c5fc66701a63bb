// SPDX-License-Identifier: Apache-2.0
#include "app/cli/info.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "crypto/kernel.hpp"

namespace regroup::app::cli {
namespace {

TEST(Info, NamesTheKernelInUseAndNoOther) {
  const crypto::Kernel before = crypto::active_kernel();
  for (const crypto::Kernel forced : crypto::kKernels) {
    if (!crypto::force_kernel(crypto::name_of(forced)).ok()) continue;
    std::ostringstream out, text;
    EXPECT_EQ(run_info(true, out), 0);
    const auto report = nlohmann::json::parse(out.str());
    EXPECT_EQ(report["version"], kVersion);
    EXPECT_EQ(report["kernels"].size(), std::size(crypto::kKernels));
    for (const auto& one : report["kernels"])
      EXPECT_EQ(one["active"].get<bool>(), one["name"] == crypto::name_of(forced)) << one;
    EXPECT_EQ(run_info(false, text), 0);
    EXPECT_NE(text.str().find(std::string(crypto::name_of(forced)) + ": active"), std::string::npos);
  }
  EXPECT_TRUE(crypto::force_kernel(crypto::name_of(before)).ok());
}

}  // namespace
}  // namespace regroup::app::cli
