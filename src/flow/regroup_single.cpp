// SPDX-License-Identifier: Apache-2.0
#include "flow/regroup_single.hpp"

#include <algorithm>

#include "flow/forming.hpp"
#include "flow/procedure.hpp"

namespace regroup::flow {

using namespace gms;  // NOLINT: a flow reads as the clause, in the words of gms/

namespace {

// Step 2: the groups, the partners' homes.
Result<void> check_request(const Gms& gms, const RegroupRequest& request) {
  const Settings& settings = gms.with().settings;
  TRY(check_constituents(gms, request.constituents));
  const bool some_local = std::any_of(request.constituents.begin(), request.constituents.end(),
                                      [&](const GroupId& id) { return homed_here(settings, id); });
  if (!some_local) return refuse("policy", "name at least one group that is homed at this GMS");
  for (const GroupId& id : request.constituents) {
    if (homed_here(settings, id)) continue;
    const PartnerSettings* home = home_of(settings, id);
    if (!home) return refuse("not-trusted", "configure the partner that is home of " + id.text());
    // Its key is encrypted to the partner's identity: without its KMS certificate there is nothing to send.
    if (!gms.with().domains.kms_of(home->gms_uri, gms.now()).ok())
      return refuse("not-trusted",
                    "import the KMS certificate of " + home->gms_uri.text() + " at the own KMS");
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
  join(outcome, answer_now(gms, ticket, accepted(staged.temporary), memory));
  return outcome;
}

}  // namespace

Outcome regroup(Gms& gms, const std::string& requester, Ticket ticket, const RegroupRequest& request) {
  const auto identity = McpttId::parse(requester);
  if (!identity.ok()) return answer_now(gms, ticket, rejected("not-authorised"));
  // Not remembered: nobody without authority fills this memory.
  if (!may_create(gms.with().settings, requester)) return answer_now(gms, ticket, rejected("not-authorised"));
  if (!good_request_id(request.id)) return answer_now(gms, ticket, rejected("policy"));
  const std::string memory = memory_key(requester, request.id, kRegroupCreation);
  if (const Answer* before = remembered(gms, memory)) return answer_now(gms, ticket, *before);
  for (const auto& [ref, running] : gms.state().regroups) {
    const bool on_its_way = running.state == RegroupState::asking || running.state == RegroupState::active;
    if (on_its_way && running.role == RegroupRole::primary && running.requestor.text() == requester &&
        running.request_id == request.id) {
      gms.waiting().emplace(ref, ticket);  // the same answer, when it comes
      return {};
    }
  }
  const auto checked = check_request(gms, request);
  if (!checked.ok()) return answer_now(gms, ticket, rejected(checked.error().detail), memory);

  Regroup staged = stage(gms, requester, request);
  const bool all_local = std::all_of(request.constituents.begin(), request.constituents.end(),
                                     [&](const GroupId& id) { return homed_here(gms.with().settings, id); });
  if (!all_local) return advance(gms, Stage::none, std::move(staged), {Event::wanted, {}, ticket});
  auto outcome = regroup_single(gms, std::move(staged), ticket, memory);
  // Without own keys nothing can be signed: not remembered, so that the same request may succeed later.
  if (!outcome.ok()) return answer_now(gms, ticket, rejected("policy"));
  return std::move(outcome).value();
}

}  // namespace regroup::flow
