// SPDX-License-Identifier: Apache-2.0
#include "app/kms/rate_limit.hpp"

#include <gtest/gtest.h>

namespace regroup::app {
namespace {

constexpr NtpTime kNow{4'000'000'000, 0};

int admitted(RateLimit& limit, const std::string& identity, int asked, NtpTime now) {
  int out = 0;
  for (int i = 0; i < asked; ++i) out += limit.admit(identity, now) == 0;
  return out;
}

TEST(RateLimit, AMinutesRequestsMayComeAtOnceAndNoMore) {
  RateLimit limit(6);
  EXPECT_EQ(admitted(limit, "a", 10, kNow), 6);
  EXPECT_EQ(limit.admit("a", kNow), 10);  // seconds until the next one fits
  EXPECT_EQ(limit.admit("a", kNow.plus(9)), 1);
  EXPECT_EQ(limit.admit("a", kNow.plus(10)), 0);
  EXPECT_EQ(limit.admit("a", kNow.plus(10)), 10);
}

TEST(RateLimit, ThePromisedMomentIsKept) {
  RateLimit limit(7);
  NtpTime now = kNow;
  for (int i = 0; i < 100; ++i) {
    const std::int64_t wait = limit.admit("a", now);
    if (wait == 0) continue;
    EXPECT_GE(wait, 1);
    EXPECT_LE(wait, 60);
    now = now.plus(wait);
    EXPECT_EQ(limit.admit("a", now), 0);
  }
}

TEST(RateLimit, OneIdentityCostsAnotherNothing) {
  RateLimit limit(3);
  EXPECT_EQ(admitted(limit, "a", 10, kNow), 3);
  EXPECT_EQ(admitted(limit, "b", 10, kNow), 3);
}

TEST(RateLimit, PartsOfASecondCount) {
  RateLimit limit(600);
  EXPECT_EQ(admitted(limit, "a", 700, kNow), 600);
  NtpTime later = kNow;
  later.fraction = 0x8000'0000;  // half a second: five requests
  EXPECT_EQ(admitted(limit, "a", 700, later), 5);
}

TEST(RateLimit, AMinuteOfRestFillsTheBucketAndNotMore) {
  RateLimit limit(5);
  EXPECT_EQ(admitted(limit, "a", 10, kNow), 5);
  EXPECT_EQ(admitted(limit, "a", 10, kNow.plus(60)), 5);
  EXPECT_EQ(admitted(limit, "a", 10, kNow.plus(100'000)), 5);
}

TEST(RateLimit, AClockThatIsSetBackCostsAMinuteAtMost) {
  RateLimit limit(5);
  EXPECT_EQ(admitted(limit, "a", 10, kNow), 5);
  EXPECT_LE(limit.admit("a", kNow.plus(-86400)), 60);
  EXPECT_EQ(limit.admit("a", kNow.plus(-86400 + 60)), 0);
}

TEST(RateLimit, ZeroIsNoLimitAndRemembersNobody) {
  RateLimit limit(0);
  EXPECT_EQ(admitted(limit, "a", 10'000, kNow), 10'000);
  EXPECT_EQ(limit.remembered(), 0U);
}

TEST(RateLimit, ThoseWhoRestedAreForgotten) {
  RateLimit limit(60);
  for (int second = 0; second < 1000; ++second)
    for (int one = 0; one < 10; ++one)
      EXPECT_EQ(limit.admit(std::to_string(second) + "/" + std::to_string(one), kNow.plus(second)), 0);
  EXPECT_LE(limit.remembered(), 1024U);
}

}  // namespace
}  // namespace regroup::app
