// SPDX-License-Identifier: Apache-2.0
#include "app/kms/identity_list.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "app/config_values.hpp"
#include "base/text.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kClause = "docs/formats.md, Identity list";
constexpr std::size_t kMostLines = 1'000'000, kMostOfLine = 4096;
constexpr std::array<std::string_view, 4> kColumns = {"uri", "server", "suspended", "transport_keys"};

Error malformed(std::string detail, std::string cure) {
  return fail(Errc::malformed, kClause, std::move(detail), std::move(cure));
}

// One field, taken off the front of `rest`; nullopt for quotes that do not match.
std::optional<std::string> take_field(std::string_view& rest) {
  std::string out;
  if (rest.empty() || rest[0] != '"') {
    const std::size_t end = std::min(rest.find(','), rest.size());
    out = std::string(rest.substr(0, end));
    rest = rest.substr(end);
    return out.find('"') == std::string::npos ? std::optional(out) : std::nullopt;
  }
  for (std::size_t i = 1; i < rest.size(); ++i) {
    const bool quote = rest[i] == '"', doubled = quote && i + 1 < rest.size() && rest[i + 1] == '"';
    if (quote && !doubled) {
      rest = rest.substr(i + 1);
      return rest.empty() || rest[0] == ',' ? std::optional(out) : std::nullopt;
    }
    out += rest[i];
    i += doubled;
  }
  return std::nullopt;
}

Result<std::vector<std::string>> fields_of(std::string_view line) {
  if (line.size() > kMostOfLine)
    return malformed("the line has more than " + std::to_string(kMostOfLine) + " octets",
                     "write one identity a line");
  std::vector<std::string> out;
  for (;;) {
    auto field = take_field(line);
    if (!field) return malformed("quotes that do not match", "write \"\" for a quote inside quotes");
    out.push_back(std::move(*field));
    if (line.empty()) return out;
    line.remove_prefix(1);  // the comma
  }
}

// Which field holds which of kColumns; npos for a column that is not there.
using Places = std::array<std::size_t, kColumns.size()>;
Result<Places> places_of(const std::vector<std::string>& names) {
  Places out;
  out.fill(std::string::npos);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto column = std::find(kColumns.begin(), kColumns.end(), names[i]);
    if (column == kColumns.end())
      return malformed("line 1: column '" + printable(names[i], 40) + "' is not known",
                       "name the columns uri,server,suspended,transport_keys");
    std::size_t& place = out[static_cast<std::size_t>(column - kColumns.begin())];
    if (place != std::string::npos)
      return malformed("line 1: column " + names[i] + " stands there twice", "remove one");
    place = i;
  }
  if (out[0] == std::string::npos)
    return malformed("line 1: there is no column uri", "begin with the line uri,server,suspended");
  return out;
}

Result<bool> truth_of(const std::string& text, std::string_view column) {
  if (text.empty() || text == "false") return false;
  if (text == "true") return true;
  return malformed(std::string(column) + ": '" + printable(text, 40) + "' is not true or false",
                   "write true, false or nothing");
}

Result<IdentityLine> line_of(std::string_view text, const Places& places, std::size_t columns) {
  const std::vector<std::string> fields = TRY(fields_of(text));
  if (fields.size() != columns)
    return malformed("the line has " + std::to_string(fields.size()) + " fields, the first line names " +
                         std::to_string(columns),
                     "write an empty field where there is no value");
  const auto at = [&](std::size_t column) {
    return places[column] == std::string::npos ? std::string() : fields[places[column]];
  };
  mcx::McpttId identity = TRY(identity_value(at(0)));
  IdentityLine out{0, std::move(identity)};
  out.server = TRY(truth_of(at(1), kColumns[1]));
  out.suspended = TRY(truth_of(at(2), kColumns[2]));
  out.transport_keys = at(3);
  if (out.transport_keys.empty() || out.transport_keys == "wrap" || out.transport_keys == "wrap+sign")
    return out;
  return malformed("transport_keys: '" + printable(out.transport_keys, 40) + "' is no policy",
                   "write wrap+sign, wrap or nothing");
}

}  // namespace

Result<IdentityList> parse_identity_list(OctetsView octets) {
  std::string_view rest = text_of(octets);
  if (rest.substr(0, 3) == "\xef\xbb\xbf") rest.remove_prefix(3);
  IdentityList out;
  std::optional<Places> places;
  std::size_t columns = 0;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!places) {
      const std::vector<std::string> names = TRY(fields_of(line));
      columns = names.size();
      places = TRY(places_of(names));
      continue;
    }
    if (number > kMostLines)
      return fail(Errc::limit, kClause, "the list has more than 1,000,000 lines", "split it");
    if (line.empty()) continue;
    auto one = line_of(line, *places, columns);
    if (one.ok()) {
      one->line = number;
      out.lines.push_back(std::move(one).value());
    } else {
      out.bad.push_back({number, std::move(one).error()});
    }
  }
  if (!places) return malformed("the list is empty", "begin with the line uri,server,suspended");
  return out;
}

}  // namespace regroup::app
