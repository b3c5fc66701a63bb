// SPDX-License-Identifier: Apache-2.0
// A token endpoint on the loopback (RFC 6749 4.4) that answers from a script, the last answer again and
// again, and remembers who asked.
#pragma once

#include <condition_variable>
#include <deque>
#include <fstream>
#include <mutex>

#include <sys/stat.h>

#include "app/kms/token_endpoint.hpp"
#include "http/lab.hpp"

namespace regroup::test {

class Idms {
 public:
  struct Asked {
    std::string line, authorization, type, body;
  };
  Idms() {
    server_ = http::serve([this](http::Request request, http::Responder respond) {
      const std::lock_guard lock(mutex_);
      asked_.push_back({request.method + " " + request.target,
                        std::string(request.headers.find("Authorization").value_or("")),
                        std::string(request.headers.find("Content-Type").value_or("")),
                        std::string(text_of(request.body))});
      arrived_.notify_all();
      if (holding_) return held_.push_back(std::move(respond));
      const Answer now = script_.empty() ? Answer{500, ""} : script_.front();
      if (script_.size() > 1) script_.pop_front();
      respond(http::make_response(now.status, "application/json", http::Body(now.body)));
    });
    std::ofstream(secret_file()) << kSecret << "\n";
    ::chmod(secret_file().c_str(), 0600);
  }
  static constexpr const char* kSecret = "p:a ss&w/ord+\xc3\xa9";

  void says(unsigned status, const std::string& body) {
    const std::lock_guard lock(mutex_);
    script_.push_back({status, body});
  }
  void says_token(const std::string& token, const std::string& more = ",\"expires_in\":3600") {
    says(200, "{\"access_token\":\"" + token + "\",\"token_type\":\"bearer\"" + more + "}");
  }
  void forget() {
    const std::lock_guard lock(mutex_);
    script_.clear();
  }
  void hold() {  // for ever
    const std::lock_guard lock(mutex_);
    holding_ = true;
  }
  [[nodiscard]] std::vector<Asked> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  // Whether somebody asked within a minute.
  [[nodiscard]] bool is_asked() {
    std::unique_lock lock(mutex_);
    return arrived_.wait_for(lock, std::chrono::minutes(1), [this] { return !asked_.empty(); });
  }
  [[nodiscard]] std::string secret_file() const { return directory_.file("secret"); }
  [[nodiscard]] app::TokenEndpointSettings settings() const {
    app::TokenEndpointSettings out;
    out.url = "https://127.0.0.1:" + std::to_string(server_->port("ue")) + "/realm/token?tenant=1";
    out.client_id = "cli:ent";
    out.secret_file = secret_file();
    out.ca_file = http::lab().ca.certificate_file();
    return out;
  }

 private:
  struct Answer {
    unsigned status;
    std::string body;
  };
  http::TemporaryDirectory directory_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Answer> script_;
  std::vector<Asked> asked_;
  bool holding_ = false;
  std::vector<http::Responder> held_;
  std::unique_ptr<http::Server> server_;  // last: stops before the rest goes
};

}  // namespace regroup::test
