// SPDX-License-Identifier: Apache-2.0
#include "app/kms/work_queue.hpp"

#include <gtest/gtest.h>

#include <future>
#include <stdexcept>

namespace regroup::app {
namespace {

// Work that waits for a word of the test, and what it was given.
class Held : public testing::Test {
 protected:
  static http::Request request(const std::string& target) {
    http::Request out;
    out.target = target;
    return out;
  }
  bool offer(WorkQueue& queue, const std::string& target) {
    http::Request asked = request(target);
    http::Responder respond(nullptr);
    const bool taken = queue.offer(asked, respond);
    EXPECT_EQ(asked.target, taken ? "" : target);  // what was not taken stays whole
    return taken;
  }
  WorkQueue::Work work() {
    return [this](const http::Request& given, http::Responder) {
      std::unique_lock lock(mutex);
      begun.push_back(given.target);
      changed.notify_all();
      changed.wait(lock, [this] { return go; });
      ++done;
      changed.notify_all();
      if (given.target == "/throws") throw std::runtime_error("no");
    };
  }
  std::function<void(const std::string&)> on_fault() {
    return [this](const std::string& fault) {
      const std::lock_guard lock(mutex);
      faults.push_back(fault);
    };
  }
  void await_begun(std::size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return begun.size() >= count; });
  }
  void await_done(int count) {
    std::unique_lock lock(mutex);
    go = true;
    changed.notify_all();
    changed.wait(lock, [&] { return done >= count; });
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> begun, faults;
  bool go = false;
  int done = 0;
};

TEST_F(Held, WhatIsMoreThanMayWaitIsLeftWithTheCaller) {
  WorkQueue queue(2, 3, work(), on_fault());
  EXPECT_TRUE(offer(queue, "/1"));
  EXPECT_TRUE(offer(queue, "/2"));
  await_begun(2);
  for (const char* one : {"/3", "/4", "/5"}) EXPECT_TRUE(offer(queue, one));
  EXPECT_FALSE(offer(queue, "/6"));
  await_done(5);
  EXPECT_TRUE(offer(queue, "/7"));
  await_done(6);
  EXPECT_EQ(begun.size(), 6U);
}

TEST_F(Held, AnExceptionIsToldAndTheThreadGoesOn) {
  go = true;
  {
    WorkQueue queue(1, 10, work(), on_fault());
    EXPECT_TRUE(offer(queue, "/throws"));
    EXPECT_TRUE(offer(queue, "/after"));
    await_done(2);
  }
  EXPECT_EQ(faults, std::vector<std::string>{"a request was not answered: no"});
}

TEST_F(Held, StopWaitsForWhatIsBeingDoneAndBeginsNothingMore) {
  WorkQueue queue(1, 100'000, work(), on_fault());
  EXPECT_TRUE(offer(queue, "/1"));
  await_begun(1);
  EXPECT_TRUE(offer(queue, "/2"));
  auto stopped = std::async(std::launch::async, [&] { queue.stop(); });
  while (offer(queue, "/more")) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  await_done(1);
  stopped.get();
  EXPECT_EQ(done, 1);
  EXPECT_EQ(begun, std::vector<std::string>{"/1"});
}

}  // namespace
}  // namespace regroup::app
