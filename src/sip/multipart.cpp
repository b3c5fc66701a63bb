// SPDX-License-Identifier: Apache-2.0
#include "sip/multipart.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace regroup::sip {
namespace {

constexpr std::string_view kClause = "RFC 2046 5.1.1";
constexpr std::string_view kFewer = "send fewer and shorter ones";
constexpr std::string_view kOneLine = "write it in one line, without control characters";

Error malformed(std::size_t offset, std::string what) {
  return fail(Errc::malformed, kClause,
              "multipart at offset " + std::to_string(offset) + ": " + std::move(what),
              "send parts as RFC 2046 5.1 has them: boundary, header lines, an empty line, content, closing "
              "boundary");
}

// bchars of RFC 2046 5.1.1; at most 70, the last one no space.
bool is_boundary(std::string_view text) {
  constexpr std::string_view marks = "'()+_,-./:=? ";
  return !text.empty() && text.size() <= 70 && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  marks.find(c) != marks.npos;
         });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// A delimiter line: where it starts (with the CRLF before it), where the next line starts, whether it closes.
struct Delimiter {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool last = false;
};

// The next delimiter at or after `from`. "--boundary" counts only at the start of a line and when nothing but
// blanks follow it: the same octets inside a body line are content.
std::optional<Delimiter> next_delimiter(std::string_view body, std::string_view dash_boundary,
                                        std::size_t from) {
  for (std::size_t at = body.find(dash_boundary, from); at != body.npos;
       at = body.find(dash_boundary, at + 1)) {
    const bool at_line = at == 0 || (at >= 2 && body.substr(at - 2, 2) == "\r\n");
    if (!at_line || (at && at - 2 < from)) continue;
    std::size_t end = at + dash_boundary.size();
    const bool last = body.substr(end, 2) == "--";
    if (last) end += 2;
    while (end < body.size() && (body[end] == ' ' || body[end] == '\t')) ++end;
    const bool closes_line = body.substr(end, 2) == "\r\n";
    if (!closes_line && !(last && end == body.size())) continue;
    return Delimiter{at ? at - 2 : 0, closes_line ? end + 2 : end, last};
  }
  return {};
}

Result<void> take_header(Part& part, std::string_view line, std::size_t offset) {
  const std::size_t colon = line.find(':');
  if (colon == line.npos || colon == 0) return malformed(offset, "a header line without a name");
  const std::string_view name = trim(line.substr(0, colon));
  const std::string_view value = trim(line.substr(colon + 1));
  if (!is_single_line(line) || name.empty()) return malformed(offset, "a control character in a header line");
  if (same_token(name, "Content-Type")) {
    if (!part.content_type.empty()) return malformed(offset, "two Content-Type headers");
    part.content_type = value;
    return {};
  }
  if (same_token(name, "Content-Transfer-Encoding") && !same_token(value, "binary") &&
      !same_token(value, "8bit") && !same_token(value, "7bit"))
    return fail(Errc::unsupported, "RFC 2045 6.1", "Content-Transfer-Encoding " + printable(value, 30),
                "send the part as it is (binary)");
  if (part.headers.size() >= kMostPartHeaders)
    return fail(Errc::limit, kClause, "a part with more than 16 headers", std::string(kFewer));
  part.headers.push_back({std::string(name), std::string(value)});
  return {};
}

Result<Part> parse_part(std::string_view text, std::size_t offset) {
  Part part;
  std::size_t at = 0;
  // Header lines up to the empty line; a part that starts with the empty line has none.
  for (;;) {
    const std::size_t end = text.find("\r\n", at);
    if (end == text.npos) return malformed(offset + at, "a part without the empty line after its headers");
    if (end > kMostPartHeaderOctets)
      return fail(Errc::limit, kClause, "a part with a header of more than 4096 octets", std::string(kFewer));
    if (end == at) break;
    TRY(take_header(part, text.substr(at, end - at), offset + at));
    at = end + 2;
  }
  part.body = to_octets(view(text.substr(at + 2)));
  return part;
}

}  // namespace

bool has_type(std::string_view content_type, std::string_view type) {
  return same_token(trim(content_type.substr(0, content_type.find(';'))), type);
}

bool is_multipart(std::string_view content_type) { return has_type(content_type, "multipart/mixed"); }

const Part* find_part(const std::vector<Part>& parts, std::string_view type) {
  for (const Part& part : parts)
    if (has_type(part.content_type, type)) return &part;
  return nullptr;
}

Result<std::vector<Part>> parse_multipart(std::string_view content_type, OctetsView octets) {
  if (!is_multipart(content_type))
    return fail(Errc::unsupported, kClause, "Content-Type " + printable(content_type, 60),
                "send multipart/mixed");
  const std::string boundary = split_parameters(content_type).parameter("boundary").value_or("");
  if (!is_boundary(boundary))
    return malformed(0, "the boundary is missing or not of 1 to 70 allowed characters");
  const std::string dash_boundary = "--" + boundary;
  const std::string_view body = text_of(octets);

  std::optional<Delimiter> from = next_delimiter(body, dash_boundary, 0);
  if (!from || from->last) return malformed(0, "no part: the boundary does not occur");
  std::vector<Part> parts;
  while (!from->last) {
    if (parts.size() >= kMostParts)
      return fail(Errc::limit, kClause, "more than 16 parts", std::string(kFewer));
    // The CRLF before a delimiter belongs to it, so an empty part's delimiter may start two octets back.
    const std::optional<Delimiter> to = next_delimiter(body, dash_boundary, from->end);
    if (!to) return malformed(from->end, "the closing boundary is missing");
    parts.push_back(TRY(parse_part(body.substr(from->end, to->begin - from->end), from->end)));
    from = to;
  }
  return parts;
}

Result<Multipart> write_multipart(const std::vector<Part>& parts, Random& random) {
  if (parts.empty() || parts.size() > kMostParts)
    return fail(Errc::usage, kClause, "a multipart of " + std::to_string(parts.size()) + " parts",
                "give it 1 to 16");
  std::string boundary;
  const auto contains = [&boundary](const Part& part) {
    return text_of(part.body).find(boundary) != std::string_view::npos;
  };
  do {
    boundary = "rg-" + hex(random.octets<12>());
  } while (std::any_of(parts.begin(), parts.end(), contains));

  Multipart out;
  out.content_type = "multipart/mixed;boundary=\"" + boundary + "\"";
  std::size_t size = 0;
  for (const Part& part : parts) size += part.body.size() + 1024;
  out.body.reserve(size);  // a body that grows would leave copies of the token in it behind
  for (const Part& part : parts) {
    std::string header = "--" + boundary + "\r\n";
    if (!part.content_type.empty()) header += "Content-Type: " + part.content_type + "\r\n";
    if (!is_single_line(part.content_type))
      return fail(Errc::usage, kClause, "a part's Content-Type is no single line", std::string(kOneLine));
    for (const Header& h : part.headers) {
      if (!is_single_line(h.name) || !is_single_line(h.value) || h.name.empty() ||
          h.name.find(':') != h.name.npos)
        return fail(Errc::usage, kClause, "a part's header is no single line", std::string(kOneLine));
      header += h.name + ": " + h.value + "\r\n";
    }
    append(out.body, view(header + "\r\n"));
    append(out.body, part.body);
    append(out.body, view("\r\n"));
  }
  append(out.body, view("--" + boundary + "--\r\n"));
  return out;
}

}  // namespace regroup::sip
