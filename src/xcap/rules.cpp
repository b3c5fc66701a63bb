// SPDX-License-Identifier: Apache-2.0
#include "xcap/rules.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "xcap/fields.hpp"

namespace regroup::xcap {
namespace {

constexpr std::size_t kMostRules = 1000;

bool is_wanted_boolean(std::string_view name) {
  return name == "allow-initiate-conference" || name == "join-handling" || name.rfind("allow-", 0) == 0 ||
         name.rfind("on-network-allow-", 0) == 0;
}

void read_identity(const xml::Element& identity, Rule& rule) {
  rule.named_only = true;
  for (const xml::Element& one : identity.children) {
    const bool plain = one.is(ns::kCommonPolicy, "one") && one.attribute("id");
    rule.understood = rule.understood && plain;  // <many> with its exceptions is not
    if (plain) rule.named.push_back(attribute_of(one, "id"));
  }
}

void read_conditions(const xml::Element& conditions, Rule& rule) {
  for (const xml::Element& one : conditions.children) {
    if (one.is(ns::kListService, "is-list-member")) {
      rule.members_only = true;
      if (!one.token().empty() && boolean_of(one.text) != true) rule.understood = false;
      continue;
    }
    // Two identity conditions would both have to hold: only one is understood.
    if (one.is(ns::kCommonPolicy, "identity") && !rule.named_only) {
      read_identity(one, rule);
      continue;
    }
    rule.understood = false;
  }
}

Result<void> read_actions(const xml::Element& actions, Rule& rule) {
  for (const xml::Element& one : actions.children) {
    const bool group = one.ns == ns::kGroupInfo;
    if ((!group && one.ns != ns::kListService) || !is_wanted_boolean(one.name)) continue;
    const auto value = boolean_of(one.text);
    if (!value)
      return fail(Errc::malformed, "RFC 4745", "action " + printable(one.name, 60) + " is not true or false",
                  "send true or false");
    if (*value) (group ? rule.of_group : rule.of_service).push_back(one.name);
  }
  return {};
}

}  // namespace

bool Rule::applies_to(std::string_view identity, bool is_member) const {
  if (!understood || (members_only && !is_member)) return false;
  return !named_only || std::find(named.begin(), named.end(), identity) != named.end();
}

Result<std::vector<Rule>> read_rules(const xml::Element& ruleset) {
  std::vector<Rule> out;
  for (const xml::Element& one : ruleset.children) {
    if (!one.is(ns::kCommonPolicy, "rule")) continue;
    if (out.size() == kMostRules)
      return fail(Errc::limit, "RFC 4745", "more than 1000 rules", "send at most 1000");
    Rule rule;
    rule.id = attribute_of(one, "id");
    for (const xml::Element& part : one.children) {
      if (part.is(ns::kCommonPolicy, "conditions")) read_conditions(part, rule);
      if (part.is(ns::kCommonPolicy, "actions")) TRY(read_actions(part, rule));
    }
    out.push_back(std::move(rule));
  }
  return out;
}

}  // namespace regroup::xcap
