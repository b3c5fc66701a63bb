// SPDX-License-Identifier: Apache-2.0
// Common header, HDR (RFC 3830 6.1; TS 33.180 E.1.2). Always first. Refuses any version but 1 and any data
// type but SAKKE (26) and Error (6). The PRF func is kept as received: the opener accepts 1, others under
// accept_prf_other.
#pragma once

#include "mikey/payload/cs_id_map.hpp"

namespace regroup::mikey {

struct Hdr {
  static constexpr std::string_view kName = "HDR";

  std::uint8_t version = kVersion;
  std::uint8_t data_type = kDataTypeSakke;
  PayloadType next = PayloadType::t;
  bool v = false;  // verification asked for; never set in TS 33.180, ignored on receipt
  std::uint8_t prf = kPrfHmacSha256;
  std::uint32_t csb_id = 0;  // GUK-ID of the receiver (TS 33.180 E.2)
  CsIdMap map;
  bool operator==(const Hdr&) const = default;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.uint(1, Field{"version", "RFC 3830 6.1", names::version}, self.version);
    io.require(self.version == kVersion, Errc::unsupported, ErrorCode::unspecified, "1",
               "check that these octets are a MIKEY message");
    io.uint(1, Field{"data type", "RFC 6509 4.1", names::data_type}, self.data_type);
    io.require(self.data_type == kDataTypeSakke || self.data_type == kDataTypeError, Errc::unsupported,
               ErrorCode::invalid_data_type, "26 (SAKKE message)",
               "send MIKEY-SAKKE: nothing else carries group keys (TS 33.180 E.1.2)");
    io.next_payload(self.next);
    io.split(1, 7, Field{"V", "TS 33.180 E.1.2", names::v_bit}, self.v,
             Field{"PRF func", "RFC 6043 6.1", names::prf}, self.prf);
    io.uint(4, Field{"CSB ID", "TS 33.180 E.2", names::csb_id, nullptr, true}, self.csb_id);
    CsIdMap::wire(io, self.map);
  }
};

}  // namespace regroup::mikey
