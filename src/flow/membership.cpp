// SPDX-License-Identifier: Apache-2.0
#include "flow/membership.hpp"

#include <algorithm>
#include <set>

#include "gms/keying.hpp"

namespace regroup::flow {
namespace {

using namespace gms;  // NOLINT: a flow reads as the clause, in the words of gms/

std::vector<Addressee> addressees(const std::set<McpttId>& identities) {
  std::vector<Addressee> out;
  for (const McpttId& one : identities) out.push_back({one, false});
  return out;
}

std::set<McpttId> without(const std::vector<McpttId>& all, const std::vector<McpttId>& some) {
  std::set<McpttId> left(all.begin(), all.end());
  for (const McpttId& one : some) left.erase(one);
  return left;
}

}  // namespace

Result<Outcome> membership_change(Gms& gms, GroupRequest request) {
  const Group& before = *gms.group(request.id.text());
  if (!before.regrouped_as.empty() && request.members != before.members)
    return fail(Errc::conflict, "TS 23.280 10.2.4",
                "the members of " + request.id.text() + " cannot change while it is regrouped",
                "tear down " + before.regrouped_as + " first");
  const std::set<McpttId> joined = without(request.members, before.members),
                          left = without(before.members, request.members);
  std::vector<Prepared> prepared;
  std::vector<Key> withdrawn;
  for (const Key* key : gms.keys_of(request.id.text())) {
    if (left.empty() && joined.empty()) break;
    if (left.empty()) {
      prepared.push_back(TRY(hand_out(gms, *key, addressees(joined))));
      continue;
    }
    const NewKey wanted{request.id, key->material.parameters.key_type, key->use, {request.id.text()}};
    prepared.push_back(
        TRY(make_key(gms, wanted, addressees({request.members.begin(), request.members.end()}))));
    withdrawn.push_back(tombstone_of(*key));
  }
  Group after = before;
  after.members = request.members;
  after.levels = request.levels;
  after.plan = request.plan.value_or(before.plan);
  after.disabled = request.disabled;
  after.document = request.document;
  std::vector<McpttId> told = after.members;
  told.insert(told.end(), left.begin(), left.end());

  Edit edit = gms.edit();
  edit.put(std::move(after));
  for (Key& key : withdrawn) edit.put(std::move(key));
  for (Prepared& one : prepared) store(edit, std::move(one));
  edit.effect(DocumentsChanged{std::move(told), {request.id}});
  return edit.take();
}

}  // namespace regroup::flow
