// SPDX-License-Identifier: Apache-2.0
#include "app/ue/agent_token.hpp"

#include "base/text.hpp"
#include "http/jwt.hpp"

namespace regroup::app {
namespace {

// Where the token came from, and how that is put right.
struct Source {
  std::string name, cure;
};

Source source_of(const KmsAccess& access) {
  if (access.token_endpoint)
    return {"what token.endpoint " + access.token_endpoint->url() + " gave",
            "correct token.client_id and its secret, or mcptt_id"};
  if (!access.token_command.empty())
    return {"the output of token.command",
            "let the command print the token of this mcptt_id, or correct mcptt_id"};
  return {"token file " + printable(access.token_file),
          "put the token of this mcptt_id there, mode 0600, or correct mcptt_id"};
}

Result<SecretOctets> if_own(SecretOctets token, const UeConfig& config) {
  const std::string other = http::claims_unverified(text_of(token.expose())).identity;
  const std::string& self = config.domain.identity.text();
  if (other.empty() || other == self) return token;
  const Source source = source_of(config.kms);
  return fail(
      Errc::usage, "TS 33.180 B.2",
      source.name + " is a token of " + printable(other) + ", and this client is mcptt_id " + printable(self),
      source.cure);
}

}  // namespace

Result<SecretOctets> own_token(const UeConfig& config, const TokenWait& wait) {
  return if_own(TRY(read_token(config.kms, wait)), config);
}

Result<SecretOctets> own_token_again(const UeConfig& config, OctetsView refused, const TokenWait& wait) {
  return if_own(TRY(read_token_again(config.kms, refused, wait)), config);
}

// ---- TokenKeeper

Result<void> TokenKeeper::start() {
  auto token = own_token(config_);
  if (!token.ok()) return std::move(token).error();
  const std::lock_guard lock(mutex_);
  held_ = std::move(token).value();
  return {};
}

Result<SecretOctets> TokenKeeper::token() {
  if (!config_.kms.token_file.empty()) return own_token(config_);
  const std::lock_guard lock(mutex_);
  const bool ends_soon = config_.kms.token_endpoint && config_.kms.token_endpoint->due();
  if (held_.empty() || failure_ || ends_soon) ask();
  if (failure_) return Error(*failure_);
  if (!held_.empty()) return held_.duplicate();
  return fail(Errc::transport, "TS 33.180 B.10", "an access token is being fetched", "wait");
}

void TokenKeeper::renew(std::function<void()> done) {
  if (!config_.kms.token_file.empty()) return done();
  const std::lock_guard lock(mutex_);
  refused_ = true;
  waiting_.push_back(std::move(done));
  ask();
}

void TokenKeeper::ask() {
  if (stopped_ || std::exchange(asking_, true)) return;
  const bool again = std::exchange(refused_, false);
  thread_ = std::jthread([this, again, old = held_.duplicate()](const std::stop_token& stop) {
    const TokenWait wait{.stop = stop};
    answered(again ? own_token_again(config_, old.expose(), wait) : own_token(config_, wait));
  });
}

void TokenKeeper::answered(Result<SecretOctets> answer) {
  std::vector<std::function<void()>> told;
  {
    const std::lock_guard lock(mutex_);
    asking_ = refused_ = false;
    failure_ = answer.ok() ? std::nullopt : std::optional<Error>(answer.error());
    if (answer.ok()) held_ = std::move(answer).value();
    told.swap(waiting_);
  }
  for (const auto& done : told) done();
}

void TokenKeeper::stop() {
  std::jthread last;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    last.swap(thread_);
  }
  if (!last.joinable()) return;
  last.request_stop();
  last.join();
}

}  // namespace regroup::app
