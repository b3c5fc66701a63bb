// SPDX-License-Identifier: Apache-2.0
#include "app/bench/sign.hpp"

#include <algorithm>
#include <cmath>

namespace regroup::app::bench {
namespace {

constexpr std::size_t kBlock = 1024;
constexpr std::size_t kMessage = 700;  // octets, about a Group Key Transport payload without its signature

nlohmann::json measure(const BenchOptions& options, std::size_t& bad) {
  BenchDomain domain;
  const mcx::Uid uid = domain.certificate.uid_at(BenchDomain::user(0), domain.now);
  const crypto::eccsi::Kpak& kpak = domain.certificate.kpak;
  const auto key = crypto::eccsi::UserKey::make(domain.ksak, kpak, uid, domain.random);
  std::vector<Octets> messages(std::min(kBlock, options.count), Octets(kMessage));
  for (Octets& message : messages) domain.random.fill(message);
  const std::vector<OctetsView> views(messages.begin(), messages.end());
  const auto sign = [&](std::size_t count) {
    return crypto::eccsi::sign_all(key, kpak, uid, std::span(views).first(count), domain.random);
  };
  static_cast<void>(sign(std::min<std::size_t>(views.size(), 2)));  // the tables are warm
  Fixed<crypto::eccsi::kSignature> last{};
  const Timed timed = time_blocks(options, kBlock, [&](std::size_t, std::size_t count) {
    const auto made = sign(count);
    bad += !made.ok();
    if (made.ok()) last = made->front();
  });
  bad += !crypto::eccsi::verify(kpak, uid, views.front(), last).ok();
  nlohmann::json report = report_of("messages", options, timed);
  report["signatures_per_s_per_core"] = static_cast<double>(options.count) / timed.cpu_s;
  report["cycles_per_signature"] = std::llround(timed.cycles);
  report["cycles_alone"] = std::llround(
      best_cycles(20, 1, [&] { last = crypto::eccsi::sign(key, views.front(), domain.random); }));
  report["cycles_verify_alone"] = std::llround(
      best_cycles(20, 1, [&] { bad += !crypto::eccsi::verify(kpak, uid, views.front(), last).ok(); }));
  return report;
}

}  // namespace

int run_sign_bench(const BenchOptions& options, std::ostream& out, std::ostream& err) {
  return run_bench("sign", options, out, err, [&](std::size_t& bad) { return measure(options, bad); });
}

}  // namespace regroup::app::bench
