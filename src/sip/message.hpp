// SPDX-License-Identifier: Apache-2.0
// SIP requests and responses as plain data (RFC 3261 section 7), with the headers that subscriptions need
// (RFC 6665) as fields and everything else as name and value. This room carries octets: it does not know what
// a key is, and no type of the SIP stack beneath shows here. Header values are single lines; a value with a
// control character is refused before it reaches the wire.
#pragma once

#include <optional>
#include <vector>

#include "base/octets.hpp"
#include "base/result.hpp"

namespace regroup::sip {

struct Header {
  std::string name;
  std::string value;
};

// The first value of the header `name` (case-insensitive), empty when there is none.
[[nodiscard]] std::string_view find(const std::vector<Header>& headers, std::string_view name);

struct Request {
  std::string method;       // "SUBSCRIBE", "NOTIFY", "MESSAGE", …
  std::string request_uri;  // in a dialog: the remote target; filled by the transport
  // Whole header values. The transport fills from, to, call_id, cseq and contact of what it sends.
  std::string from;
  std::string to;
  std::string call_id;
  std::uint32_t cseq = 0;
  std::string contact;
  std::string event;  // with its parameters, for example "xcap-diff;diff-processing=aggregate"
  std::optional<std::uint32_t> expires;
  std::string accept;
  std::string subscription_state;
  std::string p_asserted_service;
  std::vector<Header> others;  // in their order on the wire; Via, Max-Forwards, Content-Length are left out
  std::string content_type;    // with its parameters (the boundary of a multipart)
  Octets body;
};

struct Response {
  int status = 0;
  std::string reason;
  std::string to;  // with the tag; filled by the transport
  std::string contact;
  std::optional<std::uint32_t> expires;
  std::vector<Header> headers;  // all others
  std::string content_type;
  Octets body;

  [[nodiscard]] bool success() const { return status >= 200 && status < 300; }
};

// The reason phrase of RFC 3261 section 21 and RFC 6665 section 7.2; "Status NNN" for the rest.
[[nodiscard]] std::string reason_of(int status);
[[nodiscard]] Response make_response(int status, std::vector<Header> headers = {});

// One header value taken apart at its `;`: "active;expires=60" -> value "active", parameters {expires, 60}.
// Quoted strings are respected and unquoted; names are lower-cased.
struct Parameterised {
  std::string value;
  std::vector<Header> parameters;

  [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const;
};
[[nodiscard]] Parameterised split_parameters(std::string_view header_value);

// The URI inside a From, To, Contact or Route value: what stands in <>, or the value up to its first `;`.
[[nodiscard]] std::string uri_in(std::string_view address);
// The tag parameter of a From or To value; empty when there is none.
[[nodiscard]] std::string tag_in(std::string_view address);
// The user part of a sip: or sips: URI, percent-decoded; empty when there is none.
[[nodiscard]] std::string user_of(std::string_view uri);

[[nodiscard]] bool same_token(std::string_view a, std::string_view b);  // ASCII case folded

// May stand as a header value: no control characters (a CR or LF would start a header of the sender's
// choice).
[[nodiscard]] bool is_single_line(std::string_view value);
[[nodiscard]] Result<void> check_sendable(const Request& request);
[[nodiscard]] Result<void> check_sendable(const Response& response);

}  // namespace regroup::sip
