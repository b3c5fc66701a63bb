// SPDX-License-Identifier: Apache-2.0
// Two classes of measurements, and whether their means differ (Welch's t), over all of them and over those
// below some percentiles: what interrupts add stands above and hides small differences. After "dude, is my
// code constant time?" (Reparaz, Balasch, Verbauwhede, 2017).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

namespace regroup::crypto::ct {

inline constexpr double kLargestT = 4.5;
inline constexpr std::array<double, 6> kCrops{1.0, 0.99, 0.95, 0.9, 0.75, 0.5};

struct Sample {
  bool fixed;
  std::uint64_t cycles;
};

// Mean and variance of what was added.
class Moments {
 public:
  void add(double x) {
    ++count_;
    const double delta = x - mean_;
    mean_ += delta / static_cast<double>(count_);
    squares_ += delta * (x - mean_);
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] double mean() const { return mean_; }
  [[nodiscard]] double variance_of_mean() const {
    const auto n = static_cast<double>(count_);
    return count_ < 2 ? 0 : squares_ / (n - 1) / n;
  }

 private:
  std::size_t count_ = 0;
  double mean_ = 0, squares_ = 0;
};

struct Comparison {
  Moments fixed, random;
  [[nodiscard]] double t() const {
    const double variance = fixed.variance_of_mean() + random.variance_of_mean();
    return variance > 0 ? (fixed.mean() - random.mean()) / std::sqrt(variance) : 0;
  }
};

// The number of cycles below which `part` of all samples, of both classes together, lie.
[[nodiscard]] inline std::uint64_t percentile(const std::vector<Sample>& samples, double part) {
  std::vector<std::uint64_t> cycles;
  for (const Sample& one : samples) cycles.push_back(one.cycles);
  std::sort(cycles.begin(), cycles.end());
  const auto at = static_cast<std::size_t>(part * static_cast<double>(cycles.size() - 1));
  return cycles[at];
}

[[nodiscard]] inline Comparison compare(const std::vector<Sample>& samples, std::uint64_t at_most) {
  Comparison out;
  for (const Sample& one : samples)
    if (one.cycles <= at_most) (one.fixed ? out.fixed : out.random).add(static_cast<double>(one.cycles));
  return out;
}

}  // namespace regroup::crypto::ct
