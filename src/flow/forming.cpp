// SPDX-License-Identifier: Apache-2.0
#include "flow/forming.hpp"

#include <algorithm>
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
  for (Partner& partner : regroup.partners) {
    partner.state = PartnerState::pending;
    partner.seq_sent = seq;
    partner.attempts = 1;
    partner.next_attempt = gms.now().plus(1);
  }
  Edit edit = gms.edit();
  if (first) form_group(gms, edit, regroup);
  for (Prepared& one : prepared) store(edit, std::move(one));
  edit.put(regroup);
  std::vector<GroupId> groups = regroup.constituents;
  groups.push_back(regroup.temporary);
  edit.effect(DocumentsChanged{members, groups});
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
  const std::vector<McpttId> members = local_members(gms, regroup.constituents);
  std::vector<Key> withdrawn;
  for (const Key* key : gms.keys_of(regroup.temporary.text()))
    withdrawn.push_back(
        Key{key->material.duplicate(), key->group, key->use, true, key->created, key->last_t});
  for (Key& key : withdrawn) edit.put(std::move(key));
  for (const GroupId& id : regroup.constituents) {
    const Group* group = gms.group(id.text());
    if (!group || group->regrouped_as != regroup.temporary.text()) continue;
    Group freed = *group;
    freed.regrouped_as.clear();
    edit.put(std::move(freed));
  }
  std::vector<GroupId> groups = regroup.constituents;
  if (!regroup.temporary.empty()) {
    groups.push_back(regroup.temporary);
    if (gms.group(regroup.temporary.text())) edit.erase_group(regroup.temporary);
  }
  edit.effect(DocumentsChanged{members, groups});
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
    (mkfc ? out.mkfc_messages : out.gmk_messages).push_back(row->message);
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
