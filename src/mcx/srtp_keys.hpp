// SPDX-License-Identifier: Apache-2.0
// From a group key to the SRTP master key and salt of one sender (RFC 3830 4.1.3 with PRF-HMAC-SHA-256,
// TS 33.180 7.4.2), and the key that protects the key parameters (TS 33.180 F.1.5).
#pragma once

#include "mcx/ids.hpp"

namespace regroup::mcx {

RG_SECRET(SrtpMasterKey, 16);
RG_SECRET(SrtpMasterSalt, 12);    // AEAD_AES_128_GCM
RG_SECRET(SrtpMasterSalt14, 14);  // AES-CM, for comparison with others only
RG_SECRET(Dpck, 16);

struct SrtpKeys {
  SrtpMasterKey key;
  SrtpMasterSalt salt;
};

// `csb_id`: the GUK-ID of the sender of the media (the key's own identifier for keys without diversity).
// `rand`: of the I_MESSAGE that delivered the key, 16 octets or more. `cs_id`: 4 for MCPTT group call media
// (TS 33.180 E.1.3).
[[nodiscard]] SrtpKeys srtp_keys(OctetsView key, std::uint8_t cs_id, std::uint32_t csb_id, OctetsView rand);
[[nodiscard]] SrtpMasterSalt14 srtp_salt14(OctetsView key, std::uint8_t cs_id, std::uint32_t csb_id,
                                           OctetsView rand);

// Last 16 octets of HMAC-SHA-256(key, 53 || CSB ID || 0004).
[[nodiscard]] Dpck dpck(OctetsView key, std::uint32_t csb_id);

}  // namespace regroup::mcx
