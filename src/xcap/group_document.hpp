// SPDX-License-Identifier: Apache-2.0
// The group document (AUID org.openmobilealliance.groups, TS 24.481 7.2): what the product
// understands of it as plain fields, beside the tree as it was received, so that elements it does not know
// survive. Writing is deterministic: the same content gives the same text, and an ETag is a hash of that
// text. Refuses with the XCAP error to answer: other roots, a second list-service, doubled or ill-typed
// elements, doubled members, more than 10 000 entries, external lists. Children are accepted in any order.
#pragma once

#include "xcap/regrouped.hpp"
#include "xcap/rules.hpp"
#include "xcap/xcap_error.hpp"

namespace regroup::xcap {

struct Entry {
  std::string uri;  // MCPTT ID
  std::string display_name;
  std::string participant_type;
  std::optional<std::uint8_t> user_priority;
  bool required = false;  // on-network-required
  bool recvonly = false;  // on-network-recvonly
  bool operator==(const Entry&) const = default;
};

// on-network-temporary: this document describes a temporary group.
struct Temporary {
  std::vector<std::string> constituents;
  bool operator==(const Temporary&) const = default;
};

struct GroupDocument {
  std::string uri;  // empty: the client asks for an ID (TS 24.481 6.3.2.3)
  std::string display_name;
  std::optional<std::vector<Entry>> list;
  bool disabled = false;               // on-network-disabled
  std::optional<Temporary> temporary;  // on-network-temporary
  std::vector<Regrouped> regrouped;    // on-network-regrouped: one per regroup this group is in
  Levels levels;
  std::optional<bool> invite_members;  // on-network-invite-members; absent: false
  std::optional<std::uint64_t> max_participants;
  bool preconfigured_only = false;
  std::string owner;
  std::optional<KeyPlan> plan;
  std::vector<Rule> rules;
  std::vector<std::string> enablers;  // of supported-services
  xml::Element root;                  // the document as received

  // TS 24.481 7.2.8: absent means true.
  [[nodiscard]] bool protects_media() const { return levels.protect_media.value_or(true); }
  [[nodiscard]] bool protects_floor() const { return levels.protect_floor.value_or(true); }
  [[nodiscard]] bool is_mcptt() const;
  [[nodiscard]] bool has_member(std::string_view mcptt_id) const;
  // 7.2.12.1: identities matched by a rule whose action on-network-allow-getting-member-list is true.
  [[nodiscard]] bool may_see_list(std::string_view identity) const {
    return allows(kMayGetMemberList, identity);
  }
  // An action of the group namespace; absent is false.
  [[nodiscard]] bool allows(std::string_view action, std::string_view identity) const;
};

[[nodiscard]] Judged<GroupDocument> parse_group_document(OctetsView document);
// The same for a tree, for example after an element of it was replaced.
[[nodiscard]] Judged<GroupDocument> read_group_document(xml::Element root);

// What only a GMS writes (PR-13): a client's document must repeat it as it is, neither add, remove nor alter
// it.
struct Managed {
  std::vector<Regrouped> regrouped;
  std::optional<Temporary> temporary;
};
// The reasons to refuse a client's document although its form is good: PR-13, and conditions of rules that
// could only be kept by granting more than they say (RFC 4745). None: acceptable.
[[nodiscard]] std::optional<XcapError> check_client_change(const GroupDocument& wanted,
                                                           const Managed& current);

// The document as one reader gets it: with or without <list>, with the on-network-regrouped elements given
// and no others. Deterministic text.
struct Rendering {
  bool list = false;
  std::vector<Regrouped> regrouped;
};
[[nodiscard]] std::string render(const GroupDocument& document, const Rendering& rendering);

// A new document from its fields (root, rules and enablers aside): what a client PUTs to create a group, with
// the rule of TS 24.481 7.2 for its members and the MCPTT service; and, with `temporary` set and no list, the
// temporary group's own document (PR-44).
[[nodiscard]] std::string write_group_document(const GroupDocument& document);
[[nodiscard]] GroupDocument temporary_group_document(const Regrouped& regrouped,
                                                     std::string_view display_name);

}  // namespace regroup::xcap
