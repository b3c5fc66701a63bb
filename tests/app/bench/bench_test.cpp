// SPDX-License-Identifier: Apache-2.0
// What `regroup bench open|extract|sign` print, and that their results are right; never how fast they were.
#include "app/bench/bench.hpp"

#include <gmock/gmock.h>

#include <sstream>

#include "app/bench/extract.hpp"
#include "app/bench/open.hpp"
#include "app/bench/sign.hpp"
#include "base/workers.hpp"
#include "crypto/forced_kernel.hpp"

namespace regroup::app::bench {
namespace {

using nlohmann::json;

template <class Options>
Options small(crypto::Kernel kernel, std::size_t count) {
  Options out;
  out.count = count;
  out.threads = 2;
  out.kernel = crypto::name_of(kernel);
  out.json = true;
  return out;
}

// The one object on stdout, with what every bench reports.
json report_of(const std::function<int(std::ostream&, std::ostream&)>& run, crypto::Kernel kernel,
               std::initializer_list<const char*> positive) {
  std::ostringstream out, err;
  EXPECT_EQ(run(out, err), 0) << err.str();
  const std::string said = out.str();
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << "and nothing else";
  json report = json::parse(said);
  EXPECT_EQ(report["kernel"], crypto::name_of(kernel));
  EXPECT_EQ(report["threads"], 2);
  for (const char* name : {"cpu_s", "wall_s", "peak_rss_kib"})
    EXPECT_GT(report[name].get<double>(), 0) << name;
  for (const char* name : positive) EXPECT_GT(report.at(name).get<double>(), 0) << name;
  EXPECT_EQ(worker_threads(), 1U) << "as before";
  return report;
}

template <class Run>
void with_every_kernel(const Run& run) {
  const test::KernelRestored restored;  // a bench forces a kernel for the rest of its process
  for (const crypto::Kernel kernel : crypto::kKernels)
    if (crypto::runs_here(kernel)) run(kernel);
}

TEST(BenchOpen, OpensAllOfSeveralKeysWithEveryKernel) {
  with_every_kernel([](crypto::Kernel kernel) {
    auto options = small<OpenBenchOptions>(kernel, 10);
    options.keys = 3;
    const json report = report_of([&](auto& out, auto& err) { return run_open_bench(options, out, err); },
                                  kernel, {"cycles_per_opening", "cycles_alone", "openings_per_s_per_core"});
    EXPECT_EQ(report["opened"], 10);
    EXPECT_EQ(report["keys"], 3);
  });
}

TEST(BenchExtract, ValidatesASampleWithEveryKernel) {
  with_every_kernel([](crypto::Kernel kernel) {
    const auto options = small<BenchOptions>(kernel, 9);
    const json report = report_of([&](auto& out, auto& err) { return run_extract_bench(options, out, err); },
                                  kernel, {"cycles_per_key_set", "key_sets_per_s_per_core"});
    EXPECT_EQ(report["identities"], 9);
  });
}

TEST(BenchSign, VerifiesWithEveryKernel) {
  with_every_kernel([](crypto::Kernel kernel) {
    const auto options = small<BenchOptions>(kernel, 9);
    const json report = report_of(
        [&](auto& out, auto& err) { return run_sign_bench(options, out, err); }, kernel,
        {"cycles_per_signature", "cycles_alone", "cycles_verify_alone", "signatures_per_s_per_core"});
    EXPECT_EQ(report["messages"], 9);
  });
}

TEST(Bench, WhatIsBadEndsWithOneAndAKernelThatIsNotHereWithTwo) {
  const test::KernelRestored restored;  // a bench forces a kernel for the rest of its process
  BenchOptions options;
  std::ostringstream out, err;
  EXPECT_EQ(run_bench("x", options, out, err,
                      [](std::size_t& bad) {
                        bad = 3;
                        return json{{"n", 1}};
                      }),
            1);
  EXPECT_EQ(out.str(), "n 1\n");
  EXPECT_THAT(err.str(), testing::HasSubstr("3 of the results are bad"));
  options.kernel = "avx1024";
  EXPECT_EQ(run_bench("x", options, out, err, [](std::size_t&) -> json { throw 1; }), 2) << "nothing runs";
}

}  // namespace
}  // namespace regroup::app::bench
