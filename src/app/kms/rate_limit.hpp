// SPDX-License-Identifier: Apache-2.0
// How often one identity is answered (TS 33.180 D.2 leaves it open): a bucket of so many requests each, full
// at first, refilled evenly within a minute. Asked after the identity is known to be registered, so that
// there are never more buckets than identities; those that are full again are forgotten.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/clock.hpp"

namespace regroup::app {

class RateLimit {
 public:
  // 0: no limit.
  explicit RateLimit(std::uint32_t requests_per_minute);

  // 0: to be answered. Else the seconds, 1 to 60, after which the next one is.
  [[nodiscard]] std::int64_t admit(const std::string& identity, NtpTime now);
  [[nodiscard]] std::size_t remembered();

 private:
  void forget_full(std::int64_t now);

  const std::int64_t refill_;  // microseconds for one request; 0: no limit
  std::mutex mutex_;
  std::unordered_map<std::string, std::int64_t> full_at_;  // microseconds; when the bucket is full again
  std::size_t look_at_ = 1024;                             // buckets, at which the full ones are looked for
};

}  // namespace regroup::app
