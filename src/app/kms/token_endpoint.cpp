// SPDX-License-Identifier: Apache-2.0
#include "app/kms/token_endpoint.hpp"

#include <algorithm>

#include "app/http_call.hpp"
#include "crypto/secret_file.hpp"
#include "http/bearer.hpp"
#include "http/jwt.hpp"
#include "http/oauth.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kClause = "RFC 6749 4.4";
constexpr std::size_t kMostAnswer = 64 * 1024, kMostSecret = 1024;  // octets
constexpr std::int64_t kMargin = 60;  // seconds before the end; of a short life a quarter
constexpr std::int64_t kForever = 10LL * 365 * 86'400;
constexpr std::chrono::seconds kSettled(60);  // a token that served so long was no mistake

// 0, 1, 2, 4 .. 60 seconds: the first time something goes wrong it is tried again at once.
std::chrono::seconds pace(unsigned times) {
  if (times == 0) return std::chrono::seconds(0);
  return std::chrono::seconds(std::min(60, 1 << std::min(times - 1, 6u)));
}

Error unanswered(Error error) {
  if (error.clause.empty()) error.clause = kClause;
  if (error.cure.empty()) error.cure = "see whether it is the address of an OAuth 2.0 token endpoint";
  return std::move(error).with("token.endpoint");
}

}  // namespace

TokenEndpoint::TokenEndpoint(TokenEndpointSettings settings, const Clock& clock)
    : settings_(std::move(settings)), clock_(clock) {}

bool TokenEndpoint::due(const State& state) const {
  return state.token.empty() || clock_.now() >= state.renew_at;
}

bool TokenEndpoint::due() const {
  const std::lock_guard lock(mutex_);
  return due(state_);
}

void TokenEndpoint::refused(OctetsView token) {
  const std::lock_guard lock(mutex_);
  if (state_.refused || state_.token.empty() || !ct_equal(state_.token.expose(), token)) return;
  if (std::chrono::steady_clock::now() - state_.fetched > kSettled) state_.refusals = 0;
  state_.refused = true;
  state_.not_before = state_.fetched + pace(state_.refusals++);
}

// The held token, or the last failure while it is too soon to ask again; nothing: it is time to ask.
std::optional<Result<SecretOctets>> TokenEndpoint::without_asking() const {
  const std::lock_guard lock(mutex_);
  if (!state_.refused && !due(state_)) return state_.token.duplicate();
  if (std::chrono::steady_clock::now() >= state_.not_before) return std::nullopt;
  const bool ended = state_.token.empty() || clock_.now() >= state_.ends_at;
  if (state_.failure && (ended || state_.refused)) return Error(*state_.failure);
  if (!ended) return state_.token.duplicate();
  return std::nullopt;
}

Result<SecretOctets> TokenEndpoint::token(const TokenWait& wait) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + wait.limit;
  const std::unique_lock<std::timed_mutex> turn(turn_, deadline);
  if (!turn)
    return fail(Errc::transport, kClause, "token.endpoint: an earlier request is not answered yet",
                "check that " + settings_.url + " is reachable");
  if (auto known = without_asking()) return std::move(*known);
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  auto answer = ask({left, wait.stop});
  const std::lock_guard lock(mutex_);
  state_.failures = answer.ok() ? 0 : state_.failures + 1;
  state_.failure = answer.ok() ? std::nullopt : std::optional<Error>(answer.error());
  if (answer.ok()) return answer;
  state_.not_before = std::chrono::steady_clock::now() + pace(state_.failures);
  // The old one serves to its end.
  if (!state_.refused && !state_.token.empty() && clock_.now() < state_.ends_at)
    return state_.token.duplicate();
  return answer;
}

Result<SecretOctets> TokenEndpoint::ask(const TokenWait& wait) {
  http::ClientOptions options;
  options.ca_file = settings_.ca_file;
  options.response_limit = kMostAnswer;
  options.idle_connections = 0;
  const auto client = TRY(http::Client::make(options));
  http::ClientRequest request;
  request.method = "POST";
  request.url = settings_.url;
  request.headers.add("Content-Type", "application/x-www-form-urlencoded");
  request.headers.add("Accept", "application/json");
  {
    const SecretOctets secret =
        TRY(crypto::read_secret_line(settings_.secret_file, "client secret file", kMostSecret,
                                     "write the client secret into it, mode 0600"));
    http::add_basic(request.headers, settings_.client_id, secret.expose());
  }
  request.body = to_octets(view(http::client_credentials_form(settings_.scope)));
  auto outcome = call_until_stopped(*client, std::move(request), wait.limit, wait.stop);
  if (!outcome.ok()) return unanswered(std::move(outcome).error());
  const std::string at = "token.endpoint " + settings_.url;
  if (outcome->status != 200) return http::token_refusal(outcome->status, outcome->body.view()).with(at);
  auto answer = http::parse_token_answer(outcome->body.view());
  if (!answer.ok()) return std::move(answer).error().with(at);
  SecretOctets out = answer->token.duplicate();
  hold(std::move(answer->token), answer->expires_in);
  return out;
}

// Until the sooner of `expires_in` and `exp`; a clock that disagrees must not make us ask without end.
void TokenEndpoint::hold(SecretOctets token, std::optional<std::int64_t> expires_in) {
  constexpr std::int64_t kLeast = 5;
  const NtpTime now = clock_.now();
  std::int64_t life = expires_in.value_or(kForever);
  if (const auto exp = http::claims_unverified(text_of(token.expose())).expires)
    life = std::min(life, exp->seconds - now.seconds);
  life = std::max(life, kLeast);
  const std::lock_guard lock(mutex_);
  state_.token = std::move(token);
  state_.ends_at = now.plus(life);
  state_.renew_at = now.plus(std::max(kLeast, life - std::min(kMargin, life / 4)));
  state_.fetched = std::chrono::steady_clock::now();
  state_.refused = false;
}

}  // namespace regroup::app
