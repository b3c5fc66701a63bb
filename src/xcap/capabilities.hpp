// SPDX-License-Identifier: Apache-2.0
// The document xcap-caps/global/index (RFC 4825 12): which application usages and namespaces this server
// knows.
#pragma once

#include "xcap/names.hpp"

namespace regroup::xcap {

[[nodiscard]] std::string write_capabilities();

}  // namespace regroup::xcap
