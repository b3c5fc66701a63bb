// SPDX-License-Identifier: Apache-2.0
#include "app/kms/watch.hpp"

#include <prometheus/text_serializer.h>

#include "base/text.hpp"

namespace regroup::app {
namespace {

const prometheus::Histogram::BucketBoundaries kSeconds = {0.005, 0.01, 0.025, 0.05, 0.1,
                                                          0.25,  0.5,  1,     2.5,  5};

// Of the resource that was asked, one of few words: a label must not be the client's to choose.
std::string kind_of(std::string_view resource) {
  for (const char* kind : {"init", "keyprov", "certcache", "cert"}) {
    std::string_view rest = resource;
    const std::string path = std::string(kKmsRoot) + "/" + kind;
    if (!rest.starts_with(path)) continue;
    rest.remove_prefix(path.size());
    if (rest.empty() || rest[0] == '/') return kind;
  }
  return "other";
}

http::Response plain(unsigned status, std::string_view type, const std::string& text) {
  http::Response out = http::make_response(status, type, http::Body(view(text)));
  out.headers.set("Cache-Control", "no-store");
  return out;
}

}  // namespace

KmsWatch::KmsWatch(std::function<State()> state)
    : state_(std::move(state)),
      requests_(prometheus::BuildCounter()
                    .Name("regroup_kms_requests_total")
                    .Help("Answers, by resource and HTTP status")
                    .Register(registry_)),
      key_sets_(&prometheus::BuildCounter()
                     .Name("regroup_kms_key_sets_total")
                     .Help("Key sets handed out")
                     .Register(registry_)
                     .Add({})),
      turned_away_(&prometheus::BuildCounter()
                        .Name("regroup_kms_turned_away_total")
                        .Help("Requests answered 503 because too many were waiting")
                        .Register(registry_)
                        .Add({})),
      seconds_(&prometheus::BuildHistogram()
                    .Name("regroup_kms_answer_seconds")
                    .Help("From the start of work on a request to its answer")
                    .Register(registry_)
                    .Add({}, kSeconds)),
      cache_num_(&prometheus::BuildGauge()
                      .Name("regroup_kms_cache_number")
                      .Help("CacheNum of the external certificates")
                      .Register(registry_)
                      .Add({})),
      identities_(&prometheus::BuildGauge()
                       .Name("regroup_kms_identities")
                       .Help("Registered identities")
                       .Register(registry_)
                       .Add({})),
      ready_(&prometheus::BuildGauge()
                  .Name("regroup_kms_ready")
                  .Help("1 when /ready says so")
                  .Register(registry_)
                  .Add({})) {}

void KmsWatch::answered(const KmsAnswer& answer, std::chrono::duration<double> took) {
  requests_.Add({{"resource", kind_of(answer.resource)}, {"status", std::to_string(answer.response.status)}})
      .Increment();
  key_sets_->Increment(static_cast<double>(answer.periods.size()));
  seconds_->Observe(took.count());
}

void KmsWatch::trouble(std::string_view source, const std::string& what) {
  const std::lock_guard lock(mutex_);
  if (what.empty()) {
    if (const auto held = troubles_.find(source); held != troubles_.end()) troubles_.erase(held);
  } else {
    troubles_.insert_or_assign(std::string(source), what);
  }
}

KmsWatch::State KmsWatch::state() {
  State out = state_();
  const std::lock_guard lock(mutex_);
  for (const auto& [source, what] : troubles_) out.trouble += (out.trouble.empty() ? "" : "; ") + what;
  return out;
}

std::string KmsWatch::metrics() {
  const State now = state();
  cache_num_->Set(static_cast<double>(now.cache_num));
  identities_->Set(static_cast<double>(now.identities));
  ready_->Set(now.trouble.empty() ? 1 : 0);
  return prometheus::TextSerializer().Serialize(registry_.Collect());
}

http::Response KmsWatch::answer(const http::Request& request) {
  if (request.target == "/metrics") return plain(200, "text/plain; version=0.0.4; charset=utf-8", metrics());
  if (request.target == "/health") return plain(200, "text/plain; charset=utf-8", "alive\n");
  if (request.target != "/ready") return http::make_response(404);
  const std::string trouble = state().trouble;
  return plain(trouble.empty() ? 200 : 503, "text/plain; charset=utf-8",
               trouble.empty() ? "ready\n" : trouble + "\n");
}

}  // namespace regroup::app
