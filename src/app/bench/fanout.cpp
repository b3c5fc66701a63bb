// SPDX-License-Identifier: Apache-2.0
#include "app/bench/fanout.hpp"

#include <algorithm>
#include <cmath>

#include "gktp/open.hpp"
#include "gktp/seal.hpp"
#include "mcx/key_use.hpp"

namespace regroup::app::bench {
namespace {

constexpr std::size_t kBlock = 1024;  // members made, and dropped, together by each thread
constexpr std::size_t kSampled = 16;  // payloads opened outside the measured time, whatever N

// A domain with one GMS, and the key that it hands out.
struct Fanout : BenchDomain {
  Fanout() : gms(provision(mcx::McpttId::parse("sip:gms@bench.example").value())) {
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

  mcx::KeySet gms;
  mcx::Domains domains;
  gktp::KeyMaterial material;
};

struct Made {
  std::vector<std::pair<std::size_t, Octets>> sample;
  std::vector<std::uint32_t> guk_ids;
  std::size_t failed = 0;
};

void take(Made& made, std::size_t from, std::size_t step, const Result<std::vector<gktp::Sealed>>& sealed) {
  if (!sealed.ok()) {
    ++made.failed;
    return;
  }
  for (std::size_t i = 0; i < sealed->size(); ++i) {
    made.guk_ids.push_back((*sealed)[i].guk_id.value);
    if ((from + i) % step == 0 && made.sample.size() < kSampled)
      made.sample.emplace_back(from + i, (*sealed)[i].message);
  }
}

// Encapsulation alone, on a block of distinct identifiers.
double encapsulation(Fanout& domain, std::size_t members) {
  std::vector<mcx::Uid> uids;
  std::vector<crypto::sakke::Recipient> to;
  for (std::size_t i = 0; i < std::min(kBlock, members); ++i)
    uids.push_back(domain.certificate.uid_at(Fanout::user(i), domain.now));
  for (const mcx::Uid& uid : uids) to.push_back({uid, &domain.certificate.z});
  return best_cycles(
      3, to.size(), [&] { static_cast<void>(crypto::sakke::encapsulate(domain.material.key.expose(), to)); });
}

std::size_t doubles_in(std::vector<std::uint32_t>& values) {
  std::sort(values.begin(), values.end());
  return static_cast<std::size_t>(values.end() - std::unique(values.begin(), values.end()));
}

nlohmann::json measure(const BenchOptions& options, std::size_t& bad) {
  Fanout domain;
  const auto first = [&] { static_cast<void>(domain.seal(0, std::min(options.count, kBlock))); };
  first();  // the tables are warm
  Made made;
  made.guk_ids.reserve(options.count);
  const std::size_t step = std::max<std::size_t>(1, options.count / kSampled);
  Timed timed = time_blocks(options, kBlock * options.threads, [&](std::size_t from, std::size_t count) {
    take(made, from, step, domain.seal(from, count));
  });
  if (options.count < kBlock)  // one block alone: what is best needs more than one
    timed.cycles = std::min(timed.cycles, best_cycles(3, options.count, first));
  bad = made.failed;
  for (const auto& [i, message] : made.sample) bad += !domain.opens(i, message);
  nlohmann::json report = report_of("members", options, timed);
  report["payloads_per_s_per_core"] = static_cast<double>(options.count) / timed.cpu_s;
  report["cycles_per_payload"] = std::llround(timed.cycles);
  report["cycles_per_encapsulation"] = std::llround(encapsulation(domain, options.count));
  report["table_bytes"] = crypto::sakke::table_octets();
  report["sample_opened"] = made.sample.size() - std::min(made.sample.size(), bad);
  report["guk_id_collisions"] = doubles_in(made.guk_ids);
  return report;
}

}  // namespace

int run_fanout(const BenchOptions& options, std::ostream& out, std::ostream& err) {
  return run_bench("fanout", options, out, err, [&](std::size_t& bad) { return measure(options, bad); });
}

}  // namespace regroup::app::bench
