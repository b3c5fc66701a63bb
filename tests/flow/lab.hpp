// SPDX-License-Identifier: Apache-2.0
// Whole systems in one process: security domains with real keys, a GMS each, UEs, a fake clock and a lossy
// network with a printed seed. A GMS can be killed after any single step and comes back from what it had
// stored.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "flow/group_creation.hpp"
#include "flow/regroup_multi.hpp"
#include "flow/regroup_single.hpp"
#include "flow/teardown.hpp"
#include "flow/timers.hpp"
#include "gms/delivery.hpp"
#include "ue/ue.hpp"
#include "vectors.hpp"

namespace regroup::test {

// A KMS: the secrets of one security domain.
class LabKms {
 public:
  LabKms(const std::string& uri, const std::string& domain, std::int64_t period, std::int64_t offset,
         Random& random)
      : random_(random),
        z_(crypto::sakke::make_master_secret(random)),
        ksak_(crypto::eccsi::make_ksak(random)),
        certificate_{mcx::KmsUri::parse(uri).value(),
                     "cert1." + uri,
                     mcx::KeyPeriods::make(period, offset).value(),
                     crypto::sakke::KmsPublicKey::derive(z_),
                     crypto::eccsi::Kpak::derive(ksak_),
                     {domain},
                     {},
                     {},
                     false} {}

  [[nodiscard]] const mcx::KmsCertificate& certificate() const { return certificate_; }
  [[nodiscard]] mcx::KeySet provision(const std::string& identity, NtpTime time) const {
    const auto id = mcx::McpttId::parse(identity).value();
    const std::int64_t number = certificate_.periods.number_at(time);
    const mcx::Uid uid = certificate_.uid_of(id, number);
    const auto rsk = crypto::sakke::extract(z_, uid).value();
    const auto pair = crypto::eccsi::UserKey::make(ksak_, certificate_.kpak, uid, random_);
    return mcx::KeySet::validate(certificate_, id, number, rsk.octets().expose(), pair.ssk().duplicate(),
                                 pair.pvt())
        .value();
  }

 private:
  Random& random_;
  crypto::sakke::MasterSecret z_;
  crypto::eccsi::Ksak ksak_;
  mcx::KmsCertificate certificate_;
};

// What survives a kill: exactly the committed records.
class LabStore {
 public:
  void commit(const Writes& writes) {
    for (const Write& write : writes) {
      if (write.value) {
        records_[{write.kind, write.id}] = to_octets(write.value->expose());
      } else {
        records_.erase({write.kind, write.id});
      }
    }
  }
  template <class Domain>
  void restore(Domain& domain) const {
    for (const auto& [at, value] : records_)
      if (!domain.restore(Record{at.first, at.second, SecretOctets(value)}).ok())
        throw std::runtime_error("a record cannot be restored");
  }

 private:
  std::map<std::pair<std::string, std::string>, Octets> records_;
};

struct LabUe {
  LabUe(const std::string& identity, const LabKms& kms, const mcx::Domains& domains, const std::string& gms,
        const Clock& clock)
      : settings{mcx::McpttId::parse(identity).value(),
                 kms.certificate().kms_uri,
                 {mcx::McpttId::parse(gms).value()},
                 {}},
        domains_(domains),
        clock_(clock) {
    key_sets.push_back(kms.provision(identity, clock.now()));
    start();
  }
  void start() {
    ue = std::make_unique<ue::Ue>(ue::Surroundings{settings, domains_, key_sets, clock_});
    store.restore(*ue);
  }
  void take(ue::Received received) {
    store.commit(received.writes);
    for (ue::KeyEvent& event : received.events) events.push_back(std::move(event));
    for (Error& error : received.why) why.push_back(std::move(error));
  }
  // Active keys of a group, by use.
  [[nodiscard]] std::map<std::string, std::string> held(const std::string& group) const {
    std::map<std::string, std::string> out;
    for (const auto& [id, key] : ue->ring().keys())
      if (key.group == group && key.state == ue::KeyState::active)
        out[std::string(mcx::name_of(key.use))] = mcx::fingerprint(key.material.key) + "/" + id.text();
    return out;
  }

