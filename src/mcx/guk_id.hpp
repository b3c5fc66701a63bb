// SPDX-License-Identifier: Apache-2.0
// End-point diversity (TS 33.179 7.3.1, F.1.3; TS 33.180 5.2.3): a member's GUK-ID is the GMK-ID with its low
// 28 bits XORed with the member's user salt; the operation is its own inverse. Salts hash the URI's octets,
// not the UID.
#pragma once

#include "mcx/ids.hpp"

namespace regroup::mcx {

// Low 28 bits of HMAC-SHA-256(key, 50 || URI || length).
[[nodiscard]] std::uint32_t user_salt(OctetsView key, std::string_view uri);
[[nodiscard]] GukId guk_id(OctetsView key, GmkId gmk_id, std::string_view uri);
[[nodiscard]] GmkId gmk_id(OctetsView key, GukId guk_id, std::string_view uri);
[[nodiscard]] Mki mki(GmkId gmk_id, GukId guk_id);

// Keys whose identifier is diversified per receiver: the GMK only (TS 33.180 5.2.2).
[[nodiscard]] inline bool diversified(Purpose purpose) { return purpose == Purpose::gmk; }
// The purpose a tag names; Errc::unsupported for 7-15.
[[nodiscard]] Result<Purpose> purpose_of(std::uint8_t tag);

}  // namespace regroup::mcx
