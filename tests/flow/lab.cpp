// SPDX-License-Identifier: Apache-2.0
#include "flow/lab.hpp"

#include "crypto/hash/sha256.hpp"

namespace regroup::test {

using namespace regroup::gms;  // NOLINT: test code in the words of gms/

namespace {

std::vector<GroupId> group_ids(const std::vector<std::string>& texts) {
  std::vector<GroupId> out;
  for (const std::string& text : texts) out.push_back(GroupId::parse(text).value());
  return out;
}

}  // namespace

LabSystem::LabSystem(LabNetwork& network, const std::string& domain, const LabKms& kms,
                     const mcx::Domains& domains, Clock& clock, Random& random)
    : name(domain),
      gms_uri("sip:gms@" + domain),
      dispatcher("sip:dispatch@" + domain),
      network_(network),
      kms_(kms),
      domains_(domains),
      clock_(clock),
      random_(random) {
  settings.gms_uri = McpttId::parse(gms_uri).value();
  settings.domains = {domain};
  settings.creators = {dispatcher};
  key_sets.push_back(kms.provision(gms_uri, clock.now()));
  gms = std::make_unique<Gms>(Surroundings{settings, domains_, key_sets, *this, clock_, random_});
}

void LabSystem::add_ue(const std::string& identity) {
  ues.emplace(identity, std::make_unique<LabUe>(identity, kms_, domains_, gms_uri, clock_));
}

bool LabSystem::carry_out(Outcome outcome) {
  const auto died = [this] {
    if (!network_.dies_now()) return false;
    kill();
    return true;
  };
  if (died()) return false;
  store.commit(outcome.writes);
  if (died()) return false;
  for (const Effect& effect : outcome.effects) {
    perform(effect);
    if (died()) return false;
  }
  if (outcome.more) network_.post([this] { carry_out(flow::proceed(*gms)); });
  return true;
}

void LabSystem::kill() {
  gms = std::make_unique<Gms>(Surroundings{settings, domains_, key_sets, *this, clock_, random_});
  store.restore(*gms);
  network_.trace.push_back(name + " restarted");
  carry_out(flow::resume(*gms));
  // Every subscriber is owed its present state.
  for (const auto& [identity, client] : ues) {
    const auto shown = gms->collection(identity), known = client->ue->documents();
    std::set<std::string> groups(shown.begin(), shown.end());
    groups.insert(known.begin(), known.end());
    network_.post([this, identity = identity, groups] { deliver(identity, groups); });
  }
}

void LabSystem::perform(const Effect& effect) {
  if (const auto* reply = std::get_if<Reply>(&effect)) {
    answers.insert_or_assign(reply->ticket, reply->answer);
    network_.trace.push_back(name + " reply " + (reply->answer.accepted ? "accepted" : reply->answer.reason));
  } else if (const auto* changed = std::get_if<DocumentsChanged>(&effect)) {
    network_.trace.push_back(name + " notify members");
    std::set<std::string> groups;
    for (const GroupId& group : changed->groups) groups.insert(group.text());
    for (const McpttId& member : changed->members)
      if (subscribed(member.text())) network_.post([this, m = member.text(), groups] { deliver(m, groups); });
  } else if (const auto* question = std::get_if<AskPartner>(&effect)) {
    network_.trace.push_back(name + " C3");
    network_.post(
        [this, peer = question->partner.text(), request = question->request] { ask(peer, request, 10); });
  } else if (const auto* notify = std::get_if<NotifyPartner>(&effect)) {
    network_.trace.push_back(name + " C9 seq " + std::to_string(notify->notification.seq));
    const int times = network_.repeat() ? 2 : 1;
    for (int i = 0; i < times; ++i)
      network_.post(
          [this, peer = notify->partner.text(), n = notify->notification] { notify_partner(peer, n); });
  } else if (const auto* down = std::get_if<TearDownPartner>(&effect)) {
    network_.post([this, peer = down->partner.text(), request = down->request, ref = down->ref] {
      tear_down_partner(peer, request, ref);
    });
  }
}

// C3, and again under the same id while nobody answers.
void LabSystem::ask(const std::string& peer, const RegroupRequest& request, int attempts) {
  LabSystem& to = network_.system(peer);
  const Ticket ticket = to.next_ticket_++;
  if (!network_.lose()) to.carry_out(flow::partner_request(*to.gms, gms_uri, ticket, request));
  const auto answer = to.answers.find(ticket);
  if (answer != to.answers.end())
    return network_.post([this, peer, id = request.id, answer = answer->second] {
      carry_out(flow::partner_answered(*gms, peer, id, answer));
    });
  if (attempts > 1) network_.post([this, peer, request, attempts] { ask(peer, request, attempts - 1); });
}

void LabSystem::notify_partner(const std::string& peer, const RegroupNotification& n) {
  LabSystem& to = network_.system(peer);
  if (network_.lose() || n.seq == network_.hold_c9_seq) {
    carry_out(flow::partner_unreachable(*gms, peer, n.id));
    return;
  }
  const Ticket ticket = to.next_ticket_++;
  std::vector<Error> why;
  to.carry_out(flow::partner_notification(*to.gms, gms_uri, ticket, n, &why));
  await_answer(to, ticket, n.id, n.seq, 50);
}

void LabSystem::tear_down_partner(const std::string& peer, const TeardownRequest& request,
                                  const std::string& ref) {
  LabSystem& to = network_.system(peer);
  const Ticket ticket = to.next_ticket_++;
  if (!network_.lose()) to.carry_out(flow::partner_teardown(*to.gms, gms_uri, ticket, request));
  carry_out(to.answers.count(ticket) ? flow::partner_withdrew(*gms, peer, ref)
                                     : flow::partner_unreachable(*gms, peer, ref));
}

// The answer to C9 travels back whenever it is there; a killed partner never answers.
void LabSystem::await_answer(LabSystem& to, Ticket ticket, const std::string& id, std::uint32_t seq,
                             int left) {
  const auto answer = to.answers.find(ticket);
  if (answer != to.answers.end()) {
    network_.trace.push_back(to.name + " C12 seq " + std::to_string(seq));
    carry_out(flow::partner_acknowledged(*gms, to.gms_uri, id, seq, answer->second));
    return;
  }
  if (left > 0)
    network_.post([this, &to, ticket, id, seq, left] { await_answer(to, ticket, id, seq, left - 1); });
}

// The member's client gets the notification, reads the documents, and acknowledges.
void LabSystem::deliver(const std::string& member, const std::set<std::string>& groups) {
  const auto found = ues.find(member);
  if (found == ues.end()) return;
  if (network_.lose()) return network_.post([this, member, groups] { deliver(member, groups); });
  LabUe& client = *found->second;
  std::vector<Fixed<32>> carried;
  for (const std::string& group : groups) {
    std::vector<ue::Payload> payloads;
    for (const VisiblePayload& one : gms->visible(member, group)) {
      payloads.push_back({*one.message, one.temporary, one.mkfc});
      carried.push_back(crypto::sha256(OctetsView(*one.message)));
    }
    client.take(client.ue->document(group, payloads));
  }
  carry_out(notified(*gms, member, groups, carried));
  network_.trace.push_back(name + " member acknowledged");
  for (const ue::Receipt& receipt : client.ue->receipts()) {
    if (!carry_out(received(*gms, member, Receipt{receipt.message, receipt.result, receipt.group}))) return;
    client.store.commit(client.ue->delivered(receipt));
  }
  carry_out(flow::settle(*gms));
}

void LabSystem::create_group(const std::string& group, const std::vector<std::string>& members,
                             std::optional<KeyPlan> plan) {
  GroupRequest request;
  request.id = GroupId::parse(group).value();
  for (const std::string& member : members) request.members.push_back(McpttId::parse(member).value());
  request.plan = plan;
  auto outcome = flow::group_creation(*gms, dispatcher, std::move(request));
  if (!outcome.ok()) throw std::runtime_error(outcome.error().text());
  carry_out(std::move(outcome).value());
}

Ticket LabSystem::ask_regroup(const std::string& id, const std::vector<std::string>& groups,
                              std::optional<KeyPlan> plan) {
  RegroupRequest request;
  request.id = id;
  request.constituents = group_ids(groups);
  request.plan = plan;
  const Ticket ticket = next_ticket_++;
  carry_out(flow::regroup(*gms, dispatcher, ticket, request));
  return ticket;
}

LabNetwork::LabNetwork(std::uint64_t seed)
    : clock(parse_date_time("2026-03-02T09:30:00Z").value()), random(seed) {
  kms_a = std::make_unique<LabKms>("kms.alpha.example", "alpha.example", 2592000, 0, random);
  kms_b = std::make_unique<LabKms>("kms.beta.example", "beta.example", 604800, 259200, random);
  for (const LabKms* kms : {kms_a.get(), kms_b.get()})
    if (!domains.add(kms->certificate()).ok()) throw std::runtime_error("a certificate was refused");
  a = std::make_unique<LabSystem>(*this, "alpha.example", *kms_a, domains, clock, random);
  b = std::make_unique<LabSystem>(*this, "beta.example", *kms_b, domains, clock, random);
  for (auto [self, other] : {std::pair(a.get(), b.get()), std::pair(b.get(), a.get())}) {
    PartnerSettings partner;
    partner.gms_uri = McpttId::parse(other->gms_uri).value();
    partner.domains = {other->name};
    self->settings.partners.push_back(std::move(partner));
    for (int i = 1; i <= 3; ++i) self->add_ue("sip:user" + std::to_string(i) + "@" + self->name);
  }
}

LabSystem& LabNetwork::system(const std::string& gms_uri) { return gms_uri == a->gms_uri ? *a : *b; }

bool LabNetwork::chance(int per_cent) { return per_cent && random.octets<1>()[0] % 100 < per_cent; }

void LabNetwork::settle(std::int64_t most_seconds) {
  const NtpTime end = clock.now().plus(most_seconds);
  for (;;) {
    while (!tasks_.empty()) {
      const std::size_t pick = random.octets<1>()[0] % tasks_.size();
      std::swap(tasks_[pick], tasks_.front());
      const auto task = std::move(tasks_.front());
      tasks_.pop_front();
      task();
      if (chance(kill)) (random.octets<1>()[0] % 2 ? *a : *b).kill();
    }
    std::optional<NtpTime> next = flow::next_deadline(*a->gms);
    const std::optional<NtpTime> other = flow::next_deadline(*b->gms);
    if (other && (!next || *other < *next)) next = other;
    if (!next || *next > end) return;
    if (*next > clock.now()) clock.set(*next);
    a->carry_out(flow::tick(*a->gms));
    b->carry_out(flow::tick(*b->gms));
  }
}

}  // namespace regroup::test
