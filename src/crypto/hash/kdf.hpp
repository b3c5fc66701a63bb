// SPDX-License-Identifier: Apache-2.0
// The two key derivations that 3GPP group keying rests on.
#pragma once

#include <initializer_list>

#include "base/octets.hpp"
#include "base/secret.hpp"

namespace regroup::crypto {

// TS 33.220 B.2.2: HMAC-SHA-256(key, FC || P0 || L0 || P1 || L1 || ...), each L the 2-octet length of its P.
// Parameters are at most 65535 octets.
[[nodiscard]] Secret<32> kdf_33220(OctetsView key, std::uint8_t fc,
                                   std::initializer_list<OctetsView> parameters);

// RFC 3830 4.1.2 with HMAC-SHA-256 (RFC 6043 6.1, MIKEY PRF func 1): fills `out`.
void prf_hmac_sha256(OctetsView inkey, OctetsView label, std::span<std::uint8_t> out);

}  // namespace regroup::crypto
