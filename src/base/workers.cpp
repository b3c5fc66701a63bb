// SPDX-License-Identifier: Apache-2.0
#include "base/workers.hpp"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

namespace regroup {
namespace {

std::atomic<unsigned> allowed{1};

}  // namespace

void set_worker_threads(unsigned threads) noexcept {
  allowed.store(std::max(1U, threads), std::memory_order_relaxed);
}

unsigned worker_threads() noexcept { return allowed.load(std::memory_order_relaxed); }

void for_each_chunk(std::size_t chunks, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  const auto run = [&] {
    for (std::size_t i = next.fetch_add(1); i < chunks; i = next.fetch_add(1)) work(i);
  };
  std::vector<std::jthread> helpers;
  try {
    for (std::size_t i = 1; i < std::min<std::size_t>(worker_threads(), chunks); ++i)
      helpers.emplace_back(run);
  } catch (const std::system_error&) {
    // No more threads to be had: those that run do it all.
  }
  run();
}

}  // namespace regroup
