// SPDX-License-Identifier: Apache-2.0
#include "flow/procedure.hpp"

namespace regroup::flow {

std::string_view name_of(Stage stage) {
  switch (stage) {
    case Stage::none:
      return "none";
    case Stage::asking:
      return "asking";
    case Stage::active:
      return "active";
    case Stage::rejected:
      return "rejected";
    case Stage::reserved:
      return "reserved";
    case Stage::torn_down:
      return "torn_down";
  }
  return "none";
}

std::string_view name_of(Event event) {
  switch (event) {
    case Event::wanted:
      return "C1";
    case Event::asked:
      return "C3";
    case Event::partner_accepts:
      return "C5 accepted";
    case Event::partner_rejects:
      return "C5 rejected";
    case Event::ask_time_over:
      return "T_ask over";
    case Event::restarted:
      return "restart";
    case Event::notified:
      return "C9";
    case Event::members_answered:
      return "members answered";
    case Event::wait_over:
      return "wait over";
    case Event::holds_key:
      return "C12 accepted";
    case Event::refuses_key:
      return "C12 rejected";
    case Event::no_answer:
      return "no answer";
    case Event::retry_due:
      return "retry due";
    case Event::second_run_due:
      return "second run due";
    case Event::teardown:
      return "tear-down";
    case Event::withdrew:
      return "tear-down answered";
  }
  return "";
}

Stage stage_of(gms::RegroupState state) {
  switch (state) {
    case gms::RegroupState::asking:
      return Stage::asking;
    case gms::RegroupState::active:
      return Stage::active;
    case gms::RegroupState::rejected:
      return Stage::rejected;
    case gms::RegroupState::reserved:
      return Stage::reserved;
    case gms::RegroupState::torn_down:
      return Stage::torn_down;
  }
  return Stage::none;
}

gms::Outcome advance(gms::Gms& gms, Stage from, gms::Regroup regroup, const Happening& what) {
  for (const std::span<const Row> table : {regroup_multi_table(), teardown_table()})
    for (const Row& row : table)
      if (row.role == regroup.role && row.from == from && row.event == what.event)
        return row.step(gms, std::move(regroup), what);
  return {};
}

gms::Outcome advance(gms::Gms& gms, const std::string& ref, const Happening& what) {
  const auto found = gms.state().regroups.find(ref);
  if (found == gms.state().regroups.end()) return {};
  return advance(gms, stage_of(found->second.state), found->second, what);
}

}  // namespace regroup::flow
