// SPDX-License-Identifier: Apache-2.0
// SIP over sockets: Sofia-SIP's transaction layer (nta) on a thread of its own, dialogs by us (RFC 3261).
// TCP between servers (TLS is prepared): UDP is not offered, because key-bearing requests exceed the 1 300
// octets of RFC 3261 18.1.1 and because the stack answers STUN on its UDP port. No NAPTR, no SRV: next hops
// are configuration. Refuses Require (420), unknown methods (405/501), other URI schemes (416), bodies over
// the limits (413).
#pragma once

#include <memory>

#include "base/random.hpp"
#include "sip/transport.hpp"

namespace regroup::sip {

struct SofiaOptions {
  // "tcp:127.0.0.1:0", "tcp:192.0.2.10:5060", "tls:…"; port 0 picks a free one. IPv6 in brackets.
  std::vector<std::string> listen{"tcp:127.0.0.1:0"};
  std::string tls_directory;  // agent.pem and cafile.pem; required with "tls:"
  bool tls_verify = true;     // both directions, chain and subject
  std::vector<std::string> methods{"SUBSCRIBE", "NOTIFY", "MESSAGE", "OPTIONS"};  // Allow
  std::vector<std::string> supported;      // option tags that Require may name
  std::size_t window = 256;                // requests without an answer, per next hop; more wait
  std::size_t waiting = 65536;             // requests waiting for the window, per next hop; more are refused
  std::size_t subscribe_body = 64 * 1024;  // octets; PR-31
  std::size_t other_body = 1024 * 1024;    // octets; NOTIFY and the rest
  std::chrono::milliseconds answer_within{20000};  // a request not answered by us until then gets 500
  Post post;                                       // empty: callbacks run on the stack's thread
};

// `random` is used for tags and Call-IDs, under a lock; it must outlive the transport.
[[nodiscard]] std::unique_ptr<Transport> make_sofia(SofiaOptions options, Random& random);

}  // namespace regroup::sip
