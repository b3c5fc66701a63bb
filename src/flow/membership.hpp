// SPDX-License-Identifier: Apache-2.0
// A changed member list: who joins gets the current keys (a late entrant must hear the running
// call); who leaves causes new keys for the rest, and the old ones are withdrawn.
#pragma once

#include "gms/gms.hpp"

namespace regroup::flow {

// The group exists and the requester owns it.
[[nodiscard]] Result<gms::Outcome> membership_change(gms::Gms& gms, gms::GroupRequest request);

}  // namespace regroup::flow
