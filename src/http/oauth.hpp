// SPDX-License-Identifier: Apache-2.0
// The words of OAuth 2.0 between a client and its token endpoint: client credentials (RFC 6749 4.4), client
// authentication by HTTP Basic (2.3.1), the answer (5.1) and the refusal (5.2). Nothing here talks. Tokens
// and secrets are taken out of an answer before the JSON reader, which wipes nothing, sees it. Refuses:
// another token type than Bearer, members named twice, tokens of octets that no token has.
#pragma once

#include <optional>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "http/message.hpp"

namespace regroup::http {

// Identifier and secret are form-encoded first, so that a ':' in them separates nothing.
void add_basic(Headers& headers, std::string_view client_id, OctetsView secret);

// The body of the request; an empty `scope` asks for what the client is registered with.
[[nodiscard]] std::string client_credentials_form(std::string_view scope);

struct TokenAnswer {
  SecretOctets token;
  std::optional<std::int64_t> expires_in;  // seconds; nothing: not said
};
// A 200. Errc::malformed.
[[nodiscard]] Result<TokenAnswer> parse_token_answer(OctetsView body);
// Any other status: Errc::not_authorised where the client was refused, Errc::transport where a later try may
// help.
[[nodiscard]] Error token_refusal(unsigned status, OctetsView body);

}  // namespace regroup::http
