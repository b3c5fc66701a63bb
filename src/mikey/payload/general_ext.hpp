// SPDX-License-Identifier: Apache-2.0
// General extension (RFC 3830 6.15). Type 6 holds a SAKKE payload for the initiator itself (TS 33.180 E.5),
// type 7 the 3GPP key parameters (TS 33.180 E.6); other types are skipped, though the signature covers them.
// The content is read by who needs it: parse_as<Sakke>, parse_as<ProtectedPayload>,
// parse_legacy_key_parameters.
#pragma once

#include "mikey/codec.hpp"

namespace regroup::mikey {

inline constexpr Field kExtData{"data", "RFC 3830 6.15"};

struct GeneralExt {
  static constexpr std::string_view kName = "General extension";

  PayloadType next = PayloadType::sign;
  ExtType type = ExtType::key_parameters;
  Octets data;
  bool operator==(const GeneralExt&) const = default;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.next_payload(self.next);
    io.uint(1, Field{"type", "RFC 3830 6.15", names::ext_type}, self.type);
    io.counted(2, Field{"length", "RFC 3830 6.15"}, kExtData, self.data);
  }
};

}  // namespace regroup::mikey
