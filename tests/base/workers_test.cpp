// SPDX-License-Identifier: Apache-2.0
#include "base/workers.hpp"

#include <gmock/gmock.h>

#include <latch>
#include <mutex>
#include <set>
#include <thread>

namespace regroup {
namespace {

struct Threads {
  explicit Threads(unsigned threads) { set_worker_threads(threads); }
  ~Threads() { set_worker_threads(1); }
};

TEST(Workers, DoEveryChunkOnceWhateverTheNumberOfThreads) {
  for (const unsigned threads : {0U, 1U, 2U, 7U}) {
    const Threads scope(threads);
    for (const std::size_t chunks : {0U, 1U, 2U, 100U}) {
      std::mutex mutex;
      std::multiset<std::size_t> done;
      for_each_chunk(chunks, [&](std::size_t i) {
        const std::lock_guard lock(mutex);
        done.insert(i);
      });
      ASSERT_EQ(done.size(), chunks);
      for (std::size_t i = 0; i < chunks; ++i) EXPECT_EQ(done.count(i), 1U);
    }
  }
}

TEST(Workers, WorkBesideEachOtherAndOneThreadIsTheCallers) {
  const Threads scope(2);
  std::latch both(2);  // neither chunk ends before the other has begun
  std::mutex mutex;
  std::set<std::thread::id> seen;
  for_each_chunk(2, [&](std::size_t) {
    both.arrive_and_wait();
    const std::lock_guard lock(mutex);
    seen.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen.count(std::this_thread::get_id()), 1U);
}

TEST(Workers, OneThreadMeansTheCallersAlone) {
  set_worker_threads(1);
  for_each_chunk(
      3, [id = std::this_thread::get_id()](std::size_t) { EXPECT_EQ(std::this_thread::get_id(), id); });
}

}  // namespace
}  // namespace regroup
