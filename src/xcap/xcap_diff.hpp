// SPDX-License-Identifier: Apache-2.0
// The body of a NOTIFY (RFC 5874, application/xcap-diff+xml): which documents changed, by their
// ETags, and subscribed elements with their content. `sel` repeats exactly the string that was subscribed
// (RFC 5875 4.6): it is carried, never normalised. An element's content keeps its own namespace.
#pragma once

#include "xcap/names.hpp"

namespace regroup::xcap {

// Created: only new_etag; deleted: only previous_etag; changed: both. ETags without their double quotes.
struct DocumentDiff {
  std::string sel;
  std::string previous_etag;            // empty: absent
  std::string new_etag;                 // empty: absent
  std::vector<xml::Element> patches{};  // RFC 5261 add, replace, remove; carried as they are
  bool operator==(const DocumentDiff&) const = default;
};

// The content, or none when the element is gone (exists="0").
struct ElementDiff {
  std::string sel;
  std::optional<xml::Element> content;
  bool operator==(const ElementDiff&) const = default;
};

struct XcapDiff {
  std::string root;  // xcap-root
  std::vector<DocumentDiff> documents;
  std::vector<ElementDiff> elements;
  bool operator==(const XcapDiff&) const = default;
};

[[nodiscard]] std::string write_xcap_diff(const XcapDiff& diff);
// Elements of other kinds (attribute, extensions) are skipped. Errc::malformed without xcap-root or sel.
[[nodiscard]] Result<XcapDiff> parse_xcap_diff(OctetsView document);

}  // namespace regroup::xcap
