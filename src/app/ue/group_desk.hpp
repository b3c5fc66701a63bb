// SPDX-License-Identifier: Apache-2.0
// What the verbs of `regroup ue group` and `regroup ue keys` share: checked
// arguments, one connection to the GMS, and how an error or a refusal is told:
// field, clause, cure, and an exit code.
#pragma once

#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <span>

#include "app/ue/config.hpp"
#include "http/client.hpp"
#include "xcap/gmop.hpp"

namespace regroup::app {

// A dispatcher's client: one configuration, one connection, one deadline for all it does. A 401 is answered
// once with a new token.
class Desk {
 public:
  // The deadline counts from here.
  [[nodiscard]] static Result<Desk> open(const std::string& config_file, std::chrono::seconds deadline);
  [[nodiscard]] Result<http::Response> send(const std::string& method, const std::string& path,
                                            std::string_view type, const std::string& body) const;
  [[nodiscard]] const UeConfig& config() const { return config_; }

 private:
  [[nodiscard]] std::chrono::milliseconds left() const;

  UeConfig config_;
  std::chrono::steady_clock::time_point deadline_;
  std::unique_ptr<http::Client> client_;
};

// An error, and whether it is a refusal of the GMS or of the token endpoint (exit 3) or ours (2: usage, 1:
// anything else).
struct Failure {
  Error error;
  int exit = 1;

  Failure(Error reason);
  Failure(Error reason, int exit_code) : error(std::move(reason)), exit(exit_code) {}
};
// Every status but those that mean success.
[[nodiscard]] Failure refusal_of(const http::Response& response);
// A GMOP answer that says "rejected" (one of the reasons of PR-20's profile).
[[nodiscard]] Failure refusal_of(const xcap::GmopResponse& answer);

// `{"code","clause","detail","cure"}`.
[[nodiscard]] nlohmann::json json_of(const Error& error);
// One line on `err`; with `json` also {"error":{...}} on `out`. Gives back the
// exit code.
int tell(const Failure& failure, bool json, std::ostream& out, std::ostream& err);

// Errc::usage that names the argument.
[[nodiscard]] Result<void> check_uri(std::string_view argument, const std::string& uri);
[[nodiscard]] Result<void> check_uris(std::string_view argument, std::span<const std::string> uris,
                                      std::size_t least);
[[nodiscard]] Result<void> check_request_id(const std::string& request_id);

}  // namespace regroup::app
