// SPDX-License-Identifier: Apache-2.0
// Eight multiples of fixed points of NIST P-256 at once, one in each lane of AVX-512 IFMA. Residues modulo p
// have 5 limbs of 52 bits in Montgomery form with R = 2^260. Like engine.hpp this holds plain data only, and
// p256.cpp shares no inline function with the rest of the program.
#pragma once

#include "crypto/ifma/engine.hpp"

namespace regroup::crypto::ifma::p256 {

inline constexpr std::size_t kLimbs = 5;
inline constexpr std::size_t kWindow = 6;
inline constexpr std::size_t kDigits = 43;                                // ceil(256 / 6)
inline constexpr std::size_t kEntries = std::size_t{1} << (kWindow - 1);  // 1, 3 ... 63
inline constexpr std::size_t kGroups = kEntries / kLanes;

struct Residue {
  Limb8 limb[kLimbs];
};
struct Column {
  Limb8 of[kLimbs][kGroups];
};
// The odd multiples of 2^(6i) B, affine.
struct Window {
  Column x, y;
};

// Digits of one scalar in each lane: v_i of (k + 2^258 - 1) / 2 mod n, as in curve/digits.hpp.
struct Digits8 {
  std::uint8_t of[kDigits][kLanes];
};

// [a]A + [b]B for eight pairs of scalars. Secret where the scalars are; wiped by the owner.
struct Multiples {
  Digits8 a, b;
  Residue x, y, z;  // then affine x and y, plain, below p + p/16
  Residue before;   // running product of the shared inversion
};

// a -> a^-1 R mod p on 5 limbs of 52 bits, 0 for 0. Constant time.
using Invert = void (*)(std::uint64_t (&residue)[kLimbs]);

// False, and the results are of no use, when one of them is the neutral element. Without `b` only [a]A.
[[nodiscard]] bool multiply(Multiples* all, std::size_t vectors, const Window* a, const Window* b,
                            Invert invert) noexcept;

}  // namespace regroup::crypto::ifma::p256
