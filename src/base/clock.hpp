// SPDX-License-Identifier: Apache-2.0
// Time as the protocols use it: seconds since 0h 1 January 1900 UTC (NTP scale) in 64 bits, so that the
// 32-bit roll-over of 7 February 2036 never reaches the arithmetic, with a 32-bit fraction (RFC 5905).
#pragma once

#include <compare>
#include <string>

#include "base/octets.hpp"
#include "base/result.hpp"

namespace regroup {

inline constexpr std::int64_t kNtpMinusUnix = 2'208'988'800;  // RFC 5905, Figure 4

struct NtpTime {
  std::int64_t seconds = 0;    // since 1900-01-01T00:00:00Z, all eras
  std::uint32_t fraction = 0;  // of 2^-32 second

  auto operator<=>(const NtpTime&) const = default;

  [[nodiscard]] static NtpTime from_unix(std::int64_t unix_seconds, std::uint32_t nanoseconds = 0) {
    return {unix_seconds + kNtpMinusUnix,
            static_cast<std::uint32_t>((static_cast<std::uint64_t>(nanoseconds) << 32) / 1'000'000'000)};
  }
  [[nodiscard]] std::int64_t unix_seconds() const { return seconds - kNtpMinusUnix; }
  [[nodiscard]] NtpTime plus(std::int64_t more) const { return {seconds + more, fraction}; }

  // The 64-bit timestamp format of RFC 5905: 32 bits of seconds (the era is lost), 32 bits of fraction.
  [[nodiscard]] Fixed<8> wire() const;
  // The instant with these 64 bits that lies nearest to `near` (TS 33.180 sends only the low 32 bits of
  // seconds).
  [[nodiscard]] static NtpTime nearest(OctetsView wire8, NtpTime near);
};

// xsd:dateTime in UTC with Z and no fraction; reads zones and fractions, no zone means UTC.
[[nodiscard]] std::string date_time(NtpTime time);
[[nodiscard]] Result<NtpTime> parse_date_time(std::string_view text);

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual NtpTime now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] NtpTime now() const override;
};

// A clock that tests and `--at` set by hand.
class FixedClock final : public Clock {
 public:
  explicit FixedClock(NtpTime time) : time_(time) {}
  [[nodiscard]] NtpTime now() const override { return time_; }
  void set(NtpTime time) { time_ = time; }
  void advance(std::int64_t seconds) { time_ = time_.plus(seconds); }

 private:
  NtpTime time_;
};

}  // namespace regroup
