// SPDX-License-Identifier: Apache-2.0
#include "app/kms/replay.hpp"

namespace regroup::app {

ReplayCache::Verdict ReplayCache::admit(const std::string& identity, const std::string& id, NtpTime time,
                                        NtpTime now) {
  if (time.seconds < now.seconds - window_ || time.seconds > now.seconds + window_) return Verdict::skewed;
  const std::lock_guard lock(mutex_);
  if (size_ >= kMost) forget_all(now);
  Seen& seen = seen_[identity];
  forget(seen, now);
  if (seen.count({time.seconds, id}) != 0) return Verdict::replayed;
  if (seen.size() >= kMostOfOne || size_ >= kMost) return Verdict::full;
  seen.emplace(time.seconds, id);
  ++size_;
  return Verdict::fresh;
}

void ReplayCache::forget(Seen& seen, NtpTime now) {
  while (!seen.empty() && seen.begin()->first < now.seconds - window_) {
    seen.erase(seen.begin());
    --size_;
  }
}

void ReplayCache::forget_all(NtpTime now) {
  for (auto one = seen_.begin(); one != seen_.end();) {
    forget(one->second, now);
    one = one->second.empty() ? seen_.erase(one) : std::next(one);
  }
}

}  // namespace regroup::app
