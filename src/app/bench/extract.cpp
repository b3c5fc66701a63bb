// SPDX-License-Identifier: Apache-2.0
#include "app/bench/extract.hpp"

#include <algorithm>
#include <cmath>

#include "kms/kms.hpp"

namespace regroup::app::bench {
namespace {

constexpr std::size_t kBlock = 4096;  // subscribers; more are these again

bool valid(const kms::Kms& kms, const kms::IssuedKeySet& keys) {
  return mcx::KeySet::validate(kms.certificate_at(keys.valid_from), keys.identity, keys.period_no,
                               keys.rsk.expose(), keys.signing.ssk().duplicate(), keys.signing.pvt())
      .ok();
}

nlohmann::json measure(const BenchOptions& options, std::size_t& bad) {
  crypto::SystemRandom random;
  kms::Kms kms = kms::Kms::make({.kms_uri = mcx::KmsUri::parse("kms.bench.example").value()}, random).value();
  std::vector<mcx::McpttId> users;
  for (std::size_t i = 0; i < std::min(kBlock, options.count); ++i) {
    users.push_back(BenchDomain::user(i));
    bad += !kms.registry().add(users.back(), false).ok();
  }
  const NtpTime now = SystemClock().now();
  const std::int64_t period = kms.periods().number_at(now);
  const auto provision = [&](std::size_t count) {
    return kms.provision_all(std::span(users).first(count), period, now, random);
  };
  static_cast<void>(provision(std::min<std::size_t>(users.size(), 8)));  // the tables are warm
  std::vector<kms::IssuedKeySet> last;
  const Timed timed = time_blocks(options, kBlock, [&](std::size_t, std::size_t count) {
    auto made = provision(count);
    bad += !made.ok();
    if (made.ok()) last = std::move(made).value();
  });
  const std::size_t step = std::max<std::size_t>(1, last.size() / 4);
  for (std::size_t i = 0; i < last.size(); i += step) bad += !valid(kms, last[i]);
  nlohmann::json report = report_of("identities", options, timed);
  report["key_sets_per_s_per_core"] = static_cast<double>(options.count) / timed.cpu_s;
  report["cycles_per_key_set"] = std::llround(timed.cycles);
  return report;
}

}  // namespace

int run_extract_bench(const BenchOptions& options, std::ostream& out, std::ostream& err) {
  return run_bench("extract", options, out, err, [&](std::size_t& bad) { return measure(options, bad); });
}

}  // namespace regroup::app::bench
