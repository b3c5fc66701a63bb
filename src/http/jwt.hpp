// SPDX-License-Identifier: Apache-2.0
// Access tokens: JWT (RFC 7519) in JWS compact form (RFC 7515), verified against configured keys (RFC 7517).
// Claims and leeway as TS 33.179/33.180 B.1.2, B.4.2. Refuses: algorithms outside the allow-list, "none",
// every HMAC, a key of another type or curve than the algorithm's, `crit`, duplicate claims, tokens over 16
// KiB or nested deeper than 8. Key pointers inside the token (jku, x5u, x5c, jwk) are never looked at.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace regroup::http {

inline constexpr std::size_t kMaxToken = 16 * 1024;  // octets
inline constexpr std::size_t kMaxJwks = 256 * 1024;  // octets
inline constexpr std::size_t kMaxJwksKeys = 64;

// A set of public verification keys: EC P-256 and P-384, RSA of 2048 to 8192 bits. Other keys, private ones
// and keys for encryption are skipped; a set without one usable key is an error. Cheap to copy, immutable.
class Jwks {
 public:
  [[nodiscard]] static Result<Jwks> parse(std::string_view json);
  // No keys, and what verify() says of every token.
  [[nodiscard]] static Jwks none(Error why);
  // The same keys; verify() calls `missed` for each token that names a key which is not among them. Anybody
  // can make such a token, so `missed` must be cheap.
  [[nodiscard]] Jwks telling(std::function<void()> missed) const;
  [[nodiscard]] std::size_t size() const noexcept;

  struct Key;
  [[nodiscard]] const std::vector<Key>& keys() const noexcept { return *keys_; }
  [[nodiscard]] const Error* why_none() const noexcept { return why_none_.get(); }
  void miss() const {
    if (missed_) (*missed_)();
  }

 private:
  explicit Jwks(std::shared_ptr<const std::vector<Key>> keys) : keys_(std::move(keys)) {}
  std::shared_ptr<const std::vector<Key>> keys_;
  std::shared_ptr<const Error> why_none_;
  std::shared_ptr<const std::function<void()>> missed_;
};

// Errc::usage for a file that cannot be opened, or what is wrong in it.
[[nodiscard]] Result<Jwks> read_jwks_file(const std::string& file);

struct TokenPolicy {
  std::string issuer;                       // `iss` must equal it; never empty
  std::string audience = {};                // `aud`, if present, must include it; empty = not checked
  bool audience_required = false;           // then a token without `aud` is refused too
  std::vector<std::string> scopes = {};     // at least one of them; empty = not checked
  std::string identity_claim = "mcptt_id";  // must be a non-empty string
  bool accept_scp = false;                  // vendor tokens: `scp` for `scope`, `cid` for `client_id`
  std::int64_t leeway = 30;                 // seconds (TS 33.180 B.2.1: not above 30)
  std::vector<std::string> algorithms = {"ES256", "RS256", "PS256"};  // also known: ES384
};

struct Claims {
  std::string identity;  // of policy.identity_claim, octets as they stand
  std::string issuer;
  std::string subject;
  std::string client_id;
  std::string token_id;  // jti
  std::vector<std::string> audience;
  std::vector<std::string> scopes;
  NtpTime expires;
  [[nodiscard]] bool has_scope(std::string_view scope) const;
};

// Error codes: not_authorised = valid but without the scope (insufficient_scope); usage = the policy is
// incomplete; transport = no keys to judge by (Jwks::none); every other one = invalid_token (malformed,
// unsupported, bad_signature, expired, not_yet_valid).
[[nodiscard]] Result<Claims> verify(std::string_view token, const Jwks& jwks, const TokenPolicy& policy,
                                    NtpTime now);

// What a token says of itself, unverified: for its bearer, never to judge what somebody shows. Empty where it
// does not say: an opaque token, another claim.
struct OwnClaims {
  std::string identity;  // `mcptt_id`
  std::optional<NtpTime> expires;
};
[[nodiscard]] OwnClaims claims_unverified(std::string_view token);

// "invalid_token" or "insufficient_scope" (RFC 6750 3.1) for an error of verify().
[[nodiscard]] std::string_view oauth_error(const Error& error) noexcept;

}  // namespace regroup::http
