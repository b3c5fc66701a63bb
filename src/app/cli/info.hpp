// SPDX-License-Identifier: Apache-2.0
// `regroup info`: the version, and the kernels of the group arithmetic with the one in use.
#pragma once

#include <iosfwd>

namespace regroup::app::cli {

inline constexpr const char* kVersion = "0.1.0";

int run_info(bool json, std::ostream& out);

}  // namespace regroup::app::cli
