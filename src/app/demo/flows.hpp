// SPDX-License-Identifier: Apache-2.0
// The procedures as a dispatcher starts them, and the wait for what must come of them: every member INSTALLED
// (of tear-down WITHDRAWN), told by the ledgers of both GMSs and by the clients themselves.
#pragma once

#include "app/demo/lab.hpp"
#include "app/demo/report.hpp"

namespace regroup::app::demo {

class Flows {
 public:
  Flows(Lab& lab, Report& report, std::ostream& out) : lab_(lab), report_(report), out_(out) {}

  void group_creation();
  void regroup_single();
  void regroup_multi(const std::string& name, const std::string& floor_key, const std::string& procedure);
  // Tears down the last temporary group; reported under "teardown" when `name` says so.
  void teardown(const std::string& name = {});

 private:
  bool create(System& system, const std::string& group, const std::vector<std::string>& members);
  std::string regroup(System& system, const std::vector<std::string>& groups,
                      const std::string& floor_key = "none", const std::string& procedure = "one");
  // Polls the ledgers until `keys` keys are in `state` for every member; the flow's JSON.
  json wait(const std::string& flow, const std::string& group,
            const std::vector<std::pair<System*, std::vector<std::string>>>& members,
            const std::string& state, std::size_t keys, bool with_partner);
  json look(const std::string& flow, const std::string& group,
            const std::vector<std::pair<System*, std::vector<std::string>>>& members,
            const std::string& state, std::size_t keys, bool with_partner);
  void keep(const std::string& flow, const json& ledger);
  void done(const std::string& name, json flow);

  Lab& lab_;
  Report& report_;
  std::ostream& out_;
  std::string temporary_;
  std::size_t temporary_keys_ = 1;
  std::vector<std::string> kept_;  // messages already in the evidence
};

}  // namespace regroup::app::demo
