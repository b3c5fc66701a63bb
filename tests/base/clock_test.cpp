// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"

namespace regroup {
namespace {

TEST(NtpTime, WritesTheTimestampOfRfc5905) {
  const NtpTime time = parse_date_time("2026-03-02T09:30:00Z").value();
  EXPECT_EQ(hex(time.wire()), "ed4fd71800000000");
  EXPECT_EQ(date_time(time), "2026-03-02T09:30:00Z");
}

TEST(NtpTime, ExpandsToTheEraNearestToTheClock) {
  const NtpTime before = parse_date_time("2036-02-07T06:28:00Z").value();
  const NtpTime after = parse_date_time("2036-02-07T06:28:30Z").value();
  EXPECT_GT(after.seconds, std::int64_t{1} << 32);
  EXPECT_EQ(NtpTime::nearest(after.wire(), before), after);
  EXPECT_EQ(NtpTime::nearest(before.wire(), after), before);
  const NtpTime now = parse_date_time("2026-11-24T00:00:00Z").value();
  EXPECT_EQ(NtpTime::nearest(now.wire(), after), now);
}

TEST(DateTime, ReadsZonesAndFractionsAndTakesNoZoneAsUtc) {
  const NtpTime noon = parse_date_time("2026-03-02T12:00:00Z").value();
  EXPECT_EQ(parse_date_time("2026-03-02T12:00:00").value(), noon);
  EXPECT_EQ(parse_date_time("2026-03-02T14:00:00+02:00").value(), noon);
  EXPECT_EQ(parse_date_time("2026-03-02T07:30:00.25-04:30").value(), noon);
}

TEST(DateTime, RefusesWhatIsNoDate) {
  for (const char* bad : {"", "2026-02-30T00:00:00Z", "2026-03-02 12:00:00Z", "2026-03-02T24:00:00Z",
                          "2026-03-02T12:00:00x", "2026-03-02T12:00:00.Z"})
    EXPECT_FALSE(parse_date_time(bad).ok()) << bad;
}

TEST(DateTime, KeepsToTheYears1900To9999WhateverTheZone) {
  EXPECT_EQ(parse_date_time("1900-01-01T00:00:00Z").value().seconds, 0);
  EXPECT_EQ(date_time(parse_date_time("9999-12-31T23:59:59Z").value()), "9999-12-31T23:59:59Z");
  for (const char* bad : {"1899-12-31T23:59:59Z", "1900-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
                          "10000-01-01T00:00:00Z", "9999-12-31T23:59:60Z"})
    EXPECT_FALSE(parse_date_time(bad).ok()) << bad;
}

TEST(DateTime, QuotesForeignTextAsPrintableOnly) {
  const std::string said = parse_date_time("\x1b[31m2026\n").error().detail;
  EXPECT_EQ(said.find('\x1b'), std::string::npos);
  EXPECT_EQ(said.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace regroup
