// SPDX-License-Identifier: Apache-2.0
#include "app/loop.hpp"

#include <future>

namespace regroup::app {

Loop::Loop() : thread_([this] { work(); }) {}
Loop::~Loop() { stop(); }

void Loop::post(Task task) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  tasks_.push_back(std::move(task));
  wake_.notify_one();
}

void Loop::post_at(TimePoint at, Task task) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  timers_.emplace(at, std::move(task));
  wake_.notify_one();
}

void Loop::run(Task task) {
  auto done = std::make_shared<std::promise<void>>();
  auto waited = done->get_future();
  // The task holds the only promise: when stop() drops it, the wait ends.
  post([task = std::move(task), done = std::move(done)] {
    task();
    done->set_value();
  });
  try {
    waited.get();
  } catch (const std::future_error&) {  // dropped by stop(): nothing ran
  }
}

void Loop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(mutex_);
  tasks_.clear();
  timers_.clear();
}

void Loop::work() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    const auto now = std::chrono::steady_clock::now();
    while (!timers_.empty() && timers_.begin()->first <= now) {
      tasks_.push_back(std::move(timers_.begin()->second));
      timers_.erase(timers_.begin());
    }
    if (tasks_.empty()) {
      if (timers_.empty()) {
        wake_.wait(lock);
      } else {
        wake_.wait_until(lock, timers_.begin()->first);
      }
      continue;
    }
    {
      const Task task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
    lock.lock();
  }
}

}  // namespace regroup::app
