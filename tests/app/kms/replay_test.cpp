// SPDX-License-Identifier: Apache-2.0
#include "app/kms/replay.hpp"

#include <gtest/gtest.h>

namespace regroup::app {
namespace {

using Verdict = ReplayCache::Verdict;

const NtpTime kNow = parse_date_time("2026-03-02T09:30:00Z").value();

TEST(ReplayCache, TakesARequestOnceWithinItsWindow) {
  ReplayCache cache(30);
  EXPECT_EQ(cache.admit("a", "q1", kNow, kNow), Verdict::fresh);
  EXPECT_EQ(cache.admit("a", "q1", kNow, kNow), Verdict::replayed);
  EXPECT_EQ(cache.admit("a", "q1", kNow, kNow.plus(30)), Verdict::replayed);
  EXPECT_EQ(cache.admit("a", "q2", kNow, kNow), Verdict::fresh);
  EXPECT_EQ(cache.admit("b", "q1", kNow, kNow), Verdict::fresh) << "another client's";
  EXPECT_EQ(cache.admit("a", "q1", kNow.plus(1), kNow), Verdict::fresh) << "another Time";
  EXPECT_EQ(cache.admit("a", "q1", kNow, kNow.plus(31)), Verdict::skewed)
      << "forgotten, and too old to come back";
}

TEST(ReplayCache, RefusesATimeOutsideTheWindow) {
  ReplayCache cache(30);
  EXPECT_EQ(cache.admit("a", "1", kNow.plus(30), kNow), Verdict::fresh);
  EXPECT_EQ(cache.admit("a", "2", kNow.plus(-30), kNow), Verdict::fresh);
  EXPECT_EQ(cache.admit("a", "3", kNow.plus(31), kNow), Verdict::skewed);
  EXPECT_EQ(cache.admit("a", "4", kNow.plus(-31), kNow), Verdict::skewed);
}

TEST(ReplayCache, IsBoundedForEachClientAndForgetsWithTime) {
  ReplayCache cache(30);
  for (std::size_t i = 0; i < ReplayCache::kMostOfOne; ++i)
    ASSERT_EQ(cache.admit("a", std::to_string(i), kNow, kNow), Verdict::fresh);
  EXPECT_EQ(cache.admit("a", "x", kNow, kNow), Verdict::full);
  EXPECT_EQ(cache.admit("b", "x", kNow, kNow), Verdict::fresh) << "others are served";
  EXPECT_EQ(cache.admit("a", "x", kNow.plus(31), kNow.plus(31)), Verdict::fresh);
}

TEST(ReplayCache, IsBoundedInAll) {
  ReplayCache cache(30);
  const std::size_t clients = ReplayCache::kMost / ReplayCache::kMostOfOne;
  for (std::size_t client = 0; client < clients; ++client)
    for (std::size_t i = 0; i < ReplayCache::kMostOfOne; ++i)
      ASSERT_EQ(cache.admit(std::to_string(client), std::to_string(i), kNow, kNow), Verdict::fresh);
  EXPECT_EQ(cache.admit("late", "x", kNow, kNow), Verdict::full);
  EXPECT_EQ(cache.admit("late", "x", kNow.plus(31), kNow.plus(31)), Verdict::fresh)
      << "what is over makes room";
}

}  // namespace
}  // namespace regroup::app
