// SPDX-License-Identifier: Apache-2.0
#include "http/jwt.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/secret.hpp"
#include "base/text.hpp"
#include "http/json.hpp"
#include "http/jwks.hpp"

namespace regroup::http {
namespace {

using nlohmann::json;
constexpr std::int64_t kMostLeeway = 30;  // seconds
constexpr std::string_view kJws = "RFC 7515 5.2";
constexpr std::string_view kJwt = "RFC 7519 7.2";
constexpr std::string_view kClaims = "TS 33.180 B.4.2";

struct Parts {
  std::string_view signed_text;  // header '.' payload, as received
  std::string_view header, payload, signature;
};

Result<Parts> split(std::string_view token) {
  if (token.size() > kMaxToken)
    return fail(Errc::limit, kJws, "token is longer than " + std::to_string(kMaxToken) + " octets",
                "have the issuer make a shorter token");
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos)
    return fail(Errc::malformed, kJws, "token is not three parts separated by '.'",
                "send a signed JWT (JWS compact form): header.payload.signature");
  return Parts{token.substr(0, second), token.substr(0, first), token.substr(first + 1, second - first - 1),
               token.substr(second + 1)};
}

// RFC 7515 2: base64url without padding.
Result<Octets> decode_part(std::string_view part, std::string_view what) {
  auto octets = from_base64url(part);
  if (!octets.ok() || part.find('=') != std::string_view::npos)
    return fail(Errc::malformed, kJws, std::string(what) + " is not base64url without padding",
                "send the token as the issuer wrote it");
  return octets;
}

Result<json> decode_object(std::string_view part, std::string_view what) {
  const Octets octets = TRY(decode_part(part, what));
  return parse_json_object(text_of(octets), kJws, what);
}

Result<const SignatureAlgorithm*> algorithm_of(const json& header, const TokenPolicy& policy) {
  const std::string name = text_member(header, "alg");
  const auto& allowed = policy.algorithms;
  const SignatureAlgorithm* known = find_algorithm(name);
  if (!known || std::find(allowed.begin(), allowed.end(), name) == allowed.end())
    return fail(Errc::unsupported, "RFC 8725 3.1",
                "token algorithm \"" + printable(name, 16) + "\" is not allowed",
                "have the issuer sign with one of the algorithms in docs/operations.md, ES256 for example");
  if (header.contains("crit"))
    return fail(Errc::unsupported, "RFC 7515 4.1.11", "token header has critical extensions",
                "have the issuer leave crit out");
  const std::string type = text_member(header, "typ");
  const bool usual = !header.contains("typ") || type == "JWT" || type == "jwt" || type == "at+jwt" ||
                     type == "application/at+jwt";
  if (!usual)
    return fail(Errc::unsupported, "RFC 9068 4", "token is of another type than JWT or at+jwt",
                "send an access token, not an ID token: typ at+jwt or JWT");
  return known;
}

// With a `kid` the keys of that name, without one all; of these the ones that fit the algorithm. Two keys
// that fit and no name to choose by: refused, so that nobody gets to try keys.
Result<EVP_PKEY*> key_for(const json& header, const SignatureAlgorithm& algorithm, const Jwks& jwks) {
  const bool named = header.contains("kid");
  const std::string id = text_member(header, "kid");
  if (named && id.empty())
    return fail(Errc::malformed, "RFC 7515 4.1.4", "token's kid is not a text",
                "have the issuer write kid as a text");
  EVP_PKEY* found = nullptr;
  int fitting = 0;
  bool known = !named;
  for (const Jwks::Key& key : jwks.keys()) {
    known = known || key.id == id;
    const bool fits =
        key.kind == algorithm.kind && (key.algorithm.empty() || key.algorithm == algorithm.name);
    if (!fits || (named && key.id != id)) continue;
    found = key.key.get();
    ++fitting;
  }
  if (fitting == 1) return found;
  if (!known) jwks.miss();
  return fail(Errc::bad_signature, kJws,
              fitting == 0 ? "no key of the JWKS fits the token's kid and algorithm"
                           : "several keys of the JWKS fit the token",
              "check that the JWKS is the issuer's current one and that each key has its own kid");
}

Result<std::vector<std::string>> string_or_array(const json& claims, const char* name, bool split_words) {
  std::vector<std::string> out;
  const auto found = claims.find(name);
  if (found == claims.end()) return out;
  if (found->is_string()) {
    std::string text = found->get<std::string>();
    if (!split_words) return std::vector<std::string>{std::move(text)};
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t space = std::min(text.find(' ', at), text.size());
      if (space > at) out.push_back(text.substr(at, space - at));
      at = space + 1;
    }
    return out;
  }
  const bool strings = found->is_array() &&
                       std::all_of(found->begin(), found->end(), [](const json& v) { return v.is_string(); });
  if (!strings)
    return fail(Errc::malformed, kJwt, std::string(name) + " is neither a string nor an array of strings",
                "have the issuer write it as one text or a list of texts");
  for (const json& value : *found) out.push_back(value.get<std::string>());
  return out;
}

