// SPDX-License-Identifier: Apache-2.0
// The threads that answer requests, and the bounded queue before them: a KMS whose users all start at once
// turns away what it cannot answer soon, and its io threads stay free to say so.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "http/server.hpp"

namespace regroup::app {

class WorkQueue {
 public:
  // An exception of `work` becomes 500; `on_fault` is told.
  using Work = std::function<void(http::Request, http::Responder)>;
  WorkQueue(unsigned threads, std::size_t most_waiting, Work work,
            std::function<void(const std::string&)> on_fault);
  ~WorkQueue();  // stops; what still waits is answered 500
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // Returns when what is being worked at is done; nothing is begun any more.
  void stop();
  // False, and both stay with the caller, when `most_waiting` wait already or stop() has begun.
  [[nodiscard]] bool offer(http::Request& request, http::Responder& respond);

 private:
  struct Job {
    http::Request request;
    http::Responder respond;
  };
  void run();

  const std::size_t most_waiting_;
  const Work work_;
  const std::function<void(const std::string&)> on_fault_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace regroup::app
