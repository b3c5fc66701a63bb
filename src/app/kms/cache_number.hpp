// SPDX-License-Identifier: Apache-2.0
// The version of a KMS's certificate cache (TS 33.180 D.2.5).
#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace regroup::app {

// CacheNum grows with each change and never falls. Errc::conflict when it did: some KMSs count their
// certificates instead (docs/wire.md, Traps, T-15), and then a replaced one would never be seen.
[[nodiscard]] inline Result<void> check_cache_number(std::int64_t given, std::int64_t held) {
  if (given >= held) return {};
  return fail(Errc::conflict, "TS 33.180 D.2.5",
              "CacheNum is " + std::to_string(given) + " after " + std::to_string(held) + ": it went back",
              "fetch the whole cache, without a number, and have the KMS corrected (trap T-15)");
}

}  // namespace regroup::app
