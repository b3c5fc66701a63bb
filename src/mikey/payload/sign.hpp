// SPDX-License-Identifier: Apache-2.0
// SIGN (RFC 3830 6.5; RFC 6509 4.3): the last payload, 2 + 129 octets. Refuses every S type but ECCSI and
// every length but 129 (TS 33.180 E.1.2 says 32, which cannot hold an ECCSI signature).
#pragma once

#include "mikey/codec.hpp"

namespace regroup::mikey {

inline constexpr std::size_t kSignHeader = 2;
inline constexpr std::size_t kSignature = 129;

struct Sign {
  static constexpr std::string_view kName = "SIGN";

  std::uint8_t type = kSignEccsi;
  std::uint16_t length = kSignature;
  Fixed<32> r{};
  Fixed<32> s{};
  Fixed<65> pvt{};  // of the initiator
  bool operator==(const Sign&) const = default;

  // The two octets the signature covers and the rest that it does not.
  template <class Io, class Self>
  static void header(Io& io, Self& self) {
    io.split(2, 12, Field{"S type", "RFC 6509 4.3", names::sign_type}, self.type,
             Field{"signature length", "RFC 6509 4.3"}, self.length);
    io.require(self.type == kSignEccsi, Errc::unsupported, ErrorCode::authentication_failure,
               "S type 2 (ECCSI)", "the sender must sign with its ECCSI key (RFC 6507)");
    io.require(self.length == kSignature, Errc::malformed, ErrorCode::authentication_failure,
               "length 129: r (32), s (32), PVT (65)",
               "the sender must write 129: the 32 of TS 33.180 E.1.2 cannot hold an ECCSI signature");
  }
  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    header(io, self);
    io.fixed(Field{"r", "RFC 6507 5.2.1"}, self.r);
    io.fixed(Field{"s", "RFC 6507 5.2.1"}, self.s);
    io.fixed(Field{"PVT", "RFC 6507 5.2.1"}, self.pvt);
  }
};

}  // namespace regroup::mikey
