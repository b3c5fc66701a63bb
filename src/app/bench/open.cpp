// SPDX-License-Identifier: Apache-2.0
#include "app/bench/open.hpp"

#include <algorithm>
#include <cmath>

namespace regroup::app::bench {
namespace {

constexpr std::size_t kBlock = 1024;  // distinct messages; more are these again
constexpr std::size_t kLineOctets = 343 * 1024 + 429 * 1024;

// Messages to receivers in turn, each with an SSV of its own.
struct Mailbox : BenchDomain {
  Mailbox(std::size_t messages, std::size_t keys) {
    for (std::size_t i = 0; i < keys; ++i) {
      uids.push_back(certificate.uid_at(user(i), now));
      rsks.push_back(crypto::sakke::extract(z, uids.back()).value());
    }
    for (std::size_t i = 0; i < messages; ++i) {
      ssvs.push_back(random.secret<Secret<16>>());
      const crypto::sakke::Recipient to{uids[i % keys], &certificate.z};
      octets.push_back(crypto::sakke::encapsulate(ssvs[i].expose(), {&to, 1}).value().front());
    }
    for (std::size_t i = 0; i < messages; ++i)
      sealed.push_back({&certificate.z, uids[i % keys], &rsks[i % keys], octets[i]});
  }
  // How many of sealed[0 .. count) do not open to what was sent.
  [[nodiscard]] std::size_t bad(std::size_t count) const {
    const auto opened = crypto::sakke::decapsulate_all(std::span(sealed).first(count));
    std::size_t out = 0;
    for (std::size_t i = 0; i < count; ++i)
      out += !opened[i].ok() || !ct_equal(opened[i]->expose(), ssvs[i].expose());
    return out;
  }

  std::vector<mcx::Uid> uids;
  std::vector<crypto::sakke::Rsk> rsks;
  std::vector<Secret<16>> ssvs;
  std::vector<Octets> octets;
  std::vector<crypto::sakke::Sealed> sealed;
};

nlohmann::json measure(const OpenBenchOptions& options, std::size_t& bad) {
  crypto::sakke::set_line_budget(static_cast<int>(options.keys));
  const std::size_t keys = std::min(options.keys, options.count);
  const Mailbox mail(std::min(kBlock, options.count), keys);
  bad = mail.bad(std::min(mail.sealed.size(), std::max<std::size_t>(2, keys)));  // the lines are warm
  const Timed timed =
      time_blocks(options, kBlock, [&](std::size_t, std::size_t count) { bad += mail.bad(count); });
  const crypto::sakke::Sealed& one = mail.sealed.front();
  const double single = best_cycles(10, 1, [&] {
    static_cast<void>(crypto::sakke::decapsulate(*one.kms, one.identifier, *one.rsk, one.encapsulated));
  });
  nlohmann::json report = report_of("messages", options, timed);
  report["keys"] = keys;
  report["openings_per_s_per_core"] = static_cast<double>(options.count) / timed.cpu_s;
  report["cycles_per_opening"] = std::llround(timed.cycles);
  report["cycles_alone"] = std::llround(single);
  report["line_bytes_per_key"] = kLineOctets;
  report["opened"] = options.count - std::min(options.count, bad);
  return report;
}

}  // namespace

int run_open_bench(const OpenBenchOptions& options, std::ostream& out, std::ostream& err) {
  return run_bench("open", options, out, err, [&](std::size_t& bad) { return measure(options, bad); });
}

}  // namespace regroup::app::bench
