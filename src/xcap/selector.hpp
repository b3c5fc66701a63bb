// SPDX-License-Identifier: Apache-2.0
// XCAP node selectors (RFC 4825 6.3, a subset): element steps `name`, `p:name`, `*`, each with `[n]`,
// `[@attr="v"]` or both, then optionally `@attr` or `namespace::*`. Evaluated by an own walk over the tree,
// never turned into XPath. Unprefixed element names are in the default namespace of the application usage;
// prefixes come from xmlns() in the query. Refuses everything else, more than 32 steps, unbound prefixes:
// Errc::malformed, HTTP 400.
#pragma once

#include "xcap/names.hpp"

namespace regroup::xcap {

struct AttributeTest {
  std::string ns;  // empty for attributes without a prefix
  std::string name;
  std::string value;
  bool operator==(const AttributeTest&) const = default;
};

struct Step {
  std::string ns;
  std::string name;          // "*": any element, of any namespace
  std::size_t position = 0;  // 1 is the first among siblings that match the name; 0: not given
  std::optional<AttributeTest> test;
  bool operator==(const Step&) const = default;
  [[nodiscard]] bool names(const xml::Element& element) const { return name == "*" || element.is(ns, name); }
};

enum class Target : std::uint8_t { element, attribute, namespaces };

struct Selector {
  std::vector<Step> steps;  // at least one
  Target target = Target::element;
  std::string attribute_ns, attribute;  // of Target::attribute
  bool operator==(const Selector&) const = default;
};

// The prefix bindings of the query component: "xmlns(p=urn:one)xmlns(q=urn:two)" (RFC 4825 6.4), already
// decoded.
[[nodiscard]] Result<std::vector<xml::Declaration>> parse_bindings(std::string_view query);

// `text` is percent-decoded. `default_ns` belongs to the application usage.
[[nodiscard]] Result<Selector> parse_selector(std::string_view text, std::string_view default_ns,
                                              const std::vector<xml::Declaration>& bindings = {});
// The text and the query it needs; percent encoding is left to the address.
struct SelectorText {
  std::string text;
  std::string query;  // empty unless a name is outside the default namespace
};
[[nodiscard]] SelectorText write_selector(const Selector& selector, std::string_view default_ns);

// Where the element steps lead: indices of children from the root on (none for the root itself).
struct Located {
  enum class Match : std::uint8_t { none, one, several } match = Match::none;
  std::vector<std::size_t> path;  // of the first match
};
[[nodiscard]] Located locate(const xml::Element& root, std::span<const Step> steps);
[[nodiscard]] const xml::Element& element_at(const xml::Element& root, std::span<const std::size_t> path);
[[nodiscard]] xml::Element& element_at(xml::Element& root, std::span<const std::size_t> path);

}  // namespace regroup::xcap
