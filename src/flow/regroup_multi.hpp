// SPDX-License-Identifier: Apache-2.0
// Regroup over several systems: TS 33.179 7.3.5.3 steps 0-6, TS 23.179 10.6.2.2 steps 8, 9, 11 (messages
// C1-C13 of the digest). Both halves in one file: the primary GMS keys its own users and treats each partner
// GMS as one more member; the partner opens the key, re-encrypts it to its own users under its own identity,
// and acknowledges last. Every message may come twice or late; the answer is the same and there is never a
// second key.
#pragma once

#include "gms/gms.hpp"

namespace regroup::flow {

// --- primary
// ------------------------------------------------------------------------------------------------------- C3:
// asks each home of a foreign constituent. Nothing is made before all have accepted.
[[nodiscard]] gms::Outcome ask_partners(gms::Gms& gms, gms::Regroup staged, gms::Ticket ticket);
// C5, the answer to C3 `leg_id`. A late or repeated one has no effect, except that a late acceptance is torn
// down.
[[nodiscard]] gms::Outcome partner_answered(gms::Gms& gms, const std::string& peer, const std::string& leg_id,
                                            const gms::Answer& answer);
// C12, the answer to C9 `leg_id`/`seq`.
[[nodiscard]] gms::Outcome partner_acknowledged(gms::Gms& gms, const std::string& peer,
                                                const std::string& leg_id, std::uint32_t seq,
                                                const gms::Answer& answer);
// No answer could be had (connection, time-out, 5xx): C9 is repeated with back-off.
[[nodiscard]] gms::Outcome partner_unreachable(gms::Gms& gms, const std::string& peer,
                                               const std::string& leg_id);

// --- partner
// ------------------------------------------------------------------------------------------------------- C3
// from a peer authenticated as `peer`.
[[nodiscard]] gms::Outcome partner_request(gms::Gms& gms, const std::string& peer, gms::Ticket ticket,
                                           const gms::RegroupRequest& request);
// C9: verify, open, store, re-encrypt, tell the members; the Reply comes when they have acknowledged or
// c12_wait is over. What went wrong inside is in `why` (for the log); the peer learns only a reason of the
// list.
[[nodiscard]] gms::Outcome partner_notification(gms::Gms& gms, const std::string& peer, gms::Ticket ticket,
                                                const gms::RegroupNotification& notification,
                                                std::vector<Error>* why = nullptr);

// --- both
// ----------------------------------------------------------------------------------------------------------
// The second run of procedure `two`, and whatever a restart left open. Call after Outcome::more was
// committed.
[[nodiscard]] gms::Outcome proceed(gms::Gms& gms);
// Evidence of delivery may complete a waiting C12. Call after gms::notified / fetched / received.
[[nodiscard]] gms::Outcome settle(gms::Gms& gms);
// Deadlines and repetitions; call at or after next_deadline().
[[nodiscard]] gms::Outcome tick(gms::Gms& gms);
[[nodiscard]] std::optional<NtpTime> next_deadline(const gms::Gms& gms);
// The messages a restarted GMS sends again; call once after restore().
[[nodiscard]] gms::Outcome resume(gms::Gms& gms);

}  // namespace regroup::flow
