// SPDX-License-Identifier: Apache-2.0
// Writing group documents: for a reader, for a new group, for a temporary group.
#include <algorithm>

#include "xcap/fields.hpp"
#include "xcap/group_document.hpp"

namespace regroup::xcap {
namespace {

xml::Element group_info(std::string_view name, std::string_view text = {}) {
  return made(ns::kGroupInfo, "mcpttgi", name, text);
}

// Takes children out together with the white space behind them.
template <class Condition>
void remove_children(xml::Element& parent, Condition condition) {
  auto& all = parent.children;
  all.erase(std::remove_if(all.begin(), all.end(), condition), all.end());
}

// on-network-regrouped stands behind the elements of OMA.
void insert_regrouped(xml::Element& service, const std::vector<Regrouped>& regrouped) {
  auto& all = service.children;
  auto at = std::find_if(all.begin(), all.end(),
                         [](const xml::Element& one) { return one.ns != ns::kListService; });
  for (const Regrouped& one : regrouped) at = std::next(all.insert(at, regrouped_element(one)));
}

xml::Element entry_element(const Entry& entry) {
  xml::Element out(ns::kListService, "entry");
  out.set_attribute("uri", entry.uri);
  if (!entry.display_name.empty())
    out.add(made(ns::kResourceLists, "rl", "display-name", entry.display_name));
  if (!entry.participant_type.empty()) out.add(group_info("participant-type", entry.participant_type));
  if (entry.user_priority) out.add(group_info("user-priority", std::to_string(*entry.user_priority)));
  if (entry.required) out.add(group_info("on-network-required"));
  if (entry.recvonly) out.add(group_info("on-network-recvonly"));
  return out;
}

// Members may start and join calls; nobody may read the member list.
xml::Element members_ruleset() {
  xml::Element out = made(ns::kCommonPolicy, "cp", "ruleset");
  xml::Element& rule = out.add("rule");
  rule.set_attribute("id", "members");
  rule.add("conditions").add(xml::Element(ns::kListService, "is-list-member"));
  xml::Element& actions = rule.add("actions");
  actions.add(xml::Element(ns::kListService, "allow-initiate-conference", "true"));
  actions.add(xml::Element(ns::kListService, "join-handling", "true"));
  return out;
}

xml::Element mcptt_services() {
  xml::Element out = made(ns::kOmaExtensions, "oxe", "supported-services");
  xml::Element& service = out.add("service");
  service.set_attribute("enabler", kMcpttEnabler);
  service.add("group-media").add(group_info("mcptt-speech"));
  return out;
}

xml::Element empty_group() {
  xml::Element root(ns::kListService, "group");
  root.declared = {{"", std::string(ns::kListService)},
                   {"mcpttgi", std::string(ns::kGroupInfo)},
                   {"cp", std::string(ns::kCommonPolicy)},
                   {"oxe", std::string(ns::kOmaExtensions)}};
  return root;
}

}  // namespace

std::string render(const GroupDocument& document, const Rendering& rendering) {
  xml::Element root = document.root;
  if (xml::Element* service = root.child(ns::kListService, "list-service")) {
    remove_children(*service, [&](const xml::Element& one) {
      return one.is(ns::kGroupInfo, "on-network-regrouped") ||
             (!rendering.list && one.is(ns::kListService, "list"));
    });
    insert_regrouped(*service, rendering.regrouped);
  }
  return xml::write(root);
}

std::string write_group_document(const GroupDocument& document) {
  xml::Element root = empty_group();
  xml::Element& service = root.add("list-service");
  service.set_attribute("uri", document.uri);
  if (!document.display_name.empty()) service.add("display-name", document.display_name);
  if (document.list) {
    xml::Element& list = service.add("list");
    for (const Entry& one : *document.list) list.add(entry_element(one));
  }
  if (document.temporary)
    service.add(group_info("on-network-temporary"))
        .add(constituents_element(document.temporary->constituents));
  insert_regrouped(service, document.regrouped);
  if (document.disabled) service.add(group_info("on-network-disabled"));
  if (document.invite_members)
    service.add(group_info("on-network-invite-members", text_of_bool(*document.invite_members)));
  if (document.max_participants)
    service.add(group_info("on-network-max-participant-count", std::to_string(*document.max_participants)));
  add_levels(service, document.levels);
  if (!document.owner.empty()) service.add(group_info("owner", document.owner));
  if (document.preconfigured_only) service.add(group_info("preconfigured-group-use-only", "true"));
  if (!document.temporary) service.add(members_ruleset());
  service.add(mcptt_services());
  if (document.plan) service.add(key_plan_element(*document.plan));
  return xml::write(root, {.declaration = true, .indent = true});
}

GroupDocument temporary_group_document(const Regrouped& regrouped, std::string_view display_name) {
  GroupDocument out;
  out.uri = regrouped.temporary;
  out.display_name = display_name;
  out.temporary = Temporary{regrouped.constituents};
  out.levels = regrouped.levels;
  out.plan = regrouped.plan;
  return out;
}

}  // namespace regroup::xcap
