// SPDX-License-Identifier: Apache-2.0
// Regroup over several systems: TS 33.179 7.3.5.3 steps 0-6, TS 23.179 10.6.2.2 steps 8, 9, 11 (messages
// C1-C13, docs/flows.md). Both halves in one file: the primary GMS keys its own users and treats each partner
// GMS as one more member; the partner opens the key, re-encrypts it to its own users under its own identity,
// and acknowledges last. Every message may come twice or late; the answer is the same and there is never a
// second key. Deadlines and repetitions are flow/timers'.
#pragma once

#include "gms/gms.hpp"

namespace regroup::flow {

// ---- primary GMS ----

// C5, the answer to C3 `leg_id`. A late or repeated one has no effect.
[[nodiscard]] gms::Outcome partner_answered(gms::Gms& gms, const std::string& peer, const std::string& leg_id,
                                            const gms::Answer& answer);
// C12, the answer to C9 `leg_id`/`seq`.
[[nodiscard]] gms::Outcome partner_acknowledged(gms::Gms& gms, const std::string& peer,
                                                const std::string& leg_id, std::uint32_t seq,
                                                const gms::Answer& answer);
// No answer could be had to C9 or a tear-down (connection, time-out, 5xx): it is repeated with back-off.
[[nodiscard]] gms::Outcome partner_unreachable(gms::Gms& gms, const std::string& peer,
                                               const std::string& leg_id);

// ---- partner GMS ----

// C3 from a peer authenticated as `peer`.
[[nodiscard]] gms::Outcome partner_request(gms::Gms& gms, const std::string& peer, gms::Ticket ticket,
                                           const gms::RegroupRequest& request);
// C9: verify, open, store, re-encrypt, tell the members; the Reply comes when they have acknowledged or
// c12_wait is over. What went wrong inside is in `why` (for the log); the peer learns only a reason of the
// list.
[[nodiscard]] gms::Outcome partner_notification(gms::Gms& gms, const std::string& peer, gms::Ticket ticket,
                                                const gms::RegroupNotification& notification,
                                                std::vector<Error>* why = nullptr);

// PR-28: every member with a live subscription has acknowledged every key of the group.
[[nodiscard]] bool members_answered(const gms::Gms& gms, const gms::Regroup& regroup);

}  // namespace regroup::flow
