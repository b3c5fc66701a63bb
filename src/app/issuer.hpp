// SPDX-License-Identifier: Apache-2.0
// A token issuer for the demo and the tests (bootstrap: "./demo and tests run their own issuer"). Never
// installed: KMS and GMS know it only by its JWKS. Signs access tokens with ES256 under a P-256 key that
// lives only in this object.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace regroup::app {

struct IssuedClaims {
  std::string mcptt_id;
  std::vector<std::string> scopes;
  std::vector<std::string> audience = {};
  std::string client_id = {};
  std::int64_t lifetime = 3600;  // seconds
};

class Issuer {
 public:
  // Makes a key and writes DIRECTORY/jwks.json; the directory exists.
  [[nodiscard]] static Result<Issuer> make(const std::string& directory, std::string issuer_url);
  Issuer(Issuer&&) noexcept;
  Issuer& operator=(Issuer&&) noexcept;
  ~Issuer();

  [[nodiscard]] const std::string& url() const;
  [[nodiscard]] const std::string& jwks_file() const;
  // A signed access token of type at+jwt, valid from `now`.
  [[nodiscard]] Result<std::string> token(const IssuedClaims& claims, NtpTime now) const;

 private:
  struct State;
  explicit Issuer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace regroup::app
