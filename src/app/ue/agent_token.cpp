// SPDX-License-Identifier: Apache-2.0
#include "app/ue/agent_token.hpp"

#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace regroup::app {
namespace {

// Whose token it says it is; nothing where it does not say (RFC 7515 7.1: header, payload, signature).
std::optional<std::string> identity_in(const std::string& token) {
  const std::size_t first = token.find('.'), last = token.rfind('.');
  if (first == last) return std::nullopt;
  const auto payload = from_base64url(std::string_view(token).substr(first + 1, last - first - 1));
  if (!payload.ok()) return std::nullopt;
  const auto claims = nlohmann::json::parse(text_of(payload.value()), nullptr, false);
  if (!claims.is_object() || !claims.contains("mcptt_id") || !claims["mcptt_id"].is_string())
    return std::nullopt;
  return claims["mcptt_id"].get<std::string>();
}

}  // namespace

Result<std::string> own_token(const UeConfig& config) {
  std::string token = TRY(read_token(config.kms));
  const std::string& self = config.domain.identity.text();
  const auto other = identity_in(token);
  if (!other || *other == self) return token;
  const bool file = config.kms.token_command.empty();
  return fail(Errc::usage, "TS 33.180 B.2",
              (file ? "token file " + printable(config.kms.token_file) : "the output of token.command") +
                  " is a token of " + printable(*other) + ", and this client is mcptt_id " + printable(self),
              file ? "put the token of this mcptt_id there, mode 0600, or correct mcptt_id"
                   : "let the command print the token of this mcptt_id, or correct mcptt_id");
}

}  // namespace regroup::app
