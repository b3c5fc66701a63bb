// SPDX-License-Identifier: Apache-2.0
// The rules of a group document (RFC 4745; TS 24.481 7.2): a rule grants its actions to identities that
// satisfy all its conditions, and rules add up. A condition that is not understood is never satisfied, so
// that nothing is granted wider than it was written; a server refuses to store one.
#pragma once

#include "xcap/names.hpp"

namespace regroup::xcap {

inline constexpr std::string_view kMayGetMemberList = "on-network-allow-getting-member-list";

struct Rule {
  std::string id;
  bool understood = true;  // every condition is one of the two below
  bool members_only = false;
  bool named_only = false;
  std::vector<std::string> named;     // identity/one/@id
  std::vector<std::string> of_group;  // actions of the group namespace that are true
  std::vector<std::string>
      of_service;  // of the list-service namespace: allow-initiate-conference, join-handling

  [[nodiscard]] bool applies_to(std::string_view identity, bool is_member) const;
};

// All rules below cp:ruleset. Errc::malformed when an action that is known as boolean is not.
[[nodiscard]] Result<std::vector<Rule>> read_rules(const xml::Element& ruleset);

}  // namespace regroup::xcap
