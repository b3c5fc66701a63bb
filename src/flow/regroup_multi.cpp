// SPDX-License-Identifier: Apache-2.0
#include "flow/regroup_multi.hpp"

#include <algorithm>

#include "flow/forming.hpp"
#include "gktp/open.hpp"
#include "gms/delivery.hpp"

namespace regroup::flow {

using namespace gms;  // NOLINT: a flow reads as the clause, in the words of gms/

namespace {

constexpr std::string_view kCreation = "group-regroup-creation";
constexpr std::string_view kNotification = "group-regroup-notification";

// Back-off of repeated messages: 1, 2, 4 ... 600 s (gms.md 5.1).
std::int64_t back_off(std::uint32_t attempts) {
  return attempts > 9 ? 600 : std::min<std::int64_t>(600, std::int64_t{1} << attempts);
}

void join(Outcome& to, Outcome more) {
  std::move(more.writes.begin(), more.writes.end(), std::back_inserter(to.writes));
  std::move(more.effects.begin(), more.effects.end(), std::back_inserter(to.effects));
  to.more = to.more || more.more;
}

std::vector<std::string> refs(const Gms& gms, RegroupRole role, RegroupState state) {
  std::vector<std::string> out;
  for (const auto& [ref, regroup] : gms.state().regroups)
    if (regroup.role == role && regroup.state == state) out.push_back(ref);
  return out;
}

// ---- primary
// ------------------------------------------------------------------------------------------------------

RegroupRequest asking(const Regroup& regroup) {
  RegroupRequest request;
  request.id = regroup.leg_id;
  request.constituents = regroup.constituents;
  request.priority = regroup.levels.priority;
  request.protect_media = regroup.levels.protect_media;
  request.protect_floor = regroup.levels.protect_floor;
  request.plan = regroup.plan;
  return request;
}

std::string memory_of(const Regroup& regroup) {
  return memory_key(regroup.requestor.text(), regroup.request_id, kCreation);
}

// One partner said no, or nothing in time: nothing is created, those who said yes are released.
Outcome give_up(Gms& gms, Regroup regroup, const std::string& reason) {
  regroup.state = RegroupState::rejected;
  Edit edit = gms.edit();
  for (Partner& partner : regroup.partners) {
    if (partner.state == PartnerState::rejected) continue;
    partner.state = PartnerState::withdrawing;
    partner.attempts = 1;
    partner.next_attempt = gms.now().plus(1);
    edit.effect(TearDownPartner{partner.gms_uri, {regroup.leg_id, {}}, regroup.ref});
  }
  edit.remember(memory_of(regroup), rejected(reason), gms.now());
  answer_all(gms, edit, regroup.ref, rejected(reason));
  edit.put(std::move(regroup));
  return edit.take();
}

// All partners accepted. Step 1: new GMK and GMK-ID, own users notified; step 3: partners notified (C9).
Outcome create(Gms& gms, Regroup regroup) {
  regroup.temporary = draw_temporary_id(gms);
  regroup.deadline = gms.now().plus(gms.with().settings.c13_wait);
  auto made = key_the_group(gms, regroup, Run::first);
  return made.ok() ? std::move(made).value() : give_up(gms, std::move(regroup), "policy");
}

bool all_acknowledged(const Regroup& regroup) {
  return !regroup.floor_due &&
         std::all_of(regroup.partners.begin(), regroup.partners.end(), [](const Partner& partner) {
           return partner.state == PartnerState::acked || partner.state == PartnerState::failed;
         });
}

// C13. Partners still silent are listed as pending, those that cannot open the key as rejected.
Answer final_answer(const Gms& gms, const Regroup& regroup) {
  Answer answer = accepted(regroup.temporary);
  for (const GroupId& id : regroup.constituents) {
    const PartnerSettings* home =
        homed_here(gms.with().settings, id) ? nullptr : home_of(gms.with().settings, id);
    if (!home) continue;
    for (const Partner& partner : regroup.partners) {
      if (partner.gms_uri != home->gms_uri || partner.state == PartnerState::acked) continue;
      const bool failed = partner.state == PartnerState::failed;
      answer.constituents.push_back(
          {id.text(), failed ? "rejected" : "pending", failed ? partner.reason : "partner-unreachable"});
    }
  }
  return answer;
}

void finish(Gms& gms, Edit& edit, const Regroup& regroup) {
  const Answer answer = final_answer(gms, regroup);
  if (!remembered(gms, memory_of(regroup))) edit.remember(memory_of(regroup), answer, gms.now());
  answer_all(gms, edit, regroup.ref, answer);
}

const Regroup* primary_leg(const Gms& gms, const std::string& leg_id) {
  const auto found = gms.state().regroups.find(leg_id);
  return found != gms.state().regroups.end() && found->second.role == RegroupRole::primary ? &found->second
                                                                                           : nullptr;
}

Partner* partner_in(Regroup& regroup, const std::string& peer) {
  for (Partner& partner : regroup.partners)
    if (partner.gms_uri.text() == peer) return &partner;
  return nullptr;
}

// The payload rows of a partner follow its acknowledgement: INSTALLED when the partner holds the key.
void mark_partner_rows(const Gms& gms, Edit& edit, const Regroup& regroup, const Partner& partner,
                       Delivery state, const std::string& reason) {
  std::vector<LedgerRow> rows;
  for (const LedgerRow* row : gms.ledger_of(regroup.temporary.text()))
    if (row->member == partner.gms_uri && row->seq <= partner.seq_acked && row->state != Delivery::withdrawn)
      rows.push_back(*row);
  for (LedgerRow& row : rows) {
    row.state = state;
    row.reason = reason;
    row.changed = gms.now();
    edit.put(std::move(row));
  }
}

// A rejected payload is made anew once, with fresh data and a new seq (gms.md 9); after that the partner has
// failed.
Outcome reseal(Gms& gms, Regroup regroup, const std::string& peer) {
  Partner& partner = *partner_in(regroup, peer);
  std::vector<Prepared> prepared;
  for (const Key* key : gms.keys_of(regroup.temporary.text())) {
    auto again = hand_out(gms, *key, {Addressee{partner.gms_uri, true}});
    if (!again.ok()) return {};
    prepared.push_back(std::move(again).value());
  }
  partner.resealed = true;
  partner.seq_sent += 1;
  partner.attempts = 1;
  partner.next_attempt = gms.now().plus(1);
  Edit edit = gms.edit();
  for (Prepared& one : prepared) {
    for (LedgerRow& row : one.rows) row.seq = partner.seq_sent;
    store(edit, std::move(one));
  }
  edit.put(regroup);
  edit.effect(NotifyPartner{partner.gms_uri, notification(gms, regroup, partner, partner.seq_sent)});
  return edit.take();
}

// The C9s a partner has not acknowledged yet, sent again.
void repeat_notifications(const Gms& gms, Edit& edit, const Regroup& regroup, const Partner& partner) {
  for (std::uint32_t seq = partner.seq_acked + 1; seq <= partner.seq_sent; ++seq) {
    RegroupNotification again = notification(gms, regroup, partner, seq);
    if (!again.gmk_messages.empty() || !again.mkfc_messages.empty())
      edit.effect(NotifyPartner{partner.gms_uri, std::move(again)});
  }
}

// ---- partner
// ------------------------------------------------------------------------------------------------------

std::string partner_ref(const std::string& peer, const std::string& leg_id) { return peer + "|" + leg_id; }

Outcome reply(Gms& gms, Ticket ticket, Answer answer, const std::string& memory = {}) {
  Edit edit = gms.edit();
  if (!memory.empty()) edit.remember(memory, answer, gms.now());
  edit.effect(Reply{ticket, std::move(answer)});
  return edit.take();
}

// gms.md 8.3 items 3-10 for the groups homed here. The loop guard is that nothing here ever asks a third
// system.
Result<void> check_request(const Gms& gms, const PartnerSettings& from, const RegroupRequest& request) {
  const Settings& settings = gms.with().settings;
  if (std::none_of(request.constituents.begin(), request.constituents.end(),
                   [&](const GroupId& id) { return homed_here(settings, id); }))
    return refuse("unknown-group");
  TRY(check_constituents(gms, request.constituents));
  const auto running =
      std::count_if(gms.state().regroups.begin(), gms.state().regroups.end(), [&](const auto& entry) {
        return entry.second.role == RegroupRole::partner && entry.second.requestor == from.gms_uri &&
               entry.second.state == RegroupState::active;
      });
  if (static_cast<std::size_t>(running) >= from.max_regroups) return refuse("limit");
  return {};
}

Regroup reservation(const Gms& gms, const PartnerSettings& from, const RegroupRequest& request) {
  Regroup regroup;
  regroup.ref = partner_ref(from.gms_uri.text(), request.id);
  regroup.leg_id = request.id;
  regroup.role = RegroupRole::partner;
  regroup.state = RegroupState::reserved;
  regroup.requestor = from.gms_uri;
  regroup.constituents = request.constituents;
  regroup.levels = Levels{request.priority.value_or(0), request.protect_media.value_or(true),
                          request.protect_floor.value_or(true)};
  regroup.plan = request.plan.value_or(KeyPlan{});
  regroup.started = gms.now();
  regroup.deadline = gms.now().plus(gms.with().settings.t_reserve);
  return regroup;
}

gktp::Reception reception(const Gms& gms, const std::string& peer, const GroupId& temporary,
                          mcx::Purpose purpose, const mcx::KmsCertificate& own) {
  gktp::Reception with{gms.with().settings.gms_uri, own.kms_uri, gms.with().domains, gms.with().key_sets};
  with.authorised_initiators = {McpttId::parse(peer).value()};
  with.group = temporary.text();
  with.expected = {purpose};
  with.now = gms.now();
  return with;
}

// Steps 1-10 of mikey.md 12 for one payload of C9.
Result<gktp::Opened> open_payload(const Gms& gms, const std::string& peer, const GroupId& temporary,
                                  mcx::Purpose purpose, OctetsView message) {
  const auto own = TRY(gms.with().domains.kms_of(gms.with().settings.gms_uri));
  const gktp::Reception with = reception(gms, peer, temporary, purpose, *own);
  const gktp::Verified verified = TRY(gktp::verify(message, with));
  return gktp::open(verified, with);
}

// Step 4: the same GMK, GMK-ID, RAND and parameters, re-encrypted to the own users and signed by this GMS. A
// key that is already held is not handed out again; the same GMK-ID with another key is a conflict.
Result<std::optional<Prepared>> re_encrypt(const Gms& gms, const Regroup& regroup, gktp::Opened opened) {
  const auto held = gms.state().keys.find(opened.material.id);
  if (held != gms.state().keys.end()) {
    if (ct_equal(held->second.material.key.expose(), opened.material.key.expose()))
      return std::optional<Prepared>();
    return fail(Errc::conflict, "mikey.md 12 step 11", "key-id-conflict");
  }
  Key key;
  key.use = opened.material.parameters.key_type == mcx::Purpose::mkfc
                ? mcx::KeyUse::floor
                : mcx::use_of(opened.material.parameters.text);
  key.material = std::move(opened.material);
  key.group = regroup.temporary;
  key.created = gms.now();
  std::vector<Addressee> members;
  for (const McpttId& member : local_members(gms, regroup.constituents)) members.push_back({member, false});
  return std::optional<Prepared>(TRY(hand_out(gms, key, members)));
}

std::string outward_reason(const Error& error) {
  if (error.code == Errc::conflict) return "key-id-conflict";
  return error.code == Errc::not_authorised ? "bad-signature" : "key-undecryptable";
}

// The reservation this C9 belongs to, or (lapsed, lost, never made) C3 and C9 in one with all checks again.
Result<Regroup> expected_regroup(const Gms& gms, const PartnerSettings& from, const RegroupNotification& n) {
  const auto found = gms.state().regroups.find(partner_ref(from.gms_uri.text(), n.id));
  if (found != gms.state().regroups.end()) {
    const Regroup& known = found->second;
    if (known.state == RegroupState::torn_down) return refuse("policy");
    if (known.constituents != n.constituents)
      return refuse("policy", "the constituents differ from those agreed");
    if (known.state == RegroupState::active && known.temporary != n.temporary) return refuse("policy");
    const bool weaker = (known.levels.protect_media && !n.levels.protect_media) ||
                        (known.levels.protect_floor && !n.levels.protect_floor);
    if (weaker) return refuse("security-mismatch");
    if (known.state == RegroupState::active || known.deadline > gms.now()) return known;
  }
  RegroupRequest again;
  again.id = n.id;
  again.constituents = n.constituents;
  TRY(check_request(gms, from, again));
  return reservation(gms, from, again);
}

struct Reencrypted {
  std::vector<Prepared> keys;
};

Result<Reencrypted> open_all(const Gms& gms, const std::string& peer, const Regroup& regroup,
                             const RegroupNotification& n) {
  Reencrypted out;
  const auto take = [&](const std::vector<Octets>& messages, mcx::Purpose purpose) -> Result<void> {
    for (const Octets& message : messages) {
      auto again =
          TRY(re_encrypt(gms, regroup, TRY(open_payload(gms, peer, regroup.temporary, purpose, message))));
      if (again) out.keys.push_back(std::move(*again));
    }
    return {};
  };
  TRY(take(n.gmk_messages, mcx::Purpose::gmk));
  TRY(take(n.mkfc_messages, mcx::Purpose::mkfc));
  return out;
}

// PR-28: every member with a live subscription has acknowledged every key of the group.
bool members_answered(const Gms& gms, const Regroup& regroup) {
  for (const LedgerRow* row : gms.ledger_of(regroup.temporary.text()))
    if (!row->partner && row->state == Delivery::prepared &&
        gms.with().presence.subscribed(row->member.text()))
      return false;
  return true;
}

std::uint32_t members_keyed(const Gms& gms, const Regroup& regroup) {
  std::map<std::string, bool> keyed;
  for (const LedgerRow* row : gms.ledger_of(regroup.temporary.text())) {
    if (row->partner) continue;
    const auto [it, fresh] = keyed.emplace(row->member.text(), true);
    it->second = it->second && arrived(*row);
  }
  return static_cast<std::uint32_t>(
      std::count_if(keyed.begin(), keyed.end(), [](const auto& entry) { return entry.second; }));
}

// Step 6 / C12: the acknowledgement follows the own users' (or the wait).
void acknowledge(Gms& gms, Edit& edit, const Regroup& regroup) {
  const auto [first, last] = gms.waiting().equal_range(regroup.ref);
  if (first == last) return;
  Answer answer = accepted(regroup.temporary);
  answer.members_keyed = members_keyed(gms, regroup);
  answer_all(gms, edit, regroup.ref, answer);
}

}  // namespace

// ---- primary
// ------------------------------------------------------------------------------------------------------

Outcome ask_partners(Gms& gms, Regroup staged, Ticket ticket) {
  for (const GroupId& id : staged.constituents) {
    if (homed_here(gms.with().settings, id)) continue;
    const McpttId& home = home_of(gms.with().settings, id)->gms_uri;
    if (!partner_in(staged, home.text())) {
      Partner partner;
      partner.gms_uri = home;
      staged.partners.push_back(std::move(partner));
    }
  }
  staged.state = RegroupState::asking;
  staged.deadline = gms.now().plus(gms.with().settings.t_ask);
  gms.waiting().emplace(staged.ref, ticket);
  Edit edit = gms.edit();
  for (const Partner& partner : staged.partners) edit.effect(AskPartner{partner.gms_uri, asking(staged)});
  edit.put(std::move(staged));
  return edit.take();
}

Outcome partner_answered(Gms& gms, const std::string& peer, const std::string& leg_id, const Answer& answer) {
  const Regroup* found = primary_leg(gms, leg_id);
  if (!found || found->state != RegroupState::asking) return {};
  Regroup regroup = *found;
  Partner* partner = partner_in(regroup, peer);
  if (!partner || partner->state != PartnerState::asked) return {};
  partner->state = answer.accepted ? PartnerState::accepted : PartnerState::rejected;
  partner->reason = answer.reason;
  if (!answer.accepted) return give_up(gms, std::move(regroup), "partner-rejected");
  const bool all = std::all_of(regroup.partners.begin(), regroup.partners.end(),
                               [](const Partner& one) { return one.state == PartnerState::accepted; });
  if (all) return create(gms, std::move(regroup));
  Edit edit = gms.edit();
  edit.put(std::move(regroup));
  return edit.take();
}

Outcome partner_acknowledged(Gms& gms, const std::string& peer, const std::string& leg_id, std::uint32_t seq,
                             const Answer& answer) {
  const Regroup* found = primary_leg(gms, leg_id);
  if (!found || found->state != RegroupState::active) return {};
  Regroup regroup = *found;
  Partner* partner = partner_in(regroup, peer);
  if (!partner || seq > partner->seq_sent) return {};
  if (!answer.accepted && !partner->resealed && answer.reason != "key-id-conflict")
    return reseal(gms, std::move(regroup), peer);
  Edit edit = gms.edit();
  partner->seq_acked = std::max(partner->seq_acked, seq);
  partner->members_keyed = std::max(partner->members_keyed, answer.members_keyed);
  partner->attempts = 0;
  if (!answer.accepted) {
    partner->state = PartnerState::failed;
    partner->reason = answer.reason;
  } else if (partner->seq_acked == partner->seq_sent) {
    partner->state = PartnerState::acked;
  }
  mark_partner_rows(gms, edit, regroup, *partner, answer.accepted ? Delivery::installed : Delivery::failed,
                    answer.reason);
  edit.put(regroup);
  if (all_acknowledged(regroup)) finish(gms, edit, regroup);
  return edit.take();
}

Outcome partner_unreachable(Gms& gms, const std::string& peer, const std::string& leg_id) {
  const Regroup* found = primary_leg(gms, leg_id);
  if (!found) return {};
  Regroup regroup = *found;
  Partner* partner = partner_in(regroup, peer);
  if (!partner) return {};
  partner->attempts += 1;
  partner->next_attempt = gms.now().plus(back_off(partner->attempts));
  Edit edit = gms.edit();
  edit.put(std::move(regroup));
  return edit.take();
}

// ---- partner
// ------------------------------------------------------------------------------------------------------

Outcome partner_request(Gms& gms, const std::string& peer, Ticket ticket, const RegroupRequest& request) {
  const std::string memory = memory_key(peer, request.id, kCreation);
  if (const Answer* before = remembered(gms, memory)) return reply(gms, ticket, *before);
  const PartnerSettings* from = partner(gms.with().settings, peer);
  if (!from) return reply(gms, ticket, rejected("not-trusted"));
  if (!good_request_id(request.id)) return reply(gms, ticket, rejected("policy"));
  const auto checked = check_request(gms, *from, request);
  if (!checked.ok()) return reply(gms, ticket, rejected(checked.error().detail), memory);
  Edit edit = gms.edit();
  edit.put(reservation(gms, *from, request));
  Answer yes;
  yes.accepted = true;
  edit.remember(memory, yes, gms.now());
  edit.effect(Reply{ticket, yes});
  return edit.take();
}

Outcome partner_notification(Gms& gms, const std::string& peer, Ticket ticket, const RegroupNotification& n,
                             std::vector<Error>* why) {
  const std::string memory = memory_key(peer, n.id, kNotification, n.seq);
  if (const Answer* before = remembered(gms, memory)) return reply(gms, ticket, *before);
  const PartnerSettings* from = partner(gms.with().settings, peer);
  if (!from) return reply(gms, ticket, rejected("not-trusted"));
  const bool protected_group = n.levels.protect_media || n.levels.protect_floor;
  if (protected_group && n.gmk_messages.empty() && n.mkfc_messages.empty())
    return reply(gms, ticket, rejected("security-mismatch"));
  if (!good_request_id(n.id) || n.temporary.empty()) return reply(gms, ticket, rejected("policy"));
  auto expected = expected_regroup(gms, *from, n);
  if (!expected.ok()) return reply(gms, ticket, rejected(expected.error().detail), memory);

  Regroup regroup = std::move(expected).value();
  const bool first = regroup.state != RegroupState::active;
  regroup.state = RegroupState::active;
  regroup.temporary = n.temporary;
  regroup.levels = n.levels;
  regroup.plan = n.plan;
  regroup.deadline = gms.now().plus(gms.with().settings.c12_wait);
  auto opened = open_all(gms, peer, regroup, n);
  if (!opened.ok()) {
    if (why) why->push_back(opened.error());
    return reply(gms, ticket, rejected(outward_reason(opened.error())), memory);
  }
  Edit edit = gms.edit();
  if (first) form_group(gms, edit, regroup);
  for (Prepared& one : opened.value().keys) store(edit, std::move(one));
  const std::vector<McpttId> members = local_members(gms, regroup.constituents);
  std::vector<GroupId> groups = regroup.constituents;
  groups.push_back(regroup.temporary);
  if (first || !opened.value().keys.empty()) edit.effect(DocumentsChanged{members, groups});
  gms.waiting().emplace(regroup.ref, ticket);
  edit.put(regroup);
  if (members_answered(gms, regroup)) acknowledge(gms, edit, regroup);
  return edit.take();
}

// ---- both
// ---------------------------------------------------------------------------------------------------------

Outcome proceed(Gms& gms) {
  Outcome out;
  for (const std::string& ref : refs(gms, RegroupRole::primary, RegroupState::active)) {
    const Regroup regroup = gms.state().regroups.at(ref);
    if (!regroup.floor_due) continue;
    auto made = key_the_group(gms, regroup, Run::second);
    if (made.ok()) join(out, std::move(made).value());
  }
  return out;
}

Outcome settle(Gms& gms) {
  Edit edit = gms.edit();
  for (const std::string& ref : refs(gms, RegroupRole::partner, RegroupState::active)) {
    const Regroup& regroup = gms.state().regroups.at(ref);
    if (gms.waiting().count(ref) && members_answered(gms, regroup)) acknowledge(gms, edit, regroup);
  }
  return edit.take();
}

Outcome tick(Gms& gms) {
  Outcome out;
  const NtpTime now = gms.now();
  const Settings& settings = gms.with().settings;
  for (const std::string& ref : refs(gms, RegroupRole::primary, RegroupState::asking)) {
    const Regroup regroup = gms.state().regroups.at(ref);
    if (now >= regroup.deadline) join(out, give_up(gms, regroup, "partner-unreachable"));
  }
  for (const std::string& ref : refs(gms, RegroupRole::primary, RegroupState::active)) {
    Regroup regroup = gms.state().regroups.at(ref);
    Edit edit = gms.edit();
    bool changed = false;
    for (Partner& partner : regroup.partners) {
      if (partner.state != PartnerState::pending || now < partner.next_attempt) continue;
      changed = true;
      partner.attempts += 1;
      partner.next_attempt = now.plus(back_off(partner.attempts));
      if (now >= regroup.started.plus(settings.t_notify)) {
        partner.state = PartnerState::failed;
        partner.reason = "partner-unreachable";
        continue;
      }
      repeat_notifications(gms, edit, regroup, partner);
    }
    if (changed) edit.put(regroup);
    if (gms.waiting().count(ref) && now >= regroup.deadline) finish(gms, edit, regroup);
    join(out, edit.take());
  }
  for (const RegroupState state : {RegroupState::torn_down, RegroupState::rejected})
    for (const std::string& ref : refs(gms, RegroupRole::primary, state)) {
      Regroup regroup = gms.state().regroups.at(ref);
      Edit edit = gms.edit();
      bool changed = false;
      for (Partner& partner : regroup.partners) {
        if (partner.state != PartnerState::withdrawing || now < partner.next_attempt) continue;
        partner.attempts += 1;
        partner.next_attempt = now.plus(back_off(partner.attempts));
        changed = true;
        edit.effect(TearDownPartner{partner.gms_uri, {regroup.leg_id, regroup.temporary.text()}, ref});
      }
      if (changed) edit.put(std::move(regroup));
      join(out, edit.take());
    }
  for (const std::string& ref : refs(gms, RegroupRole::partner, RegroupState::active)) {
    const Regroup& regroup = gms.state().regroups.at(ref);
    if (!gms.waiting().count(ref) || now < regroup.deadline) continue;
    Edit edit = gms.edit();
    acknowledge(gms, edit, regroup);
    join(out, edit.take());
  }
  return out;
}

std::optional<NtpTime> next_deadline(const Gms& gms) {
  std::optional<NtpTime> next;
  const auto earlier = [&](NtpTime at) {
    if (!next || at < *next) next = at;
  };
  for (const auto& [ref, regroup] : gms.state().regroups) {
    const bool waited_for = gms.waiting().count(ref) != 0;
    if (regroup.state == RegroupState::asking || (waited_for && regroup.state == RegroupState::active))
      earlier(regroup.deadline);
    for (const Partner& partner : regroup.partners) {
      const bool pending = regroup.state == RegroupState::active && partner.state == PartnerState::pending;
      if (pending || partner.state == PartnerState::withdrawing) earlier(partner.next_attempt);
    }
  }
  return next;
}

Outcome resume(Gms& gms) {
  Outcome out = proceed(gms);
  Edit edit = gms.edit();
  for (const std::string& ref : refs(gms, RegroupRole::primary, RegroupState::asking)) {
    const Regroup& regroup = gms.state().regroups.at(ref);
    for (const Partner& partner : regroup.partners)
      if (partner.state == PartnerState::asked) edit.effect(AskPartner{partner.gms_uri, asking(regroup)});
  }
  join(out, edit.take());
  join(out, tick(gms));
  return out;
}

}  // namespace regroup::flow
