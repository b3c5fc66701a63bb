// SPDX-License-Identifier: Apache-2.0
// Tear-down of a temporary group (TS 23.179 10.6.2): the constituents are free again, the temporary
// group's keys are withdrawn from everybody, partners are told until they answer.
#pragma once

#include "gms/gms.hpp"

namespace regroup::flow {

// By a dispatcher at the primary. An unknown temporary group is answered accepted (idempotent).
[[nodiscard]] gms::Outcome teardown(gms::Gms& gms, const std::string& requester, gms::Ticket ticket,
                                    const gms::TeardownRequest& request);
// By the primary GMS `peer`, at a partner.
[[nodiscard]] gms::Outcome partner_teardown(gms::Gms& gms, const std::string& peer, gms::Ticket ticket,
                                            const gms::TeardownRequest& request);
// A partner has answered our tear-down.
[[nodiscard]] gms::Outcome partner_withdrew(gms::Gms& gms, const std::string& peer, const std::string& ref);

}  // namespace regroup::flow
