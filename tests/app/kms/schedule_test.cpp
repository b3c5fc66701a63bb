// SPDX-License-Identifier: Apache-2.0
// When the KMS is asked next: a table, each row at both ends of the random part.
#include "app/kms/schedule.hpp"

#include <gtest/gtest.h>

namespace regroup::app {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Outcome = LastFetch::Outcome;

constexpr double kAlmostOne = 1 - 1e-12;
constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kMonth = 30 * kDay;
constexpr std::int64_t kPeriod = 1536;

const mcx::KeyPeriods kLong = mcx::KeyPeriods::make(kMonth, 0).value();
const mcx::KeyPeriods kShort = mcx::KeyPeriods::make(9000, 600).value();

LastFetch last(Outcome outcome, unsigned in_a_row = 1, seconds asked = 0s) {
  return {outcome, in_a_row, asked};
}
HeldPeriods holding(const mcx::KeyPeriods& periods, std::vector<std::int64_t> numbers) {
  return {periods, std::move(numbers), false};
}

struct Row {
  const char* what;
  const mcx::KeyPeriods* periods;
  std::int64_t before;  // seconds before the end of period 1536
  std::vector<std::int64_t> held;
  LastFetch last;
  milliseconds least, most;
};

TEST(KmsSchedule, Table) {
  const LastFetch good;
  const Row rows[] = {
      {"early, the next one is not held", &kLong, 20 * kDay, {1536}, good, 5h + 24min, 6h},
      {"an hour before the window", &kLong, 3 * kDay + 3600, {1536}, good, 1h, 5h + 24min},
      {"in the window", &kLong, 2 * kDay + 43'200, {1536}, good, 1h, 5h + 24min},
      {"the window is over", &kLong, 43'200, {1536}, good, 1h, 5h + 24min},
      {"ten minutes are left", &kLong, 600, {1536}, good, 75s, 300s},
      {"the next one is held", &kLong, 20 * kDay, {1536, 1537}, good, 5h + 24min, 6h},
      {"soon after the roll-over", &kLong, 100, {1536, 1537}, good, 101s, 161s},
      {"a short period, before its last third", &kShort, 6000, {1536}, good, 3000s, 5100s},
      {"a short period, in its last third", &kShort, 2000, {1536}, good, 250s, 1100s},
      {"none of the present period", &kLong, 20 * kDay, {1535}, good, 1s, 1s},
      {"nothing at all", nullptr, 0, {}, good, 1s, 1s},
      {"failed once", &kLong, 20 * kDay, {1536}, last(Outcome::failed), 1s, 1s},
      {"failed three times", &kLong, 20 * kDay, {1536}, last(Outcome::failed, 3), 2s, 4s},
      {"failed for long", &kLong, 20 * kDay, {1536}, last(Outcome::failed, 40), 150s, 300s},
      {"without keys, failed for long", nullptr, 0, {}, last(Outcome::failed, 40), 150s, 300s},
      {"asked to wait", &kLong, 20 * kDay, {1536}, last(Outcome::failed, 1, 1000s), 1000s, 1100s},
      {"asked to wait less than we would",
       &kLong,
       20 * kDay,
       {1536},
       last(Outcome::failed, 40, 1s),
       150s,
       300s},
      {"asked to wait for a year",
       &kLong,
       20 * kDay,
       {1536},
       last(Outcome::failed, 1, seconds(365 * kDay)),
       24h,
       24h + 144min},
      {"empty once", &kLong, 20 * kDay, {1536}, last(Outcome::empty), 30s, 60s},
      {"empty for long", &kLong, 20 * kDay, {1536, 1537}, last(Outcome::empty, 40), 30min, 1h},
      {"empty, and no keys of the present period",
       &kLong,
       20 * kDay,
       {1535},
       last(Outcome::empty, 3),
       2s,
       4s},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    HeldPeriods held;
    held.numbers = row.held;
    NtpTime now{4'000'000'000, 0};
    if (row.periods) {
      held.domain = *row.periods;
      now = row.periods->start_of(kPeriod + 1).plus(-row.before);
    }
    const milliseconds low = next_fetch(now, held, row.last, 0),
                       high = next_fetch(now, held, row.last, kAlmostOne);
    const auto [least, most] = std::minmax(low, high);
    EXPECT_GE(least, row.least) << least.count();
    EXPECT_LE(most, row.most + 1ms) << most.count();
    EXPECT_LE(least - row.least, 2s) << "the bounds are reached";
    EXPECT_LE(row.most - most, 2s);
  }
}

TEST(KmsSchedule, TheNextPeriodIsAskedForThreeToTwoDaysBefore) {
  const NtpTime boundary = kLong.start_of(kPeriod + 1);
  const NtpTime now = boundary.plus(-3 * kDay - 1800);
  const HeldPeriods held = holding(kLong, {kPeriod});
  const auto first = next_fetch(now, held, {}, 0);
  EXPECT_EQ(first, 30min);
  EXPECT_EQ(window_before(boundary, kLong).from, boundary.plus(-3 * kDay));
  EXPECT_EQ(window_before(boundary, kLong).to, boundary.plus(-2 * kDay));
  const mcx::KeyPeriods week = mcx::KeyPeriods::make(7 * kDay, 0).value();
  EXPECT_EQ(window_before(boundary, week).from, boundary.plus(-3 * kDay)) << "seven days are enough";
  EXPECT_EQ(window_before(boundary, kShort).from, boundary.plus(-3000));
}

TEST(KmsSchedule, ARevokedClientAsksRarely) {
  EXPECT_EQ(next_fetch(NtpTime{4'000'000'000, 0}, {std::nullopt, {}, true}, last(Outcome::failed), 0.5), 6h);
}

TEST(KmsSchedule, IsPacedAsToldAndNeverBusy) {
  const Pace quick{1ms, 8ms};
  EXPECT_EQ(back_off(1, 0, quick), 1ms);
  EXPECT_EQ(back_off(100, kAlmostOne, quick), 7ms);
  EXPECT_EQ(next_fetch(NtpTime{4'000'000'000, 0}, {}, {}, 0, quick), 1ms);
  const NtpTime last_second = kShort.start_of(kPeriod + 1).plus(-1);
  EXPECT_GE(next_fetch(last_second, holding(kShort, {kPeriod}), {}, 0), 1s);
}

TEST(KmsSchedule, CountsWhatHappensInARow) {
  LastFetch state;
  state.was(Outcome::failed, 7s);
  state.was(Outcome::failed);
  EXPECT_EQ(state.in_a_row, 2u);
  EXPECT_EQ(state.retry_after, 0s) << "what the newest said";
  state.was(Outcome::empty);
  EXPECT_EQ(state.in_a_row, 1u);
  state.took_keys();
  EXPECT_EQ(state.in_a_row, 0u);
}

TEST(KmsSchedule, DrawsFromTheWholeSpan) {
  double least = 1, most = 0;
  for (int i = 0; i < 1000; ++i) {
    const double one = drawn();
    ASSERT_TRUE(one >= 0 && one < 1);
    least = std::min(least, one);
    most = std::max(most, one);
  }
  EXPECT_LT(least, 0.1);
  EXPECT_GT(most, 0.9);
}

}  // namespace
}  // namespace regroup::app
