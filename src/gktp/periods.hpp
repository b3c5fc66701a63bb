// SPDX-License-Identifier: Apache-2.0
// Which key periods a message may have been made in: that of T, and under accept_neighbour_period the one
// before and the one after (senders that used the previous period's keys around a
// boundary). Only for the room.
#pragma once

#include "gktp/open.hpp"

namespace regroup::gktp {

[[nodiscard]] inline std::vector<std::int64_t> periods_to_try(std::int64_t period, bool neighbours) {
  if (!neighbours) return {period};
  return {period, period - 1, period + 1};
}

// The own key set of a period under the own KMS; nullptr when it is not held.
[[nodiscard]] inline const mcx::KeySet* key_set_of(const Reception& reception, std::int64_t period) {
  for (const mcx::KeySet& keys : reception.key_sets)
    if (keys.period_no() == period && keys.identity() == reception.own_identity &&
        keys.kms_uri() == reception.own_kms)
      return &keys;
  return nullptr;
}

}  // namespace regroup::gktp
