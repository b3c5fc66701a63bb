// SPDX-License-Identifier: Apache-2.0
// Private to this room: the head of a message as text (RFC 9112 3, 4, 5). Content-Length, Connection, Date
// and Host are written here and nowhere else; fields of a handler by those names, or with controls in them,
// are left out, so that no value can smuggle a second message.
#pragma once

#include <ctime>

#include "http/message.hpp"

namespace regroup::http {

[[nodiscard]] std::string_view reason_of(unsigned status) noexcept;

// A field name is a token and its value has no controls (RFC 9110 5.1, 5.5).
[[nodiscard]] bool well_formed(const Header& field) noexcept;

// 1xx, 204 and 304 have no body (RFC 9110 6.4.1).
[[nodiscard]] bool status_has_body(unsigned status) noexcept;

// Status line and header fields, empty line included; Content-Length is that of `response.body`.
[[nodiscard]] std::string response_head(const Response& response, bool keep_alive, std::time_t now);

// Request line and header fields, empty line included; Content-Length wherever there is a body or the method
// has one. Wiped: it may hold a credential.
[[nodiscard]] WipedText request_head(std::string_view method, std::string_view target, std::string_view host,
                                     const Headers& headers, std::size_t body_size);

}  // namespace regroup::http
