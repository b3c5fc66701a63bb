// SPDX-License-Identifier: Apache-2.0
// Crypto sessions and security policy of a key message (TS 33.179 E.2, Table E.2-1; RFC 6043 6.1.1; RFC
// 3830 6.10): what we write, what we copy, and what refuses a message. Only for the room.
#pragma once

#include "gktp/key_material.hpp"
#include "mikey/message.hpp"

namespace regroup::gktp {

// The map of HDR and the SP payloads. `spi` stands in every entry. MKFC goes with the empty map and without
// SP.
[[nodiscard]] Result<void> write_policy(const KeyMaterial& material, OctetsView spi, mikey::Unsigned& into);

// Errc::unsupported: NULL or unknown encryption, unknown authentication, a session key that has not 16 octets
// (errors 9 and 10); sessions under different policies. AES-CM passes: the media side refuses it by name.
[[nodiscard]] Result<void> check_policy(const mikey::Unsigned& message);

// As a partner GMS copies it: CS IDs of a GENERIC-ID map, and the parameters of the SP that governs them. The
// entries of an SRTP-ID map are ignored (TS 33.180 E.1.3 numbers sessions otherwise).
[[nodiscard]] SecurityPolicy read_policy(const mikey::Unsigned& message);

}  // namespace regroup::gktp
