// SPDX-License-Identifier: Apache-2.0
// https URLs and request targets, read strictly (RFC 3986, RFC 9110 7.1). Order matters for security: a path
// is split on
// '/' while still escaped and each segment is decoded once, so that "%2f" never becomes a separator
// (TS 33.180 D.2). Refuses: other schemes, user information, fragments, empty hosts, ports out of range, bad
// percent escapes, controls, white space and octets over 0x7E in raw form, texts over 8192 octets.
#pragma once

#include <optional>

#include "base/octets.hpp"
#include "base/result.hpp"

namespace regroup::http {

inline constexpr std::size_t kMaxTarget = 8192;  // octets of a URL or request target

struct Target {
  std::string path;   // escaped, starts with '/'
  std::string query;  // escaped, without '?'
};

struct Url {
  std::string host;  // lower case; IPv6 without brackets
  std::uint16_t port = 443;
  Target target;
  [[nodiscard]] std::string authority() const;    // Host header: brackets around IPv6, port unless 443
  [[nodiscard]] std::string origin_form() const;  // path and query
};

// "https://host[:port][/path][?query]"
[[nodiscard]] Result<Url> parse_url(std::string_view text);
// Origin form of a request line: "/path[?query]".
[[nodiscard]] Result<Target> parse_target(std::string_view text);

// "/a/b%2Fc/" -> {"a", "b%2Fc", ""}; the leading '/' is no segment, a trailing one is an empty last segment.
[[nodiscard]] std::vector<std::string> split_path(std::string_view path);
// Decodes %XX once. Refuses broken escapes and %00.
[[nodiscard]] Result<std::string> percent_decode(std::string_view text);
// One path segment: everything but unreserved characters (RFC 3986 2.3) is escaped, upper-case hex.
[[nodiscard]] std::string percent_encode(std::string_view text);
// All segments of a path decoded; the shorthand of most handlers.
[[nodiscard]] Result<std::vector<std::string>> decoded_segments(std::string_view path);
// First value of `name` in "a=1&b=2", decoded; '+' stays '+'. nullopt if absent or undecodable.
[[nodiscard]] std::optional<std::string> query_value(std::string_view query, std::string_view name);

struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;
};
// "192.0.2.1:443", "[::1]:0", "name:8443"
[[nodiscard]] Result<HostPort> parse_host_port(std::string_view text);

}  // namespace regroup::http
