// SPDX-License-Identifier: Apache-2.0
// Between Sofia's message objects and ours. Private to this room: the only header that shows Sofia types.
// Refuses nothing by itself: what Sofia could parse is copied, line breaks of folded values turned to spaces.
#pragma once

// sip.h comes first: it names the message type that the msg headers then use.
// clang-format off
#include <sofia-sip/sip.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_tag.h>
// clang-format on

#include "sip/message.hpp"

namespace regroup::sip {

[[nodiscard]] Request read_request(const sip_t& sip);
[[nodiscard]] Response read_response(const sip_t& sip);

// Fills an empty message. False when Sofia cannot parse a value of ours, for example a broken URI.
[[nodiscard]] bool write_request(msg_t* message, const Request& request);
// The header lines of a response, each ended by CR LF, without To (its tag is set by the transaction).
[[nodiscard]] std::string response_headers(const Response& response);

}  // namespace regroup::sip
