// SPDX-License-Identifier: Apache-2.0
#include "xcap/selector.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "xcap/fields.hpp"

namespace regroup::xcap {
namespace {

constexpr std::string_view kClause = "RFC 4825 6.3";
constexpr std::size_t kMostSteps = 32;

Error bad(std::string detail) {
  return fail(
      Errc::malformed, kClause, std::move(detail),
      "send steps as in list-service/list/entry[1], prefixes bound in the query by xmlns(p=NAMESPACE)");
}

bool is_name_start(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_name_char(char c) { return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; }

// A cursor over the decoded text of a selector.
class Cursor {
 public:
  Cursor(std::string_view text, std::string_view default_ns, const std::vector<xml::Declaration>& bindings)
      : text_(text), default_ns_(default_ns), bindings_(bindings) {}

  [[nodiscard]] bool done() const { return text_.empty(); }
  bool skip(std::string_view token) {
    if (text_.substr(0, token.size()) != token) return false;
    text_.remove_prefix(token.size());
    return true;
  }
  [[nodiscard]] Error unexpected() const {
    return bad("selector is not understood at \"" + printable(text_, 40) + "\"");
  }

  Result<std::string> ncname() {
    if (text_.empty() || !is_name_start(text_[0])) return unexpected();
    const auto end = std::find_if_not(text_.begin(), text_.end(), is_name_char);
    std::string out(text_.begin(), end);
    text_.remove_prefix(out.size());
    return out;
  }
  struct Name {
    std::string ns, name;
  };
  // Only element names have a default namespace.
  Result<Name> qname(bool element) {
    std::string first = TRY(ncname());
    if (!(text_.size() > 1 && text_[0] == ':' && is_name_start(text_[1])))
      return Name{element ? std::string(default_ns_) : std::string(), std::move(first)};
    text_.remove_prefix(1);
    const auto bound = std::find_if(bindings_.begin(), bindings_.end(),
                                    [&](const xml::Declaration& one) { return one.prefix == first; });
    if (first != "xml" && bound == bindings_.end())
      return bad("prefix \"" + printable(first, 40) + "\" is not bound; bind it with xmlns() in the query");
    return Name{first == "xml" ? std::string(xml::kXmlNamespace) : bound->uri, TRY(ncname())};
  }
  Result<std::size_t> position() {
    const std::size_t end = std::min(text_.find(']'), text_.size());
    const auto number = integer_of(text_.substr(0, end), 1'000'000);
    if (!number || *number == 0 || text_[0] == '+')
      return bad("a position in the selector is not a number from 1 on");
    text_.remove_prefix(end);
    return static_cast<std::size_t>(*number);
  }
  // AttValue of XML: quoted, with the predefined entities.
  Result<std::string> quoted() {
    if (text_.empty() || (text_[0] != '"' && text_[0] != '\'')) return unexpected();
    const std::size_t end = text_.find(text_[0], 1);
    if (end == std::string_view::npos) return bad("an attribute value in the selector has no end quote");
    const std::string_view raw = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return unescape(raw);
  }

 private:
  static Result<std::string> unescape(std::string_view raw) {
    constexpr std::pair<std::string_view, char> kEntities[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    std::string out;
    while (!raw.empty()) {
      const auto entity = std::find_if(std::begin(kEntities), std::end(kEntities), [&](const auto& one) {
        return raw.substr(0, one.first.size()) == one.first;
      });
      if (entity == std::end(kEntities) && (raw[0] == '&' || raw[0] == '<'))
        return bad("an attribute value in the selector has a bare & or <");
      out += entity == std::end(kEntities) ? raw[0] : entity->second;
      raw.remove_prefix(entity == std::end(kEntities) ? 1 : entity->first.size());
    }
    return out;
  }

  std::string_view text_, default_ns_;
  const std::vector<xml::Declaration>& bindings_;
};

Result<AttributeTest> read_test(Cursor& cursor) {
  AttributeTest out;
  auto [ns, name] = TRY(cursor.qname(false));
  out.ns = std::move(ns);
  out.name = std::move(name);
  if (!cursor.skip("=")) return cursor.unexpected();
  out.value = TRY(cursor.quoted());
  return out;
}

Result<Step> read_step(Cursor& cursor) {
  Step out;
  if (cursor.skip("*")) {
    out.name = "*";
  } else {
    auto [ns, name] = TRY(cursor.qname(true));
    out.ns = std::move(ns);
    out.name = std::move(name);
  }
  while (!out.test && cursor.skip("[")) {
    if (cursor.skip("@")) {
      out.test = TRY(read_test(cursor));
    } else {
      if (out.position) return cursor.unexpected();
      out.position = TRY(cursor.position());
    }
    if (!cursor.skip("]")) return cursor.unexpected();
  }
  return out;
}

std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '&') out += "&amp;";
    if (c == '<') out += "&lt;";
    if (c == '"') out += "&quot;";
    if (c != '&' && c != '<' && c != '"') out += c;
  }
  return out;
}

// Names outside the default namespace, as n1:, n2:, ... bound in the query.
class Prefixes {
 public:
  std::string name(std::string_view ns, std::string_view plain_ns, const std::string& local) {
    if (local == "*" || ns == plain_ns) return local;
    if (ns == xml::kXmlNamespace) return "xml:" + local;
    auto at = std::find(bound_.begin(), bound_.end(), ns);
    if (at == bound_.end()) at = bound_.insert(bound_.end(), std::string(ns));
    return "n" + std::to_string(at - bound_.begin() + 1) + ":" + local;
  }
  [[nodiscard]] std::string query() const {
    std::string out;
    for (std::size_t i = 0; i < bound_.size(); ++i) {
      out += "xmlns(n" + std::to_string(i + 1) + "=";
      for (const char c : bound_[i])
        out += c == '(' || c == ')' || c == '^' ? std::string("^") + c : std::string(1, c);
      out += ")";
    }
    return out;
  }

