// SPDX-License-Identifier: Apache-2.0
// XCAP addresses below an XCAP root (RFC 4825 6; TS 24.481 7.2, 7.7): AUID, tree, document, and behind /~~/
// a node selector. Split first, percent-decoded once after that, so that an encoded '/' never separates. Two
// spellings of one address give the same value; what must be repeated to the letter (xcap-diff `sel`) is kept
// by the caller. Refuses empty, "." and ".." segments, broken escapes, text that is not UTF-8, addresses
// outside the root.
#pragma once

#include "xcap/selector.hpp"

namespace regroup::xcap {

struct Address {
  std::string auid;
  bool global = true;              // .../global/..., else .../users/<xui>/...
  std::string xui;                 // of the users tree
  std::vector<std::string> names;  // what follows, decoded: {"byGroupID", "sip:g@x"}
  bool collection = false;         // ends in '/'
  std::optional<Selector> node;
  bool operator==(const Address&) const = default;

  // The document a group has by its ID: global/byGroupID/<id>, and for GKTP also users/<MCPTT ID>/<id>. Reads
  // the older spelling byGroup as well. Empty for other addresses and for collections.
  [[nodiscard]] std::string group_id() const;
  // The address of the document alone.
  [[nodiscard]] Address document() const;
};

// `text` is relative to the root:
// "org.openmobilealliance.groups/global/byGroupID/sip%3Ag%40x/~~/group?xmlns(a=b)".
[[nodiscard]] Result<Address> parse_address(std::string_view text);
// Percent-encoded, relative to the root. Group IDs always in the encoded form.
[[nodiscard]] std::string write_address(const Address& address);

// The part of `text` below `root` ("https://host[:port]/path/", ends with '/'). `text` is an absolute URI
// under the same root, an absolute path, or already relative. Scheme and host compare without regard to case.
[[nodiscard]] Result<std::string> below_root(std::string_view text, std::string_view root);

[[nodiscard]] Address group_address(std::string_view group_id);
[[nodiscard]] Address gktp_address(std::string_view group_id);
[[nodiscard]] Address gktp_address(std::string_view mcptt_id, std::string_view group_id);
[[nodiscard]] Address gktp_collection(std::string_view mcptt_id);  // PR-26
// .../~~/GKTPs/<parent>: one entry for all keys and uses below it.
[[nodiscard]] Address gktp_keys(std::string_view group_id, std::string_view parent);

// The namespace of unprefixed names in selectors of that application usage; empty when it is not known here.
[[nodiscard]] std::string_view default_namespace(std::string_view auid);

}  // namespace regroup::xcap
