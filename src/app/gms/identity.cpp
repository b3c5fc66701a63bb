// SPDX-License-Identifier: Apache-2.0
#include "app/gms/identity.hpp"

#include <algorithm>

#include "http/bearer.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kAsserted = "X-3GPP-Asserted-Identity";

http::Response refuse(unsigned status) { return http::make_response(status); }

http::Response refuse(const Error& error) {
  http::Response response = http::make_response(http::refusal_status(error));
  if (response.status == 503)
    response.headers.add("Retry-After", "30");
  else
    response.headers.add("WWW-Authenticate", http::challenge(error));
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

// The same rule as http::ClientRequest::required_san: a text with ':' is a URI, another a DNS name.
bool carries(const http::PeerCertificate& certificate, const std::string& san) {
  if (san.find(':') != std::string::npos) return certificate.has_uri(san);
  return std::any_of(certificate.dns.begin(), certificate.dns.end(),
                     [&](const std::string& name) { return http::equal_no_case(name, san); });
}

// A partner is who its configured name says, and nobody else may assert to be it.
bool confirms(const http::PeerCertificate& certificate, const std::string& identity,
              const std::vector<gms::PartnerSettings>& partners) {
  const auto partner = std::find_if(partners.begin(), partners.end(), [&](const gms::PartnerSettings& one) {
    return one.gms_uri.text() == identity;
  });
  const bool named = partner != partners.end() && !partner->san.empty();
  return carries(certificate, named ? partner->san : identity);
}

}  // namespace

std::variant<Requester, http::Response> requester_of(const http::Request& request, const http::Jwks& jwks,
                                                     const http::TokenPolicy& policy, NtpTime now,
                                                     const std::vector<gms::PartnerSettings>& partners) {
  const bool trusted = request.peer.listener == "trusted";
  if (!trusted && request.headers.contains(kAsserted)) return refuse(403);
  const auto bearer = http::bearer_token(request.headers);
  if (!bearer.ok()) return refuse(bearer.error());
  if (bearer.value()) {
    const auto claims = http::verify(*bearer.value(), jwks, policy, now);
    if (!claims.ok()) return refuse(claims.error());
    return Requester{claims.value().identity, false, claims.value().expires};
  }
  const auto asserted = request.headers.find(kAsserted);
  if (!trusted || !asserted || request.headers.count(kAsserted) != 1) return refuse(403);
  const std::string identity = unwrap(*asserted);
  if (!confirms(request.peer.certificate, identity, partners)) return refuse(403);
  return Requester{identity, true, {}};
}

}  // namespace regroup::app
