// SPDX-License-Identifier: Apache-2.0
// Private to this room: values of the XML Schema types that the documents use, and building elements.
#pragma once

#include <optional>

#include "xcap/names.hpp"

namespace regroup::xcap {

[[nodiscard]] std::optional<bool> boolean_of(std::string_view text);  // true, false, 1, 0
[[nodiscard]] std::optional<std::uint64_t> integer_of(std::string_view text, std::uint64_t most);

// The same of a child; none when it is absent, Errc::malformed when it stands twice or has another content.
[[nodiscard]] Result<const xml::Element*> only_child(const xml::Element& parent, std::string_view ns,
                                                     std::string_view name);
[[nodiscard]] Result<std::optional<bool>> boolean_child(const xml::Element& parent, std::string_view ns,
                                                        std::string_view name);
[[nodiscard]] Result<std::optional<std::uint64_t>> integer_child(const xml::Element& parent,
                                                                 std::string_view ns, std::string_view name,
                                                                 std::uint64_t most);
// The trimmed attribute, empty when absent.
[[nodiscard]] std::string attribute_of(const xml::Element& element, std::string_view name);
// A URI as far as it matters here: not empty, at most 2048 octets, no white space or controls inside.
[[nodiscard]] bool is_uri(std::string_view text);

// The first element of that name in document order, the start included; nullptr when there is none.
[[nodiscard]] const xml::Element* find_deep(const xml::Element& start, std::string_view ns,
                                            std::string_view name);

// An element with the prefix its namespace usually has.
[[nodiscard]] xml::Element made(std::string_view ns, std::string_view prefix, std::string_view name,
                                std::string_view text = {});
[[nodiscard]] inline std::string_view text_of_bool(bool value) { return value ? "true" : "false"; }

// The root, when it is the one expected.
[[nodiscard]] Result<xml::Element> parse_root(OctetsView document, std::string_view ns, std::string_view name,
                                              std::string_view clause, const xml::Limits& limits);

}  // namespace regroup::xcap
