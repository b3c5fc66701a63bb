// SPDX-License-Identifier: Apache-2.0
// Certificate, CERT (RFC 3830 6.7): allowed by the syntax of RFC 6509 and without meaning in MIKEY-SAKKE.
// Read past, never sent.
#pragma once

#include "mikey/codec.hpp"

namespace regroup::mikey {

struct Cert {
  static constexpr std::string_view kName = "CERT";

  PayloadType next = PayloadType::last;
  std::uint8_t cert_type = 0;
  Octets data;
  bool operator==(const Cert&) const = default;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.next_payload(self.next);
    io.uint(1, Field{"cert type", "RFC 3830 6.7"}, self.cert_type);
    io.counted(2, Field{"cert length", "RFC 3830 6.7"}, Field{"certificate", "RFC 3830 6.7"}, self.data);
  }
};

}  // namespace regroup::mikey
