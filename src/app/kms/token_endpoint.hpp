// SPDX-License-Identifier: Apache-2.0
// An access token from a token endpoint (OAuth 2.0 client credentials, RFC 6749 4.4), over TLS verified
// against a CA of its own: fetched when none is held, when the held one is about to end (`expires_in`, or the
// claim `exp` of a JWT), and once more when a server has refused it; then ever more slowly, up to once a
// minute. One request at a time, bounded in size and time. The client secret is read for each request from a
// file nobody else can reach. Thread-safe. Refuses: plain http, redirects.
#pragma once

#include <memory>
#include <mutex>
#include <stop_token>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace regroup::app {

struct TokenEndpointSettings {
  std::string url;  // https, with a path
  std::string client_id, secret_file;
  std::string scope;    // what to ask for; empty: what the client is registered with
  std::string ca_file;  // trust anchor of the endpoint alone
};

// How long a token may be waited for, and who may end that sooner.
struct TokenWait {
  std::chrono::milliseconds limit = std::chrono::seconds(10);
  std::stop_token stop = {};
};

class TokenEndpoint {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  // The clock outlives it.
  TokenEndpoint(TokenEndpointSettings settings, const Clock& clock);
  TokenEndpoint(const TokenEndpoint&) = delete;
  TokenEndpoint& operator=(const TokenEndpoint&) = delete;

  // Blocks where it has to ask. Errc::transport: not reached, too slow, overloaded; Errc::not_authorised: the
  // client is refused; Errc::usage: the secret file; Errc::malformed: no answer of a token endpoint.
  [[nodiscard]] Result<SecretOctets> token(const TokenWait& wait = {});
  // A server has refused this one. Ignored when another is held by now.
  void refused(OctetsView token);
  // The held token is about to end, or none is held.
  [[nodiscard]] bool due() const;
  [[nodiscard]] const std::string& url() const { return settings_.url; }

 private:
  // What is held, and what came of asking; under `mutex_`.
  struct State {
    SecretOctets token;
    NtpTime renew_at, ends_at;  // of the token; far away where it does not say
    SteadyTime fetched;
    bool refused = false;
    unsigned refusals = 0, failures = 0;  // in a row
    SteadyTime not_before;                // of the next request
    std::optional<Error> failure;         // of the last request
  };
  [[nodiscard]] std::optional<Result<SecretOctets>> without_asking() const;
  [[nodiscard]] Result<SecretOctets> ask(const TokenWait& wait);
  void hold(SecretOctets token, std::optional<std::int64_t> expires_in);
  [[nodiscard]] bool due(const State& state) const;

  const TokenEndpointSettings settings_;
  const Clock& clock_;
  std::timed_mutex turn_;  // one request at a time
  mutable std::mutex mutex_;
  State state_;
};

}  // namespace regroup::app
