// SPDX-License-Identifier: Apache-2.0
#include "app/kms/schedule.hpp"

#include <algorithm>

#include "app/kms/client.hpp"
#include "crypto/random.hpp"

namespace regroup::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Outcome = LastFetch::Outcome;

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kLong = 7 * kDay;  // periods from here on have days to spare
constexpr seconds kRefresh = std::chrono::hours(6);
constexpr seconds kAfterRollOver{60};
constexpr seconds kMostAsked = std::chrono::hours(24);  // a KMS that wants more is not believed
constexpr Pace kOfEmpty{std::chrono::minutes(1), std::chrono::hours(1)};

milliseconds part(double random, milliseconds span) {
  return milliseconds(static_cast<std::int64_t>(random * static_cast<double>(span.count())));
}

bool holds(const HeldPeriods& held, std::int64_t number) {
  return std::find(held.numbers.begin(), held.numbers.end(), number) != held.numbers.end();
}

// As long as it asks for, and up to a tenth more, so that not all come back at once.
milliseconds after_failure(const LastFetch& last, double random, const Pace& pace) {
  const milliseconds asked = std::min<milliseconds>(last.retry_after, kMostAsked);
  return std::max(back_off(last.in_a_row, random, pace), asked + part(random, asked / 10));
}

// Somewhere in the window; when that is over, soon, but not without a pause.
milliseconds for_next_period(NtpTime now, NtpTime boundary, const mcx::KeyPeriods& periods, double random) {
  const seconds left(boundary.seconds - now.seconds);
  const Window window = window_before(boundary, periods);
  const seconds begin(std::max<std::int64_t>(0, window.from.seconds - now.seconds));
  const seconds end = window.to > now ? seconds(window.to.seconds - now.seconds) : left / 2;
  const milliseconds moment = begin + part(random, end - begin);
  if (begin > seconds(0)) return moment;
  return std::max<milliseconds>(moment, std::clamp<seconds>(left / 8, seconds(1), seconds(3600)));
}

}  // namespace

HeldPeriods held_in(const Provisioned& keys) {
  HeldPeriods out;
  out.revoked = keys.revoked;
  if (!keys.domains.all().empty()) out.domain = keys.domains.all().front().periods;
  for (const mcx::KeySet& one : keys.key_sets) out.numbers.push_back(one.period_no());
  return out;
}

milliseconds back_off(unsigned in_a_row, double random, const Pace& pace) {
  milliseconds span = pace.first;
  for (unsigned i = 1; i < in_a_row && span < pace.most; ++i) span *= 2;
  span = std::min(span, pace.most);
  return std::max(milliseconds(1), span / 2 + part(random, span / 2));
}

Window window_before(NtpTime boundary, const mcx::KeyPeriods& periods) {
  if (periods.period() >= kLong) return {boundary.plus(-3 * kDay), boundary.plus(-2 * kDay)};
  return {boundary.plus(-periods.period() / 3), boundary.plus(-periods.period() / 10)};
}

milliseconds next_fetch(NtpTime now, const HeldPeriods& held, const LastFetch& last, double random,
                        const Pace& pace) {
  if (held.revoked) return kRefresh;  // for good
  if (last.outcome == Outcome::failed) return std::max(pace.first, after_failure(last, random, pace));
  const std::int64_t present = held.domain ? held.domain->number_at(now) : 0;
  if (!held.domain || !holds(held, present))
    return std::max(pace.first, back_off(std::max(1u, last.in_a_row), random, pace));
  if (last.outcome == Outcome::empty) return std::max(pace.first, back_off(last.in_a_row, random, kOfEmpty));
  const NtpTime boundary = held.domain->start_of(present + 1);
  const milliseconds refresh = kRefresh - part(random, kRefresh / 10);
  const milliseconds other = holds(held, present + 1) ? seconds(boundary.seconds - now.seconds) + seconds(1) +
                                                            part(random, kAfterRollOver)
                                                      : for_next_period(now, boundary, *held.domain, random);
  return std::max(pace.first, std::min(refresh, other));
}

double drawn() {
  crypto::SystemRandom random;
  const Fixed<4> octets = random.octets<4>();
  double out = 0;
  for (const std::uint8_t octet : octets) out = (out + octet) / 256;
  return out;
}

}  // namespace regroup::app
