// SPDX-License-Identifier: Apache-2.0
// RAND (RFC 3830 6.11): the GMK-RAND of the SRTP derivation, the same for every member of the group.
// Refuses fewer than 16 and more than 64 octets; regroup sends 16.
#pragma once

#include "mikey/codec.hpp"

namespace regroup::mikey {

struct Rand {
  static constexpr std::string_view kName = "RAND";

  PayloadType next = PayloadType::idr;
  Octets value = Octets(16);
  bool operator==(const Rand&) const = default;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.next_payload(self.next);
    io.counted(1, Field{"RAND length", "RFC 3830 6.11"}, Field{"RAND", "RFC 3830 6.11"}, self.value);
    io.require(self.value.size() >= 16 && self.value.size() <= 64, Errc::malformed, ErrorCode::unspecified,
               "16 to 64 octets", "the sender must draw 16 octets or more, at most 64");
  }
};

}  // namespace regroup::mikey
