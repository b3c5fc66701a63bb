// SPDX-License-Identifier: Apache-2.0
#include "app/kms/rate_limit.hpp"

#include <algorithm>

namespace regroup::app {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;

std::int64_t microseconds(NtpTime time) {
  return time.seconds * kSecond +
         static_cast<std::int64_t>((static_cast<std::uint64_t>(time.fraction) * kSecond) >> 32);
}

}  // namespace

RateLimit::RateLimit(std::uint32_t requests_per_minute)
    : refill_(requests_per_minute ? kMinute / requests_per_minute : 0) {}

std::int64_t RateLimit::admit(const std::string& identity, NtpTime now) {
  if (refill_ == 0) return 0;
  const std::int64_t at = microseconds(now);
  const std::lock_guard lock(mutex_);
  if (full_at_.size() >= look_at_) forget_full(at);
  std::int64_t& full_at = full_at_[identity];
  full_at = std::clamp(full_at, at, at + kMinute);  // a clock that was set back costs a minute at most
  const std::int64_t wait = full_at + refill_ - (at + kMinute);
  if (wait > 0) return (wait + kSecond - 1) / kSecond;
  full_at += refill_;
  return 0;
}

std::size_t RateLimit::remembered() {
  const std::lock_guard lock(mutex_);
  return full_at_.size();
}

void RateLimit::forget_full(std::int64_t now) {
  std::erase_if(full_at_, [now](const auto& one) { return one.second <= now; });
  look_at_ = std::max<std::size_t>(1024, 2 * full_at_.size());
}

}  // namespace regroup::app