  ue::Settings settings;
  std::vector<mcx::KeySet> key_sets;
  std::unique_ptr<ue::Ue> ue;
  LabStore store;
  std::vector<ue::KeyEvent> events;
  std::vector<Error> why;
  bool subscribed = true;

 private:
  const mcx::Domains& domains_;
  const Clock& clock_;
};

class LabNetwork;

// One MCPTT system: GMS and its UEs.
class LabSystem final : public gms::Presence {
 public:
  LabSystem(LabNetwork& network, const std::string& domain, const LabKms& kms, const mcx::Domains& domains,
            Clock& clock, Random& random);

  [[nodiscard]] bool subscribed(const std::string& member) const override {
    const auto found = ues.find(member);
    return found != ues.end() && found->second->subscribed;
  }
  void add_ue(const std::string& identity);
  // Stored before spoken: commit, then effects, one by one. False when the GMS died on the way.
  bool carry_out(gms::Outcome outcome);
  // Loses everything in memory.
  void kill();
  void deliver(const std::string& member, const std::set<std::string>& groups);

  void create_group(const std::string& group, const std::vector<std::string>& members,
                    std::optional<gms::KeyPlan> plan = {});
  gms::Ticket ask_regroup(const std::string& id, const std::vector<std::string>& groups,
                          std::optional<gms::KeyPlan> plan = {});

  std::string name, gms_uri, dispatcher;
  gms::Settings settings;
  std::vector<mcx::KeySet> key_sets;
  std::unique_ptr<gms::Gms> gms;
  LabStore store;
  std::map<std::string, std::unique_ptr<LabUe>> ues;
  std::map<gms::Ticket, gms::Answer> answers;

 private:
  void perform(const gms::Effect& effect);
  void ask(const std::string& peer, const gms::RegroupRequest& request, int attempts);
  void notify_partner(const std::string& peer, const gms::RegroupNotification& n);
  void tear_down_partner(const std::string& peer, const gms::TeardownRequest& request,
                         const std::string& ref);
  void await_answer(LabSystem& to, gms::Ticket ticket, const std::string& id, std::uint32_t seq, int left);
  LabNetwork& network_;
  const LabKms& kms_;
  const mcx::Domains& domains_;
  Clock& clock_;
  Random& random_;
  gms::Ticket next_ticket_ = 1;
};

// Delivers in random order; loses and repeats partner messages and notifications as told.
class LabNetwork {
 public:
  explicit LabNetwork(std::uint64_t seed);

  void post(std::function<void()> task) { tasks_.push_back(std::move(task)); }
  [[nodiscard]] bool lose() { return chance(loss); }
  [[nodiscard]] bool repeat() { return chance(repetition); }
  // Runs until nothing is left, moving the clock to the next deadline whenever the queue is empty.
  void settle(std::int64_t most_seconds = 3600);
  LabSystem& system(const std::string& gms_uri);
  // Is this the moment a GMS is to die? Asked before each commit, after it, and after each effect.
  [[nodiscard]] bool dies_now() { return ++moments == kill_at; }

  FixedClock clock;
  SeededRandom random;
  int loss = 0, repetition = 0;   // per cent
  int kill = 0;                   // chance that a GMS dies after a step, per cent
  std::uint32_t hold_c9_seq = 0;  // this C9 is lost
  int moments = 0, kill_at = 0;   // counts them; the GMS whose moment number kill_at it is dies once
  std::unique_ptr<LabKms> kms_a, kms_b;
  mcx::Domains domains;
  std::unique_ptr<LabSystem> a, b;
  std::vector<std::string> trace;  // every step of the procedure, in order, for tests of order

 private:
  bool chance(int per_cent);
  std::deque<std::function<void()>> tasks_;
};

}  // namespace regroup::test
