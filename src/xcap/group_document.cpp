// SPDX-License-Identifier: Apache-2.0
#include "xcap/group_document.hpp"

#include <algorithm>
#include <unordered_set>

#include "base/text.hpp"
#include "xcap/fields.hpp"

namespace regroup::xcap {
namespace {

constexpr std::string_view kClause = "TS 24.481 7.2.4";

bool has(const xml::Element& parent, std::string_view name) {
  return parent.child(ns::kGroupInfo, name) != nullptr;
}

Result<Entry> read_entry(const xml::Element& element) {
  Entry out;
  out.uri = attribute_of(element, "uri");
  if (!is_uri(out.uri))
    return fail(Errc::malformed, kClause, "entry has uri \"" + printable(out.uri, 80) + "\"",
                "name an MCPTT ID");
  if (const xml::Element* name = TRY(only_child(element, ns::kResourceLists, "display-name")))
    out.display_name = name->text;
  if (const xml::Element* type = TRY(only_child(element, ns::kGroupInfo, "participant-type")))
    out.participant_type = type->token();
  if (const auto value = TRY(integer_child(element, ns::kGroupInfo, "user-priority", 255)))
    out.user_priority = static_cast<std::uint8_t>(*value);
  out.required = has(element, "on-network-required");
  out.recvonly = has(element, "on-network-recvonly");
  return out;
}

Result<std::vector<Entry>> read_list(const xml::Element& list) {
  std::vector<Entry> out;
  for (const xml::Element& child : list.children) {
    if (child.is(ns::kListService, "external"))
      return fail(Errc::unsupported, kClause, "list has an external list", "name each member in an entry");
    if (!child.is(ns::kListService, "entry")) continue;
    if (out.size() == kMostEntries)
      return fail(Errc::limit, kClause, "list has more than " + std::to_string(kMostEntries) + " entries",
                  "name fewer members");
    out.push_back(TRY(read_entry(child)));
  }
  return out;
}

std::vector<std::string> read_enablers(const xml::Element& services) {
  std::vector<std::string> out;
  for (const xml::Element& child : services.children)
    if (child.is(ns::kOmaExtensions, "service")) out.push_back(attribute_of(child, "enabler"));
  return out;
}

// The elements that only a GMS writes.
Result<void> read_managed(const xml::Element& service, GroupDocument& out) {
  for (const xml::Element& child : service.children)
    if (child.is(ns::kGroupInfo, "on-network-regrouped")) out.regrouped.push_back(TRY(read_regrouped(child)));
  if (const xml::Element* temporary = TRY(only_child(service, ns::kGroupInfo, "on-network-temporary")))
    out.temporary = Temporary{TRY(read_constituents(*temporary))};
  return {};
}

Result<void> read_service(const xml::Element& service, GroupDocument& out) {
  out.uri = attribute_of(service, "uri");
  if (!out.uri.empty() && !is_uri(out.uri))
    return fail(Errc::malformed, kClause, "list-service has uri \"" + printable(out.uri, 80) + "\"",
                "name the group by its URI");
  if (const xml::Element* name = service.child(ns::kListService, "display-name"))
    out.display_name = name->text;
  if (const xml::Element* list = TRY(only_child(service, ns::kListService, "list")))
    out.list = TRY(read_list(*list));
  TRY(read_managed(service, out));
  out.disabled = has(service, "on-network-disabled");
  out.levels = TRY(read_levels(service));
  out.invite_members = TRY(boolean_child(service, ns::kGroupInfo, "on-network-invite-members"));
  out.max_participants =
      TRY(integer_child(service, ns::kGroupInfo, "on-network-max-participant-count", UINT32_MAX));
  out.preconfigured_only =
      TRY(boolean_child(service, ns::kGroupInfo, "preconfigured-group-use-only")).value_or(false);
  if (const xml::Element* owner = TRY(only_child(service, ns::kGroupInfo, "owner")))
    out.owner = owner->token();
  out.plan = TRY(read_key_plan(service));
  if (const xml::Element* rules = TRY(only_child(service, ns::kCommonPolicy, "ruleset")))
    out.rules = TRY(read_rules(*rules));
  if (const xml::Element* services = TRY(only_child(service, ns::kOmaExtensions, "supported-services")))
    out.enablers = read_enablers(*services);
  return {};
}

std::optional<XcapError> doubled_member(const GroupDocument& document) {
  std::unordered_set<std::string_view> seen;
  for (const Entry& one : document.list ? *document.list : std::vector<Entry>())
    if (!seen.insert(one.uri).second)
      return XcapError{ErrorKind::uniqueness_failure,
                       "the member " + printable(one.uri, 80) + " stands twice",
                       "group/list-service/list/entry/@uri"};
  return std::nullopt;
}

}  // namespace

bool GroupDocument::is_mcptt() const {
  return std::find(enablers.begin(), enablers.end(), kMcpttEnabler) != enablers.end();
}

bool GroupDocument::has_member(std::string_view mcptt_id) const {
  return list &&
         std::any_of(list->begin(), list->end(), [&](const Entry& one) { return one.uri == mcptt_id; });
}

bool GroupDocument::allows(std::string_view action, std::string_view identity) const {
  const bool member = has_member(identity);
  return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
    return rule.applies_to(identity, member) &&
           std::find(rule.of_group.begin(), rule.of_group.end(), action) != rule.of_group.end();
  });
}

Judged<GroupDocument> parse_group_document(OctetsView document) {
  auto root = parse_body(document);
  if (!root) return root.error();
  return read_group_document(std::move(root).value());
}

Judged<GroupDocument> read_group_document(xml::Element root) {
  const auto schema = [](std::string phrase) {
    return XcapError{ErrorKind::schema_validation_error, std::move(phrase), {}};
  };
  if (!root.is(ns::kListService, "group"))
    return schema("root is not group in namespace " + std::string(ns::kListService));
  const xml::Element* service = root.child(ns::kListService, "list-service");
  if (!service) return schema("group has no list-service");
  const auto count = std::count_if(root.children.begin(), root.children.end(), [](const xml::Element& one) {
    return one.is(ns::kListService, "list-service");
  });
  if (count > 1) return XcapError{ErrorKind::constraint_failure, "group has more than one list-service", {}};

  GroupDocument out;
  if (auto read = read_service(*service, out); !read) return XcapError::of(read.error());
  if (auto twice = doubled_member(out)) return std::move(*twice);
  out.root = std::move(root);
  return out;
}

std::optional<XcapError> check_client_change(const GroupDocument& wanted, const Managed& current) {
  const auto refused = [](std::string phrase) {
    return XcapError{ErrorKind::constraint_failure, std::move(phrase), {}};
  };
  if (wanted.regrouped != current.regrouped)
    return refused(
        "on-network-regrouped is written by the group management server; form or tear down a regroup "
        "instead");
  if (wanted.temporary != current.temporary)
    return refused(
        "on-network-temporary is written by the group management server; form or tear down a regroup "
        "instead");
  for (const Rule& rule : wanted.rules)
    if (!rule.understood)
      return refused("rule \"" + printable(rule.id, 40) +
                     "\" has a condition this server cannot keep; use is-list-member or identity/one");
  return std::nullopt;
}

}  // namespace regroup::xcap
