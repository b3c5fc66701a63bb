// SPDX-License-Identifier: Apache-2.0
#include "gms/delivery.hpp"

#include <algorithm>

namespace regroup::gms {
namespace {

// Moves a row forward; true when it changed.
bool advance(LedgerRow& row, Delivery to, NtpTime now) {
  if (row.state == Delivery::failed || row.state == Delivery::unkeyed || row.state >= to) return false;
  row.state = to;
  row.changed = now;
  return true;
}

bool live(const Gms& gms, GmkId key) {
  const auto found = gms.state().keys.find(key);
  return found != gms.state().keys.end() && !found->second.withdrawn;
}

// The rows of one member.
std::vector<const LedgerRow*> rows_of(const Gms& gms, const std::string& member) {
  std::vector<const LedgerRow*> rows;
  const auto held = gms.state().keys_of_member.find(member);
  if (held == gms.state().keys_of_member.end()) return rows;
  for (const GmkId key : held->second) rows.push_back(&gms.state().ledger.at(std::pair(key, member)));
  return rows;
}

}  // namespace

bool arrived(const LedgerRow& row) {
  return row.state == Delivery::notified || row.state == Delivery::fetched ||
         row.state == Delivery::installed;
}

Outcome notified(Gms& gms, const std::string& member, const std::set<std::string>& groups,
                 const std::vector<Fixed<32>>& carried) {
  std::set<GmkId> told;
  for (const std::string& group : groups)
    for (const VisiblePayload& payload : gms.visible(member, group)) told.insert(payload.key);
  Edit edit = gms.edit();
  std::vector<LedgerRow> changed;
  for (const LedgerRow* row : rows_of(gms, member)) {
    const bool inside = std::find(carried.begin(), carried.end(), row->hash) != carried.end();
    if (!live(gms, row->key) || (!inside && !told.count(row->key))) continue;
    LedgerRow next = *row;
    if (!advance(next, inside ? Delivery::fetched : Delivery::notified, gms.now())) continue;
    next.by_notify = inside;
    changed.push_back(std::move(next));
  }
  for (LedgerRow& row : changed) edit.put(std::move(row));
  return edit.take();
}

Outcome fetched(Gms& gms, const std::string& member, std::string_view group) {
  Edit edit = gms.edit();
  std::vector<LedgerRow> changed;
  for (const VisiblePayload& payload : gms.visible(member, group)) {
    LedgerRow next = gms.state().ledger.at(std::pair(payload.key, member));
    if (advance(next, Delivery::fetched, gms.now())) changed.push_back(std::move(next));
  }
  for (LedgerRow& row : changed) edit.put(std::move(row));
  return edit.take();
}

bool ever_keyed(const Gms& gms, const std::string& member, std::string_view group) {
  for (const LedgerRow* row : rows_of(gms, member)) {
    const auto key = gms.state().keys.find(row->key);
    if (key == gms.state().keys.end()) continue;
    if (key->second.group.text() == group) return true;
    const auto& groups = key->second.material.parameters.groups;
    if (std::find(groups.begin(), groups.end(), group) != groups.end()) return true;
    // The document of a constituent carried the temporary group's payload (PR-17).
    for (const auto& [ref, regroup] : gms.state().regroups)
      if (regroup.temporary == key->second.group &&
          std::any_of(regroup.constituents.begin(), regroup.constituents.end(),
                      [&](const GroupId& g) { return g.text() == group; }))
        return true;
  }
  return false;
}

Outcome received(Gms& gms, const std::string& member, const Receipt& receipt) {
  Edit edit = gms.edit();
  for (const LedgerRow* row : rows_of(gms, member)) {
    if (row->message.empty() || row->hash != receipt.message) continue;
    LedgerRow next = *row;
    const bool of_a_gone_key = receipt.result == "withdrawn" || receipt.result == "revoked";
    if (live(gms, row->key) == of_a_gone_key) break;  // late, or too early
    if (receipt.result == "installed") {
      // Nobody has read the document: the payload came inside a NOTIFY whose answer is still under way.
      next.by_notify = next.by_notify || next.state < Delivery::fetched;
      if (!advance(next, Delivery::installed, gms.now())) break;
    } else if (of_a_gone_key) {
      if (!advance(next, Delivery::withdrawn, gms.now())) break;
    } else {
      if (next.state == Delivery::installed || next.state == Delivery::withdrawn ||
          next.state == Delivery::failed)
        break;
      next.state = Delivery::failed;
      next.reason = receipt.result;
      next.changed = gms.now();
    }
    edit.put(std::move(next));
    break;
  }
  return edit.take();
}

}  // namespace regroup::gms
