// SPDX-License-Identifier: Apache-2.0
#include "app/kms/work_queue.hpp"

#include <exception>

namespace regroup::app {

WorkQueue::WorkQueue(unsigned threads, std::size_t most_waiting, Work work,
                     std::function<void(const std::string&)> on_fault)
    : most_waiting_(most_waiting), work_(std::move(work)), on_fault_(std::move(on_fault)) {
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

WorkQueue::~WorkQueue() { stop(); }

void WorkQueue::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

bool WorkQueue::offer(http::Request& request, http::Responder& respond) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= most_waiting_) return false;
    waiting_.push_back({std::move(request), std::move(respond)});
  }
  changed_.notify_one();
  return true;
}

void WorkQueue::run() {
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    Job job = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    try {
      work_(std::move(job.request), std::move(job.respond));
    } catch (const std::exception& e) {  // the Responder has answered 500 on its way out
      on_fault_(std::string("a request was not answered: ") + e.what());
    }
  }
}

}  // namespace regroup::app
