// SPDX-License-Identifier: Apache-2.0
// The signed requests of the last moments, by (UserUri, Id, Time) (TS 33.180 D.2.2): one is answered once.
// What is older than the window is refused for its time, so it need not be kept. Bounded for each client and
// in all: a client that asks more often than that is told to wait.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "base/clock.hpp"

namespace regroup::app {

class ReplayCache {
 public:
  static constexpr std::size_t kMostOfOne = 256;
  static constexpr std::size_t kMost = 65'536;

  // `window`: seconds a Time may lie before or after now.
  explicit ReplayCache(std::int64_t window) : window_(window) {}

  enum class Verdict { fresh, skewed, replayed, full };
  [[nodiscard]] Verdict admit(const std::string& identity, const std::string& id, NtpTime time, NtpTime now);
  [[nodiscard]] std::int64_t window() const { return window_; }

 private:
  using Seen = std::set<std::pair<std::int64_t, std::string>>;  // seconds of Time, Id
  void forget(Seen& seen, NtpTime now);
  void forget_all(NtpTime now);

  std::int64_t window_;
  std::mutex mutex_;
  std::map<std::string, Seen> seen_;  // by identity
  std::size_t size_ = 0;
};

}  // namespace regroup::app
