// SPDX-License-Identifier: Apache-2.0
// A procedure is a table: in this state, on this event, take that step. The code dispatches on the rows, and
// docs/flows.md is drawn from them, so that neither can drift from the other. An event without a row has no
// effect: it came late, or twice.
#pragma once

#include <span>

#include "gms/gms.hpp"

namespace regroup::flow {

// Where a regroup stands: gms::RegroupState, and `none` before there is a record.
enum class Stage : std::uint8_t { none, asking, active, rejected, reserved, torn_down };

enum class Event : std::uint8_t {
  wanted,            // primary: a regroup request whose groups are partly homed elsewhere (C1)
  asked,             // partner: C3
  partner_accepts,   // primary: C5
  partner_rejects,   // primary: C5
  ask_time_over,     // primary: T_ask
  restarted,         // this GMS was killed and is back
  notified,          // partner: C9
  members_answered,  // partner: every member that listens has acknowledged
  wait_over,         // primary: c13_wait; partner: c12_wait
  holds_key,         // primary: C12, accepted
  refuses_key,       // primary: C12, rejected
  no_answer,         // primary: C9 went unanswered
  retry_due,         // primary: the back-off of one partner's message is over
  second_run_due,    // primary, procedure two: the floor key
  teardown,          // the dispatcher at the primary, the primary at a partner
  withdrew           // primary: a partner has answered the tear-down
};
[[nodiscard]] std::string_view name_of(Stage stage);
[[nodiscard]] std::string_view name_of(Event event);

// What has happened, as far as the step needs to know.
struct Happening {
  Event event;
  std::string peer = {};                                   // the partner it is about, or that sent it
  gms::Ticket ticket = gms::kNobody;                       // who waits for the answer
  std::uint32_t seq = 0;                                   // of the C9 that is answered
  const gms::Answer* answer = nullptr;                     // C5, C12
  const gms::RegroupRequest* request = nullptr;            // C3
  const gms::RegroupNotification* notification = nullptr;  // C9
  const gms::TeardownRequest* teardown = nullptr;
  std::vector<Error>* why = nullptr;  // reasons for the log of this GMS, never for a peer
};

// Takes the record as it is (or, from `none`, as staged) and gives what to store and do.
using Step = gms::Outcome (*)(gms::Gms&, gms::Regroup, const Happening&);

struct Row {
  gms::RegroupRole role;
  Stage from;
  Event event;
  Step step;
  std::string_view clause;  // the step in the specification
  std::string_view does;
  std::string_view to;  // the state or states it leads to
};

[[nodiscard]] std::span<const Row> regroup_multi_table();
[[nodiscard]] std::span<const Row> teardown_table();

// The step of the row that fits, or nothing.
[[nodiscard]] gms::Outcome advance(gms::Gms& gms, Stage from, gms::Regroup regroup, const Happening& what);
// The same for the record `ref`; nothing when there is none.
[[nodiscard]] gms::Outcome advance(gms::Gms& gms, const std::string& ref, const Happening& what);

[[nodiscard]] Stage stage_of(gms::RegroupState state);

}  // namespace regroup::flow
