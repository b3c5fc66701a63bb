// SPDX-License-Identifier: Apache-2.0
#include "xcap/fields.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace regroup::xcap {

std::optional<bool> boolean_of(std::string_view text) {
  const std::string_view token = xml::trim(text);
  if (token == "true" || token == "1") return true;
  if (token == "false" || token == "0") return false;
  return std::nullopt;
}

std::optional<std::uint64_t> integer_of(std::string_view text, std::uint64_t most) {
  std::string_view token = xml::trim(text);
  if (token.size() > 1 && token[0] == '+') token.remove_prefix(1);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (token.empty() || error != std::errc{} || end != token.data() + token.size() || value > most)
    return std::nullopt;
  return value;
}

Result<const xml::Element*> only_child(const xml::Element& parent, std::string_view ns,
                                       std::string_view name) {
  const xml::Element* found = nullptr;
  for (const xml::Element& child : parent.children) {
    if (!child.is(ns, name)) continue;
    if (found)
      return fail(Errc::malformed, "TS 24.481 7.2.4", std::string(name) + " stands twice in " + parent.name,
                  "send it once: two readers could choose differently");
    found = &child;
  }
  return found;
}

Result<std::optional<bool>> boolean_child(const xml::Element& parent, std::string_view ns,
                                          std::string_view name) {
  const xml::Element* child = TRY(only_child(parent, ns, name));
  if (!child) return std::optional<bool>();
  const auto value = boolean_of(child->text);
  if (!value || !child->children.empty())
    return fail(Errc::malformed, "TS 24.481 7.2.4",
                std::string(name) + " is \"" + printable(child->token(), 40) + "\"", "send true or false");
  return value;
}

Result<std::optional<std::uint64_t>> integer_child(const xml::Element& parent, std::string_view ns,
                                                   std::string_view name, std::uint64_t most) {
  const xml::Element* child = TRY(only_child(parent, ns, name));
  if (!child) return std::optional<std::uint64_t>();
  const auto value = integer_of(child->text, most);
  if (!value || !child->children.empty())
    return fail(Errc::malformed, "TS 24.481 7.2.4",
                std::string(name) + " is \"" + printable(child->token(), 40) + "\"",
                "send a number from 0 to " + std::to_string(most));
  return value;
}

std::string attribute_of(const xml::Element& element, std::string_view name) {
  const std::string* value = element.attribute(name);
  return value ? std::string(xml::trim(*value)) : std::string();
}

bool is_uri(std::string_view text) {
  return !text.empty() && text.size() <= 2048 && std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
  });
}

const xml::Element* find_deep(const xml::Element& start, std::string_view ns, std::string_view name) {
  if (start.is(ns, name)) return &start;
  for (const xml::Element& child : start.children)
    if (const xml::Element* found = find_deep(child, ns, name)) return found;
  return nullptr;
}

xml::Element made(std::string_view ns, std::string_view prefix, std::string_view name,
                  std::string_view text) {
  xml::Element element(ns, name, text);
  element.prefix = prefix;
  return element;
}

Result<xml::Element> parse_root(OctetsView document, std::string_view ns, std::string_view name,
                                std::string_view clause, const xml::Limits& limits) {
  xml::Element root = TRY(xml::parse(document, limits));
  if (!root.is(ns, name))
    return fail(Errc::malformed, clause,
                "root is " + printable(root.name, 40) + " in namespace \"" + printable(root.ns, 80) + "\"",
                "send " + std::string(name) + " in namespace " + std::string(ns));
  return root;
}

}  // namespace regroup::xcap