// NumericDate: seconds since 1970, possibly with a fraction (RFC 7519 2).
Result<std::optional<NtpTime>> date_claim(const json& claims, const char* name) {
  constexpr double most = 253'402'300'800.0;  // year 10000
  const auto found = claims.find(name);
  if (found == claims.end()) return std::optional<NtpTime>{};
  const double seconds = found->is_number() ? found->get<double>() : -1;
  if (!(seconds >= 0 && seconds < most))
    return fail(Errc::malformed, kJwt, std::string(name) + " is not a NumericDate",
                "have the issuer write it in seconds since 1970");
  return std::optional(NtpTime::from_unix(static_cast<std::int64_t>(std::floor(seconds))));
}

Result<NtpTime> check_times(const json& claims, const TokenPolicy& policy, NtpTime now) {
  const auto expires = TRY(date_claim(claims, "exp"));
  const auto begins = TRY(date_claim(claims, "nbf"));
  if (!expires)
    return fail(Errc::malformed, kClaims, "token has no exp", "have the issuer give the token an end (exp)");
  if (now >= expires->plus(policy.leeway))
    return fail(Errc::expired, kClaims, "token expired at " + date_time(*expires), "get a new token");
  if (begins && now.plus(policy.leeway) < *begins)
    return fail(Errc::not_yet_valid, kClaims, "token is not valid before " + date_time(*begins),
                "check the clocks");
  return *expires;
}

Result<void> check_audience(const std::vector<std::string>& audience, const TokenPolicy& policy) {
  if (policy.audience.empty()) return {};
  if (audience.empty() && !policy.audience_required) return {};
  if (std::find(audience.begin(), audience.end(), policy.audience) != audience.end()) return {};
  return fail(Errc::malformed, kClaims, "token's aud does not name this server",
              "issue it for audience " + policy.audience);
}

Result<void> check_scope(const Claims& claims, const TokenPolicy& policy) {
  const bool granted =
      policy.scopes.empty() || std::any_of(policy.scopes.begin(), policy.scopes.end(),
                                           [&](const std::string& s) { return claims.has_scope(s); });
  if (granted) return {};
  return fail(Errc::not_authorised, kClaims, "token's scope does not cover this service",
              "issue it with scope " + policy.scopes.front());
}

Result<Claims> read_claims(const json& payload, const TokenPolicy& policy, NtpTime now) {
  Claims out;
  out.issuer = text_member(payload, "iss");
  if (out.issuer != policy.issuer)
    return fail(
        Errc::malformed, kClaims, "token's iss is not the configured issuer",
        "get the token from " + printable(policy.issuer) + ", or correct the issuer in the configuration");
  out.expires = TRY(check_times(payload, policy, now));
  out.audience = TRY(string_or_array(payload, "aud", false));
  TRY(check_audience(out.audience, policy));
  out.identity = text_member(payload, policy.identity_claim.c_str());
  if (out.identity.empty())
    return fail(Errc::malformed, kClaims, "token has no text in claim " + policy.identity_claim,
                "have the issuer put the MC service identity there");
  out.subject = text_member(payload, "sub");
  out.token_id = text_member(payload, "jti");
  out.client_id = text_member(payload, "client_id");
  out.scopes = TRY(string_or_array(payload, "scope", true));
  if (policy.accept_scp && out.scopes.empty()) out.scopes = TRY(string_or_array(payload, "scp", true));
  if (policy.accept_scp && out.client_id.empty()) out.client_id = text_member(payload, "cid");
  TRY(check_scope(out, policy));
  return out;
}

}  // namespace

bool Claims::has_scope(std::string_view scope) const {
  return std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
}

Result<Claims> verify(std::string_view token, const Jwks& jwks, const TokenPolicy& policy, NtpTime now) {
  if (policy.issuer.empty() || policy.identity_claim.empty())
    return fail(Errc::usage, kClaims, "token policy names no issuer or identity claim",
                "name issuer and identity claim in the configuration");
  if (policy.leeway < 0 || policy.leeway > kMostLeeway)
    return fail(Errc::usage, "TS 33.180 B.2.1", "token leeway is not 0 to 30 seconds",
                "choose a leeway of 0 to 30");
  if (const Error* why = jwks.why_none()) return *why;
  const Parts parts = TRY(split(token));
  const json header = TRY(decode_object(parts.header, "token header"));
  const SignatureAlgorithm* algorithm = TRY(algorithm_of(header, policy));
  EVP_PKEY* key = TRY(key_for(header, *algorithm, jwks));
  Octets signature = TRY(decode_part(parts.signature, "token signature"));
  const bool holds = signature_holds(*algorithm, key, view(parts.signed_text), signature);
  wipe(signature);  // without it the rest is no token
  if (!holds)
    return fail(Errc::bad_signature, kJws, "token's signature does not verify",
                "see whether the JWKS is that of the issuer, and whether the token came whole");
  const json payload = TRY(decode_object(parts.payload, "token payload"));
  return read_claims(payload, policy, now);
}

OwnClaims claims_unverified(std::string_view token) {
  OwnClaims out;
  const auto parts = split(token);
  if (!parts.ok()) return out;
  const auto payload = decode_object(parts->payload, "token payload");
  if (!payload.ok()) return out;
  out.identity = text_member(*payload, "mcptt_id");
  const auto expires = date_claim(*payload, "exp");
  if (expires.ok()) out.expires = *expires;
  return out;
}

std::string_view oauth_error(const Error& error) noexcept {
  return error.code == Errc::not_authorised ? "insufficient_scope" : "invalid_token";
}

}  // namespace regroup::http
