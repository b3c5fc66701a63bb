// SPDX-License-Identifier: Apache-2.0
// Eight members at once, one in each 64-bit lane of AVX-512 IFMA: the group arithmetic of an encapsulation
// for whole vectors of members (performance-design 3 to 6). Residues modulo p have 20 limbs of 52 bits in
// Montgomery form with R = 2^1040; the 16 bits of slack make sums lazy. This header and engine.cpp hold plain
// data only: engine.cpp is compiled for instructions that the rest of the program must not contain, so it
// shares no inline function with it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace regroup::crypto::ifma {

inline constexpr std::size_t kLanes = 8;
inline constexpr std::size_t kLimbs = 20;
inline constexpr std::size_t kWindow = 7;                                 // bits of a digit
inline constexpr std::size_t kDigits = 146;                               // ceil(1022 / 7)
inline constexpr std::size_t kEntries = std::size_t{1} << (kWindow - 1);  // of a window: 1, 3 ... 127
inline constexpr std::size_t kGroups = kEntries / kLanes;

// One limb of eight residues: lane i belongs to member i, or to entry i of a group of table entries.
struct alignas(64) Limb8 {
  std::uint64_t lane[kLanes];
};
struct Residue8 {
  Limb8 limb[kLimbs];
};
// A coordinate of all entries of one window, limb by limb, entries in groups of eight.
struct Column {
  Limb8 of[kLimbs][kGroups];
};
struct PointWindow {
  Column minus, plus, twice;  // Y - X, Y + X, 2 X Y
};
struct PowerWindow {
  Column t;
};

// What the field needs besides p: everything in 52-bit limbs.
struct Field {
  std::uint64_t p[kLimbs];
  std::uint64_t minus_inverse;   // -p^-1 mod 2^52
  std::uint64_t one[kLimbs];     // R mod p
  std::uint64_t lambda[kLimbs];  // of the Edwards map, not in Montgomery form
  std::uint64_t s[kLimbs];
  // a R -> a^-1 R mod p, for the one inversion of a batch; 0 for 0. Constant time.
  void (*invert)(std::uint64_t (&residue)[kLimbs]);
};

// What the digits of eight members add up to.
struct Sums {
  Residue8 x, y, z, t;  // of R, extended Edwards coordinates; then affine x and y of E, plain, below p + p/8
  Residue8 re, im;      // of g^r; then im = w, plain, below p + p/8
};
// Eight members between the digits of their scalars and their results. Secret; wiped by the owner.
struct Members : Sums {
  std::uint8_t rb[kDigits][kLanes];  // digits of r b and of r, as in curve/digits.hpp
  std::uint8_t r[kDigits][kLanes];
  Residue8 before[2];  // running products of the shared inversion
};

// For every member: R = [r b]P + [r]Z in x and y, w = g^r in im. False, and the members are of no use, when a
// denominator is zero.
[[nodiscard]] bool fan_out(Members* members, std::size_t vectors, const PointWindow* p, const PointWindow* z,
                           const PowerWindow* g, const Field& field) noexcept;

// out = a b / R mod p, below p + p/8, for tests: operands of non-negative limbs below 2^52, a b < 200 p R.
void product(Residue8& out, const Residue8& a, const Residue8& b, const Field& field) noexcept;

}  // namespace regroup::crypto::ifma
