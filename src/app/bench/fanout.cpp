// SPDX-License-Identifier: Apache-2.0
#include "app/bench/fanout.hpp"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <mutex>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "app/bench/cycles.hpp"
#include "crypto/kernel.hpp"
#include "crypto/random.hpp"
#include "gktp/open.hpp"
#include "gktp/seal.hpp"
#include "mcx/key_use.hpp"

namespace regroup::app::bench {
namespace {

constexpr std::size_t kBlock = 1024;  // members made, and dropped, together
constexpr std::size_t kSampled = 16;  // payloads opened outside the measured time, whatever N

// A security domain with one GMS and as many users as are asked for.
struct Domain {
  Domain()
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
        now(SystemClock().now()),
        gms(provision(mcx::McpttId::parse("sip:gms@bench.example").value())) {
    static_cast<void>(domains.add(certificate));
    random.fill(material.key.expose_mutable());
    material.id.value = 0x0badcafe & 0x0fffffff;
    material.rand.assign(16, 0);
    random.fill(material.rand);
    material.parameters.groups = {"sip:group@bench.example"};
    material.parameters.text = mcx::with_use("sip:group@bench.example", mcx::KeyUse::both);
    material.parameters.activation = now.unix_seconds();
    material.policy.cs_ids = {4};
  }
  [[nodiscard]] mcx::KeySet provision(const mcx::McpttId& id) {
    const std::int64_t period = certificate.periods.number_at(now);
    const mcx::Uid uid = certificate.uid_of(id, period);
    const auto rsk = crypto::sakke::extract(z, uid).value();
    const auto pair = crypto::eccsi::UserKey::make(ksak, certificate.kpak, uid, random);
    return mcx::KeySet::validate(certificate, id, period, rsk.octets().expose(), pair.ssk().duplicate(),
                                 pair.pvt())
        .value();
  }
  [[nodiscard]] static mcx::McpttId user(std::size_t i) {
    return mcx::McpttId::parse("sip:user." + std::to_string(i) + "@bench.example").value();
  }
  [[nodiscard]] Result<std::vector<gktp::Sealed>> seal(std::size_t from, std::size_t count) {
    std::vector<gktp::Receiver> receivers;
    for (std::size_t i = from; i < from + count; ++i) receivers.push_back({user(i), &certificate});
    return gktp::seal(material, {certificate, gms}, receivers, now, random);
  }
  // Whether the message opens to the key with the keys of that user.
  [[nodiscard]] bool opens(std::size_t i, OctetsView message) {
    std::vector<mcx::KeySet> keys;
    keys.push_back(provision(user(i)));
    gktp::Reception with{user(i), certificate.kms_uri, domains, keys};
    with.authorised_initiators = {gms.identity()};
    with.group = "sip:group@bench.example";
    with.now = now;
    const auto verified = gktp::verify(message, with);
    if (!verified.ok()) return false;
    const auto opened = gktp::open(*verified, with);
    return opened.ok() && ct_equal(opened->material.key.expose(), material.key.expose());
  }

