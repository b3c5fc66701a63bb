// SPDX-License-Identifier: Apache-2.0
#include "xml/scan.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "xml/unicode.hpp"

namespace regroup::xml {
namespace {

constexpr std::string_view kXml = "XML 1.0";

bool ends_name(char c) {
  return is_space(c) || c == '=' || c == '<' || c == '>' || c == '/' || c == '"' || c == '\'' || c == '?' ||
         c == '!';
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

// The value of encoding="..." in an XML declaration; "UTF-8" when it has none.
std::string_view declared_encoding(std::string_view declaration) {
  const std::size_t word = declaration.find("encoding");
  if (word == std::string_view::npos) return "UTF-8";
  const std::size_t open = declaration.find_first_of("\"'", word);
  if (open == std::string_view::npos) return {};
  const std::size_t close = declaration.find(declaration[open], open + 1);
  if (close == std::string_view::npos) return {};
  return declaration.substr(open + 1, close - open - 1);
}

class Scanner {
 public:
  Scanner(std::string_view document, const Limits& limits) : document_(document), limits_(limits) {}

  Result<void> run() {
    while ((at_ = document_.find('<', at_)) != std::string_view::npos) TRY(markup());
    return {};
  }

 private:
  bool at(std::string_view text) const { return document_.substr(at_, text.size()) == text; }
  bool end() const { return at_ >= document_.size(); }

  Error broken(std::string_view what) const {
    const auto before = document_.substr(0, std::min(at_, document_.size()));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    return not_well_formed("line " + std::to_string(line) + ": " + std::string(what));
  }
  Error over(std::string_view what, std::size_t limit) const {
    return fail(Errc::limit, kXml, "more than " + std::to_string(limit) + " " + std::string(what),
                "send a simpler document");
  }

  Result<void> markup() {
    if (at("<?")) return instruction();
    if (at("<!--")) return skip("<!--", "-->", "comment without an end");
    if (at("<![CDATA[")) return skip("<![CDATA[", "]]>", "CDATA section without an end");
    if (at("<!"))
      return fail(Errc::unsupported, kXml, "a document type declaration (<!...>)",
                  "send the document without DOCTYPE; no protocol here needs one");
    if (at("</")) return end_tag();
    return start_tag();
  }

  Result<void> skip(std::string_view open, std::string_view close, std::string_view complaint) {
    const std::size_t found = document_.find(close, at_ + open.size());
    if (found == std::string_view::npos) return broken(complaint);
    at_ = found + close.size();
    return {};
  }

  Result<void> instruction() {
    const std::size_t start = at_;
    TRY(skip("<?", "?>", "processing instruction without an end"));
    if (start != 0 || document_.substr(0, 5) != "<?xml" || !is_space(document_[5])) return {};
    const std::string_view encoding = declared_encoding(document_.substr(0, at_));
    if (same_ignoring_case(encoding, "UTF-8") || same_ignoring_case(encoding, "US-ASCII")) return {};
    return fail(Errc::unsupported, "RFC 7303", "encoding \"" + printable(encoding, 40) + "\"", "send UTF-8");
  }

  Result<void> end_tag() {
    at_ += 2;
    TRY(name("end tag without a name"));
    spaces();
    if (end() || document_[at_] != '>') return broken("end tag without >");
    ++at_;
    if (depth_ == 0) return broken("end tag without a start tag");
    --depth_;
    return {};
  }

  Result<void> start_tag() {
    ++at_;
    TRY(name("< without a name"));
    if (++elements_ > limits_.elements) return over("elements", limits_.elements);
    if (depth_ + 1 > limits_.depth) return over("levels of elements", limits_.depth);
    for (std::size_t attributes = 0;; ++attributes) {
      const bool spaced = spaces();
      if (end()) return broken("start tag without >");
      if (at("/>")) {
        at_ += 2;
        return {};
      }
      if (document_[at_] == '>') {
        ++at_;
        ++depth_;
        return {};
      }
      if (!spaced) return broken("no space before an attribute");
      if (attributes == limits_.attributes) return over("attributes of one element", limits_.attributes);
      TRY(attribute());
    }
  }

  Result<void> attribute() {
    TRY(name("attribute without a name"));
    spaces();
    if (end() || document_[at_] != '=') return broken("attribute without =");
    ++at_;
    spaces();
    if (end() || (document_[at_] != '"' && document_[at_] != '\''))
      return broken("attribute value without quotes");
    const std::size_t close = document_.find(document_[at_], at_ + 1);
    if (close == std::string_view::npos) return broken("attribute value without an end");
    if (document_.substr(at_, close - at_).find('<') != std::string_view::npos)
      return broken("< in an attribute value");
    at_ = close + 1;
    return {};
  }

  Result<void> name(std::string_view complaint) {
    const std::size_t start = at_;
    while (!end() && !ends_name(document_[at_])) ++at_;
    if (at_ == start) return broken(complaint);
    return {};
  }
  bool spaces() {
    const std::size_t start = at_;
    while (!end() && is_space(document_[at_])) ++at_;
    return at_ != start;
  }

  std::string_view document_;
  const Limits& limits_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t elements_ = 0;
};

}  // namespace

Error not_well_formed(std::string detail, std::string_view clause) {
  return fail(Errc::malformed, clause, std::move(detail), "give one whole XML document, in UTF-8");
}

Result<void> scan(std::string_view document, const Limits& limits) {
  if (document.size() > limits.octets)
    return fail(Errc::limit, kXml,
                "a document of " + std::to_string(document.size()) + " octets; at most " +
                    std::to_string(limits.octets) + " are read",
                "send a smaller document");
  if (!is_text(document))
    return not_well_formed("octets that are not UTF-8 or characters that XML cannot carry", "XML 1.0, 2.2");
  return Scanner(document, limits).run();
}

}  // namespace regroup::xml
