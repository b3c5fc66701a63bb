// SPDX-License-Identifier: Apache-2.0
// `demo --evidence DIR`: everything needed to repeat the demo's claims with other software (docs/formats.md,
// "Demo").
#pragma once

#include "app/demo/lab.hpp"
#include "app/demo/report.hpp"

namespace regroup::app::demo {

// Makes the directory, or empties that of an earlier run of what such a run writes, so that no file of
// another lab stands beside the new ones. Errc::usage for a directory with anything else and no evidence:
// nothing in it is touched. Nothing at all for an empty name.
[[nodiscard]] Result<void> prepare_evidence(const std::string& directory);
[[nodiscard]] Result<void> write_evidence(Lab& lab, const Report& report, const std::string& directory);

}  // namespace regroup::app::demo
