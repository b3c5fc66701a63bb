// SPDX-License-Identifier: Apache-2.0
// The access token of a client, which must be its own (docs/operations.md, "Tokens"): with another's the GMS
// would show another's documents, and everything that they do not show would be withdrawn.
#pragma once

#include <functional>
#include <mutex>
#include <thread>

#include "app/ue/config.hpp"

namespace regroup::app {

// Reads the token as read_token does. Errc::usage when it says that it is another identity's: the claim
// `mcptt_id` of a JWT (RFC 7519), not verified here, for that is the servers' part. A token without it, or
// an opaque one, says nothing and is taken.
[[nodiscard]] Result<SecretOctets> own_token(const UeConfig& config, const TokenWait& wait = {});
// The same after a server has refused that one.
[[nodiscard]] Result<SecretOctets> own_token_again(const UeConfig& config, OctetsView refused,
                                                   const TokenWait& wait = {});

// The token of a client that runs, for its loop. A file is read for each request: whoever renews the token
// writes it there. A command or an endpoint takes its time: it is asked on a thread of its own, and what it
// gave serves until it is refused or about to end. Thread-safe.
class TokenKeeper {
 public:
  explicit TokenKeeper(const UeConfig& config) : config_(config) {}
  ~TokenKeeper() { stop(); }
  TokenKeeper(const TokenKeeper&) = delete;
  TokenKeeper& operator=(const TokenKeeper&) = delete;

  // The first one; blocks.
  [[nodiscard]] Result<void> start();
  // Does not wait: the last failure, or Errc::transport, while there is none.
  [[nodiscard]] Result<SecretOctets> token();
  // The last one was refused. `done` is called once there is another or none could be had: at once, or on
  // that thread, and then it must not block.
  void renew(std::function<void()> done);
  void stop();  // requests under way end; idempotent

 private:
  void ask();  // with `mutex_` held
  void answered(Result<SecretOctets> answer);

  const UeConfig& config_;
  std::mutex mutex_;
  SecretOctets held_;
  std::optional<Error> failure_;  // of the last request
  bool asking_ = false, refused_ = false, stopped_ = false;
  std::vector<std::function<void()>> waiting_;
  std::jthread thread_;
};

}  // namespace regroup::app
