// SPDX-License-Identifier: Apache-2.0
// What every bench shares: its options, a security domain to work in, and how blocks of work are timed and
// reported.
#pragma once

#include <functional>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>

#include "crypto/random.hpp"
#include "mcx/domain.hpp"

namespace regroup::app::bench {

struct BenchOptions {
  std::size_t count = 1000;
  unsigned threads = 1;
  std::string kernel;  // empty: the best one
  bool json = false;
};

// A domain with its secrets, as one KMS has them.
struct BenchDomain {
  BenchDomain();
  [[nodiscard]] mcx::KeySet provision(const mcx::McpttId& id);
  [[nodiscard]] static mcx::McpttId user(std::size_t i);

  crypto::SystemRandom random;
  crypto::sakke::MasterSecret z;
  crypto::eccsi::Ksak ksak;
  mcx::KmsCertificate certificate;
  NtpTime now;
};

struct Timed {
  double cpu_s = 0, wall_s = 0;
  double cycles = 0;  // of one item in the best block, over all threads
  std::string cycles_by;
  long peak_rss_kib = 0;
};
// work(from, count) for each block of the items 0 .. options.count - 1. The caller's thread drives the
// blocks; inside a block the library uses options.threads.
[[nodiscard]] Timed time_blocks(const BenchOptions& options, std::size_t block,
                                const std::function<void(std::size_t from, std::size_t count)>& work);
// The best of `runs`, in core cycles; of one of `count` items.
[[nodiscard]] double best_cycles(int runs, std::size_t count, const std::function<void()>& work);

// The members that every report has.
[[nodiscard]] nlohmann::json report_of(std::string_view items, const BenchOptions& options,
                                       const Timed& timed);

// Forces the kernel and the threads, runs, prints the report. 0; 1 when `bad` things were found; 2 for a
// kernel that is not here.
int run_bench(std::string_view name, const BenchOptions& options, std::ostream& out, std::ostream& err,
              const std::function<nlohmann::json(std::size_t& bad)>& measure);

}  // namespace regroup::app::bench
