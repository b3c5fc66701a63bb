// SPDX-License-Identifier: Apache-2.0
// CS ID map info of HDR in its three forms: SRTP-ID (RFC 3830 6.1.1, read only), empty map (RFC 4563),
// GENERIC-ID (RFC 6043 6.1.1, what regroup sends). Refuses more than 8 sessions, a protocol other than SRTP,
// one CS ID twice, #CS = 0 with GENERIC-ID and #CS > 0 with the empty map.
#pragma once

#include "mikey/codec.hpp"

namespace regroup::mikey {

inline constexpr std::size_t kMostSessions = 8;

// 9 octets; 3GPP receivers ignore the content (CS IDs come from the 3GPP table).
struct SrtpIdEntry {
  std::uint8_t policy = 0;
  std::uint32_t ssrc = 0;
  std::uint32_t roc = 0;
  bool operator==(const SrtpIdEntry&) const = default;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.uint(1, Field{"policy number", "RFC 3830 6.1.1"}, self.policy);
    io.uint(4, Field{"SSRC", "RFC 3830 6.1.1"}, self.ssrc);
    io.uint(4, Field{"ROC", "RFC 3830 6.1.1"}, self.roc);
  }
};

struct GenericIdEntry {
  std::uint8_t cs_id = 4;  // TS 33.180 E.1.3: 4 MCPTT group call
  std::uint8_t prot_type = kProtSrtp;
  bool s = false;       // session data includes ROC and SEQ
  Octets policies;      // policy numbers, one octet each; refer to SP payloads
  Octets session_data;  // empty, or SSRC (4), with S also ROC (4) and SEQ (2)
  Octets spi;  // for a GMK the MKI: GMK-ID || GUK-ID (8); for other keys the key ID (4); may be empty
  bool operator==(const GenericIdEntry&) const = default;

  template <class Io, class Self>
  static void id(Io& io, Self& self) {
    io.uint(1, Field{"CS ID", "RFC 6043 6.1.1", names::cs_id}, self.cs_id);
  }
  template <class Io, class Self>
  static void content(Io& io, Self& self) {
    io.uint(1, Field{"Prot type", "RFC 6043 6.1.1", names::prot_type}, self.prot_type);
    io.require(self.prot_type == kProtSrtp, Errc::unsupported, ErrorCode::invalid_policy, "0 (SRTP)",
               "the sender must send sessions of SRTP: no other protocol is keyed here");
    auto count = static_cast<std::uint8_t>(self.policies.size());
    io.split(1, 7, Field{"S", "RFC 6043 6.1.1"}, self.s, Field{"#P", "RFC 6043 6.1.1"}, count);
    io.octets(count, Field{"policy numbers", "RFC 6043 6.1.1"}, self.policies);
    io.counted(2, Field{"session data length", "RFC 6043 6.1.1"}, Field{"session data", "RFC 6043 6.1.1"},
               self.session_data);
    io.require(self.session_data.empty() || self.session_data.size() == (self.s ? 10U : 4U), Errc::malformed,
               ErrorCode::unspecified, "no octets, or SSRC (4) with ROC and SEQ (10) when S is set",
               "the sender must leave it out: a GMS gives no session data (TS 33.180 7.5.1)");
    io.counted(1, Field{"SPI length", "RFC 6043 6.1.1"}, Field{"SPI", "TS 33.180 E.2"}, self.spi);
  }
};

struct CsIdMap {
  MapType type = MapType::empty;
  std::vector<SrtpIdEntry> srtp;        // type 0
  std::vector<GenericIdEntry> generic;  // type 2
  bool operator==(const CsIdMap&) const = default;

  [[nodiscard]] std::size_t sessions() const {
    return type == MapType::srtp_id ? srtp.size() : type == MapType::generic_id ? generic.size() : 0;
  }
  [[nodiscard]] bool names_a_session_twice() const;

  // #CS, the map type, the map.
  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    auto count = static_cast<std::uint8_t>(self.sessions());
    io.uint(1, Field{"#CS", "RFC 3830 6.1"}, count);
    io.require(count <= kMostSessions, Errc::limit, ErrorCode::unspecified, "at most 8 crypto sessions",
               "the sender must spread them over several messages");
    io.uint(1, Field{"CS ID map type", "RFC 3830 6.1", names::map_type}, self.type);
    io.require(self.type <= MapType::generic_id, Errc::unsupported, ErrorCode::unspecified,
               "0 (SRTP-ID), 1 (empty map) or 2 (GENERIC-ID)",
               "the sender must use GENERIC-ID (RFC 6043 6.1.1) or the empty map (RFC 4563)");
    io.require(self.type != MapType::empty || count == 0, Errc::malformed, ErrorCode::unspecified,
               "GENERIC-ID (2) when #CS > 0", "the sender must list its sessions, or count none");
    io.require(self.type != MapType::generic_id || count > 0, Errc::malformed, ErrorCode::unspecified,
               "the empty map (1) when #CS = 0", "the sender must count its sessions, or send the empty map");
    if (self.type == MapType::srtp_id)
      io.repeat(count, Field{"SRTP-ID entries", "RFC 3830 6.1.1"}, self.srtp,
                [](auto& in, auto& entry) { SrtpIdEntry::wire(in, entry); });
    if (self.type == MapType::generic_id)
      io.repeat(count, Field{"GENERIC-ID entries", "RFC 6043 6.1.1"}, self.generic,
                [&self](auto& in, auto& entry) {
                  GenericIdEntry::id(in, entry);
                  in.require(!self.names_a_session_twice(), Errc::malformed, ErrorCode::invalid_policy,
                             "each CS ID once", "the sender must give each session its own CS ID");
                  GenericIdEntry::content(in, entry);
                });
  }
};

}  // namespace regroup::mikey
