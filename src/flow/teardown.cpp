// SPDX-License-Identifier: Apache-2.0
#include "flow/teardown.hpp"

#include "flow/forming.hpp"

namespace regroup::flow {

using namespace gms;  // NOLINT: a flow reads as the clause, in the words of gms/

namespace {

Outcome reply(Gms& gms, Ticket ticket, Answer answer) {
  Edit edit = gms.edit();
  edit.effect(Reply{ticket, std::move(answer)});
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

}  // namespace

Outcome teardown(Gms& gms, const std::string& requester, Ticket ticket, const TeardownRequest& request) {
  if (!may_create(gms.with().settings, requester)) return reply(gms, ticket, rejected("not-authorised"));
  const Regroup* found = gms.regroup_of(request.temporary);
  Answer done;
  done.accepted = true;
  done.temporary = request.temporary;
  if (!found) return reply(gms, ticket, done);
  if (found->role != RegroupRole::primary) return reply(gms, ticket, rejected("not-authorised"));

  Regroup regroup = *found;
  regroup.state = RegroupState::torn_down;
  regroup.floor_due = false;
  Edit edit = gms.edit();
  dissolve_group(gms, edit, regroup);
  for (Partner& partner : regroup.partners) {
    partner.state = PartnerState::withdrawing;
    partner.attempts = 1;
    partner.next_attempt = gms.now().plus(1);
    edit.effect(TearDownPartner{partner.gms_uri, {regroup.leg_id, regroup.temporary.text()}, regroup.ref});
  }
  edit.put(regroup);
  answer_all(gms, edit, regroup.ref, done);
  edit.effect(Reply{ticket, done});
  return edit.take();
}

Outcome partner_teardown(Gms& gms, const std::string& peer, Ticket ticket, const TeardownRequest& request) {
  Answer done;
  done.accepted = true;
  done.temporary = request.temporary;
  const Regroup* found = reserved_or_active(gms, peer, request);
  if (!found) return reply(gms, ticket, done);
  Regroup regroup = *found;
  const bool formed = regroup.state == RegroupState::active;
  regroup.state = RegroupState::torn_down;
  Edit edit = gms.edit();
  if (formed) dissolve_group(gms, edit, regroup);
  edit.put(regroup);
  answer_all(gms, edit, regroup.ref, done);
  edit.effect(Reply{ticket, done});
  return edit.take();
}

Outcome partner_withdrew(Gms& gms, const std::string& peer, const std::string& ref) {
  Edit edit = gms.edit();
  const auto found = gms.state().regroups.find(ref);
  if (found == gms.state().regroups.end()) return edit.take();
  Regroup regroup = found->second;
  for (Partner& partner : regroup.partners) {
    if (partner.gms_uri.text() != peer || partner.state != PartnerState::withdrawing) continue;
    partner.state = PartnerState::withdrawn;
    std::vector<LedgerRow> rows;
    for (const LedgerRow* row : gms.ledger_of(regroup.temporary.text()))
      if (row->member == partner.gms_uri) rows.push_back(*row);
    for (LedgerRow& row : rows) {
      row.state = Delivery::withdrawn;
      row.changed = gms.now();
      edit.put(std::move(row));
    }
    edit.put(regroup);
    break;
  }
  return edit.take();
}

}  // namespace regroup::flow
