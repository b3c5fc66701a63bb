// SPDX-License-Identifier: Apache-2.0
// Arithmetic below a second on NtpTime, and Retry-After, for both sides of a subscription.
#pragma once

#include <charconv>

#include "base/clock.hpp"
#include "sip/message.hpp"

namespace regroup::sip {

inline NtpTime plus_milliseconds(NtpTime at, std::uint64_t more) {
  const std::uint64_t fraction = at.fraction + ((more % 1000) << 32) / 1000;
  return {at.seconds + static_cast<std::int64_t>(more / 1000 + (fraction >> 32)),
          static_cast<std::uint32_t>(fraction)};
}

// A decimal number of seconds that fits 32 bits; nothing otherwise.
inline std::optional<std::uint32_t> seconds_in(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

// "18000;duration=3600" and "18000 (comment)" count as 18000 (RFC 3261 20.33).
inline std::optional<std::uint32_t> retry_after(const std::vector<Header>& headers) {
  const std::string_view value = find(headers, "Retry-After");
  return seconds_in(value.substr(0, value.find_first_of("; (")));
}

}  // namespace regroup::sip
