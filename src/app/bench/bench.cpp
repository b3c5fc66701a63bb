// SPDX-License-Identifier: Apache-2.0
#include "app/bench/bench.hpp"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <limits>
#include <ostream>

#include "app/bench/cycles.hpp"
#include "base/workers.hpp"
#include "crypto/kernel.hpp"

namespace regroup::app::bench {
namespace {

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

long peak_rss_kib() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return used.ru_maxrss;
}

}  // namespace

BenchDomain::BenchDomain()
    : z(crypto::sakke::make_master_secret(random)),
      ksak(crypto::eccsi::make_ksak(random)),
      certificate{mcx::KmsUri::parse("kms.bench.example").value(),
                  "cert1.kms.bench.example",
                  mcx::KeyPeriods::make(2592000, 0).value(),
                  crypto::sakke::KmsPublicKey::derive(z),
                  crypto::eccsi::Kpak::derive(ksak),
                  {"bench.example"},
                  {},
                  {},
                  false},
      now(SystemClock().now()) {}

mcx::KeySet BenchDomain::provision(const mcx::McpttId& id) {
  const std::int64_t period = certificate.periods.number_at(now);
  const mcx::Uid uid = certificate.uid_of(id, period);
  const auto rsk = crypto::sakke::extract(z, uid).value();
  const auto pair = crypto::eccsi::UserKey::make(ksak, certificate.kpak, uid, random);
  return mcx::KeySet::validate(certificate, id, period, rsk.octets().expose(), pair.ssk().duplicate(),
                               pair.pvt())
      .value();
}

mcx::McpttId BenchDomain::user(std::size_t i) {
  return mcx::McpttId::parse("sip:user." + std::to_string(i) + "@bench.example").value();
}

Timed time_blocks(const BenchOptions& options, std::size_t block,
                  const std::function<void(std::size_t from, std::size_t count)>& work) {
  Timed out;
  out.cycles = std::numeric_limits<double>::infinity();
  CycleCounter counter;
  for (std::size_t from = 0; from < options.count; from += block) {
    const std::size_t count = std::min(block, options.count - from);
    counter.start();  // takes its time: it measures the clock first
    const double wall = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    work(from, count);
    out.cpu_s += seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    out.wall_s += seconds_of(CLOCK_MONOTONIC) - wall;
    out.cycles = std::min(out.cycles, counter.stop() / static_cast<double>(count));
  }
  out.peak_rss_kib = peak_rss_kib();
  out.cycles_by = counter.method();
  return out;
}

double best_cycles(int runs, std::size_t count, const std::function<void()>& work) {
  CycleCounter counter;
  double best = std::numeric_limits<double>::infinity();
  for (int run = 0; run < runs; ++run) {
    counter.start();
    work();
    best = std::min(best, counter.stop() / static_cast<double>(count));
  }
  return best;
}

nlohmann::json report_of(std::string_view items, const BenchOptions& options, const Timed& timed) {
  return {{std::string(items), options.count},
          {"threads", options.threads},
          {"kernel", crypto::name_of(crypto::active_kernel())},
          {"cpu_s", timed.cpu_s},
          {"wall_s", timed.wall_s},
          {"peak_rss_kib", timed.peak_rss_kib},
          {"cycles_by", timed.cycles_by}};
}

int run_bench(std::string_view name, const BenchOptions& options, std::ostream& out, std::ostream& err,
              const std::function<nlohmann::json(std::size_t& bad)>& measure) {
  if (!options.kernel.empty()) {
    const auto forced = crypto::force_kernel(options.kernel);
    if (!forced.ok()) {
      err << "regroup bench " << name << ": " << forced.error().text() << std::endl;
      return 2;
    }
  }
  const unsigned before = worker_threads();
  set_worker_threads(options.threads);
  std::size_t bad = 0;
  const nlohmann::json report = measure(bad);
  set_worker_threads(before);
  if (bad) err << "regroup bench " << name << ": " << bad << " of the results are bad" << std::endl;
  if (options.json) {
    out << report.dump() << std::endl;
  } else {
    for (const auto& [key, value] : report.items()) out << key << " " << value << "\n";
  }
  return bad ? 1 : 0;
}

}  // namespace regroup::app::bench
