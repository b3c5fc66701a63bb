// SPDX-License-Identifier: Apache-2.0
// A client's KMS material over time (TS 33.179 7.2): asked for without blocking the loop, checked and joined
// with what is stored; and the pace of trying again.
#pragma once

#include <atomic>
#include <thread>

#include "app/kms/client.hpp"
#include "app/kms/schedule.hpp"
#include "app/sealed_store.hpp"

namespace regroup::app {

// 1, 2, 4 .. 60 seconds.
class BackOff {
 public:
  [[nodiscard]] std::chrono::seconds next() {
    const int wait = std::min(60, 1 << step_);
    step_ = std::min(step_ + 1, 6);
    return std::chrono::seconds(wait);
  }
  void reset() { step_ = 0; }

 private:
  int step_ = 0;
};

using KmsFetch = std::function<Result<KmsAnswers>(std::stop_token)>;

// Asks the KMS on a thread of its own, one fetch at a time.
class KmsThread {
 public:
  explicit KmsThread(KmsFetch fetch) : fetch_(std::move(fetch)) {}
  ~KmsThread() { stop(); }
  KmsThread(const KmsThread&) = delete;
  KmsThread& operator=(const KmsThread&) = delete;

  [[nodiscard]] Result<KmsAnswers> fetch() const { return fetch_({}); }  // blocks
  // `done` runs on that thread. Ignored while a fetch is under way.
  void fetch_in_background(std::function<void(Result<KmsAnswers>)> done);
  void stop();  // a fetch under way ends with Errc::transport; `done` is still called

 private:
  KmsFetch fetch_;
  std::atomic<bool> busy_ = false;
  std::jthread thread_;
};

// What a client holds: the answers as they are stored, and what they mean.
struct ClientKeys {
  KmsAnswers answers;
  Provisioned in_force;
};
// Checks new answers against the pinned certificate and joins them with the stored ones.
[[nodiscard]] Result<ClientKeys> join_keys(KmsAnswers fetched, const KmsAnswers& stored,
                                           const std::string& identity, const KmsAccess& access, NtpTime now);
// The transport keys among them are used from then on.
[[nodiscard]] Result<KmsAnswers> load_keys(SealedStore& store, const KmsAccess& access);

}  // namespace regroup::app
