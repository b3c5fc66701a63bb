// SPDX-License-Identifier: Apache-2.0
// What `regroup bench fanout` prints, and that its sample opens; never how fast it was.
#include "app/bench/fanout.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "crypto/forced_kernel.hpp"

namespace regroup::app::bench {
namespace {

using nlohmann::json;

TEST(BenchFanout, ReportsOneObjectAndOpensItsSampleWithEveryKernel) {
  const test::KernelRestored restored;  // a bench forces a kernel for the rest of its process
  for (const crypto::Kernel kernel : crypto::kKernels) {
    if (!crypto::runs_here(kernel)) continue;
    BenchOptions options;
    options.count = 40;
    options.threads = 2;
    options.kernel = crypto::name_of(kernel);
    options.json = true;
    std::ostringstream out, err;
    ASSERT_EQ(run_fanout(options, out, err), 0) << err.str();
    const json report = json::parse(out.str());
    EXPECT_EQ(report["members"], 40);
    EXPECT_EQ(report["threads"], 2);
    EXPECT_EQ(report["kernel"], options.kernel);
    EXPECT_EQ(report["sample_opened"], 16);
    for (const char* name : {"cpu_s", "wall_s", "payloads_per_s_per_core", "cycles_per_payload",
                             "cycles_per_encapsulation", "table_bytes", "peak_rss_kib"}) {
      ASSERT_TRUE(report.contains(name)) << name;
      EXPECT_GT(report[name].get<double>(), 0) << name;
    }
    const std::string said = out.str();
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << "and nothing else";
  }
}

TEST(BenchFanout, AKernelThatIsNotThereIsAUsageError) {
  const test::KernelRestored restored;  // a bench forces a kernel for the rest of its process
  BenchOptions options;
  options.kernel = "avx1024";
  std::ostringstream out, err;
  EXPECT_EQ(run_fanout(options, out, err), 2);
  EXPECT_EQ(out.str(), "");
  EXPECT_THAT(err.str(), testing::HasSubstr("avx1024"));
}

}  // namespace
}  // namespace regroup::app::bench
