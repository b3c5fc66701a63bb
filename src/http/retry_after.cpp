// SPDX-License-Identifier: Apache-2.0
#include "http/retry_after.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace regroup::http {
namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 31;

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return std::min(value, kMost);
}

std::string two(std::int64_t value) { return (value < 10 ? "0" : "") + std::to_string(value); }

std::int64_t month_of(const std::string& name) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::size_t at = name.size() == 3 ? kMonths.find(name) : std::string_view::npos;
  return at == std::string_view::npos || at % 3 != 0 ? 0 : static_cast<std::int64_t>(at / 3) + 1;
}

// Two digits name the year that is not more than fifty years ahead.
std::int64_t whole_year(std::int64_t year, std::size_t digits, NtpTime now) {
  if (digits > 2) return year;
  const auto present = number_of(date_time(now).substr(0, 4)).value_or(2000);
  const std::int64_t guess = present - present % 100 + year;
  return guess > present + 50 ? guess - 100 : guess;
}

// "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994".
std::optional<NtpTime> date_of(std::string text, NtpTime now) {
  std::replace(text.begin(), text.end(), '-', ' ');
  std::istringstream words(text);
  std::string name, day, month, year, clock;
  words >> name >> day >> month;
  if (!name.empty() && name.back() == ',') {
    words >> year >> clock;
  } else {
    words >> clock >> year;
    std::swap(day, month);
  }
  const auto day_number = number_of(day), year_number = number_of(year);
  if (!words || !day_number || !year_number || month_of(month) == 0) return std::nullopt;
  const auto read = parse_date_time(std::to_string(whole_year(*year_number, year.size(), now)) + "-" +
                                    two(month_of(month)) + "-" + two(*day_number) + "T" + clock + "Z");
  if (!read.ok()) return std::nullopt;
  return *read;
}

}  // namespace

std::optional<std::int64_t> retry_after(const Headers& headers, NtpTime now) {
  const auto found = headers.find("Retry-After");
  if (!found) return std::nullopt;
  if (const auto seconds = number_of(*found)) return seconds;
  const auto date = date_of(std::string(*found), now);
  if (!date) return std::nullopt;
  return std::clamp<std::int64_t>(date->seconds - now.seconds, 0, kMost);
}

}  // namespace regroup::http
