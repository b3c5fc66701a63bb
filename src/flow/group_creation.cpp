// SPDX-License-Identifier: Apache-2.0
#include "flow/group_creation.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "flow/membership.hpp"
#include "gms/authority.hpp"
#include "gms/keying.hpp"

namespace regroup::flow {
namespace {

using namespace gms;  // NOLINT: a flow reads as the clause, in the words of gms/

// Step 2: authority, limits, identity of the group.
Result<void> check_request(const Gms& gms, const std::string& requester, const GroupRequest& request) {
  const Settings& settings = gms.with().settings;
  if (!may_create(settings, requester))
    return fail(Errc::not_authorised, "TS 33.179 7.3.5.1", printable(requester) + " may not create groups",
                "add it to policy.creators of this GMS");
  if (!homed_here(settings, request.id))
    return fail(Errc::conflict, "TS 24.481 6.3.2",
                "group ID " + request.id.text() + " is not of a domain of this GMS",
                "choose a group ID of a domain that `domains` of this GMS lists");
  if (request.members.size() > settings.max_members)
    return fail(
        Errc::limit, "TS 23.280 10.2.3",
        std::to_string(request.members.size()) + " members, at most " + std::to_string(settings.max_members),
        "name fewer members, or raise policy.max_members of this GMS");
  const Group* existing = gms.group(request.id.text());
  if (existing && existing->owner.text() != requester)
    return fail(Errc::conflict, "TS 24.481 6.3.2.3", "group ID " + request.id.text() + " is taken",
                "choose another group ID, or ask as the identity that created the group");
  return {};
}

Group group_of(const GroupRequest& request, McpttId owner, const Settings& settings) {
  Group group;
  group.id = request.id;
  group.owner = std::move(owner);
  group.members = request.members;
  group.levels = request.levels;
  group.plan = request.plan.value_or(KeyPlan{settings.floor_key, Procedure::one});
  group.disabled = request.disabled;
  group.document = request.document;
  return group;
}

}  // namespace

Result<Outcome> group_creation(Gms& gms, const std::string& requester, GroupRequest request) {
  TRY(check_request(gms, requester, request));
  McpttId owner = TRY(McpttId::parse(requester));
  if (gms.group(request.id.text())) return membership_change(gms, std::move(request));

  const Group group = group_of(request, std::move(owner), gms.with().settings);
  std::vector<Addressee> members;
  for (const McpttId& member : group.members) members.push_back({member, false});

  // A document that says nothing asks for protection, so a key is made; with both flags false there is none.
  std::vector<Prepared> prepared;
  if (group.levels.protect_media || group.levels.protect_floor)
    for (const NewKey& wanted : keys_of_plan(group.plan, group.id, {group.id.text()}))
      prepared.push_back(TRY(make_key(gms, wanted, members)));

  Edit edit = gms.edit();
  edit.put(group);
  for (Prepared& one : prepared) store(edit, std::move(one));
  // Step 4: each member is notified; its payload rides in the notification.
  edit.effect(DocumentsChanged{group.members, {group.id}});
  return edit.take();
}

}  // namespace regroup::flow
