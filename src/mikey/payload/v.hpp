// SPDX-License-Identifier: Apache-2.0
// Verification payload, V (RFC 3830 6.9). Not used with MIKEY-SAKKE: an I_MESSAGE that holds
// one is refused; the layout stands here for people who inspect other messages. It has no length: it takes
// what is left.
#pragma once

#include "mikey/codec.hpp"

namespace regroup::mikey {

struct V {
  static constexpr std::string_view kName = "V";

  PayloadType next = PayloadType::last;
  std::uint8_t auth_algorithm = 0;
  Octets data;
  bool operator==(const V&) const = default;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.next_payload(self.next);
    io.uint(1, Field{"auth algorithm", "RFC 3830 6.9"}, self.auth_algorithm);
    io.all_but(0, Field{"ver data", "RFC 3830 6.9"}, self.data);
  }
};

}  // namespace regroup::mikey
