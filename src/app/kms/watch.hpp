// SPDX-License-Identifier: Apache-2.0
// How an operator watches a KMS: what it counts, as Prometheus reads it, and whether it lives and is ready
// (docs/operations.md, Watching a KMS). No identity, token or key is in any of it, and no label comes from a
// request. Thread-safe.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <mutex>

#include "app/kms/front.hpp"

namespace regroup::app {

class KmsWatch {
 public:
  // What is told of it at each look.
  struct State {
    std::int64_t cache_num = 0;
    std::size_t identities = 0;
    std::string trouble;  // why it is not ready; empty: it is
  };
  explicit KmsWatch(std::function<State()> state);

  void answered(const KmsAnswer& answer, std::chrono::duration<double> took);
  void turned_away() { turned_away_->Increment(); }
  // Whether the last request could be recorded and the directory read.
  void trouble(std::string_view source, const std::string& what);

  // GET /metrics (text format 0.0.4), /health (200 while the process answers), /ready (200, or 503 with the
  // reason); 404 for all else.
  [[nodiscard]] http::Response answer(const http::Request& request);

 private:
  [[nodiscard]] State state();
  [[nodiscard]] std::string metrics();

  std::function<State()> state_;
  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Counter* key_sets_;
  prometheus::Counter* turned_away_;
  prometheus::Histogram* seconds_;
  prometheus::Gauge *cache_num_, *identities_, *ready_;
  std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> troubles_;  // by source; the good ones are not in it
};

}  // namespace regroup::app
