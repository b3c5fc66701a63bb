// SPDX-License-Identifier: Apache-2.0
// Timestamp, T (RFC 3830 6.6): 10 octets. Refuses every TS type but NTP-UTC (TS 33.179 E.1.1). The seconds
// select the key period of both UIDs; freshness, the era and accept_unix_time are the opener's.
#pragma once

#include "mikey/codec.hpp"

namespace regroup::mikey {

std::string meaning_of_ntp(OctetsView wire8);

struct T {
  static constexpr std::string_view kName = "T";

  PayloadType next = PayloadType::rand;
  std::uint8_t ts_type = kTsNtpUtc;
  Fixed<8> value{};  // 32 bits of seconds since 1900 modulo 2^32, 32 bits of fraction; see NtpTime::nearest
  bool operator==(const T&) const = default;

  [[nodiscard]] std::uint32_t seconds() const { return load_be32(std::span(value).first<4>()); }
  [[nodiscard]] std::uint32_t fraction() const { return load_be32(std::span(value).last<4>()); }

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.next_payload(self.next);
    io.uint(1, Field{"TS type", "TS 33.179 E.1.1", names::ts_type}, self.ts_type);
    io.require(self.ts_type == kTsNtpUtc, Errc::unsupported, ErrorCode::invalid_timestamp, "0 (NTP-UTC)",
               "the sender must give NTP-UTC: nothing else tells the key period here");
    io.fixed(Field{"TS value", "RFC 3830 6.6", nullptr, meaning_of_ntp}, self.value);
  }
};

}  // namespace regroup::mikey
