// SPDX-License-Identifier: Apache-2.0
// Why an XCAP request is refused: the error elements of RFC 4825 11 with their HTTP status, and the 409 body
// application/xcap-error+xml, with alternative values (TS 24.481 6.3.2.3: the GMS proposes a group ID it
// would accept). Phrases are for people and never carry key material.
#pragma once

#include <variant>

#include "xcap/names.hpp"

namespace regroup::xcap {

enum class ErrorKind {
  not_well_formed,
  not_xml_frag,
  no_parent,
  schema_validation_error,
  not_xml_att_value,
  cannot_insert,
  cannot_delete,
  uniqueness_failure,
  constraint_failure,
  not_utf8,
  // Not elements of RFC 4825: the two answers without an XCAP body.
  bad_selector,  // 400: syntax, unbound prefix, several nodes selected
  not_found,     // 404
};

struct XcapError {
  ErrorKind kind = ErrorKind::constraint_failure;
  std::string phrase;
  std::string field;                        // uniqueness_failure: exists/@field
  std::vector<std::string> alternatives{};  // uniqueness_failure: alt-value
  std::string ancestor{};                   // no_parent: URI of the closest ancestor that exists

  [[nodiscard]] int status() const;         // 409, 400 or 404
  [[nodiscard]] std::string write() const;  // the 409 body; empty for 400 and 404
  [[nodiscard]] static Result<XcapError> parse(OctetsView document);
  // A schema-validation-error, or a constraint-failure when the error is a limit or something unsupported.
  [[nodiscard]] static XcapError of(const Error& error);
  bool operator==(const XcapError&) const = default;
};
[[nodiscard]] std::string_view name_of(ErrorKind kind);

// Field of the group's own identity in uniqueness failures (TS 24.481 6.3.2.3 c).
inline constexpr std::string_view kGroupUriField = "group/list-service/@uri";
// "This group ID is missing, taken or against policy; these would do."
[[nodiscard]] XcapError group_id_refused(std::string phrase, std::vector<std::string> alternatives);

// A value, or the XCAP error to answer with.
template <class T>
class [[nodiscard]] Judged {
 public:
  Judged(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Judged(XcapError error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }
  [[nodiscard]] T& value() & { return std::get<0>(state_); }
  [[nodiscard]] const T& value() const& { return std::get<0>(state_); }
  [[nodiscard]] T&& value() && { return std::get<0>(std::move(state_)); }
  [[nodiscard]] const XcapError& error() const { return std::get<1>(state_); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, XcapError> state_;
};

// A whole document as XML: not_well_formed, not_utf8, or constraint_failure (DTD, beyond the limits).
[[nodiscard]] Judged<xml::Element> parse_body(OctetsView document,
                                              const xml::Limits& limits = kLargeDocument);

}  // namespace regroup::xcap
