// SPDX-License-Identifier: Apache-2.0
// What the regroup procedures share: levels and key plan, the temporary group, its keys, and the answer
// memory.
#pragma once

#include "gms/authority.hpp"
#include "gms/gms.hpp"
#include "gms/keying.hpp"

namespace regroup::flow {

// The wishes of the requester, else: priority the highest of the local constituents, protection the stricter
// (PR-6), key plan the strictest (PR-27).
struct Terms {
  gms::Levels levels;
  gms::KeyPlan plan;
};
[[nodiscard]] Terms terms_of(const gms::Gms& gms, const gms::RegroupRequest& request);

// Distinct members of those constituents that are homed here.
[[nodiscard]] std::vector<gms::McpttId> local_members(const gms::Gms& gms,
                                                      const std::vector<gms::GroupId>& constituents);

// A free temporary group ID of this GMS: sip:tmp-(16 hex digits)@(first domain).
[[nodiscard]] gms::GroupId draw_temporary_id(const gms::Gms& gms);
// A fresh `id` for one partner leg (PR-25).
[[nodiscard]] std::string draw_leg_id(const gms::Gms& gms);

// Which keys of the plan the coming run makes: all of them, or with procedure `two` one per run.
enum class Run : std::uint8_t { first, second };
// The keys of this run, made for the local members and the partners and stored; tells members and partners.
// Updates `regroup` (active, floor_due, the partners' seq) and puts it.
[[nodiscard]] Result<gms::Outcome> key_the_group(gms::Gms& gms, gms::Regroup regroup, Run run);

// Puts the temporary group's own document and marks the local constituents (PR-44).
void form_group(const gms::Gms& gms, gms::Edit& edit, const gms::Regroup& regroup);
// Undoes it and withdraws the temporary group's keys (PR-30); the members are told.
void dissolve_group(const gms::Gms& gms, gms::Edit& edit, const gms::Regroup& regroup);

// The C9 with number `seq` of this regroup for one partner, rebuilt from the store.
[[nodiscard]] gms::RegroupNotification notification(const gms::Gms& gms, const gms::Regroup& regroup,
                                                    const gms::Partner& partner, std::uint32_t seq);

// PR-25: the memory of answers, by sender, its id, operation and seq.
inline constexpr std::string_view kRegroupCreation = "group-regroup-creation";
inline constexpr std::string_view kRegroupNotification = "group-regroup-notification";
[[nodiscard]] std::string memory_key(std::string_view sender, std::string_view id, std::string_view operation,
                                     std::uint32_t seq = 0);
[[nodiscard]] const gms::Answer* remembered(const gms::Gms& gms, const std::string& key);
// Answers every ticket that waits for `ref`.
void answer_all(gms::Gms& gms, gms::Edit& edit, const std::string& ref, const gms::Answer& answer);

// Answers one ticket; with `memory`, whoever repeats the request gets the same.
[[nodiscard]] gms::Outcome answer_now(gms::Gms& gms, gms::Ticket ticket, gms::Answer answer,
                                      const std::string& memory = {});
// Drops answers older than answer_memory, and regroups that are over for as long, with their tombstones, once
// no payload of their keys could be taken for fresh (kMaxAgePeriods).
[[nodiscard]] gms::Outcome forget_what_is_old(gms::Gms& gms);

[[nodiscard]] gms::Answer accepted(const gms::GroupId& temporary);
[[nodiscard]] gms::Answer rejected(std::string reason);

// The local members of the constituents now see another set of keys and documents.
void tell_members(const gms::Gms& gms, gms::Edit& edit, const gms::Regroup& regroup);

// When a message to a partner is sent again: an attempt has kAttemptTime to be answered, after one that
// failed it waits 1, 2, 4 ... 600 s.
inline constexpr std::int64_t kAttemptTime = 35;
void first_attempt(gms::Partner& partner, NtpTime now);
void next_attempt(gms::Partner& partner, NtpTime now);
void back_off(gms::Partner& partner, NtpTime now);

// When the second run of procedure two is tried again, should it not follow the first at once.
inline constexpr std::int64_t kFloorRetry = 30;

// What `more` decided after `to`.
void join(gms::Outcome& to, gms::Outcome more);

}  // namespace regroup::flow
