// SPDX-License-Identifier: Apache-2.0
// HashToIntegerRange of RFC 6508 5.1 with SHA-256, before its reduction: v_1 || ... || v_L.
#pragma once

#include <initializer_list>

#include "base/secret.hpp"

namespace regroup::crypto {

inline constexpr std::size_t kMostHashBlocks = 4;  // L for a modulus of up to 1024 bits

// The L = out.size() / 32 blocks v_i = SHA-256(h_i || A), A = SHA-256(parts); 1 <= L <= kMostHashBlocks.
// Constant time in the parts; what it leaves behind is wiped.
void hash_blocks(std::initializer_list<OctetsView> parts, std::span<std::uint8_t> out);

}  // namespace regroup::crypto
