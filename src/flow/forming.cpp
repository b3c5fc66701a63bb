// SPDX-License-Identifier: Apache-2.0
#include "flow/forming.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.hpp"

namespace regroup::flow {

using namespace gms;  // NOLINT: a flow reads as the clause, in the words of gms/

namespace {

std::vector<NewKey> keys_of_run(const Regroup& regroup, Run run) {
  std::vector<NewKey> keys = keys_of_plan(regroup.plan, regroup.temporary, {regroup.temporary.text()});
  if (regroup.plan.procedure == Procedure::one || keys.size() < 2) return keys;
  std::vector<NewKey> one;
  one.push_back(std::move(keys[run == Run::first ? 0 : 1]));
  return one;
}

bool is_over(const Regroup& regroup, NtpTime now) {
  const bool lapsed = regroup.state == RegroupState::reserved && regroup.deadline < now;
  return lapsed || regroup.state == RegroupState::rejected || regroup.state == RegroupState::torn_down;
}

// A payload of this key would still pass the check of its T: only the tombstone tells that it was withdrawn.
bool may_return(const Gms& gms, const Key& key) {
  const auto own = gms.with().domains.kms_of(gms.with().settings.gms_uri, gms.now());
  if (!own.ok()) return true;
  const mcx::KeyPeriods& periods = own.value()->periods;
  const std::int64_t latest = periods.number_at(key.created.plus(gktp::kMaxFutureSkew));
  return periods.number_at(gms.now()) - latest <= gktp::kMaxAgePeriods;
}

// The withdrawn keys of each group.
std::map<std::string, std::vector<GmkId>> withdrawn_keys(const Gms& gms) {
  std::map<std::string, std::vector<GmkId>> out;
  for (const auto& [id, key] : gms.state().keys)
    if (key.withdrawn) out[key.group.text()].push_back(id);
  return out;
}

// Over for so long that neither a repeated request nor an old payload can come.
bool is_forgettable(const Gms& gms, const Regroup& regroup, const std::vector<GmkId>& keys) {
  if (!is_over(regroup, gms.now())) return false;
  if (regroup.deadline.plus(gms.with().settings.answer_memory) >= gms.now()) return false;
  return std::none_of(keys.begin(), keys.end(),
                      [&](GmkId id) { return may_return(gms, gms.state().keys.at(id)); });
}

std::string hex_draw(const Gms& gms) { return hex(gms.with().random.octets<8>()); }

}  // namespace

Terms terms_of(const Gms& gms, const RegroupRequest& request) {
  Terms terms;
  terms.levels = Levels{0, false, false};
  for (const GroupId& id : request.constituents) {
    const Group* group = gms.group(id.text());
    if (!group) {  // homed elsewhere: unknown, so the default of the document applies, which is protection
      terms.levels.protect_media = terms.levels.protect_floor = true;
      continue;
    }
    terms.levels.priority = std::max(terms.levels.priority, group->levels.priority);
    terms.levels.protect_media = terms.levels.protect_media || group->levels.protect_media;
    terms.levels.protect_floor = terms.levels.protect_floor || group->levels.protect_floor;
    const auto strictness = [](FloorKey floor) {
      return floor == FloorKey::gmk ? 2 : floor == FloorKey::mkfc ? 1 : 0;
    };
    if (strictness(group->plan.floor) > strictness(terms.plan.floor)) terms.plan = group->plan;
  }
  terms.levels.priority = request.priority.value_or(terms.levels.priority);
  terms.levels.protect_media = request.protect_media.value_or(terms.levels.protect_media);
  terms.levels.protect_floor = request.protect_floor.value_or(terms.levels.protect_floor);
  terms.plan = request.plan.value_or(terms.plan);
  return terms;
}

std::vector<McpttId> local_members(const Gms& gms, const std::vector<GroupId>& constituents) {
  std::set<McpttId> members;
  for (const GroupId& id : constituents)
    if (const Group* group = gms.group(id.text()))
      members.insert(group->members.begin(), group->members.end());
  return {members.begin(), members.end()};
}

GroupId draw_temporary_id(const Gms& gms) {
  for (;;) {
    GroupId id =
        GroupId::parse("sip:tmp-" + hex_draw(gms) + "@" + gms.with().settings.domains.front()).value();
    if (!gms.group(id.text())) return id;
  }
}

std::string draw_leg_id(const Gms& gms) { return "rg-" + hex_draw(gms); }

Result<Outcome> key_the_group(Gms& gms, Regroup regroup, Run run) {
  const std::vector<McpttId> members = local_members(gms, regroup.constituents);
  std::vector<Addressee> addressees;
  for (const McpttId& member : members) addressees.push_back({member, false});
  for (const Partner& partner : regroup.partners) addressees.push_back({partner.gms_uri, true});

  const std::uint32_t seq = run == Run::first ? 1 : 2;
  std::vector<Prepared> prepared;
  for (const NewKey& wanted : keys_of_run(regroup, run)) {
    prepared.push_back(TRY(make_key(gms, wanted, addressees)));
    for (LedgerRow& row : prepared.back().rows)
      if (row.partner) row.seq = seq;
  }
  const bool first = run == Run::first;
  regroup.state = RegroupState::active;
  regroup.floor_due =
      first && regroup.plan.procedure == Procedure::two && regroup.plan.floor != FloorKey::none;
  regroup.floor_due_at = gms.now().plus(kFloorRetry);
  for (Partner& partner : regroup.partners) {
    partner.state = PartnerState::pending;
    partner.seq_sent = seq;
    partner.unanswered.push_back(seq);
    first_attempt(partner, gms.now());
  }
  Edit edit = gms.edit();
  if (first) form_group(gms, edit, regroup);
  for (Prepared& one : prepared) store(edit, std::move(one));
  edit.put(regroup);
  tell_members(gms, edit, regroup);
  for (const Partner& partner : regroup.partners)
    edit.effect(NotifyPartner{partner.gms_uri, notification(gms, regroup, partner, seq)});
  if (regroup.floor_due) edit.more();
  return edit.take();
}

void form_group(const Gms& gms, Edit& edit, const Regroup& regroup) {
  Group temporary;
  temporary.id = regroup.temporary;
  temporary.owner = regroup.requestor;
  temporary.members = local_members(gms, regroup.constituents);
  temporary.levels = regroup.levels;
  temporary.plan = regroup.plan;
  temporary.temporary = true;
  edit.put(std::move(temporary));
  for (const GroupId& id : regroup.constituents) {
    const Group* group = gms.group(id.text());
    if (!group) continue;
    Group marked = *group;
    marked.regrouped_as = regroup.temporary.text();
    edit.put(std::move(marked));
  }
}

void dissolve_group(const Gms& gms, Edit& edit, const Regroup& regroup) {
  std::vector<Key> withdrawn;
  for (const Key* key : gms.keys_of(regroup.temporary.text())) withdrawn.push_back(tombstone_of(*key));
  for (Key& key : withdrawn) edit.put(std::move(key));
  for (const GroupId& id : regroup.constituents) {
    const Group* group = gms.group(id.text());
    if (!group || group->regrouped_as != regroup.temporary.text()) continue;
    Group freed = *group;
    freed.regrouped_as.clear();
    edit.put(std::move(freed));
  }
  if (gms.group(regroup.temporary.text())) edit.erase_group(regroup.temporary);
  tell_members(gms, edit, regroup);
}

void tell_members(const Gms& gms, Edit& edit, const Regroup& regroup) {
  std::vector<GroupId> groups = regroup.constituents;
  groups.push_back(regroup.temporary);
  edit.effect(DocumentsChanged{local_members(gms, regroup.constituents), groups});
}

RegroupNotification notification(const Gms& gms, const Regroup& regroup, const Partner& partner,
                                 std::uint32_t seq) {
  RegroupNotification out;
  out.id = regroup.leg_id;
  out.seq = seq;
  out.temporary = regroup.temporary;
  // PR-22: a partner learns this GMS, not who at our dispatch asked.
  out.requestor = gms.with().settings.gms_uri.text();
  out.constituents = regroup.constituents;
  out.levels = regroup.levels;
  out.plan = regroup.plan;
  for (const LedgerRow* row : gms.ledger_of(regroup.temporary.text())) {
    if (row->member != partner.gms_uri || row->seq != seq || row->message.empty()) continue;
    const bool mkfc = gms.state().keys.at(row->key).material.parameters.key_type == mcx::Purpose::mkfc;
    (mkfc ? out.mkfc_messages : out.gmk_messages).push_back({row->key, row->message});
  }
  return out;
}

std::string memory_key(std::string_view sender, std::string_view id, std::string_view operation,
                       std::uint32_t seq) {
  return std::string(sender) + "|" + std::string(id) + "|" + std::string(operation) + "|" +
         std::to_string(seq);
}

const Answer* remembered(const Gms& gms, const std::string& key) {
  const auto found = gms.state().answers.find(key);
  return found == gms.state().answers.end() ? nullptr : &found->second.answer;
}

void answer_all(Gms& gms, Edit& edit, const std::string& ref, const Answer& answer) {
  const auto [first, last] = gms.waiting().equal_range(ref);
  for (auto it = first; it != last; ++it) edit.effect(Reply{it->second, answer});
  gms.waiting().erase(first, last);
}

Outcome answer_now(Gms& gms, Ticket ticket, Answer answer, const std::string& memory) {
  Edit edit = gms.edit();
  if (!memory.empty()) edit.remember(memory, answer, gms.now());
  edit.effect(Reply{ticket, std::move(answer)});
  return edit.take();
}

Outcome forget_what_is_old(Gms& gms) {
  const std::int64_t memory = gms.with().settings.answer_memory;
  std::vector<std::string> answers;
  for (const auto& [key, one] : gms.state().answers)
    if (one.at.plus(memory) < gms.now()) answers.push_back(key);
  const auto keys = withdrawn_keys(gms);
  const auto keys_of = [&](const Regroup& regroup) {
    const auto found = keys.find(regroup.temporary.text());
    return found == keys.end() ? std::vector<GmkId>() : found->second;
  };
  std::vector<Regroup> regroups;
  for (const auto& [ref, one] : gms.state().regroups)
    if (is_forgettable(gms, one, keys_of(one))) regroups.push_back(one);
  Edit edit = gms.edit();
  for (const std::string& key : answers) edit.forget(key);
  for (const Regroup& regroup : regroups) {
    for (const GmkId id : keys_of(regroup)) edit.erase_key(id);
    edit.erase_regroup(regroup.ref);
  }
  return edit.take();
}

void first_attempt(Partner& partner, NtpTime now) {
  partner.attempts = 0;
  next_attempt(partner, now);
}

void next_attempt(Partner& partner, NtpTime now) { partner.next_attempt = now.plus(kAttemptTime); }

void back_off(Partner& partner, NtpTime now) {
  partner.next_attempt =
      now.plus(std::min<std::int64_t>(600, std::int64_t{1} << std::min(partner.attempts, 10U)));
  partner.attempts += 1;
}

void join(Outcome& to, Outcome more) {
  std::move(more.writes.begin(), more.writes.end(), std::back_inserter(to.writes));
  std::move(more.effects.begin(), more.effects.end(), std::back_inserter(to.effects));
  to.more = to.more || more.more;
}

Answer accepted(const GroupId& temporary) {
  Answer answer;
  answer.accepted = true;
  answer.temporary = temporary.text();
  return answer;
}

Answer rejected(std::string reason) {
  Answer answer;
  answer.reason = std::move(reason);
  return answer;
}

}  // namespace regroup::flow
