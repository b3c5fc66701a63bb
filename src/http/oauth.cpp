// SPDX-License-Identifier: Apache-2.0
#include "http/oauth.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "http/bearer.hpp"
#include "http/json.hpp"
#include "http/jwt.hpp"
#include "http/target.hpp"

namespace regroup::http {
namespace {

constexpr std::string_view kAnswer = "RFC 6749 5.1", kRefusal = "RFC 6749 5.2";

Error unreadable(const std::string& what) {
  return fail(Errc::malformed, kAnswer, "the answer of the token endpoint " + what,
              "see whether the address is that of an OAuth 2.0 token endpoint");
}

// application/x-www-form-urlencoded (RFC 6749 appendix B); space as %20, which every reader takes too.
void put_encoded(WipedText& out, std::string_view text) {
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (kUnreserved.find(c) != std::string_view::npos)
      out += c;
    else
      out.append({'%', kDigits[octet >> 4], kDigits[octet & 15]});
  }
}

// Members whose values are credentials.
bool is_secret(std::string_view name) {
  return name == "access_token" || name == "refresh_token" || name == "id_token";
}

// A JSON text without its credentials, which leaves "" in their place.
struct Parted {
  WipedText rest;
  SecretOctets token;  // the value of `access_token`, still escaped
  int tokens = 0;
};

// Where the string that begins at `quote` ends: its closing quote, or the end of the text.
std::size_t end_of_string(std::string_view text, std::size_t quote) {
  std::size_t at = quote + 1;
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2u : 1u;
  return std::min(at, text.size());
}

Parted part(std::string_view text) {
  Parted out;
  out.rest.reserve(text.size());
  std::string_view name;  // of the member whose value is next
  bool value_next = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '"') {
      out.rest += c;
      if (c == ':')
        value_next = true;
      else if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
        name = {}, value_next = false;
      continue;
    }
    const std::size_t end = end_of_string(text, i);
    const std::string_view content = text.substr(i + 1, end - i - 1);
    if (value_next && name == "access_token") {
      out.token = SecretOctets(view(content));
      ++out.tokens;
    }
    const bool secret = value_next && is_secret(name);
    out.rest.append("\"").append(secret ? std::string_view() : content);
    if (end < text.size()) out.rest += '"';
    if (!value_next) name = content;
    if (value_next) name = {}, value_next = false;
    i = end;
  }
  return out;
}

// JSON may write '/' as "\/"; no other escape stands in a token.
SecretOctets without_escapes(const SecretOctets& escaped) {
  SecretOctets room(escaped.size());
  std::size_t size = 0;
  const OctetsView in = escaped.expose();
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (in[i] == '\\' && i + 1 < in.size() && in[i + 1] == '/') ++i;
    room.expose_mutable()[size++] = in[i];
  }
  return SecretOctets(room.expose().first(size));
}

struct Known {
  std::string_view name, cure;
};
constexpr Known kKnown[] = {
    {"invalid_client", "check client_id and the content of secret_file with whoever runs the token endpoint"},
    {"unauthorized_client", "have the grant client_credentials allowed for this client_id"},
    {"unsupported_grant_type", "have the grant client_credentials switched on at the token endpoint"},
    {"invalid_scope", "correct scope, or leave it out"},
    {"invalid_grant", "have the grant client_credentials allowed for this client_id"},
    {"invalid_request", "see whether endpoint is the token endpoint of an OAuth 2.0 server"},
};

}  // namespace

void add_basic(Headers& headers, std::string_view client_id, OctetsView secret) {
  WipedText pair;
  pair.reserve(3 * (client_id.size() + secret.size()) + 1);
  put_encoded(pair, client_id);
  pair += ':';
  put_encoded(pair, text_of(secret));
  std::string coded = base64(view(pair));
  constexpr std::string_view scheme = "Basic ";
  std::string value;
  value.reserve(scheme.size() + coded.size());
  value.append(scheme).append(coded);
  wipe(coded.data(), coded.size());
  headers.add("Authorization", std::move(value));
}

std::string client_credentials_form(std::string_view scope) {
  std::string out = "grant_type=client_credentials";
  if (!scope.empty()) out += "&scope=" + percent_encode(scope);
  return out;
}

Result<TokenAnswer> parse_token_answer(OctetsView body) {
  const Parted parted = part(text_of(body));
  const auto object = parse_json_object(parted.rest, kAnswer, "the answer of the token endpoint");
  if (!object.ok()) return unreadable("is not a JSON object");
  if (parted.tokens != 1 || !object->contains("access_token") || !(*object)["access_token"].is_string())
    return unreadable("has no access_token, or more than one");
  if (!equal_no_case(text_member(*object, "token_type"), "Bearer"))
    return unreadable("is of token_type '" + printable(text_member(*object, "token_type"), 40) +
                      "', not Bearer");
  TokenAnswer out;
  out.token = without_escapes(parted.token);
  if (out.token.size() > kMaxToken || !is_b64token(text_of(out.token.expose())))
    return unreadable("has an access_token that is empty, too long or of octets that no token has");
  const auto life = object->find("expires_in");
  if (life == object->end()) return out;
  if (!life->is_number_unsigned() || life->get<std::uint64_t>() > 3650ull * 86'400)
    return unreadable("has an expires_in that is no number of seconds");
  out.expires_in = life->get<std::int64_t>();
  return out;
}

Error token_refusal(unsigned status, OctetsView body) {
  std::string said = "the token endpoint answered HTTP " + std::to_string(status);
  const bool passing = status == 408 || status == 429 || status >= 500;
  if (status >= 300 && status < 400)
    return fail(Errc::not_authorised, kRefusal, said + ", a redirect, which is not followed",
                "write the address that it leads to as endpoint, if it is right");
  const auto object = parse_json_object(text_of(body), kRefusal, "refusal");
  const std::string error = object.ok() ? text_member(*object, "error") : std::string();
  if (!error.empty()) said += ": " + printable(error, 60);
  if (object.ok() && object->contains("error_description"))
    said += " (" + printable(text_member(*object, "error_description"), 200) + ")";
  if (passing) return fail(Errc::transport, kRefusal, said, "try again later; see the log of that server");
  for (const Known& one : kKnown)
    if (one.name == error) return fail(Errc::not_authorised, kRefusal, said, std::string(one.cure));
  return fail(Errc::not_authorised, kRefusal, said,
              "see whether endpoint, client_id and secret_file are right");
}

}  // namespace regroup::http