 private:
  std::vector<std::string> bound_;
};

bool passes(const Step& step, const xml::Element& element) {
  if (!step.test) return true;
  const std::string* value = element.attribute(step.test->name, step.test->ns);
  return value && *value == step.test->value;
}

// Walks until a second match is seen: that is all anybody wants to know.
void walk(std::span<const xml::Element> siblings, std::span<const Step> steps, std::vector<std::size_t>& path,
          bool is_root, Located& out) {
  const Step& step = steps[0];
  std::size_t position = 0;
  for (std::size_t i = 0; i < siblings.size() && out.match != Located::Match::several; ++i) {
    if (!step.names(siblings[i]) || (++position, step.position && step.position != position)) continue;
    if (!passes(step, siblings[i])) continue;
    if (!is_root) path.push_back(i);
    if (steps.size() > 1) walk(siblings[i].children, steps.subspan(1), path, false, out);
    if (steps.size() == 1) {
      if (out.match == Located::Match::none) out.path = path;
      out.match = out.match == Located::Match::none ? Located::Match::one : Located::Match::several;
    }
    if (!is_root) path.pop_back();
  }
}

}  // namespace

Result<std::vector<xml::Declaration>> parse_bindings(std::string_view query) {
  constexpr std::string_view kOpen = "xmlns(";
  std::vector<xml::Declaration> out;
  while (!query.empty()) {
    if (query.substr(0, kOpen.size()) != kOpen)
      return bad("the query is not a row of xmlns(prefix=namespace)");
    query.remove_prefix(kOpen.size());
    const std::size_t equals = query.find('=');
    if (equals == 0 || equals == std::string_view::npos || out.size() == kMostSteps)
      return bad("xmlns() in the query names no prefix, or there are too many");
    xml::Declaration one{std::string(query.substr(0, equals)), {}};
    if (!xml::is_name(one.prefix)) return bad("xmlns() in the query has a prefix that is no name");
    std::size_t at = equals + 1;
    for (; at < query.size() && query[at] != ')'; ++at) {
      if (query[at] == '^' && at + 1 < query.size()) ++at;  // XPointer escapes ( ) ^ with ^
      one.uri += query[at];
    }
    if (at >= query.size()) return bad("xmlns() in the query has no end");
    query.remove_prefix(at + 1);
    out.push_back(std::move(one));
  }
  return out;
}

Result<Selector> parse_selector(std::string_view text, std::string_view default_ns,
                                const std::vector<xml::Declaration>& bindings) {
  Selector out;
  Cursor cursor(text, default_ns, bindings);
  do {
    if (!out.steps.empty() && cursor.skip("namespace::*")) {
      out.target = Target::namespaces;
      break;
    }
    if (!out.steps.empty() && cursor.skip("@")) {
      auto [ns, name] = TRY(cursor.qname(false));
      out.target = Target::attribute;
      out.attribute_ns = std::move(ns);
      out.attribute = std::move(name);
      break;
    }
    if (out.steps.size() == kMostSteps) return bad("selector has more than 32 steps");
    out.steps.push_back(TRY(read_step(cursor)));
  } while (cursor.skip("/"));
  if (!cursor.done()) return cursor.unexpected();
  return out;
}

SelectorText write_selector(const Selector& selector, std::string_view default_ns) {
  SelectorText out;
  Prefixes prefixes;
  for (const Step& step : selector.steps) {
    if (!out.text.empty()) out.text += '/';
    out.text += prefixes.name(step.ns, default_ns, step.name);
    if (step.position) out.text += "[" + std::to_string(step.position) + "]";
    if (step.test)
      out.text += "[@" + prefixes.name(step.test->ns, {}, step.test->name) + "=\"" +
                  escaped(step.test->value) + "\"]";
  }
  if (selector.target == Target::namespaces) out.text += "/namespace::*";
  if (selector.target == Target::attribute)
    out.text += "/@" + prefixes.name(selector.attribute_ns, {}, selector.attribute);
  out.query = prefixes.query();
  return out;
}

Located locate(const xml::Element& root, std::span<const Step> steps) {
  Located out;
  std::vector<std::size_t> path;
  if (!steps.empty()) walk(std::span(&root, 1), steps, path, true, out);
  return out;
}

const xml::Element& element_at(const xml::Element& root, std::span<const std::size_t> path) {
  const xml::Element* at = &root;
  for (const std::size_t index : path) at = &at->children[index];
  return *at;
}

xml::Element& element_at(xml::Element& root, std::span<const std::size_t> path) {
  xml::Element* at = &root;
  for (const std::size_t index : path) at = &at->children[index];
  return *at;
}

}  // namespace regroup::xcap
