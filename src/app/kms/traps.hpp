// SPDX-License-Identifier: Apache-2.0
// Why a key set may have failed although it is honest: known deviations of other KMSs (docs/wire.md, Traps),
// looked for and named, never adopted silently.
#pragma once

#include "kmsxml/documents.hpp"
#include "mcx/domain.hpp"

namespace regroup::app {

// The cure for a plain key set that does not fit `certificate`, by the name of the trap where one is found
// (T-1, T-2, T-3, T-13).
[[nodiscard]] std::string diagnosis(const kmsxml::KmsKeySet& document,
                                    const mcx::KmsCertificate& certificate);

// The cure when there are key sets, but none of `period`: the KMS may count from 1970 (T-2), or name the
// identity in another form (T-23).
[[nodiscard]] std::string missing_period(const std::vector<kmsxml::KmsKeySet>& given,
                                         const mcx::KeyPeriods& periods, std::int64_t period,
                                         const std::string& identity);

// Are these one identity but for its scheme, or for the domain behind a telephone number (T-23)?
[[nodiscard]] bool same_but_for_form(std::string_view one, std::string_view other);

}  // namespace regroup::app
