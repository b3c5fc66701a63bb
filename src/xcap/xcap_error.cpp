// SPDX-License-Identifier: Apache-2.0
#include "xcap/xcap_error.hpp"

#include "xcap/fields.hpp"

namespace regroup::xcap {
namespace {

constexpr std::pair<ErrorKind, std::string_view> kNames[] = {
    {ErrorKind::not_well_formed, "not-well-formed"},
    {ErrorKind::not_xml_frag, "not-xml-frag"},
    {ErrorKind::no_parent, "no-parent"},
    {ErrorKind::schema_validation_error, "schema-validation-error"},
    {ErrorKind::not_xml_att_value, "not-xml-att-value"},
    {ErrorKind::cannot_insert, "cannot-insert"},
    {ErrorKind::cannot_delete, "cannot-delete"},
    {ErrorKind::uniqueness_failure, "uniqueness-failure"},
    {ErrorKind::constraint_failure, "constraint-failure"},
    {ErrorKind::not_utf8, "not-utf-8"},
    {ErrorKind::bad_selector, "bad-selector"},
    {ErrorKind::not_found, "not-found"},
};

// A "unique" value that clashes: <exists field="..."><alt-value>...</alt-value></exists>
xml::Element exists(const XcapError& error) {
  xml::Element out(ns::kXcapError, "exists");
  out.set_attribute("field", error.field);
  for (const std::string& one : error.alternatives) out.add("alt-value", one);
  return out;
}

}  // namespace

std::string_view name_of(ErrorKind kind) {
  for (const auto& [one, name] : kNames)
    if (one == kind) return name;
  return "constraint-failure";
}

int XcapError::status() const {
  if (kind == ErrorKind::bad_selector) return 400;
  return kind == ErrorKind::not_found ? 404 : 409;
}

std::string XcapError::write() const {
  if (status() != 409) return {};
  xml::Element root(ns::kXcapError, "xcap-error");
  xml::Element& reason = root.add(name_of(kind));
  if (!phrase.empty()) reason.set_attribute("phrase", phrase);
  if (kind == ErrorKind::uniqueness_failure) reason.add(exists(*this));
  if (kind == ErrorKind::no_parent && !ancestor.empty()) reason.add("ancestor", ancestor);
  return xml::write(root);
}

Result<XcapError> XcapError::parse(OctetsView document) {
  const xml::Element root =
      TRY(parse_root(document, ns::kXcapError, "xcap-error", "RFC 4825 11", kSmallDocument));
  if (root.children.empty())
    return fail(Errc::malformed, "RFC 4825 11", "xcap-error is empty",
                "send one error condition of RFC 4825 11.2 in it");
  const xml::Element& reason = root.children[0];
  XcapError out;  // an element unknown here (extensions) reads as constraint-failure
  for (const auto& [kind, name] : kNames)
    if (reason.is(ns::kXcapError, name)) out.kind = kind;
  out.phrase = attribute_of(reason, "phrase");
  if (const xml::Element* one = reason.child(ns::kXcapError, "exists")) {
    out.field = attribute_of(*one, "field");
    for (const xml::Element& value : one->children)
      if (value.is(ns::kXcapError, "alt-value")) out.alternatives.emplace_back(value.token());
  }
  if (const xml::Element* one = reason.child(ns::kXcapError, "ancestor")) out.ancestor = one->token();
  return out;
}

XcapError XcapError::of(const Error& error) {
  const bool constraint = error.code == Errc::limit || error.code == Errc::unsupported;
  std::string phrase = error.detail;
  if (!error.cure.empty()) phrase += "; " + error.cure;
  return {
      constraint ? ErrorKind::constraint_failure : ErrorKind::schema_validation_error, std::move(phrase), {}};
}

XcapError group_id_refused(std::string phrase, std::vector<std::string> alternatives) {
  return {ErrorKind::uniqueness_failure, std::move(phrase), std::string(kGroupUriField),
          std::move(alternatives)};
}

Judged<xml::Element> parse_body(OctetsView document, const xml::Limits& limits) {
  auto root = xml::parse(document, limits);
  if (root) return std::move(root).value();
  XcapError error = XcapError::of(root.error());
  const bool encoding =
      root.error().code == Errc::unsupported && root.error().detail.rfind("encoding", 0) == 0;
  if (root.error().code == Errc::malformed) error.kind = ErrorKind::not_well_formed;
  if (encoding || (document.size() <= limits.octets && !xml::is_text(text_of(document))))
    error.kind = ErrorKind::not_utf8;
  return error;
}

}  // namespace regroup::xcap
