// SPDX-License-Identifier: Apache-2.0
// How long a server asks to wait (RFC 9110 10.2.3).
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "http/message.hpp"

namespace regroup::http {

// Seconds from `now` on: a number, or until an HTTP date in any of its three forms (RFC 9110 5.6.7). A date
// that is over is 0. Nothing when there is no Retry-After, or none that can be read.
[[nodiscard]] std::optional<std::int64_t> retry_after(const Headers& headers, NtpTime now);

}  // namespace regroup::http
