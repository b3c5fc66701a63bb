// SPDX-License-Identifier: Apache-2.0
#include "sip/message.hpp"

#include <algorithm>

namespace regroup::sip {
namespace {

constexpr std::string_view kNameType = "name the type of the body in Content-Type";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_space(char c) { return c == ' ' || c == '\t'; }
int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// A quoted-string without its quotes and escapes (RFC 3261 25.1); anything else as it is.
std::string unquote(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  text = text.substr(1, text.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

// The first `stop` outside quotes and <>, or npos.
std::size_t find_outside(std::string_view text, char stop) {
  bool quoted = false;
  bool angled = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
      continue;
    }
    if (text[i] == '"' && !angled) quoted = !quoted;
    if (quoted) continue;
    if (!angled && text[i] == stop) return i;
    if (text[i] == '<') angled = true;
    if (text[i] == '>') angled = false;
  }
  return std::string_view::npos;
}

bool is_token(std::string_view text) {
  constexpr std::string_view marks = "-.!%*_+`'~";  // RFC 3261 25.1
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    const char l = lower(c);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || marks.find(c) != marks.npos;
  });
}

Result<void> check_line(std::string_view name, std::string_view value) {
  if (is_single_line(value)) return {};
  return fail(Errc::usage, "RFC 3261 7.3.1", std::string(name) + " contains a control character",
              "send header values as single lines");
}

Result<void> check_headers(const std::vector<Header>& headers) {
  for (const Header& header : headers) {
    if (!is_token(header.name))
      return fail(Errc::usage, "RFC 3261 7.3.1", "a header name is not a token",
                  "name the header with letters, digits and - alone");
    TRY(check_line(header.name, header.value));
  }
  return {};
}

}  // namespace

std::string_view find(const std::vector<Header>& headers, std::string_view name) {
  for (const Header& header : headers)
    if (same_token(header.name, name)) return header.value;
  return {};
}

std::string reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 413:
      return "Request Entity Too Large";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Unsupported URI Scheme";
    case 420:
      return "Bad Extension";
    case 423:
      return "Interval Too Brief";
    case 480:
      return "Temporarily Unavailable";
    case 481:
      return "Call/Transaction Does Not Exist";
    case 489:
      return "Bad Event";
    case 500:
      return "Server Internal Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    default:
      return "Status " + std::to_string(status);
  }
}

Response make_response(int status, std::vector<Header> headers) {
  Response response;
  response.status = status;
  response.reason = reason_of(status);
  response.headers = std::move(headers);
  return response;
}

std::optional<std::string> Parameterised::parameter(std::string_view name) const {
  for (const Header& p : parameters)
    if (same_token(p.name, name)) return p.value;
  return {};
}

Parameterised split_parameters(std::string_view text) {
  Parameterised out;
  std::size_t end = find_outside(text, ';');
  out.value = std::string(trim(text.substr(0, end)));
  while (end != std::string_view::npos) {
    text.remove_prefix(end + 1);
    end = find_outside(text, ';');
    const std::string_view item = text.substr(0, end);
    const std::size_t equals = item.find('=');
    std::string name(trim(item.substr(0, equals)));
    std::transform(name.begin(), name.end(), name.begin(), lower);
    if (name.empty()) continue;
    out.parameters.push_back(
        {std::move(name), equals == item.npos ? "" : unquote(trim(item.substr(equals + 1)))});
  }
  return out;
}

std::string uri_in(std::string_view address) {
  const std::size_t open = find_outside(address, '<');
  if (open == std::string_view::npos) return split_parameters(address).value;
  const std::size_t close = address.find('>', open);
  if (close == std::string_view::npos) return {};
  return std::string(trim(address.substr(open + 1, close - open - 1)));
}

std::string tag_in(std::string_view address) {
  return split_parameters(address).parameter("tag").value_or("");
}

std::string user_of(std::string_view uri) {
  const std::size_t colon = uri.find(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view scheme = uri.substr(0, colon);
  if (!same_token(scheme, "sip") && !same_token(scheme, "sips")) return {};
  std::string_view rest = uri.substr(colon + 1);
  const std::size_t at = rest.find('@');
  if (at == std::string_view::npos) return {};
  rest = rest.substr(0, at);
  rest = rest.substr(0, rest.find(':'));  // a password
  std::string out;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const bool escaped =
        rest[i] == '%' && i + 2 < rest.size() && hex_digit(rest[i + 1]) >= 0 && hex_digit(rest[i + 2]) >= 0;
    if (!escaped) {
      out += rest[i];
      continue;
    }
    out += static_cast<char>(hex_digit(rest[i + 1]) * 16 + hex_digit(rest[i + 2]));
    i += 2;
  }
  return out;
}

bool same_token(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool is_single_line(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return (octet < 0x20 && octet != '\t') || octet == 0x7f;
  });
}

Result<void> check_sendable(const Request& r) {
  if (!is_token(r.method))
    return fail(Errc::usage, "RFC 3261 7.1", "the method is not a token", "use a method such as MESSAGE");
  if (r.request_uri.empty() || r.request_uri.find_first_of(" <>\"") != std::string::npos)
    return fail(Errc::usage, "RFC 3261 7.1", "the Request-URI is empty or contains a space, a quote or <>",
                "give a SIP URI as in sip:anna@mcx.example");
  TRY(check_line("Request-URI", r.request_uri));
  TRY(check_line("From", r.from));
  TRY(check_line("To", r.to));
  TRY(check_line("Call-ID", r.call_id));
  TRY(check_line("Contact", r.contact));
  TRY(check_line("Event", r.event));
  TRY(check_line("Accept", r.accept));
  TRY(check_line("Subscription-State", r.subscription_state));
  TRY(check_line("P-Asserted-Service", r.p_asserted_service));
  TRY(check_line("Content-Type", r.content_type));
  if (!r.body.empty() && r.content_type.empty())
    return fail(Errc::usage, "RFC 3261 20.15", "a body without Content-Type", std::string(kNameType));
  return check_headers(r.others);
}

Result<void> check_sendable(const Response& r) {
  if (r.status < 200 || r.status > 699)
    return fail(Errc::usage, "RFC 3261 7.2", "not a final status", "answer with 200 to 699");
  TRY(check_line("reason phrase", r.reason));
  TRY(check_line("To", r.to));
  TRY(check_line("Contact", r.contact));
  TRY(check_line("Content-Type", r.content_type));
  if (!r.body.empty() && r.content_type.empty())
    return fail(Errc::usage, "RFC 3261 20.15", "a body without Content-Type", std::string(kNameType));
  return check_headers(r.headers);
}

}  // namespace regroup::sip
