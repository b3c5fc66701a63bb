// SPDX-License-Identifier: Apache-2.0
// What time and restarts do to regroups: deadlines, repetitions, the second run of procedure two. Each is an
// event of the tables (flow/procedure.hpp).
#pragma once

#include "gms/gms.hpp"

namespace regroup::flow {

// The second run of procedure `two`. Call after an Outcome with `more` was committed.
[[nodiscard]] gms::Outcome proceed(gms::Gms& gms);
// Evidence of delivery may complete a waiting C12. Call after gms::notified / fetched / received.
[[nodiscard]] gms::Outcome settle(gms::Gms& gms);
// Deadlines and repetitions; call at or after next_deadline().
[[nodiscard]] gms::Outcome tick(gms::Gms& gms);
[[nodiscard]] std::optional<NtpTime> next_deadline(const gms::Gms& gms);
// The messages a restarted GMS sends again; call once after restore().
[[nodiscard]] gms::Outcome resume(gms::Gms& gms);
// What need not be remembered any more; call at the start and every hour or so.
[[nodiscard]] gms::Outcome sweep(gms::Gms& gms);

}  // namespace regroup::flow
