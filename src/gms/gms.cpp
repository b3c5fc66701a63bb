// SPDX-License-Identifier: Apache-2.0
#include "gms/gms.hpp"

#include <algorithm>
#include <set>

#include "base/text.hpp"

namespace regroup::gms {
namespace {

std::string row_id(const LedgerRow& row) { return row.key.text() + "/" + row.member.text(); }

// Newest activation first, then the higher identifier: the order in which keys are preferred.
bool preferred(const Key* a, const Key* b) {
  const auto rank = [](const Key* key) {
    return std::pair(key->material.parameters.activation, key->material.id.value);
  };
  return rank(a) > rank(b);
}

}  // namespace

void Edit::write(std::string kind, std::string id, std::optional<SecretOctets> value) {
  outcome_.writes.push_back(Write{std::move(kind), std::move(id), std::move(value)});
}

void Edit::put(Group group) {
  write("group", group.id.text(), encode_record(group));
  state_.groups.insert_or_assign(group.id.text(), std::move(group));
}

void Edit::erase_group(const GroupId& id) {
  write("group", id.text(), std::nullopt);
  state_.groups.erase(id.text());
}

void Edit::put(Key key) {
  write("key", key.material.id.text(), encode_record(key));
  state_.keys.insert_or_assign(key.material.id, std::move(key));
}

void Edit::put(LedgerRow row) {
  write("ledger", row_id(row), encode_record(row));
  const std::pair at(row.key, row.member.text());
  state_.keys_of_member[at.second].insert(at.first);
  state_.ledger.insert_or_assign(at, std::move(row));
}

void Edit::put(Regroup regroup) {
  write("regroup", regroup.ref, encode_record(regroup));
  state_.regroups.insert_or_assign(regroup.ref, std::move(regroup));
}

void Edit::erase_regroup(const std::string& ref) {
  write("regroup", ref, std::nullopt);
  state_.regroups.erase(ref);
}

void Edit::erase_key(GmkId id) {
  write("key", id.text(), std::nullopt);
  state_.keys.erase(id);
  for (auto row = state_.ledger.lower_bound({id, ""});
       row != state_.ledger.end() && row->first.first == id;) {
    write("ledger", row_id(row->second), std::nullopt);
    const auto held = state_.keys_of_member.find(row->first.second);
    held->second.erase(id);
    if (held->second.empty()) state_.keys_of_member.erase(held);
    row = state_.ledger.erase(row);
  }
}

void Edit::remember(const std::string& key, Answer answer, NtpTime at) {
  Remembered remembered{std::move(answer), at};
  write("answer", key, encode_record(remembered));
  state_.answers.insert_or_assign(key, std::move(remembered));
}

void Edit::forget(const std::string& key) {
  write("answer", key, std::nullopt);
  state_.answers.erase(key);
}

Result<void> Gms::restore(const Record& record) {
  const OctetsView value = record.value.expose();
  if (record.kind == "group") {
    Group group = TRY(decode_record<Group>(value, "group"));
    state_.groups.insert_or_assign(group.id.text(), std::move(group));
  } else if (record.kind == "key") {
    Key key = TRY(decode_record<Key>(value, "key"));
    state_.keys.insert_or_assign(key.material.id, std::move(key));
  } else if (record.kind == "ledger") {
    LedgerRow row = TRY(decode_record<LedgerRow>(value, "ledger"));
    state_.keys_of_member[row.member.text()].insert(row.key);
    state_.ledger.insert_or_assign(std::pair(row.key, row.member.text()), std::move(row));
  } else if (record.kind == "regroup") {
    Regroup regroup = TRY(decode_record<Regroup>(value, "regroup"));
    state_.regroups.insert_or_assign(regroup.ref, std::move(regroup));
  } else if (record.kind == "answer") {
    state_.answers.insert_or_assign(record.id, TRY(decode_record<Remembered>(value, "answer")));
  }
  return {};
}

const Group* Gms::group(std::string_view id) const {
  const auto found = state_.groups.find(std::string(id));
  return found == state_.groups.end() ? nullptr : &found->second;
}

const Regroup* Gms::regroup_of(std::string_view temporary) const {
  for (const auto& [ref, regroup] : state_.regroups)
    if (regroup.state == RegroupState::active && regroup.temporary.text() == temporary) return &regroup;
  return nullptr;
}

std::vector<const Key*> Gms::keys_of(std::string_view group) const {
  std::vector<const Key*> keys;
  for (const auto& [id, key] : state_.keys)
    if (!key.withdrawn && key.group.text() == group) keys.push_back(&key);
  std::sort(keys.begin(), keys.end(), preferred);
  return keys;
}

std::vector<VisiblePayload> Gms::visible(const std::string& reader, std::string_view group_id) const {
  std::vector<VisiblePayload> out;
  const auto add = [&](std::string_view key_group, const std::string& temporary) {
    for (const bool mkfc : {false, true}) {
      bool plain_taken =
          false;  // PR-16: the preferred media key of a parent keeps the plain recipient identity as id
      for (const Key* key : keys_of(key_group)) {
        const mcx::Purpose purpose = key->material.parameters.key_type;
        if ((purpose == mcx::Purpose::mkfc) != mkfc) continue;
        const auto row = state_.ledger.find(std::pair(key->material.id, reader));
        if (row == state_.ledger.end() || row->second.message.empty()) continue;
        const bool plain = !plain_taken && (mkfc || key->use != mcx::KeyUse::floor);
        plain_taken = plain_taken || plain;
        out.push_back(VisiblePayload{plain ? reader : reader + ";kid=" + hex_upper(key->material.id.octets()),
                                     temporary, mkfc, key->material.id, &row->second.message});
      }
    }
  };
  add(group_id, {});
  const Group* own = group(group_id);
  if (own && !own->regrouped_as.empty()) add(own->regrouped_as, own->regrouped_as);
  return out;
}

std::vector<std::string> Gms::collection(const std::string& reader) const {
  std::set<std::string> groups;
  const auto held = state_.keys_of_member.find(reader);
  if (held == state_.keys_of_member.end()) return {};
  for (const GmkId id : held->second) {
    const auto key = state_.keys.find(id);
    if (key == state_.keys.end() || key->second.withdrawn ||
        state_.ledger.at(std::pair(id, reader)).message.empty())
      continue;
    groups.insert(key->second.group.text());
  }
  // A constituent's document shows the temporary group's payloads too (PR-17).
  for (const auto& [id, group] : state_.groups)
    if (!group.regrouped_as.empty() && groups.count(group.regrouped_as) &&
        std::any_of(group.members.begin(), group.members.end(),
                    [&](const McpttId& m) { return m.text() == reader; }))
      groups.insert(id);
  return {groups.begin(), groups.end()};
}

std::vector<const LedgerRow*> Gms::ledger_of(std::string_view group) const {
  std::vector<const LedgerRow*> rows;
  for (const auto& [at, row] : state_.ledger) {
    const auto key = state_.keys.find(at.first);
    if (key != state_.keys.end() && key->second.group.text() == group) rows.push_back(&row);
  }
  return rows;
}

}  // namespace regroup::gms
