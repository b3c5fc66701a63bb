// SPDX-License-Identifier: Apache-2.0
// Group creation: TS 33.179 7.3.4, TS 23.179 10.6.3. The dispatcher's request becomes a stored group, a new
// GMK and GMK-ID, and one payload per member inside the notification of step 4; the answer (step 5) does not
// wait for the members (PR-4). The same request again replaces the document and makes no second key.
#pragma once

#include "gms/gms.hpp"

namespace regroup::flow {

// Errc::not_authorised (403), Errc::limit (409 constraint-failure), Errc::conflict (409 uniqueness-failure),
// Errc::expired (503: this GMS has no key set of the present period).
[[nodiscard]] Result<gms::Outcome> group_creation(gms::Gms& gms, const std::string& requester,
                                                  gms::GroupRequest request);

}  // namespace regroup::flow
