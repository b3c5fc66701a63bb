// SPDX-License-Identifier: Apache-2.0
#include "xcap/xcap_diff.hpp"

#include "xcap/fields.hpp"

namespace regroup::xcap {
namespace {

constexpr std::string_view kClause = "RFC 5874 3";

Result<std::string> read_sel(const xml::Element& element) {
  const std::string* sel = element.attribute("sel");
  if (!sel || sel->empty())
    return fail(Errc::malformed, kClause, element.name + " has no sel", "name the document in sel");
  return *sel;
}

std::string text_or_empty(const xml::Element& element, std::string_view name) {
  const std::string* value = element.attribute(name);
  return value ? *value : std::string();
}

Result<DocumentDiff> read_document(const xml::Element& element) {
  DocumentDiff out;
  out.sel = TRY(read_sel(element));
  out.previous_etag = text_or_empty(element, "previous-etag");
  out.new_etag = text_or_empty(element, "new-etag");
  if (out.previous_etag.empty() && out.new_etag.empty())
    return fail(Errc::malformed, kClause, "document has neither previous-etag nor new-etag",
                "send at least one of them");
  out.patches = element.children;
  return out;
}

Result<ElementDiff> read_element(const xml::Element& element) {
  ElementDiff out;
  out.sel = TRY(read_sel(element));
  const std::string* exists = element.attribute("exists");
  if (exists && boolean_of(*exists) == false) return out;
  if (element.children.size() != 1)
    return fail(Errc::malformed, kClause, "element does not hold exactly one element, nor exists=\"0\"",
                "send the element, or exists=\"0\" when it is gone");
  out.content = element.children[0];
  out.content->tail.clear();
  return out;
}

}  // namespace

std::string write_xcap_diff(const XcapDiff& diff) {
  xml::Element root(ns::kXcapDiff, "xcap-diff");
  root.set_attribute("xcap-root", diff.root);
  for (const DocumentDiff& one : diff.documents) {
    xml::Element& out = root.add("document");
    out.set_attribute("sel", one.sel);
    if (!one.previous_etag.empty()) out.set_attribute("previous-etag", one.previous_etag);
    if (!one.new_etag.empty()) out.set_attribute("new-etag", one.new_etag);
    out.children = one.patches;
  }
  for (const ElementDiff& one : diff.elements) {
    xml::Element& out = root.add("element");
    out.set_attribute("sel", one.sel);
    if (!one.content) out.set_attribute("exists", "0");
    if (one.content) out.add(*one.content).tail.clear();
  }
  return xml::write(root);
}

Result<XcapDiff> parse_xcap_diff(OctetsView document) {
  const xml::Element root = TRY(parse_root(document, ns::kXcapDiff, "xcap-diff", kClause, kLargeDocument));
  XcapDiff out;
  out.root = attribute_of(root, "xcap-root");
  if (out.root.empty())
    return fail(Errc::malformed, kClause, "xcap-diff has no xcap-root", "name the XCAP root in xcap-root");
  for (const xml::Element& child : root.children) {
    if (child.is(ns::kXcapDiff, "document")) out.documents.push_back(TRY(read_document(child)));
    if (child.is(ns::kXcapDiff, "element")) out.elements.push_back(TRY(read_element(child)));
  }
  return out;
}

}  // namespace regroup::xcap
