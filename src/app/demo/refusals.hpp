// SPDX-License-Identifier: Apache-2.0
// The refusals that matter, each tried for real: with keys that the KMS gave, messages that the GMS sent, and
// a client that decides as every client does.
#pragma once

#include "app/demo/lab.hpp"
#include "app/demo/report.hpp"

namespace regroup::app::demo {

// Needs the messages that the flows kept in `report`.
[[nodiscard]] Result<void> try_refusals(Lab& lab, Report& report, std::ostream& out);

}  // namespace regroup::app::demo
