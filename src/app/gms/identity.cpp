// SPDX-License-Identifier: Apache-2.0
#include "app/gms/identity.hpp"

#include "http/bearer.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kAsserted = "X-3GPP-Asserted-Identity";

http::Response refuse(unsigned status, const std::string& challenge = {}) {
  http::Response response = http::make_response(status);
  if (!challenge.empty()) response.headers.add("WWW-Authenticate", challenge);
  return response;
}

// "sip:gms@partner.example" with quotes, in angle brackets, or bare.
std::string unwrap(std::string_view value) {
  while (!value.empty() && (value.front() == ' ' || value.front() == '"' || value.front() == '<'))
    value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '"' || value.back() == '>'))
    value.remove_suffix(1);
  return std::string(value);
}

}  // namespace

std::variant<Requester, http::Response> requester_of(const http::Request& request, const http::Jwks& jwks,
                                                     const http::TokenPolicy& policy, NtpTime now) {
  const bool trusted = request.peer.listener == "trusted";
  if (!trusted && request.headers.contains(kAsserted)) return refuse(403);
  const auto bearer = http::bearer_token(request.headers);
  if (!bearer.ok()) return refuse(http::refusal_status(bearer.error()), http::challenge(bearer.error()));
  if (bearer.value()) {
    const auto claims = http::verify(*bearer.value(), jwks, policy, now);
    if (!claims.ok()) return refuse(http::refusal_status(claims.error()), http::challenge(claims.error()));
    return Requester{claims.value().identity, false, claims.value().expires};
  }
  const auto asserted = request.headers.find(kAsserted);
  if (!trusted || !asserted || request.headers.count(kAsserted) != 1) return refuse(403);
  const std::string identity = unwrap(*asserted);
  if (!request.peer.certificate.has_uri(identity)) return refuse(403);
  return Requester{identity, true, {}};
}

}  // namespace regroup::app
