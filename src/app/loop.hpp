// SPDX-License-Identifier: Apache-2.0
// One thread that everything of a role runs on: HTTP handlers, SIP callbacks and timers post to it, so the
// rooms below need no locks. Tasks run in the order they were posted; a timer runs at or after its time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace regroup::app {

class Loop {
 public:
  using Task = std::function<void()>;
  using TimePoint = std::chrono::steady_clock::time_point;

  Loop();
  ~Loop();  // stops
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Thread-safe. After stop() tasks are dropped.
  void post(Task task);
  void post_at(TimePoint at, Task task);
  void post_in(std::chrono::milliseconds delay, Task task) {
    post_at(std::chrono::steady_clock::now() + delay, std::move(task));
  }
  // Runs a task and waits for it; not from the loop itself.
  void run(Task task);
  // Finishes the task at hand, drops the rest, joins the thread. Idempotent; not from the loop itself.
  void stop();

 private:
  void work();
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  std::multimap<TimePoint, Task> timers_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace regroup::app
