// SPDX-License-Identifier: Apache-2.0
#include "app/demo/report.hpp"

#include <iomanip>
#include <ostream>

namespace regroup::app::demo {

bool Report::ok() const {
  for (const char* name : kFlows)
    if (!flows.contains(name) || !flows[name].value("ok", false)) return false;
  for (const auto& [name, flow] : flows.items())
    if (!flow.value("ok", false)) return false;
  for (const auto& one : refusals)
    if (!one.value("refused", false)) return false;
  return !refusals.empty();
}

nlohmann::json Report::json() const {
  nlohmann::json all = flows;
  for (const char* name : kFlows)
    if (!all.contains(name)) all[name] = nlohmann::json{{"ok", false}};
  return {{"flows", all}, {"refusals", refusals}, {"wall_s", wall_s}};
}

void print_flow(const std::string& name, const nlohmann::json& flow, std::ostream& out) {
  out << "\n"
      << name << (flow.value("ok", false) ? "" : "  (NOT OK)") << "  " << flow.value("group", "") << "\n";
  for (const auto& key : flow.value("keys", nlohmann::json::array()))
    out << "  key " << key.value("gmk_id", "") << "  use " << key.value("use", "") << "\n";
  out << "  " << std::left << std::setw(30) << "member" << std::setw(10) << "GUK-ID" << std::setw(10)
      << "GMK-ID" << std::setw(24) << "signed by" << std::setw(11) << "state" << std::setw(8) << "via"
      << "time\n";
  const auto row = [&](const nlohmann::json& one, const std::string& who) {
    out << "  " << std::left << std::setw(30) << who << std::setw(10) << one.value("guk_id", "")
        << std::setw(10) << one.value("gmk_id", "") << std::setw(24) << one.value("signed_by", "")
        << std::setw(11) << one.value("state", "") << std::setw(8) << one.value("via", "")
        << one.value("time", "") << "\n";
  };
  for (const auto& member : flow.value("members", nlohmann::json::array()))
    row(member, member.value("mcptt_id", ""));
  if (flow.contains("partner")) row(flow["partner"], flow["partner"].value("uri", "") + " (GMS)");
  out << std::flush;
}

}  // namespace regroup::app::demo