  crypto::SystemRandom random;
  crypto::sakke::MasterSecret z;
  crypto::eccsi::Ksak ksak;
  mcx::KmsCertificate certificate;
  NtpTime now;
  mcx::KeySet gms;
  mcx::Domains domains;
  gktp::KeyMaterial material;
};

// What the threads made, and the best block of each kind.
struct Made {
  std::mutex mutex;
  std::vector<std::pair<std::size_t, Octets>> sample;
  std::vector<std::uint32_t> guk_ids;
  double payload = std::numeric_limits<double>::infinity();  // cycles of one
  std::string method;
  std::size_t failed = 0;
};

void take(Made& made, std::size_t from, const Result<std::vector<gktp::Sealed>>& sealed, double cycles,
          std::size_t step) {
  const std::lock_guard lock(made.mutex);
  if (!sealed.ok()) {
    ++made.failed;
    return;
  }
  made.payload = std::min(made.payload, cycles / static_cast<double>(sealed->size()));
  for (std::size_t i = 0; i < sealed->size(); ++i) {
    made.guk_ids.push_back((*sealed)[i].guk_id.value);
    if ((from + i) % step == 0 && made.sample.size() < kSampled)
      made.sample.emplace_back(from + i, (*sealed)[i].message);
  }
}

void work(Domain& domain, const FanoutOptions& options, std::atomic<std::size_t>& next, Made& made) {
  CycleCounter counter;
  const std::size_t step = std::max<std::size_t>(1, options.members / kSampled);
  for (;;) {
    const std::size_t from = next.fetch_add(kBlock);
    if (from >= options.members) break;
    counter.start();
    const auto sealed = domain.seal(from, std::min(kBlock, options.members - from));
    take(made, from, sealed, counter.stop(), step);
  }
  const std::lock_guard lock(made.mutex);
  made.method = counter.method();
}

// Encapsulation alone, on a block of distinct identifiers.
double encapsulation(Domain& domain, std::size_t members) {
  std::vector<mcx::Uid> uids;
  std::vector<crypto::sakke::Recipient> to;
  for (std::size_t i = 0; i < std::min(kBlock, members); ++i)
    uids.push_back(domain.certificate.uid_at(Domain::user(i), domain.now));
  for (const mcx::Uid& uid : uids) to.push_back({uid, &domain.certificate.z});
  CycleCounter counter;
  double best = std::numeric_limits<double>::infinity();
  for (int run = 0; run < 3; ++run) {
    counter.start();
    const bool made = crypto::sakke::encapsulate(domain.material.key.expose(), to).ok();
    if (made) best = std::min(best, counter.stop() / static_cast<double>(to.size()));
  }
  return best;
}

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

std::size_t doubles_in(std::vector<std::uint32_t>& values) {
  std::sort(values.begin(), values.end());
  return static_cast<std::size_t>(values.end() - std::unique(values.begin(), values.end()));
}

nlohmann::json measure(Domain& domain, const FanoutOptions& options, std::size_t& bad) {
  static_cast<void>(domain.seal(0, std::min<std::size_t>(options.members, 8)));  // the tables are warm
  Made made;
  made.guk_ids.reserve(options.members);
  std::atomic<std::size_t> next = 0;
  const double wall = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 1; i < options.threads; ++i)
      threads.emplace_back([&] { work(domain, options, next, made); });
    work(domain, options, next, made);
  }
  const double cpu_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  const double wall_s = seconds_of(CLOCK_MONOTONIC) - wall;
  const long peak = peak_rss_kib();
  bad = made.failed;
  for (const auto& [i, message] : made.sample) bad += !domain.opens(i, message);
  const auto members = static_cast<double>(options.members);
  return {{"members", options.members},
          {"threads", options.threads},
          {"kernel", crypto::name_of(crypto::active_kernel())},
          {"cpu_s", cpu_s},
          {"wall_s", wall_s},
          {"payloads_per_s_per_core", members / cpu_s},
          {"cycles_per_payload", std::llround(made.payload)},
          {"cycles_per_encapsulation", std::llround(encapsulation(domain, options.members))},
          {"table_bytes", crypto::sakke::table_octets()},
          {"peak_rss_kib", peak},
          {"sample_opened", made.sample.size() - std::min(made.sample.size(), bad)},
          {"guk_id_collisions", doubles_in(made.guk_ids)},
          {"cycles_by", made.method}};
}

}  // namespace

int run_fanout(const FanoutOptions& options, std::ostream& out, std::ostream& err) {
  if (!options.kernel.empty()) {
    const auto forced = crypto::force_kernel(options.kernel);
    if (!forced.ok()) {
      err << "regroup bench fanout: " << forced.error().text() << std::endl;
      return 2;
    }
  }
  Domain domain;
  std::size_t bad = 0;
  const nlohmann::json report = measure(domain, options, bad);
  if (bad)
    err << "regroup bench fanout: " << bad << " of the sampled payloads or blocks are bad" << std::endl;
  if (options.json) {
    out << report.dump() << std::endl;
  } else {
    for (const auto& [name, value] : report.items()) out << name << " " << value << "\n";
  }
  return bad ? 1 : 0;
}

}  // namespace regroup::app::bench
