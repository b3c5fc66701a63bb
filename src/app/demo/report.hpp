// SPDX-License-Identifier: Apache-2.0
// What the demo found out: flows, refusals, and the evidence an examiner needs to repeat it with other
// software.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace regroup::app::demo {

struct Report {
  nlohmann::json flows = nlohmann::json::object();
  nlohmann::json refusals = nlohmann::json::array();
  std::vector<nlohmann::json> messages;  // lines of messages.jsonl
  double wall_s = 0;

  [[nodiscard]] bool ok() const;  // every flow, its way of delivery included, and every refusal
  [[nodiscard]] nlohmann::json json() const;
};

// The flows that must be there; one that was not reached stands as {"ok": false}. Beside them the report has
// the other groups' creation and the media key of the second procedure, so that every message of the evidence
// belongs to a flow.
inline constexpr const char* kFlows[] = {"group_creation",          "regroup_single",
                                         "regroup_multi",           "regroup_multi_floor_one",
                                         "regroup_multi_floor_two", "teardown"};

// A table: member, GUK-ID, who signed, state, way, time.
void print_flow(const std::string& name, const nlohmann::json& flow, std::ostream& out);

}  // namespace regroup::app::demo
