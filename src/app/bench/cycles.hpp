// SPDX-License-Identifier: Apache-2.0
// Core cycles of a piece of work. Where the processor's own counter is out of reach they are ticks of the
// time stamp counter times the ratio of both, measured by a chain of dependent multiplications just before
// each block.
#pragma once

#include <cstdint>
#include <string>

namespace regroup::app::bench {

class CycleCounter {
 public:
  CycleCounter();
  ~CycleCounter();
  CycleCounter(const CycleCounter&) = delete;
  CycleCounter& operator=(const CycleCounter&) = delete;

  void start();
  [[nodiscard]] double stop() const;  // core cycles since start()
  // "hardware counter", "TSC x 1.58" or "nanoseconds" (no counter at all: then no cycles are meant).
  [[nodiscard]] std::string method() const;

 private:
  int counter_ = -1;
  double ratio_ = 1;
  std::uint64_t from_ = 0;
};

}  // namespace regroup::app::bench
