// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"
#include "xcap/fields.hpp"
#include "xcap/gmop.hpp"

namespace regroup::xcap {
namespace {

constexpr std::string_view kClause = "TS 24.481 7.3";
constexpr std::size_t kMostConstituents = 1000;

// A count, or none when it is absent or unreadable: answers are read leniently.
std::optional<std::uint32_t> count_of(const xml::Element& element, std::string_view name) {
  const std::string* text = element.attribute(name);
  const auto value = text ? integer_of(*text, UINT32_MAX) : std::nullopt;
  if (!value) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

void set(xml::Element& element, std::string_view name, std::string_view value) {
  if (!value.empty()) element.set_attribute(name, value);
}
void set(xml::Element& element, std::string_view name, std::optional<std::uint32_t> value) {
  if (value) element.set_attribute(name, std::to_string(*value));
}

}  // namespace

Result<GmopResponse> parse_gmop_response(OctetsView document) {
  const xml::Element root = TRY(parse_root(document, ns::kGmop, "document", kClause, kLargeDocument));
  const xml::Element* response = root.child(ns::kGmop, "response");
  if (!response || response->children.size() != 1)
    return fail(Errc::malformed, kClause, "document has no response with exactly one operation",
                "send one operation in a response");
  const xml::Element& operation = response->children[0];
  const std::string result = attribute_of(operation, "result");
  if (result != "accepted" && result != "rejected")
    return fail(Errc::malformed, kClause, "response has result \"" + printable(result, 40) + "\"",
                "send accepted or rejected");
  GmopResponse out;
  out.operation = operation.name;
  out.id = attribute_of(operation, "id");
  out.seq = count_of(operation, "seq");
  out.accepted = result == "accepted";
  out.reason = attribute_of(operation, "reason");
  out.temporary = attribute_of(operation, "temporary-MCPTT-group-ID");
  out.members_total = count_of(operation, "members-total");
  out.members_keyed = count_of(operation, "members-keyed");
  for (const xml::Element& child : operation.children)
    if (child.is(ns::kGmop, "constituent") && out.constituents.size() < kMostConstituents)
      out.constituents.push_back(
          {attribute_of(child, "uri"), attribute_of(child, "state"), attribute_of(child, "reason")});
  return out;
}

std::string write_gmop(const GmopResponse& response) {
  xml::Element root(ns::kGmop, "document");
  xml::Element& out = root.add("response").add(response.operation);
  set(out, "id", response.id);
  set(out, "seq", response.seq);
  out.set_attribute("result", response.accepted ? "accepted" : "rejected");
  set(out, "reason", response.reason);
  set(out, "temporary-MCPTT-group-ID", response.temporary);
  set(out, "members-total", response.members_total);
  set(out, "members-keyed", response.members_keyed);
  for (const ConstituentState& one : response.constituents) {
    xml::Element& child = out.add("constituent");
    set(child, "uri", one.uri);
    set(child, "state", one.state);
    set(child, "reason", one.reason);
  }
  return xml::write(root);
}

}  // namespace regroup::xcap
