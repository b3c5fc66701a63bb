// SPDX-License-Identifier: Apache-2.0
#include "gms/authority.hpp"

#include <algorithm>
#include <set>

namespace regroup::gms {

bool may_create(const Settings& settings, const std::string& requester) {
  return std::any_of(settings.creators.begin(), settings.creators.end(),
                     [&](const std::string& one) { return one == "*" || one == requester; });
}

std::string domain_of(std::string_view identity) { return mcx::domain_part(identity); }

bool homed_here(const Settings& settings, const GroupId& group) {
  const std::string domain = domain_of(group.text());
  return std::find(settings.domains.begin(), settings.domains.end(), domain) != settings.domains.end();
}

const PartnerSettings* home_of(const Settings& settings, const GroupId& group) {
  const std::string domain = domain_of(group.text());
  for (const PartnerSettings& one : settings.partners)
    if (std::find(one.domains.begin(), one.domains.end(), domain) != one.domains.end()) return &one;
  return nullptr;
}

const PartnerSettings* partner(const Settings& settings, std::string_view gms_uri) {
  for (const PartnerSettings& one : settings.partners)
    if (one.gms_uri.text() == gms_uri) return &one;
  return nullptr;
}

constexpr std::string_view kRegroupClause = "TS 23.280 10.2.4";

Error refuse(std::string reason, std::string cure) {
  return fail(Errc::not_authorised, std::string(kRegroupClause), std::move(reason), std::move(cure));
}

bool is_refusal(const Error& error) {
  return error.code == Errc::not_authorised && error.clause == kRegroupClause;
}

Result<void> check_constituents(const Gms& gms, const std::vector<GroupId>& constituents) {
  const Settings& settings = gms.with().settings;
  const std::set<GroupId> distinct(constituents.begin(), constituents.end());
  if (distinct.size() < 2 || distinct.size() != constituents.size())
    return refuse("policy", "name at least two different groups");
  if (constituents.size() > settings.max_constituents)
    return refuse("limit", "name at most " + std::to_string(settings.max_constituents) + " groups");
  std::size_t members = 0;
  for (const GroupId& id : constituents) {
    if (!homed_here(settings, id)) continue;
    const Group* group = gms.group(id.text());
    if (!group || group->disabled)
      return refuse("unknown-group", "create " + id.text() + " first, or correct its ID");
    if (group->temporary) return refuse("temporary-group", "regroup the constituents instead");
    if (!group->regrouped_as.empty())
      return refuse("already-regrouped", "tear down " + group->regrouped_as + " first");
    for (const auto& [ref, regroup] : gms.state().regroups) {
      const bool holds = regroup.state == RegroupState::asking ||
                         (regroup.state == RegroupState::reserved && regroup.deadline > gms.now());
      if (holds && std::find(regroup.constituents.begin(), regroup.constituents.end(), id) !=
                       regroup.constituents.end())
        return refuse("already-regrouped",
                      "wait for the other regroup of " + id.text() + ", then tear it down");
    }
    members += group->members.size();
  }
  if (members > settings.max_members)
    return refuse("limit",
                  "name groups of at most " + std::to_string(settings.max_members) + " members in all");
  return {};
}

bool good_request_id(std::string_view id) {
  return id.size() >= 8 && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
                  c == '_' || c == '-';
         });
}

}  // namespace regroup::gms
