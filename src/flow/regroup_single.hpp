// SPDX-License-Identifier: Apache-2.0
// Regroup inside one system: TS 33.179 7.3.5.2, TS 23.179 10.6.2.1. The dispatcher's entry point for every
// regroup: when a constituent is homed elsewhere, the procedure over several systems takes over
// (flow/regroup_multi).
#pragma once

#include "gms/gms.hpp"

namespace regroup::flow {

// B1/C1. The answer is always a Reply effect for `ticket`, now or (several systems) later. A repeated `id` of
// the same requester gets the first answer and never a second key.
[[nodiscard]] gms::Outcome regroup(gms::Gms& gms, const std::string& requester, gms::Ticket ticket,
                                   const gms::RegroupRequest& request);

}  // namespace regroup::flow
