// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <deque>

#include "xml/element.hpp"
#include "xml/unicode.hpp"

namespace regroup::xml {
namespace {

// The document is made twice: once to know its size, once into a string that then never grows.
struct Counted {
  std::size_t size = 0;
  void put(std::string_view text) { size += text.size(); }
};
struct Filled {
  std::string out;
  void put(std::string_view text) { out += text; }
};

bool only_elements(const Element& element) {
  if (element.children.empty() || !trim(element.text).empty()) return false;
  return std::all_of(element.children.begin(), element.children.end(),
                     [](const Element& one) { return trim(one.tail).empty(); });
}

std::string_view escape_of(char c, bool in_attribute) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '\r':
      return "&#13;";
    case '"':
      return in_attribute ? "&quot;" : std::string_view();
    case '\t':
      return in_attribute ? "&#9;" : std::string_view();
    case '\n':
      return in_attribute ? "&#10;" : std::string_view();
    default:
      return {};
  }
}

template <class Sink>
class Emitter {
 public:
  Emitter(Sink& sink, Style style) : sink_(sink), style_(style) {}

  void document(const Element& root) {
    if (style_.declaration) sink_.put("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    element(root, 0, style_.indent);
    if (style_.indent) sink_.put("\n");
  }

 private:
  struct Binding {
    std::string_view prefix;
    std::string_view uri;
  };

  std::string_view bound(std::string_view prefix) const {
    for (std::size_t i = bindings_.size(); i-- > 0;)
      if (bindings_[i].prefix == prefix) return bindings_[i].uri;
    return {};
  }
  // Declared at the element that is being opened, whose bindings begin at `own`.
  bool declared_here(std::string_view prefix, std::size_t own) const {
    return std::any_of(bindings_.begin() + static_cast<std::ptrdiff_t>(own), bindings_.end(),
                       [&](const Binding& one) { return one.prefix == prefix; });
  }
  // A name of this start tag already relies on the prefix's outer meaning.
  bool relied_on(std::string_view prefix) const {
    return std::find(relied_on_.begin(), relied_on_.end(), prefix) != relied_on_.end();
  }
  std::string_view rely_on(std::string_view prefix) {
    relied_on_.push_back(prefix);
    return prefix;
  }
  std::string_view declare(std::string_view prefix, std::string_view uri) {
    bindings_.push_back({prefix, uri});
    return prefix;
  }
  std::string_view fresh_prefix(std::string_view uri) {
    do {
      made_.push_back("ns" + std::to_string(++numbered_));
    } while (!bound(made_.back()).empty());
    return declare(made_.back(), uri);
  }

  // The prefix to write for a name in namespace `ns`, declared when it was not in scope.
  std::string_view prefix_for(std::string_view ns, std::string_view preferred, bool attribute,
                              std::size_t own) {
    if (ns == kXmlNamespace) return "xml";
    if (ns.empty()) {
      if (!attribute && !bound("").empty()) declare("", "");
      return {};
    }
    const bool usable = !(attribute && preferred.empty()) && preferred != "xml" && preferred != "xmlns";
    if (usable && bound(preferred) == ns) return rely_on(preferred);
    if (usable && !declared_here(preferred, own) && !relied_on(preferred)) return declare(preferred, ns);
    for (const Binding& one : bindings_)
      if (one.uri == ns && bound(one.prefix) == ns && !(attribute && one.prefix.empty()))
        return rely_on(one.prefix);
    return fresh_prefix(ns);
  }

  void name(std::string_view prefix, std::string_view local) {
    if (!prefix.empty()) {
      sink_.put(prefix);
      sink_.put(":");
    }
    sink_.put(local);
  }

  void escaped(std::string_view text, bool in_attribute) {
    std::size_t plain = 0;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = character_size(text, at);
      const std::string_view instead = size == 0 ? "\xEF\xBF\xBD" : escape_of(text[at], in_attribute);
      if (!instead.empty()) {
        sink_.put(text.substr(plain, at - plain));
        sink_.put(instead);
        plain = at + std::max<std::size_t>(size, 1);
      }
      at += std::max<std::size_t>(size, 1);
    }
    sink_.put(text.substr(plain));
  }

  void attribute(std::string_view prefix, std::string_view local, std::string_view value) {
    sink_.put(" ");
    name(prefix, local);
    sink_.put("=\"");
    escaped(value, true);
    sink_.put("\"");
  }

  // "<name xmlns... attributes", with the bindings of this element pushed; gives the prefix of the element.
  std::string_view open(const Element& element, std::size_t own) {
    for (const Declaration& one : element.declared) {
      const bool contradicts = one.prefix.empty() && element.ns.empty() && !one.uri.empty();
      if (!contradicts && one.prefix != "xml" && !declared_here(one.prefix, own))
        declare(one.prefix, one.uri);
    }
    relied_on_.clear();
    const std::string_view prefix = prefix_for(element.ns, element.prefix, false, own);
    std::vector<std::string_view> prefixes;
    for (const Attribute& one : element.attributes)
      prefixes.push_back(prefix_for(one.ns, one.prefix, true, own));

    sink_.put("<");
    name(prefix, element.name);
    for (std::size_t i = own; i < bindings_.size(); ++i)
      bindings_[i].prefix.empty() ? attribute({}, "xmlns", bindings_[i].uri)
                                  : attribute("xmlns", bindings_[i].prefix, bindings_[i].uri);
    for (std::size_t i = 0; i < prefixes.size(); ++i)
      attribute(prefixes[i], element.attributes[i].name, element.attributes[i].value);
    return prefix;
  }

  void line(std::size_t level) {
    sink_.put("\n");
    for (std::size_t i = 0; i < level; ++i) sink_.put("  ");
  }

  void element(const Element& element, std::size_t level, bool indent) {
    const std::size_t own = bindings_.size();
    const std::string_view prefix = open(element, own);
    if (element.text.empty() && element.children.empty()) {
      sink_.put("/>");
      bindings_.resize(own);
      return;
    }
    sink_.put(">");
    const bool lines = indent && only_elements(element);
    if (!lines) escaped(element.text, false);
    for (const Element& one : element.children) {
      if (lines) line(level + 1);
      this->element(one, level + 1, lines);
      if (!lines) escaped(one.tail, false);
    }
    if (lines) line(level);
    sink_.put("</");
    name(prefix, element.name);
    sink_.put(">");
    bindings_.resize(own);
  }

  Sink& sink_;
  Style style_;
  std::vector<Binding> bindings_;
  std::vector<std::string_view> relied_on_;
  std::deque<std::string> made_;  // generated prefixes; a deque keeps views of them valid
  std::size_t numbered_ = 0;
};

}  // namespace

std::string write(const Element& root, Style style) {
  Counted counted;
  Emitter<Counted>(counted, style).document(root);
  Filled filled;
  filled.out.reserve(counted.size);
  Emitter<Filled>(filled, style).document(root);
  return std::move(filled.out);
}

}  // namespace regroup::xml
