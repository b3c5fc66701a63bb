// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

#include <chrono>
#include <cstdio>

#include "base/text.hpp"

namespace regroup {
namespace {

using Days = std::chrono::sys_days;

constexpr std::int64_t kLast = 253'402'300'799 + kNtpMinusUnix;  // 9999-12-31T23:59:59Z

// Reads exactly `width` digits at `at`; -1 when they are not there.
int digits(std::string_view text, std::size_t at, std::size_t width) {
  int value = 0;
  if (at + width > text.size()) return -1;
  for (std::size_t i = at; i < at + width; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

Error not_a_date_time(std::string_view text) {
  return fail(Errc::malformed, "XML Schema dateTime",
              "'" + printable(text, 40) + "' is not a dateTime of the years 1900 to 9999",
              "write it as 2026-03-02T09:30:00Z");
}

}  // namespace

Fixed<8> NtpTime::wire() const {
  const Fixed<4> high = be32(static_cast<std::uint32_t>(seconds)), low = be32(fraction);
  return {high[0], high[1], high[2], high[3], low[0], low[1], low[2], low[3]};
}

NtpTime NtpTime::nearest(OctetsView wire8, NtpTime near) {
  RG_ASSERT(wire8.size() == 8);
  const std::int64_t low = load_be32(wire8.first<4>());
  constexpr std::int64_t kEra = std::int64_t{1} << 32;
  std::int64_t seconds = near.seconds - near.seconds % kEra + low;
  if (seconds - near.seconds > kEra / 2) seconds -= kEra;
  if (near.seconds - seconds > kEra / 2) seconds += kEra;
  if (seconds < 0) seconds += kEra;
  return {seconds, load_be32(wire8.subspan<4, 4>())};
}

std::string date_time(NtpTime time) {
  const std::int64_t unix = time.unix_seconds();
  const Days day{std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds{std::chrono::seconds{unix}})};
  const std::chrono::year_month_day date{day};
  const std::int64_t second =
      unix - std::chrono::duration_cast<std::chrono::seconds>(day.time_since_epoch()).count();
  char out[48];
  std::snprintf(out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(second / 3600), static_cast<int>(second / 60 % 60),
                static_cast<int>(second % 60));
  return out;
}

Result<NtpTime> parse_date_time(std::string_view text) {
  const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (year < 1900 || month < 0 || day < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 60 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':')
    return not_a_date_time(text);
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return not_a_date_time(text);
  std::size_t at = 19;
  if (at < text.size() && text[at] == '.') {
    const std::size_t start = ++at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    if (at == start) return not_a_date_time(text);
  }
  std::int64_t zone = 0;
  const std::string_view rest = text.substr(at);
  if (!rest.empty() && rest != "Z") {
    const int zone_hour = digits(rest, 1, 2), zone_minute = digits(rest, 4, 2);
    if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':' || zone_hour < 0 ||
        zone_hour > 14 || zone_minute < 0 || zone_minute > 59)
      return not_a_date_time(text);
    zone = (zone_hour * 60 + zone_minute) * 60 * (rest[0] == '-' ? -1 : 1);
  }
  const auto days = Days{date}.time_since_epoch();
  const NtpTime time = NtpTime::from_unix(std::chrono::duration_cast<std::chrono::seconds>(days).count() +
                                          hour * 3600 + minute * 60 + second - zone);
  // A zone may lead out of them.
  if (time.seconds < 0 || time.seconds > kLast) return not_a_date_time(text);
  return time;
}

NtpTime SystemClock::now() const {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  const auto whole = std::chrono::floor<std::chrono::seconds>(since);
  return NtpTime::from_unix(whole.count(),
                            static_cast<std::uint32_t>(
                                std::chrono::duration_cast<std::chrono::nanoseconds>(since - whole).count()));
}

}  // namespace regroup
