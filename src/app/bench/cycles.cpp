// SPDX-License-Identifier: Apache-2.0
#include "app/bench/cycles.hpp"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#ifdef __x86_64__
#include <x86intrin.h>
#endif

namespace regroup::app::bench {
namespace {

std::uint64_t ticks() {
#ifdef __x86_64__
  return __rdtsc();
#else
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
#endif
}

// Multiplications that wait for each other take three cycles each; the best of a few runs was not
// interrupted.
double cycles_per_tick() {
#ifdef __x86_64__
  constexpr int kChain = 130'000;
  double best = 0;
  for (int run = 0; run < 5; ++run) {
    const std::uint64_t from = ticks();
    std::uint64_t product = 3;
    for (int i = 0; i < kChain; ++i) __asm__ volatile("imul %0, %0" : "+r"(product));
    best = std::max(best, 3.0 * kChain / static_cast<double>(ticks() - from));
  }
  return best;
#else
  return 1;
#endif
}

int open_counter() {
  perf_event_attr what{};
  what.type = PERF_TYPE_HARDWARE;
  what.size = sizeof what;
  what.config = PERF_COUNT_HW_CPU_CYCLES;
  what.exclude_kernel = 1;
  return static_cast<int>(syscall(SYS_perf_event_open, &what, 0, -1, -1, PERF_FLAG_FD_CLOEXEC));
}

std::uint64_t read_counter(int counter) {
  std::uint64_t value = 0;
  return read(counter, &value, sizeof value) == sizeof value ? value : 0;
}

}  // namespace

CycleCounter::CycleCounter() : counter_(open_counter()) {}

CycleCounter::~CycleCounter() {
  if (counter_ >= 0) close(counter_);
}

void CycleCounter::start() {
  if (counter_ < 0) ratio_ = cycles_per_tick();
  from_ = counter_ >= 0 ? read_counter(counter_) : ticks();
}

double CycleCounter::stop() const {
  const std::uint64_t now = counter_ >= 0 ? read_counter(counter_) : ticks();
  return static_cast<double>(now - from_) * (counter_ >= 0 ? 1 : ratio_);
}

std::string CycleCounter::method() const {
  if (counter_ >= 0) return "hardware counter";
#ifdef __x86_64__
  char text[32];
  std::snprintf(text, sizeof text, "TSC x %.2f", ratio_);
  return text;
#else
  return "nanoseconds";
#endif
}

}  // namespace regroup::app::bench
