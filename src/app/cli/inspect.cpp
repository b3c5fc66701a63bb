// SPDX-License-Identifier: Apache-2.0
#include "app/cli/inspect.hpp"

#include <iomanip>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/key_files.hpp"
#include "app/cli/message_input.hpp"
#include "base/text.hpp"
#include "mikey/error_code.hpp"
#include "mikey/explain.hpp"

namespace regroup::app::cli {

namespace {

enum Exit { kWhole = 0, kUsage = 2, kBroken = 3 };

constexpr std::size_t kOctetsShown = 16;

// Long octet strings show their two ends.
std::string shortened(const Octets& octets) {
  if (octets.size() <= kOctetsShown) return hex(octets);
  const OctetsView all = octets;
  return hex(all.first(10)) + " .. " + hex(all.last(6));
}

std::string sentence(const mikey::Line& line) {
  std::string out = line.field + " = " + line.value;
  if (!line.meaning.empty()) out += " (" + line.meaning + ")";
  return out;
}

void print(const mikey::Explanation& explanation, std::ostream& out) {
  std::string_view payload;
  for (const mikey::Line& line : explanation.lines) {
    const bool same_again =
        line.field == "next payload" && line.payload != "HDR";  // each but HDR begins with it
    if (line.payload != payload || same_again) out << std::string(19, ' ') << "-- " << line.payload << "\n";
    payload = line.payload;
    out << std::setw(6) << line.offset << "  " << std::left << std::setw(4) << line.octets.size() << " "
        << std::setw(38) << shortened(line.octets) << " " << std::setw(60) << sentence(line) << std::right
        << " [" << line.clause << "]\n";
  }
  if (!explanation.complete())
    out << "breaks at offset " << explanation.breaks_at << ": " << explanation.error->text() << "\n";
}

nlohmann::json json_of(const mikey::Line& line) {
  return {{"offset", line.offset},   {"length", line.octets.size()}, {"octets", hex(line.octets)},
          {"payload", line.payload}, {"field", line.field},          {"value", line.value},
          {"meaning", line.meaning}, {"clause", line.clause}};
}

nlohmann::json json_of(const Error& error) {
  return {{"code", name_of(error.code)},
          {"clause", error.clause},
          {"detail", error.detail},
          {"cure", error.cure},
          {"mikey_error", mikey::error_code(error)}};
}

nlohmann::json json_of(const MessageInput& input, const mikey::Explanation& explanation) {
  nlohmann::json fields = nlohmann::json::array();
  for (const mikey::Line& line : explanation.lines) fields.push_back(json_of(line));
  nlohmann::json out{{"form", name_of(input.form)},
                     {"octets", input.octets.size()},
                     {"complete", explanation.complete()},
                     {"breaks_at", nullptr},
                     {"error", nullptr},
                     {"fields", std::move(fields)}};
  if (explanation.complete()) return out;
  out["breaks_at"] = explanation.breaks_at;
  out["error"] = json_of(*explanation.error);
  return out;
}

int refuse_input(const Error& error, int code, bool json, std::ostream& out, std::ostream& err) {
  err << "regroup inspect: " << error.text() << "\n";
  if (json)
    out << nlohmann::json{{"complete", false},
                          {"breaks_at", 0},
                          {"error", json_of(error)},
                          {"fields", nlohmann::json::array()}}
               .dump(2)
        << "\n";
  return code;
}

}  // namespace

int run_inspect(const InspectOptions& options, std::istream& in, std::ostream& out, std::ostream& err) {
  if (options.file.empty()) {
    err << "regroup inspect: name a file, or - for standard input\n";
    return kUsage;
  }
  const auto octets = read_named(options.file, in);
  if (!octets) return refuse_input(octets.error(), kUsage, options.json, out, err);
  const auto input = detect_message(*octets);
  if (!input) return refuse_input(input.error(), kBroken, options.json, out, err);

  const mikey::Explanation explanation = mikey::explain(input->octets);
  if (options.json) {
    out << json_of(*input, explanation).dump(2) << "\n";
  }
  if (!options.json) print(explanation, out);
  return explanation.complete() ? kWhole : kBroken;
}

}  // namespace regroup::app::cli
