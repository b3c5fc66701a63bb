// SPDX-License-Identifier: Apache-2.0
#include "flow/teardown.hpp"

#include <algorithm>

#include "flow/forming.hpp"
#include "flow/procedure.hpp"

namespace regroup::flow {

using namespace gms;  // NOLINT: a flow reads as the clause, in the words of gms/

namespace {

Outcome withdraw_everywhere(Gms&, Regroup, const Happening&);
Outcome withdraw_here(Gms&, Regroup, const Happening&);
Outcome release(Gms&, Regroup, const Happening&);
Outcome note_withdrawal(Gms&, Regroup, const Happening&);
Outcome tell_again(Gms&, Regroup, const Happening&);
Outcome release_late(Gms&, Regroup, const Happening&);
Outcome tell_all_again(Gms&, Regroup, const Happening&);
Outcome back_off_partner(Gms&, Regroup, const Happening&);

constexpr RegroupRole primary = RegroupRole::primary;
constexpr RegroupRole partner_gms = RegroupRole::partner;
constexpr std::string_view kKeepAtIt = "the same tear-down; after T_notify partner FAILED";

constexpr Row kTable[] = {
    {primary, Stage::active, Event::teardown, withdraw_everywhere, "TS 23.179 10.6.2",
     "free the constituents, withdraw the keys, tell own users and partners", "torn_down"},
    {primary, Stage::torn_down, Event::withdrew, note_withdrawal, "", "partner WITHDRAWN", "torn_down"},
    {primary, Stage::torn_down, Event::no_answer, back_off_partner, "", "wait: 1, 2, 4 ... 600 s",
     "torn_down"},
    {primary, Stage::torn_down, Event::retry_due, tell_again, "", kKeepAtIt, "torn_down"},
    {primary, Stage::torn_down, Event::restarted, tell_all_again, "", "the same tear-down", "torn_down"},
    {primary, Stage::rejected, Event::withdrew, note_withdrawal, "", "partner WITHDRAWN", "rejected"},
    {primary, Stage::rejected, Event::partner_accepts, release_late, "", "too late: tear-down of its id",
     "rejected"},
    {primary, Stage::rejected, Event::no_answer, back_off_partner, "", "wait: 1, 2, 4 ... 600 s", "rejected"},
    {primary, Stage::rejected, Event::retry_due, tell_again, "", kKeepAtIt, "rejected"},
    {primary, Stage::rejected, Event::restarted, tell_all_again, "", "the same tear-down", "rejected"},
    {partner_gms, Stage::reserved, Event::teardown, release, "TS 23.179 10.6.2", "the groups are free again",
     "torn_down"},
    {partner_gms, Stage::active, Event::teardown, withdraw_here, "TS 23.179 10.6.2",
     "free the constituents, withdraw the keys, tell own users", "torn_down"},
};

Answer done_with(const TeardownRequest& request) {
  Answer done;
  done.accepted = true;
  done.temporary = request.temporary;
  return done;
}

// Stores the end of the regroup and answers whoever waits, for it or for this tear-down.
void end(Gms& gms, Edit& edit, Regroup regroup, const Happening& what) {
  regroup.state = RegroupState::torn_down;
  const Answer done = done_with(*what.teardown);
  answer_all(gms, edit, regroup.ref, done);
  edit.put(std::move(regroup));
  edit.effect(Reply{what.ticket, done});
}

// The requester of the regroup may still be waiting for C13, or ask again: it gets the group that was.
void remember_the_end(const Gms& gms, Edit& edit, const Regroup& regroup) {
  const std::string memory = memory_key(regroup.requestor.text(), regroup.request_id, kRegroupCreation);
  if (!remembered(gms, memory)) edit.remember(memory, accepted(regroup.temporary), gms.now());
}

Outcome withdraw_everywhere(Gms& gms, Regroup regroup, const Happening& what) {
  regroup.floor_due = false;
  regroup.deadline = gms.now().plus(gms.with().settings.t_notify);
  Edit edit = gms.edit();
  remember_the_end(gms, edit, regroup);
  dissolve_group(gms, edit, regroup);
  for (Partner& partner : regroup.partners) {
    partner.state = PartnerState::withdrawing;
    first_attempt(partner, gms.now());
    edit.effect(TearDownPartner{partner.gms_uri, {regroup.leg_id, regroup.temporary.text()}, regroup.ref});
  }
  end(gms, edit, std::move(regroup), what);
  return edit.take();
}

Outcome withdraw_here(Gms& gms, Regroup regroup, const Happening& what) {
  Edit edit = gms.edit();
  dissolve_group(gms, edit, regroup);
  end(gms, edit, std::move(regroup), what);
  return edit.take();
}

Outcome release(Gms& gms, Regroup regroup, const Happening& what) {
  Edit edit = gms.edit();
  end(gms, edit, std::move(regroup), what);
  return edit.take();
}

Partner* withdrawing(Regroup& regroup, const std::string& peer) {
  for (Partner& partner : regroup.partners)
    if (partner.gms_uri.text() == peer && partner.state == PartnerState::withdrawing) return &partner;
  return nullptr;
}

Outcome note_withdrawal(Gms& gms, Regroup regroup, const Happening& what) {
  Partner* partner = withdrawing(regroup, what.peer);
  if (!partner) return {};
  partner->state = PartnerState::withdrawn;
  std::vector<LedgerRow> rows;
  for (const LedgerRow* row : gms.ledger_of(regroup.temporary.text()))
    if (row->member == partner->gms_uri) rows.push_back(*row);
  Edit edit = gms.edit();
  for (LedgerRow& row : rows) {
    row.state = Delivery::withdrawn;
    row.changed = gms.now();
    edit.put(std::move(row));
  }
  edit.put(std::move(regroup));
  return edit.take();
}

void repeat(Edit& edit, const Regroup& regroup, Partner& partner, NtpTime now) {
  next_attempt(partner, now);
  edit.effect(TearDownPartner{partner.gms_uri, {regroup.leg_id, regroup.temporary.text()}, regroup.ref});
}

// C5 after T_ask: the partner holds its groups for nothing.
Outcome release_late(Gms& gms, Regroup regroup, const Happening& what) {
  Edit edit = gms.edit();
  for (Partner& partner : regroup.partners) {
    if (partner.gms_uri.text() != what.peer) continue;
    partner.state = PartnerState::withdrawing;
    repeat(edit, regroup, partner, gms.now());
  }
  edit.put(std::move(regroup));
  return edit.take();
}

Outcome tell_again(Gms& gms, Regroup regroup, const Happening& what) {
  Partner* partner = withdrawing(regroup, what.peer);
  if (!partner) return {};
  Edit edit = gms.edit();
  if (gms.now() >= regroup.deadline) {
    partner->state = PartnerState::failed;
    partner->reason = "partner-unreachable";
  } else {
    repeat(edit, regroup, *partner, gms.now());
  }
  edit.put(std::move(regroup));
  return edit.take();
}

Outcome tell_all_again(Gms& gms, Regroup regroup, const Happening&) {
  Edit edit = gms.edit();
  for (Partner& partner : regroup.partners)
    if (partner.state == PartnerState::withdrawing) repeat(edit, regroup, partner, gms.now());
  edit.put(std::move(regroup));
  return edit.take();
}

Outcome back_off_partner(Gms& gms, Regroup regroup, const Happening& what) {
  Partner* partner = withdrawing(regroup, what.peer);
  if (!partner) return {};
  back_off(*partner, gms.now());
  Edit edit = gms.edit();
  edit.put(std::move(regroup));
  return edit.take();
}

const Regroup* reserved_or_active(const Gms& gms, const std::string& peer, const TeardownRequest& request) {
  for (const auto& [ref, regroup] : gms.state().regroups) {
    if (regroup.role != RegroupRole::partner || regroup.requestor.text() != peer) continue;
    if (regroup.state != RegroupState::active && regroup.state != RegroupState::reserved) continue;
    if (regroup.leg_id == request.id ||
        (!request.temporary.empty() && regroup.temporary.text() == request.temporary))
      return &regroup;
  }
  return nullptr;
}

bool was_torn_down(const Gms& gms, const std::string& temporary) {
  const auto& all = gms.state().regroups;
  return std::any_of(all.begin(), all.end(), [&](const auto& one) {
    return one.second.state == RegroupState::torn_down && one.second.temporary.text() == temporary;
  });
}

Outcome tear_down(Gms& gms, const Regroup& found, Ticket ticket, const TeardownRequest& request) {
  Happening what{Event::teardown, {}, ticket};
  what.teardown = &request;
  return advance(gms, std::string(found.ref), what);
}

}  // namespace

std::span<const Row> teardown_table() { return kTable; }

Outcome teardown(Gms& gms, const std::string& requester, Ticket ticket, const TeardownRequest& request) {
  if (!may_create(gms.with().settings, requester)) return answer_now(gms, ticket, rejected("not-authorised"));
  const Regroup* found = gms.regroup_of(request.temporary);
  if (!found && gms.group(request.temporary)) return answer_now(gms, ticket, rejected("policy"));
  // Torn down before: a repetition is answered alike. What never was is a mistake that its maker must hear
  // of.
  if (!found && !was_torn_down(gms, request.temporary))
    return answer_now(gms, ticket, rejected("unknown-group"));
  if (!found) return answer_now(gms, ticket, done_with(request));
  if (found->role != RegroupRole::primary) return answer_now(gms, ticket, rejected("not-authorised"));
  return tear_down(gms, *found, ticket, request);
}

Outcome partner_teardown(Gms& gms, const std::string& peer, Ticket ticket, const TeardownRequest& request) {
  const Regroup* found = reserved_or_active(gms, peer, request);
  return found ? tear_down(gms, *found, ticket, request) : answer_now(gms, ticket, done_with(request));
}

Outcome partner_withdrew(Gms& gms, const std::string& peer, const std::string& ref) {
  return advance(gms, ref, {Event::withdrew, peer});
}

}  // namespace regroup::flow
