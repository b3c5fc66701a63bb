// SPDX-License-Identifier: Apache-2.0
#include "flow/regroup_single.hpp"

#include <algorithm>

#include "flow/forming.hpp"
#include "flow/regroup_multi.hpp"

namespace regroup::flow {

using namespace gms;  // NOLINT: a flow reads as the clause, in the words of gms/

namespace {

constexpr std::string_view kOperation = "group-regroup-creation";

Outcome refuse_now(Gms& gms, Ticket ticket, const std::string& memory, const std::string& reason) {
  Edit edit = gms.edit();
  if (!memory.empty()) edit.remember(memory, rejected(reason), gms.now());
  edit.effect(Reply{ticket, rejected(reason)});
  return edit.take();
}

// Step 2 (gms.md 8.3): the requester, the groups, the partners' homes.
Result<void> check_request(const Gms& gms, const std::string& requester, const RegroupRequest& request) {
  const Settings& settings = gms.with().settings;
  if (!may_create(settings, requester)) return refuse("not-authorised");
  TRY(check_constituents(gms, request.constituents));
  const bool some_local = std::any_of(request.constituents.begin(), request.constituents.end(),
                                      [&](const GroupId& id) { return homed_here(settings, id); });
  if (!some_local) return refuse("policy", "at least one group must be homed at this GMS");
  for (const GroupId& id : request.constituents) {
    if (homed_here(settings, id)) continue;
    const PartnerSettings* home = home_of(settings, id);
    if (!home) return refuse("not-trusted", "no partner is configured for " + id.text());
    // Its key is encrypted to the partner's identity: without its KMS certificate there is nothing to send.
    if (!gms.with().domains.kms_of(home->gms_uri).ok())
      return refuse("not-trusted", "no KMS certificate is held for " + home->gms_uri.text());
  }
  return {};
}

Regroup stage(const Gms& gms, const std::string& requester, const RegroupRequest& request) {
  Regroup staged;
  staged.leg_id = staged.ref = draw_leg_id(gms);
  staged.requestor = McpttId::parse(requester).value();
  staged.request_id = request.id;
  staged.constituents = request.constituents;
  const Terms terms = terms_of(gms, request);
  staged.levels = terms.levels;
  staged.plan = terms.plan;
  staged.started = gms.now();
  return staged;
}

// Steps 3-6 with every constituent at home: new temporary group, new key, notification with the payload,
// answer.
Result<Outcome> regroup_single(Gms& gms, Regroup staged, Ticket ticket, const std::string& memory) {
  staged.temporary = draw_temporary_id(gms);
  staged.deadline = gms.now();
  Outcome outcome = TRY(key_the_group(gms, staged, Run::first));
  Edit edit = gms.edit();
  edit.remember(memory, accepted(staged.temporary), gms.now());
  edit.effect(Reply{ticket, accepted(staged.temporary)});
  Outcome answer = edit.take();
  std::move(answer.writes.begin(), answer.writes.end(), std::back_inserter(outcome.writes));
  std::move(answer.effects.begin(), answer.effects.end(), std::back_inserter(outcome.effects));
  return outcome;
}

}  // namespace

Outcome regroup(Gms& gms, const std::string& requester, Ticket ticket, const RegroupRequest& request) {
  const auto identity = McpttId::parse(requester);
  if (!identity.ok()) return refuse_now(gms, ticket, {}, "not-authorised");
  if (!good_request_id(request.id)) return refuse_now(gms, ticket, {}, "policy");
  const std::string memory = memory_key(requester, request.id, kOperation);
  if (const Answer* before = remembered(gms, memory)) {
    Edit edit = gms.edit();
    edit.effect(Reply{ticket, *before});
    return edit.take();
  }
  for (const auto& [ref, running] : gms.state().regroups)
    if (running.role == RegroupRole::primary && running.requestor.text() == requester &&
        running.request_id == request.id && running.state != RegroupState::rejected) {
      gms.waiting().emplace(ref, ticket);  // still on its way: the same answer, when it comes
      return {};
    }
  const auto checked = check_request(gms, requester, request);
  if (!checked.ok()) return refuse_now(gms, ticket, memory, checked.error().detail);

  Regroup staged = stage(gms, requester, request);
  const bool all_local = std::all_of(request.constituents.begin(), request.constituents.end(),
                                     [&](const GroupId& id) { return homed_here(gms.with().settings, id); });
  if (!all_local) return ask_partners(gms, std::move(staged), ticket);
  auto outcome = regroup_single(gms, std::move(staged), ticket, memory);
  // Without own keys nothing can be signed: not remembered, so that the same request may succeed later.
  if (!outcome.ok()) return refuse_now(gms, ticket, {}, "policy");
  return std::move(outcome).value();
}

}  // namespace regroup::flow
