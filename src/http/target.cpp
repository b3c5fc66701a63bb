// SPDX-License-Identifier: Apache-2.0
#include "http/target.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace regroup::http {
namespace {

constexpr std::string_view kClause = "RFC 3986";
constexpr std::string_view kEscape = "write %25 for a percent sign of its own";

bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_unreserved(char c) {
  return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}
int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool good_escapes(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') continue;
    if (text.size() - i < 3 || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) return false;
    i += 2;
  }
  return true;
}

// XCAP clients send '"', '[' and ']' raw in selectors, so every printable octet but '#' passes.
bool printable_target(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F && c != '#'; });
}

bool good_host(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
  });
}
bool good_ipv6(std::string_view host) {
  return host.size() >= 2 && host.size() <= 45 && host.find(':') != std::string_view::npos &&
         std::all_of(host.begin(), host.end(),
                     [](char c) { return hex_value(c) >= 0 || c == ':' || c == '.'; });
}

Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size())
    return fail(Errc::malformed, kClause, "port \"" + printable(text, 12) + "\" is not 0 to 65535",
                "give a port from 0 to 65535");
  return port;
}

// "host" or "host:port" or "[v6]" or "[v6]:port"; `port` stays as it is when absent.
Result<bool> read_authority(std::string_view text, std::string& host, std::uint16_t& port) {
  std::string_view name = text;
  std::string_view after;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || !good_ipv6(text.substr(1, close - 1)))
      return fail(Errc::malformed, kClause, "host is not an IPv6 address in brackets",
                  "write it as in [2001:db8::1]");
    name = text.substr(1, close - 1);
    after = text.substr(close + 1);
  } else {
    const std::size_t colon = text.find(':');
    name = text.substr(0, colon);
    after = colon == std::string_view::npos ? std::string_view{} : text.substr(colon);
    if (!good_host(name))
      return fail(Errc::malformed, kClause, "host is empty or has characters a host cannot have",
                  "give a DNS name or an IP address");
  }
  host.assign(name);
  std::transform(host.begin(), host.end(), host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (after.empty()) return false;
  if (after[0] != ':')
    return fail(Errc::malformed, kClause, "text between host and port", "write it as HOST or HOST:PORT");
  port = TRY(parse_port(after.substr(1)));
  return true;
}

}  // namespace

std::string Url::authority() const {
  std::string out = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != 443) out += ":" + std::to_string(port);
  return out;
}

std::string Url::origin_form() const {
  return target.query.empty() ? target.path : target.path + "?" + target.query;
}

Result<Target> parse_target(std::string_view text) {
  if (text.size() > kMaxTarget)
    return fail(Errc::limit, "RFC 9110 4.1",
                "request target is longer than " + std::to_string(kMaxTarget) + " octets",
                "ask for a shorter address");
  if (!text.starts_with('/'))
    return fail(Errc::malformed, "RFC 9112 3.2.1", "request target does not start with '/'",
                "begin the path with /");
  if (!printable_target(text))
    return fail(Errc::malformed, kClause, "request target has a control, a space, '#' or an octet over 0x7E",
                "escape it as %XX");
  if (!good_escapes(text))
    return fail(Errc::malformed, kClause, "request target has a '%' without two hex digits",
                std::string(kEscape));
  const std::size_t mark = text.find('?');
  Target out;
  out.path.assign(text.substr(0, mark));
  if (mark != std::string_view::npos) out.query.assign(text.substr(mark + 1));
  return out;
}

Result<Url> parse_url(std::string_view text) {
  constexpr std::string_view scheme = "https://";
  if (text.size() > kMaxTarget)
    return fail(Errc::limit, kClause, "URL is longer than " + std::to_string(kMaxTarget) + " octets",
                "give a shorter address");
  std::string_view found = text.substr(0, scheme.size());
  if (found.size() != scheme.size() || !std::equal(found.begin(), found.end(), scheme.begin(),
                                                   [](char a, char b) { return (a | 0x20) == (b | 0x20); }))
    return fail(Errc::malformed, kClause, "URL does not start with https://", "give an absolute https URL");
  const std::string_view rest = text.substr(scheme.size());
  const std::size_t end = rest.find_first_of("/?#");
  const std::string_view authority = rest.substr(0, end);
  if (authority.find('@') != std::string_view::npos)
    return fail(Errc::malformed, kClause, "URL carries user information",
                "take it out: credentials are tokens or certificates");
  Url url;
  (void)TRY(read_authority(authority, url.host, url.port));
  if (url.port == 0)
    return fail(Errc::malformed, kClause, "URL names port 0",
                "give the port of the server, 443 is the usual one");
  std::string target(end == std::string_view::npos ? std::string_view{} : rest.substr(end));
  if (!target.starts_with('/')) target.insert(0, "/");
  url.target = TRY(parse_target(target));
  return url;
}

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> out;
  if (path.starts_with('/')) path.remove_prefix(1);
  for (;;) {
    const std::size_t slash = path.find('/');
    out.emplace_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return out;
    path.remove_prefix(slash + 1);
  }
}

Result<std::string> percent_decode(std::string_view text) {
  if (!good_escapes(text))
    return fail(Errc::malformed, kClause, "a '%' is not followed by two hex digits", std::string(kEscape));
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int octet = hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]);
    if (octet == 0)
      return fail(Errc::malformed, kClause, "%00 is not a character of any identity or path",
                  "leave the zero octet out");
    out += static_cast<char>(octet);
    i += 2;
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    out += {'%', digits[octet >> 4], digits[octet & 15]};
  }
  return out;
}

Result<std::vector<std::string>> decoded_segments(std::string_view path) {
  std::vector<std::string> out = split_path(path);
  for (std::string& segment : out) segment = TRY(percent_decode(segment));
  return out;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t amp = query.find('&');
    const std::string_view pair = query.substr(0, amp);
    query.remove_prefix(amp == std::string_view::npos ? query.size() : amp + 1);
    const std::size_t equals = pair.find('=');
    const auto key = percent_decode(pair.substr(0, equals));
    if (!key.ok() || key.value() != name) continue;
    auto value =
        percent_decode(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1));
    if (!value.ok()) return std::nullopt;
    return std::move(value).value();
  }
  return std::nullopt;
}

Result<HostPort> parse_host_port(std::string_view text) {
  HostPort out;
  if (!TRY(read_authority(text, out.host, out.port)))
    return fail(Errc::malformed, kClause, "address \"" + printable(text, 64) + "\" has no port",
                "write it as HOST:PORT");
  return out;
}

}  // namespace regroup::http
