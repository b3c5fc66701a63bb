// SPDX-License-Identifier: Apache-2.0
// The one door to libxml2: a document becomes a tree of values and back. Refused before libxml2 sees a single
// octet: more than Limits allow, a DTD or any other <!...> declaration, an encoding other than UTF-8
// (RFC 7303). There are no entities but the five predefined ones, no XInclude, no network, no
// file, nothing on stderr. Namespace declarations, prefixes, attribute order and white space survive a round
// trip; comments and processing instructions do not (text on both sides of a comment is one text). What is
// wiped: every block that libxml2 gives back (its input copy, its tree), and what wipe() below is called on.
// What is not: the caller's own input, and names of elements and attributes.
#pragma once

#include <optional>

#include "base/octets.hpp"
#include "base/result.hpp"

namespace regroup::xml {

inline constexpr std::string_view kXmlNamespace = "http://www.w3.org/XML/1998/namespace";
inline constexpr std::string_view kXsiNamespace = "http://www.w3.org/2001/XMLSchema-instance";

struct Limits {
  std::size_t octets = std::size_t{1} << 20;
  std::size_t depth = 32;  // the root element is at depth 1; never more than 200 (libxml2 stops at 256)
  std::size_t elements = 65'536;  // in the whole document
  std::size_t attributes = 64;    // of one element, namespace declarations included
};

// An xmlns declaration; an empty prefix is the default namespace, an empty uri takes the default away.
struct Declaration {
  std::string prefix;
  std::string uri;
  bool operator==(const Declaration&) const = default;
};

struct Attribute {
  std::string name;  // local name
  std::string value;
  std::string ns;      // empty for nearly all attributes; the default namespace does not reach attributes
  std::string prefix;  // preferred prefix; empty exactly when ns is empty
  bool operator==(const Attribute&) const = default;
};

struct Element {
  std::string name;  // local name
  std::string ns;
  std::string prefix;                 // preferred; write() declares what is not in scope
  std::vector<Declaration> declared;  // in order
  std::vector<Attribute> attributes;  // in order, xmlns declarations excluded
  std::string text;  // all of it for an element without children; before the first child otherwise
  std::vector<Element> children;  // in order
  std::string tail;               // between this end tag and the next tag: indentation, as a rule

  Element() = default;
  Element(std::string_view ns_uri, std::string_view local_name, std::string_view content = {})
      : name(local_name), ns(ns_uri), text(content) {}

  [[nodiscard]] bool is(std::string_view ns_uri, std::string_view local_name) const {
    return name == local_name && ns == ns_uri;
  }
  // The first child of that name; nullptr when there is none.
  [[nodiscard]] const Element* child(std::string_view ns_uri, std::string_view local_name) const;
  [[nodiscard]] Element* child(std::string_view ns_uri, std::string_view local_name);
  // The value of the attribute; nullptr when there is none.
  [[nodiscard]] const std::string* attribute(std::string_view local_name, std::string_view ns_uri = {}) const;
  void set_attribute(std::string_view local_name, std::string_view value);  // one without a namespace
  bool remove_attribute(std::string_view local_name, std::string_view ns_uri = {});
  // Adds a child at the end and gives it back; valid until the next change of children.
  Element& add(Element element);
  // Adds <local_name>content</local_name> in this element's namespace, with its prefix.
  Element& add(std::string_view local_name, std::string_view content = {});
  // The text with white space trimmed at both ends (xsd whiteSpace="collapse" as far as one token goes).
  [[nodiscard]] std::string_view token() const;

  bool operator==(const Element&) const = default;  // to the letter, white space and prefixes included
};

// The namespaces in scope while walking down a tree; for QNames in content such as xsi:type.
class Scope {
 public:
  explicit Scope(const Element& element, const Scope* outer = nullptr) : element_(&element), outer_(outer) {}
  // The namespace bound to the prefix; nullopt when it is not bound. The empty prefix gives the default
  // namespace, "" when there is none.
  [[nodiscard]] std::optional<std::string_view> uri(std::string_view prefix) const;
  struct QName {
    std::string_view ns;
    std::string_view name;
  };
  // "p:name" or "name", white space around it ignored; Errc::malformed for an unbound prefix.
  [[nodiscard]] Result<QName> qname(std::string_view text) const;

 private:
  const Element* element_;
  const Scope* outer_;
};

// A whole document. Errc::limit, Errc::unsupported (DTD, encoding) or Errc::malformed with line and cause.
[[nodiscard]] Result<Element> parse(OctetsView document, const Limits& limits = {});
[[nodiscard]] inline Result<Element> parse(std::string_view document, const Limits& limits = {}) {
  return parse(view(document), limits);
}

struct Style {
  bool declaration = true;  // <?xml version="1.0" encoding="UTF-8"?> and a line end
  bool indent =
      false;  // two spaces per level where an element holds nothing but elements; not for signed content
};
// Deterministic UTF-8. The string is allocated once, so that wiping it leaves no copy behind. Characters that
// XML cannot carry become U+FFFD: what must be exact is checked with is_text() first. The root's tail is not
// written.
[[nodiscard]] std::string write(const Element& root, Style style = {});

// Same document in meaning: prefixes, order of attributes, place of declarations and white space between
// elements do not count.
[[nodiscard]] bool equivalent(const Element& a, const Element& b);

// UTF-8 that XML 1.0 can carry (production 2: no control characters but tab, line feed, carriage return).
[[nodiscard]] bool is_text(std::string_view text);
// An NCName of ASCII characters: what an element or attribute made by us may be called.
[[nodiscard]] bool is_name(std::string_view text);
[[nodiscard]] std::string_view trim(std::string_view text);  // XML white space at both ends

// Overwrites and empties text, tails and attribute values of the whole tree. For documents that held plain
// keys.
void wipe(Element& element) noexcept;
void wipe(std::string& text) noexcept;

// Wipes a tree when the scope ends, whatever way it ends.
class WipedAtExit {
 public:
  explicit WipedAtExit(Element& element) : element_(element) {}
  WipedAtExit(const WipedAtExit&) = delete;
  WipedAtExit& operator=(const WipedAtExit&) = delete;
  ~WipedAtExit() { wipe(element_); }

 private:
  Element& element_;
};

}  // namespace regroup::xml
