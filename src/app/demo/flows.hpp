// SPDX-License-Identifier: Apache-2.0
// The procedures as a dispatcher starts them, and the wait for what must come of them: every member INSTALLED
// (of tear-down WITHDRAWN), told by the ledgers of both GMSs and by the clients themselves.
#pragma once

#include <set>

#include "app/demo/lab.hpp"
#include "app/demo/report.hpp"

namespace regroup::app::demo {

class Flows {
 public:
  Flows(Lab& lab, Report& report, std::ostream& out) : lab_(lab), report_(report), out_(out) {}

  void group_creation();
  void regroup_single();
  // A second key for floor control: `media` and `floor` name the two flows of the report, one for each key.
  void regroup_multi(const std::string& media, const std::string& floor, const std::string& procedure);
  // Tears down the last temporary group: both its keys, a flow of the report each.
  void teardown();

 private:
  // One key of one group as it must stand with everybody.
  struct View {
    std::string flow;  // its name in the report and in the evidence
    std::string group;
    std::vector<std::pair<System*, std::vector<std::string>>> members;
    std::string use = "both";
    std::size_t keys = 1;  // that the group has in all
    std::string state = "INSTALLED";
    std::string via = "notify";  // how the key came to each member
    bool with_partner = false;
  };
  bool create(System& system, const std::string& group, const std::vector<std::string>& members);
  // Waits until every member watches its groups: the key then comes inside the notification (TS 33.179
  // 7.3.4).
  bool watched(const std::vector<std::string>& groups);
  std::string regroup(System& system, const std::vector<std::string>& groups,
                      const std::string& floor_key = "none", const std::string& procedure = "one");
  // Polls the ledgers until the key is in its state for every member; the flow's JSON.
  json wait(const View& view);
  json look(const View& view);
  bool look_at_member(const View& view, const System& system, const std::string& user, const json& ledger,
                      const json& key, json& out);
  bool look_at_partner(const View& view, const json& ledger, const std::string& gmk_id, json& out);
  void keep(const std::string& flow, const json& ledger, const std::string& gmk_id);
  void done(const View& view);
  [[nodiscard]] View of_both_systems(const std::string& flow, const std::string& use) const;

  Lab& lab_;
  Report& report_;
  std::ostream& out_;
  std::map<std::string, std::vector<std::string>> members_;  // of the groups created
  std::string temporary_;
  std::set<std::string> kept_;  // messages already in the evidence
};

}  // namespace regroup::app::demo
