// SPDX-License-Identifier: Apache-2.0
// Who sent a request (TS 24.482 annex A): on the UE listener the identity of the Bearer token and
// nothing else; on the trusted listener X-3GPP-Asserted-Identity, which the peer's certificate must confirm:
// by the name configured for that partner, by a URI for everybody else (PR-11, PR-40).
#pragma once

#include <variant>

#include "gms/ports.hpp"
#include "http/jwt.hpp"
#include "http/message.hpp"

namespace regroup::app {

struct Requester {
  std::string identity;
  bool trusted = false;     // asserted by a mutually authenticated server, not by a token
  NtpTime token_expires{};  // of a token
};

// The requester, or the response that refuses the request: 401 for a bad token, 403 for none (PR-32), 503
// while there are no keys to judge tokens by.
[[nodiscard]] std::variant<Requester, http::Response> requester_of(
    const http::Request& request, const http::Jwks& jwks, const http::TokenPolicy& policy, NtpTime now,
    const std::vector<gms::PartnerSettings>& partners = {});

}  // namespace regroup::app
