// SPDX-License-Identifier: Apache-2.0
#include "http/bearer.hpp"

#include <algorithm>

#include "http/jwt.hpp"

namespace regroup::http {
namespace {

constexpr std::string_view kClause = "RFC 6750 2.1";

}  // namespace

// b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
bool is_b64token(std::string_view text) noexcept {
  const std::size_t padding = text.find('=');
  const std::string_view main = text.substr(0, padding);
  const std::string_view rest = padding == std::string_view::npos ? std::string_view{} : text.substr(padding);
  constexpr std::string_view marks = "-._~+/";
  return !main.empty() && rest.find_first_not_of('=') == std::string_view::npos &&
         std::all_of(main.begin(), main.end(), [&](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  marks.find(c) != std::string_view::npos;
         });
}

void add_bearer(Headers& headers, OctetsView token) {
  constexpr std::string_view scheme = "Bearer ";
  std::string value;
  value.reserve(scheme.size() + token.size());  // once: a string that grows leaves copies behind
  value.append(scheme).append(text_of(token));
  headers.add("Authorization", std::move(value));
}

Result<std::optional<std::string_view>> bearer_token(const Headers& headers) {
  const std::size_t fields = headers.count("Authorization");
  if (fields == 0) return std::optional<std::string_view>{};
  if (fields > 1)
    return fail(Errc::malformed, kClause, "more than one Authorization field",
                "send one Authorization: Bearer TOKEN");
  std::string_view value = *headers.find("Authorization");
  const std::size_t space = value.find(' ');
  if (space == std::string_view::npos || !equal_no_case(value.substr(0, space), "Bearer"))
    return fail(Errc::malformed, kClause, "Authorization is not of the Bearer scheme",
                "send Authorization: Bearer TOKEN");
  value.remove_prefix(std::min(value.find_first_not_of(' ', space), value.size()));
  if (value.size() > kMaxToken)
    return fail(Errc::limit, kClause, "Bearer token is longer than this server takes",
                "have the issuer make a shorter token");
  if (!is_b64token(value))
    return fail(Errc::malformed, kClause, "Bearer token is empty or has characters a token cannot have",
                "send the token as the issuer wrote it, without quotes and line ends");
  return std::optional<std::string_view>(value);
}

unsigned refusal_status(const Error& error) noexcept {
  if (error.code == Errc::transport) return 503;
  return error.code == Errc::not_authorised ? 403 : 401;
}

std::string challenge(const Error& error) {
  return "Bearer error=\"" + std::string(oauth_error(error)) + "\"";
}

}  // namespace regroup::http
