// SPDX-License-Identifier: Apache-2.0
#include "xml/element.hpp"

#include <algorithm>

#include "base/secret.hpp"
#include "base/text.hpp"
#include "xml/unicode.hpp"

namespace regroup::xml {
namespace {

bool same_attributes(const Element& a, const Element& b) {
  if (a.attributes.size() != b.attributes.size()) return false;
  return std::all_of(a.attributes.begin(), a.attributes.end(), [&](const Attribute& one) {
    const std::string* other = b.attribute(one.name, one.ns);
    return other && *other == one.value;
  });
}

bool same_text(const Element& a, const Element& b) {
  return a.children.empty() ? a.text == b.text : trim(a.text) == trim(b.text);
}

}  // namespace

const Element* Element::child(std::string_view ns_uri, std::string_view local_name) const {
  for (const Element& one : children)
    if (one.is(ns_uri, local_name)) return &one;
  return nullptr;
}

Element* Element::child(std::string_view ns_uri, std::string_view local_name) {
  for (Element& one : children)
    if (one.is(ns_uri, local_name)) return &one;
  return nullptr;
}

const std::string* Element::attribute(std::string_view local_name, std::string_view ns_uri) const {
  for (const Attribute& one : attributes)
    if (one.name == local_name && one.ns == ns_uri) return &one.value;
  return nullptr;
}

void Element::set_attribute(std::string_view local_name, std::string_view value) {
  for (Attribute& one : attributes)
    if (one.name == local_name && one.ns.empty()) {
      one.value = value;
      return;
    }
  attributes.push_back({std::string(local_name), std::string(value), {}, {}});
}

bool Element::remove_attribute(std::string_view local_name, std::string_view ns_uri) {
  const auto found = std::find_if(attributes.begin(), attributes.end(), [&](const Attribute& one) {
    return one.name == local_name && one.ns == ns_uri;
  });
  if (found == attributes.end()) return false;
  attributes.erase(found);
  return true;
}

Element& Element::add(Element element) { return children.emplace_back(std::move(element)); }

Element& Element::add(std::string_view local_name, std::string_view content) {
  Element made(ns, local_name, content);
  made.prefix = prefix;
  return add(std::move(made));
}

std::string_view Element::token() const { return trim(text); }

std::optional<std::string_view> Scope::uri(std::string_view prefix) const {
  if (prefix == "xml") return kXmlNamespace;
  for (const Scope* scope = this; scope; scope = scope->outer_)
    for (const Declaration& one : scope->element_->declared)
      if (one.prefix == prefix) return one.uri;
  if (prefix.empty()) return std::string_view();
  return std::nullopt;
}

Result<Scope::QName> Scope::qname(std::string_view text) const {
  const std::string_view name = trim(text);
  const std::size_t colon = name.find(':');
  const std::string_view prefix =
      colon == std::string_view::npos ? std::string_view() : name.substr(0, colon);
  const std::string_view local = colon == std::string_view::npos ? name : name.substr(colon + 1);
  const std::optional<std::string_view> bound = uri(prefix);
  if (!bound || local.empty() || local.find(':') != std::string_view::npos)
    return fail(Errc::malformed, "Namespaces in XML 1.0, 4",
                "\"" + printable(name) + "\" is not a qualified name with a prefix that is in scope",
                "declare the prefix with xmlns:PREFIX");
  return QName{*bound, local};
}

bool equivalent(const Element& a, const Element& b) {
  if (!a.is(b.ns, b.name) || !same_attributes(a, b) || !same_text(a, b)) return false;
  return std::equal(
      a.children.begin(), a.children.end(), b.children.begin(), b.children.end(),
      [](const Element& x, const Element& y) { return equivalent(x, y) && trim(x.tail) == trim(y.tail); });
}

bool is_text(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character_size(text, at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

bool is_name(std::string_view text) {
  const auto starts = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
  if (text.empty() || !starts(text[0])) return false;
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return starts(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

void wipe(std::string& text) noexcept {
  text.resize(text.capacity());  // an earlier, longer value may stand behind the present end
  regroup::wipe(text.data(), text.size());
  text.clear();
}

void wipe(Element& element) noexcept {
  wipe(element.text);
  wipe(element.tail);
  for (Attribute& one : element.attributes) wipe(one.value);
  for (Element& one : element.children) wipe(one);
}

}  // namespace regroup::xml
