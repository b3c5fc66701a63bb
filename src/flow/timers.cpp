// SPDX-License-Identifier: Apache-2.0
#include "flow/timers.hpp"

#include "flow/forming.hpp"
#include "flow/procedure.hpp"
#include "flow/regroup_multi.hpp"

namespace regroup::flow {

using namespace gms;  // NOLINT: a flow reads as the clause, in the words of gms/

namespace {

struct Due {
  NtpTime at;
  Happening what;
};

// What time will do to one regroup.
std::vector<Due> due_of(const Gms& gms, const Regroup& regroup) {
  std::vector<Due> out;
  const bool waited_for = gms.waiting().count(regroup.ref) != 0;
  if (regroup.state == RegroupState::asking) out.push_back({regroup.deadline, {Event::ask_time_over}});
  if (regroup.state == RegroupState::active && waited_for)
    out.push_back({regroup.deadline, {Event::wait_over}});
  if (regroup.state == RegroupState::active && regroup.floor_due)
    out.push_back({regroup.floor_due_at, {Event::second_run_due}});
  for (const Partner& partner : regroup.partners) {
    const bool pending = regroup.state == RegroupState::active && partner.state == PartnerState::pending;
    if (pending || partner.state == PartnerState::withdrawing)
      out.push_back({partner.next_attempt, {Event::retry_due, partner.gms_uri.text()}});
  }
  return out;
}

std::vector<std::string> all_refs(const Gms& gms) {
  std::vector<std::string> out;
  for (const auto& [ref, regroup] : gms.state().regroups) out.push_back(ref);
  return out;
}

}  // namespace

Outcome proceed(Gms& gms) {
  Outcome out;
  for (const std::string& ref : all_refs(gms)) join(out, advance(gms, ref, {Event::second_run_due}));
  return out;
}

Outcome settle(Gms& gms) {
  Outcome out;
  std::set<std::string> waited_for;
  for (const auto& [ref, ticket] : gms.waiting()) waited_for.insert(ref);
  for (const std::string& ref : waited_for) {
    const auto found = gms.state().regroups.find(ref);
    if (found != gms.state().regroups.end() && members_answered(gms, found->second))
      join(out, advance(gms, ref, {Event::members_answered}));
  }
  return out;
}

Outcome tick(Gms& gms) {
  Outcome out;
  const NtpTime now = gms.now();
  for (const std::string& ref : all_refs(gms))
    for (const Due& due : due_of(gms, gms.state().regroups.at(ref)))
      if (due.at <= now) join(out, advance(gms, ref, due.what));
  return out;
}

std::optional<NtpTime> next_deadline(const Gms& gms) {
  std::optional<NtpTime> next;
  for (const auto& [ref, regroup] : gms.state().regroups)
    for (const Due& due : due_of(gms, regroup))
      if (!next || due.at < *next) next = due.at;
  return next;
}

Outcome resume(Gms& gms) {
  Outcome out = proceed(gms);
  for (const std::string& ref : all_refs(gms)) join(out, advance(gms, ref, {Event::restarted}));
  join(out, tick(gms));
  return out;
}

Outcome sweep(Gms& gms) { return forget_what_is_old(gms); }

}  // namespace regroup::flow
