// SPDX-License-Identifier: Apache-2.0
#include "flow/regroup_multi.hpp"

#include <algorithm>
#include <utility>

#include "flow/forming.hpp"
#include "flow/procedure.hpp"
#include "gktp/open.hpp"
#include "gms/delivery.hpp"

namespace regroup::flow {

using namespace gms;  // NOLINT: a flow reads as the clause, in the words of gms/

namespace {

Outcome ask_partners(Gms&, Regroup, const Happening&);
Outcome ask_again(Gms&, Regroup, const Happening&);
Outcome note_acceptance(Gms&, Regroup, const Happening&);
Outcome partner_refused(Gms&, Regroup, const Happening&);
Outcome partner_silent(Gms&, Regroup, const Happening&);
Outcome key_floor_control(Gms&, Regroup, const Happening&);
Outcome note_holding(Gms&, Regroup, const Happening&);
Outcome note_refusal(Gms&, Regroup, const Happening&);
Outcome back_off_partner(Gms&, Regroup, const Happening&);
Outcome notify_again(Gms&, Regroup, const Happening&);
Outcome notify_all_again(Gms&, Regroup, const Happening&);
Outcome answer_with_pending(Gms&, Regroup, const Happening&);
Outcome reserve(Gms&, Regroup, const Happening&);
Outcome take_unannounced_key(Gms&, Regroup, const Happening&);
Outcome take_agreed_key(Gms&, Regroup, const Happening&);
Outcome take_further_key(Gms&, Regroup, const Happening&);
Outcome refuse_late_key(Gms&, Regroup, const Happening&);
Outcome acknowledge(Gms&, Regroup, const Happening&);

constexpr RegroupRole primary = RegroupRole::primary;
constexpr RegroupRole partner_gms = RegroupRole::partner;

constexpr Row kTable[] = {
    {primary, Stage::none, Event::wanted, ask_partners, "TS 23.179 10.6.2.2", "ask each partner (C3)",
     "asking"},
    {primary, Stage::asking, Event::restarted, ask_again, "", "C3 again, under the same id", "asking"},
    {primary, Stage::asking, Event::partner_accepts, note_acceptance, "TS 33.179 7.3.5.3 steps 1, 3",
     "when all have accepted: new GMK and GMK-ID, notify own users (C8) and partners (C9)", "asking, active"},
    {primary, Stage::asking, Event::partner_rejects, partner_refused, "",
     "nothing is made; release the others", "rejected"},
    {primary, Stage::asking, Event::ask_time_over, partner_silent, "", "nothing is made; release all",
     "rejected"},
    {primary, Stage::active, Event::second_run_due, key_floor_control, "TS 33.179 7.3.5.3 last paragraph",
     "second run of the procedure: the floor key (C8, C9 with the next seq)", "active"},
    {primary, Stage::active, Event::holds_key, note_holding, "TS 33.179 7.3.5.3 step 6",
     "partner ACKED; the last one completes the answer (C13)", "active"},
    {primary, Stage::active, Event::refuses_key, note_refusal, "",
     "once: encapsulate anew (C9 with the next seq); then partner FAILED", "active"},
    {primary, Stage::active, Event::no_answer, back_off_partner, "", "wait: 1, 2, 4 ... 600 s", "active"},
    {primary, Stage::active, Event::retry_due, notify_again, "", "the same C9; after T_notify partner FAILED",
     "active"},
    {primary, Stage::active, Event::restarted, notify_all_again, "", "the same C9 to every pending partner",
     "active"},
    {primary, Stage::active, Event::wait_over, answer_with_pending, "", "C13 with partners still pending",
     "active"},
    {partner_gms, Stage::none, Event::asked, reserve, "TS 23.179 10.6.2.2", "check; hold the groups; C5",
     "reserved"},
    {partner_gms, Stage::none, Event::notified, take_unannounced_key, "TS 33.179 7.3.5.3 step 4",
     "C3 and C9 in one: check, then as from reserved", "active"},
    {partner_gms, Stage::reserved, Event::notified, take_agreed_key, "TS 33.179 7.3.5.3 step 4",
     "verify, open, store, re-encrypt to own users, notify them (C11)", "active"},
    {partner_gms, Stage::active, Event::notified, take_further_key, "TS 33.179 7.3.5.3 step 4",
     "a further key, or the same again: only what is new is handed on", "active"},
    {partner_gms, Stage::torn_down, Event::notified, refuse_late_key, "", "rejected: policy", "torn_down"},
    {partner_gms, Stage::active, Event::members_answered, acknowledge, "TS 33.179 7.3.5.3 steps 5, 6",
     "acknowledge to the primary (C12)", "active"},
    {partner_gms, Stage::active, Event::wait_over, acknowledge, "", "C12; some member is not heard from",
     "active"},
};

Partner* partner_in(Regroup& regroup, const std::string& peer) {
  for (Partner& partner : regroup.partners)
    if (partner.gms_uri.text() == peer) return &partner;
  return nullptr;
}

// ---- primary GMS ----

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
  return memory_key(regroup.requestor.text(), regroup.request_id, kRegroupCreation);
}

// C3 to each home of a foreign constituent. Nothing is made before all have accepted.
Outcome ask_partners(Gms& gms, Regroup staged, const Happening& what) {
  const Settings& settings = gms.with().settings;
  for (const GroupId& id : staged.constituents) {
    if (homed_here(settings, id)) continue;
    const McpttId& home = home_of(settings, id)->gms_uri;
    if (partner_in(staged, home.text())) continue;
    Partner partner;
    partner.gms_uri = home;
    staged.partners.push_back(std::move(partner));
  }
  staged.state = RegroupState::asking;
  staged.deadline = gms.now().plus(settings.t_ask);
  gms.waiting().emplace(staged.ref, what.ticket);
  Edit edit = gms.edit();
  for (const Partner& partner : staged.partners) edit.effect(AskPartner{partner.gms_uri, asking(staged)});
  edit.put(std::move(staged));
  return edit.take();
}

Outcome ask_again(Gms& gms, Regroup regroup, const Happening&) {
  Edit edit = gms.edit();
  for (const Partner& partner : regroup.partners)
    if (partner.state == PartnerState::asked) edit.effect(AskPartner{partner.gms_uri, asking(regroup)});
  return edit.take();
}

// Nothing is created; those who said yes, or may still say it, are released.
Outcome give_up(Gms& gms, Regroup regroup, const std::string& reason) {
  regroup.state = RegroupState::rejected;
  regroup.deadline = gms.now().plus(gms.with().settings.t_notify);
  Edit edit = gms.edit();
  for (Partner& partner : regroup.partners) {
    if (partner.state == PartnerState::rejected) continue;
    partner.state = PartnerState::withdrawing;
    first_attempt(partner, gms.now());
    edit.effect(TearDownPartner{partner.gms_uri, {regroup.leg_id, {}}, regroup.ref});
  }
  edit.remember(memory_of(regroup), rejected(reason), gms.now());
  answer_all(gms, edit, regroup.ref, rejected(reason));
  edit.put(std::move(regroup));
  return edit.take();
}

// Step 1: new GMK and GMK-ID, own users notified; step 3: partners notified, each as one more member.
Outcome form(Gms& gms, Regroup regroup) {
  regroup.temporary = draw_temporary_id(gms);
  regroup.deadline = gms.now().plus(gms.with().settings.c13_wait);
  auto made = key_the_group(gms, regroup, Run::first);
  return made.ok() ? std::move(made).value() : give_up(gms, std::move(regroup), "policy");
}

Outcome note_acceptance(Gms& gms, Regroup regroup, const Happening& what) {
  Partner* partner = partner_in(regroup, what.peer);
  if (!partner || partner->state != PartnerState::asked) return {};
  partner->state = PartnerState::accepted;
  const bool all = std::all_of(regroup.partners.begin(), regroup.partners.end(),
                               [](const Partner& one) { return one.state == PartnerState::accepted; });
  if (all) return form(gms, std::move(regroup));
  Edit edit = gms.edit();
  edit.put(std::move(regroup));
  return edit.take();
}

Outcome partner_refused(Gms& gms, Regroup regroup, const Happening& what) {
  Partner* partner = partner_in(regroup, what.peer);
  if (!partner || partner->state != PartnerState::asked) return {};
  partner->state = PartnerState::rejected;
  partner->reason = what.answer->reason;
  return give_up(gms, std::move(regroup), "partner-rejected");
}

Outcome partner_silent(Gms& gms, Regroup regroup, const Happening&) {
  return give_up(gms, std::move(regroup), "partner-unreachable");
}

// The procedure runs a second time, for floor control only.
Outcome key_floor_control(Gms& gms, Regroup regroup, const Happening&) {
  if (!regroup.floor_due) return {};
  auto made = key_the_group(gms, regroup, Run::second);
  if (made.ok()) return std::move(made).value();
  regroup.floor_due_at = gms.now().plus(kFloorRetry);  // no key set of the present period: soon again
  Edit edit = gms.edit();
  edit.put(std::move(regroup));
  return edit.take();
}

bool all_acknowledged(const Regroup& regroup) {
  return !regroup.floor_due &&
         std::all_of(regroup.partners.begin(), regroup.partners.end(), [](const Partner& partner) {
           return partner.state == PartnerState::acked || partner.state == PartnerState::failed;
         });
}

// C13. Partners still silent are listed as pending, those that cannot open the key as rejected.
Answer final_answer(const Gms& gms, const Regroup& regroup) {
  const Settings& settings = gms.with().settings;
  Answer answer = accepted(regroup.temporary);
  for (const GroupId& id : regroup.constituents) {
    const PartnerSettings* home = homed_here(settings, id) ? nullptr : home_of(settings, id);
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

// The payload rows of one C9 follow its acknowledgement: INSTALLED when the partner holds the keys.
void mark_partner_rows(const Gms& gms, Edit& edit, const Regroup& regroup, const Partner& partner,
                       std::uint32_t seq, Delivery state, const std::string& reason) {
  std::vector<LedgerRow> rows;
  for (const LedgerRow* row : gms.ledger_of(regroup.temporary.text()))
    if (row->member == partner.gms_uri && row->seq == seq && row->state != Delivery::withdrawn)
      rows.push_back(*row);
  for (LedgerRow& row : rows) {
    row.state = state;
    row.reason = reason;
    row.changed = gms.now();
    edit.put(std::move(row));
  }
}

// Step 6 at the primary.
Outcome note_holding(Gms& gms, Regroup regroup, const Happening& what) {
  Partner* partner = partner_in(regroup, what.peer);
  if (!partner || std::erase(partner->unanswered, what.seq) == 0) return {};
  partner->members_keyed = std::max(partner->members_keyed, what.answer->members_keyed);
  if (partner->unanswered.empty() && partner->state == PartnerState::pending)
    partner->state = PartnerState::acked;
  Edit edit = gms.edit();
  mark_partner_rows(gms, edit, regroup, *partner, what.seq, Delivery::installed, {});
  edit.put(regroup);
  if (all_acknowledged(regroup)) finish(gms, edit, regroup);
  return edit.take();
}

// `partner` is one of `regroup`.
Outcome fail_partner(Gms& gms, const Regroup& regroup, Partner& partner, const std::string& reason) {
  partner.state = PartnerState::failed;
  partner.reason = reason;
  Edit edit = gms.edit();
  for (const std::uint32_t seq : std::exchange(partner.unanswered, {}))
    mark_partner_rows(gms, edit, regroup, partner, seq, Delivery::failed, reason);
  edit.put(regroup);
  if (all_acknowledged(regroup)) finish(gms, edit, regroup);
  return edit.take();
}

// The keys once more, with fresh data and a new seq. `partner` is one of `regroup`.
Outcome encapsulate_anew(Gms& gms, const Regroup& regroup, Partner& partner) {
  std::vector<Prepared> prepared;
  for (const Key* key : gms.keys_of(regroup.temporary.text())) {
    auto again = hand_out(gms, *key, {Addressee{partner.gms_uri, true}});
    if (!again.ok()) return {};
    prepared.push_back(std::move(again).value());
  }
  partner.resealed = true;
  partner.seq_sent += 1;
  partner.unanswered = {partner.seq_sent};
  first_attempt(partner, gms.now());
  Edit edit = gms.edit();
  for (Prepared& one : prepared) {
    for (LedgerRow& row : one.rows) row.seq = partner.seq_sent;
    store(edit, std::move(one));
  }
  edit.put(regroup);
  edit.effect(NotifyPartner{partner.gms_uri, notification(gms, regroup, partner, partner.seq_sent)});
  return edit.take();
}

Outcome note_refusal(Gms& gms, Regroup regroup, const Happening& what) {
  Partner* partner = partner_in(regroup, what.peer);
  if (!partner) return {};
  const auto& open = partner->unanswered;
  if (std::find(open.begin(), open.end(), what.seq) == open.end()) return {};  // replaced, or answered before
  const std::string& reason = what.answer->reason;
  if (!partner->resealed && (reason == "key-undecryptable" || reason == "bad-signature"))
    return encapsulate_anew(gms, regroup, *partner);
  return fail_partner(gms, regroup, *partner, reason);
}

Outcome back_off_partner(Gms& gms, Regroup regroup, const Happening& what) {
  Partner* partner = partner_in(regroup, what.peer);
  if (!partner || partner->state != PartnerState::pending) return {};
  back_off(*partner, gms.now());
  Edit edit = gms.edit();
  edit.put(std::move(regroup));
  return edit.take();
}

// The C9s a partner has not acknowledged yet.
void repeat_notifications(const Gms& gms, Edit& edit, const Regroup& regroup, Partner& partner) {
  next_attempt(partner, gms.now());
  for (const std::uint32_t seq : partner.unanswered)
    edit.effect(NotifyPartner{partner.gms_uri, notification(gms, regroup, partner, seq)});
}

Outcome notify_again(Gms& gms, Regroup regroup, const Happening& what) {
  Partner* partner = partner_in(regroup, what.peer);
  if (!partner || partner->state != PartnerState::pending) return {};
  if (gms.now() >= regroup.started.plus(gms.with().settings.t_notify))
    return fail_partner(gms, regroup, *partner, "partner-unreachable");
  Edit edit = gms.edit();
  repeat_notifications(gms, edit, regroup, *partner);
  edit.put(std::move(regroup));
  return edit.take();
}

Outcome notify_all_again(Gms& gms, Regroup regroup, const Happening&) {
  Edit edit = gms.edit();
  for (Partner& partner : regroup.partners)
    if (partner.state == PartnerState::pending) repeat_notifications(gms, edit, regroup, partner);
  edit.put(std::move(regroup));
  return edit.take();
}

Outcome answer_with_pending(Gms& gms, Regroup regroup, const Happening&) {
  Edit edit = gms.edit();
  finish(gms, edit, regroup);
  return edit.take();
}

// ---- partner GMS ----

std::string partner_ref(const std::string& peer, const std::string& leg_id) { return peer + "|" + leg_id; }

const PartnerSettings& primary_of(const Gms& gms, const Happening& what) {
  return *partner(gms.with().settings, what.peer);  // the entry points let nobody else in
}

std::string memory_of(const Happening& what) {
  if (what.request) return memory_key(what.peer, what.request->id, kRegroupCreation);
  return memory_key(what.peer, what.notification->id, kRegroupNotification, what.notification->seq);
}

// For the groups homed here. The loop guard is that nothing here ever asks a third system.
Result<void> check_request(const Gms& gms, const PartnerSettings& from, const RegroupRequest& request) {
  const Settings& settings = gms.with().settings;
  if (std::none_of(request.constituents.begin(), request.constituents.end(),
                   [&](const GroupId& id) { return homed_here(settings, id); }))
    return refuse("unknown-group", "ask the GMS that is home of the groups");
  TRY(check_constituents(gms, request.constituents));
  const auto running =
      std::count_if(gms.state().regroups.begin(), gms.state().regroups.end(), [&](const auto& entry) {
        const Regroup& one = entry.second;
        const bool counts = one.state == RegroupState::active ||
                            (one.state == RegroupState::reserved && one.deadline > gms.now());
        return one.role == RegroupRole::partner && one.requestor == from.gms_uri && counts;
      });
  if (static_cast<std::size_t>(running) >= from.max_regroups)
    return refuse("limit", "raise max_regroups of that partner, or have one torn down");
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

// C3: hold the groups until C9, a tear-down or T_reserve; C5.
Outcome reserve(Gms& gms, Regroup, const Happening& what) {
  const PartnerSettings& from = primary_of(gms, what);
  const auto checked = check_request(gms, from, *what.request);
  if (!checked.ok()) return answer_now(gms, what.ticket, rejected(checked.error().detail), memory_of(what));
  Answer yes;
  yes.accepted = true;
  Edit edit = gms.edit();
  edit.put(reservation(gms, from, *what.request));
  edit.remember(memory_of(what), yes, gms.now());
  edit.effect(Reply{what.ticket, yes});
  return edit.take();
}

gktp::Reception reception(const Gms& gms, const std::string& peer, const GroupId& temporary,
                          mcx::Purpose purpose, const mcx::KmsCertificate& own) {
  gktp::Reception with{gms.with().settings.gms_uri, own.kms_uri, gms.with().domains, gms.with().key_sets};
  with.authorised_initiators = {McpttId::parse(peer).value()};
  with.group = temporary.text();
  with.expected = {purpose};
  with.tolerances = gms.with().settings.tolerances;
  with.now = gms.now();
  return with;
}

// Verifies and opens one payload of C9, as a member would. Tolerances that fired are added to `fired`,
// although a later step may refuse.
Result<gktp::Opened> open_payload(const Gms& gms, const std::string& peer, const GroupId& temporary,
                                  mcx::Purpose purpose, OctetsView message, gktp::Fired& fired) {
  const auto own = TRY(gms.with().domains.kms_of(gms.with().settings.gms_uri, gms.now()));
  const gktp::Reception with = reception(gms, peer, temporary, purpose, *own);
  const gktp::Verified verified = TRY(gktp::verify(message, with));
  auto opened = gktp::open(verified, with);
  const gktp::Fired& needed = opened.ok() ? opened.value().fired : verified.fired();
  fired.insert(fired.end(), needed.begin(), needed.end());
  return opened;
}

// A key that is held: the same one again needs no work; another one under its identifier is a conflict; one
// that was withdrawn does not come back.
Result<void> check_held(const Key& held, const gktp::Opened& opened) {
  if (held.fingerprint != mcx::fingerprint(opened.material.key))
    return fail(Errc::conflict, "TS 33.179 7.3.1", "key-id-conflict",
                "the partner must draw a new GMK-ID: tear the regroup down and form it again");
  if (held.withdrawn)
    return fail(Errc::revoked, "TS 33.180 5.2.4",
                "GMK-ID " + held.material.id.text() + " was withdrawn: an old payload cannot bring it back",
                "form the regroup again, with a new key");
  return {};
}

Key key_of(const Gms& gms, const Regroup& regroup, gktp::Opened opened) {
  Key key;
  key.use = opened.material.parameters.key_type == mcx::Purpose::mkfc
                ? mcx::KeyUse::floor
                : mcx::use_of(opened.material.parameters.text);
  key.fingerprint = mcx::fingerprint(opened.material.key);
  key.material = std::move(opened.material);
  key.group = regroup.temporary;
  key.created = gms.now();
  return key;
}

// One key per decision: what the plan asks for, each once.
Result<void> check_wanted(const Gms& gms, const Regroup& regroup, const Key& key) {
  for (const Key* other : gms.keys_of(regroup.temporary.text()))
    if (other->use == key.use)
      return refuse("policy", "the primary must send one key for each use: the group has this one");
  return {};
}

// Step 4: the same GMK, GMK-ID, RAND and parameters, re-encrypted to the own users and signed by this GMS. A
// revocation withdraws the key from them.
Result<std::optional<Prepared>> re_encrypt(const Gms& gms, const Regroup& regroup, gktp::Opened opened) {
  const bool revoked = opened.material.parameters.revoked;
  const auto held = gms.state().keys.find(opened.material.id);
  if (held != gms.state().keys.end()) {
    TRY(check_held(held->second, opened));
    if (!revoked) return std::optional<Prepared>();
    return std::optional<Prepared>(Prepared{tombstone_of(held->second), {}});
  }
  Key key = key_of(gms, regroup, std::move(opened));
  if (revoked) return std::optional<Prepared>(Prepared{tombstone_of(key), {}});
  TRY(check_wanted(gms, regroup, key));
  std::vector<Addressee> members;
  for (const McpttId& member : local_members(gms, regroup.constituents)) members.push_back({member, false});
  return std::optional<Prepared>(TRY(hand_out(gms, key, members)));
}

Result<std::vector<Prepared>> open_all(const Gms& gms, const Regroup& regroup, const Happening& what,
                                       gktp::Fired& fired) {
  const RegroupNotification& n = *what.notification;
  if (n.gmk_messages.size() + n.mkfc_messages.size() > keys_of_plan(n.plan, n.temporary, {}).size())
    return refuse("policy", "the primary must send no more payloads than its key plan has keys");
  std::vector<Prepared> out;
  const auto take = [&](const std::vector<PartnerPayload>& payloads, mcx::Purpose purpose) -> Result<void> {
    for (const PartnerPayload& one : payloads) {
      auto opened = TRY(open_payload(gms, what.peer, regroup.temporary, purpose, one.message, fired));
      auto again = TRY(re_encrypt(gms, regroup, std::move(opened)));
      if (again) out.push_back(std::move(*again));
    }
    return {};
  };
  TRY(take(n.gmk_messages, mcx::Purpose::gmk));
  TRY(take(n.mkfc_messages, mcx::Purpose::mkfc));
  return out;
}

std::string outward_reason(const Error& error) {
  if (error.code == Errc::conflict) return "key-id-conflict";
  if (is_refusal(error)) return error.detail;  // decided here, not by the payload
  return error.code == Errc::not_authorised ? "bad-signature" : "key-undecryptable";
}

// Step 4 for all payloads of one C9: decided completely, then stored, then spoken.
Outcome take_key(Gms& gms, Regroup regroup, const Happening& what) {
  const bool first = regroup.state != RegroupState::active;
  regroup.state = RegroupState::active;
  regroup.temporary = what.notification->temporary;
  regroup.levels = what.notification->levels;
  regroup.plan = what.notification->plan;
  regroup.deadline = gms.now().plus(gms.with().settings.c12_wait);
  gktp::Fired fired;
  auto keys = open_all(gms, regroup, what, fired);
  Edit edit = gms.edit();
  if (!fired.empty()) edit.effect(gms::Tolerated{primary_of(gms, what).gms_uri, std::move(fired)});
  if (!keys.ok()) {
    if (what.why) what.why->push_back(keys.error());
    Outcome refused = edit.take();
    join(refused, answer_now(gms, what.ticket, rejected(outward_reason(keys.error())), memory_of(what)));
    return refused;
  }
  if (first) form_group(gms, edit, regroup);
  const bool told = first || !keys.value().empty();
  for (Prepared& one : keys.value()) store(edit, std::move(one));
  if (told) tell_members(gms, edit, regroup);
  gms.waiting().emplace(regroup.ref, what.ticket);
  edit.put(regroup);
  Outcome out = edit.take();
  if (members_answered(gms, regroup)) join(out, acknowledge(gms, regroup, what));
  return out;
}

// The temporary group is the primary's to name: of its domains, and no group that exists here.
Result<void> check_temporary(const Gms& gms, const Happening& what) {
  const GroupId& temporary = what.notification->temporary;
  const PartnerSettings* home = home_of(gms.with().settings, temporary);
  if (home != &primary_of(gms, what) || gms.group(temporary.text()))
    return refuse("policy", "the primary must name a new temporary group of its own domains");
  return {};
}

Outcome take_unannounced_key(Gms& gms, Regroup, const Happening& what) {
  RegroupRequest request;
  request.id = what.notification->id;
  request.constituents = what.notification->constituents;
  auto checked = check_request(gms, primary_of(gms, what), request);
  if (checked.ok()) checked = check_temporary(gms, what);
  if (!checked.ok()) return answer_now(gms, what.ticket, rejected(checked.error().detail), memory_of(what));
  return take_key(gms, reservation(gms, primary_of(gms, what), request), what);
}

// C9 must be what C3 agreed: the same groups, protection not weaker.
Result<void> check_agreed(const Gms& gms, const Regroup& known, const Happening& what) {
  const RegroupNotification& n = *what.notification;
  if (known.constituents != n.constituents)
    return refuse("policy", "the primary must name the constituents that were agreed");
  if (known.state == RegroupState::active && known.temporary != n.temporary)
    return refuse("policy", "the regroup has another temporary group; tear it down first");
  if (known.state != RegroupState::active) TRY(check_temporary(gms, what));
  const bool weaker = (known.levels.protect_media && !n.levels.protect_media) ||
                      (known.levels.protect_floor && !n.levels.protect_floor);
  return weaker ? Result<void>(refuse("security-mismatch", "the primary must protect as agreed"))
                : Result<void>();
}

Outcome take_further_key(Gms& gms, Regroup regroup, const Happening& what) {
  const auto agreed = check_agreed(gms, regroup, what);
  if (!agreed.ok()) return answer_now(gms, what.ticket, rejected(agreed.error().detail), memory_of(what));
  return take_key(gms, std::move(regroup), what);
}

Outcome take_agreed_key(Gms& gms, Regroup regroup, const Happening& what) {
  const bool lapsed = regroup.deadline <= gms.now();
  return lapsed ? take_unannounced_key(gms, std::move(regroup), what)
                : take_further_key(gms, std::move(regroup), what);
}

Outcome refuse_late_key(Gms& gms, Regroup, const Happening& what) {
  return answer_now(gms, what.ticket, rejected("policy"));
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

// Step 6 / C12: after the own users' acknowledgements, or when the wait is over.
Outcome acknowledge(Gms& gms, Regroup regroup, const Happening&) {
  Answer answer = accepted(regroup.temporary);
  answer.members_keyed = members_keyed(gms, regroup);
  Edit edit = gms.edit();
  answer_all(gms, edit, regroup.ref, answer);
  return edit.take();
}

// A record of the primary role that this partner answers for.
Outcome of_partner(Gms& gms, const std::string& leg_id, const Happening& what) {
  const auto found = gms.state().regroups.find(leg_id);
  if (found == gms.state().regroups.end() || found->second.role != RegroupRole::primary) return {};
  return advance(gms, leg_id, what);
}

Outcome of_primary(Gms& gms, const std::string& leg_id, const Happening& what) {
  const auto found = gms.state().regroups.find(partner_ref(what.peer, leg_id));
  Regroup none;
  none.role = RegroupRole::partner;
  return found == gms.state().regroups.end() ? advance(gms, Stage::none, std::move(none), what)
                                             : advance(gms, found->first, what);
}

}  // namespace

std::span<const Row> regroup_multi_table() { return kTable; }

Outcome partner_answered(Gms& gms, const std::string& peer, const std::string& leg_id, const Answer& answer) {
  Happening what{answer.accepted ? Event::partner_accepts : Event::partner_rejects, peer};
  what.answer = &answer;
  return of_partner(gms, leg_id, what);
}

Outcome partner_acknowledged(Gms& gms, const std::string& peer, const std::string& leg_id, std::uint32_t seq,
                             const Answer& answer) {
  Happening what{answer.accepted ? Event::holds_key : Event::refuses_key, peer};
  what.seq = seq;
  what.answer = &answer;
  return of_partner(gms, leg_id, what);
}

Outcome partner_unreachable(Gms& gms, const std::string& peer, const std::string& leg_id) {
  return of_partner(gms, leg_id, {Event::no_answer, peer});
}

Outcome partner_request(Gms& gms, const std::string& peer, Ticket ticket, const RegroupRequest& request) {
  if (const Answer* before = remembered(gms, memory_key(peer, request.id, kRegroupCreation)))
    return answer_now(gms, ticket, *before);
  if (!partner(gms.with().settings, peer)) return answer_now(gms, ticket, rejected("not-trusted"));
  if (!good_request_id(request.id)) return answer_now(gms, ticket, rejected("policy"));
  Happening what{Event::asked, peer, ticket};
  what.request = &request;
  Outcome out = of_primary(gms, request.id, what);
  return out.effects.empty() ? answer_now(gms, ticket, rejected("policy")) : std::move(out);
}

Outcome partner_notification(Gms& gms, const std::string& peer, Ticket ticket, const RegroupNotification& n,
                             std::vector<Error>* why) {
  if (const Answer* before = remembered(gms, memory_key(peer, n.id, kRegroupNotification, n.seq)))
    return answer_now(gms, ticket, *before);
  if (!partner(gms.with().settings, peer)) return answer_now(gms, ticket, rejected("not-trusted"));
  const bool protected_group = n.levels.protect_media || n.levels.protect_floor;
  if (protected_group && n.gmk_messages.empty() && n.mkfc_messages.empty())
    return answer_now(gms, ticket, rejected("security-mismatch"));
  if (!good_request_id(n.id) || n.temporary.empty()) return answer_now(gms, ticket, rejected("policy"));
  Happening what{Event::notified, peer, ticket};
  what.notification = &n;
  what.why = why;
  return of_primary(gms, n.id, what);
}

// PR-28: every member with a live subscription has acknowledged every key of the group.
bool members_answered(const Gms& gms, const Regroup& regroup) {
  const auto rows = gms.ledger_of(regroup.temporary.text());
  return std::none_of(rows.begin(), rows.end(), [&](const LedgerRow* row) {
    return !row->partner && row->state == Delivery::prepared &&
           gms.with().presence.subscribed(row->member.text());
  });
}

}  // namespace regroup::flow
