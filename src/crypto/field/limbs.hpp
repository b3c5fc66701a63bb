// SPDX-License-Identifier: Apache-2.0
// Integers of a fixed number of 64-bit limbs, least significant first, and masks instead of branches.
// A mask is all ones or all zeros. The time of everything here depends on N alone.
#pragma once

#include <array>

#include "base/octets.hpp"
#include "base/result.hpp"
#include "crypto/ct.hpp"

namespace regroup::crypto {

using Limb = std::uint64_t;
using Mask = std::uint64_t;
template <std::size_t N>
using Limbs = std::array<Limb, N>;

__extension__ typedef unsigned __int128 WideLimb;
// The one primitive under all arithmetic: 64 x 64 -> 128.
[[nodiscard]] constexpr WideLimb wide_product(Limb a, Limb b) { return static_cast<WideLimb>(a) * b; }
[[nodiscard]] constexpr Limb low(WideLimb w) { return static_cast<Limb>(w); }
[[nodiscard]] constexpr Limb high(WideLimb w) { return static_cast<Limb>(w >> 64); }

// bit is 0 or 1.
[[nodiscard]] constexpr Mask mask_of(Limb bit) { return Limb{0} - ct::barrier(bit); }
[[nodiscard]] constexpr Mask mask_if_zero(Limb x) { return mask_of(1 ^ ((x | (Limb{0} - x)) >> 63)); }
[[nodiscard]] constexpr Mask mask_if_equal(Limb a, Limb b) { return mask_if_zero(a ^ b); }
[[nodiscard]] constexpr Limb select(Mask mask, Limb yes, Limb no) { return no ^ (mask & (yes ^ no)); }

// out = a + b; the carry, 0 or 1. Operands may be the same object.
template <std::size_t N>
constexpr Limb add(Limbs<N>& out, const Limbs<N>& a, const Limbs<N>& b) {
  Limb carry = 0;
  for (std::size_t i = 0; i < N; ++i) {
    const WideLimb sum = static_cast<WideLimb>(a[i]) + b[i] + carry;
    out[i] = low(sum);
    carry = high(sum);
  }
  return carry;
}

// out = a - b; the borrow, 0 or 1.
template <std::size_t N>
constexpr Limb subtract(Limbs<N>& out, const Limbs<N>& a, const Limbs<N>& b) {
  Limb borrow = 0;
  for (std::size_t i = 0; i < N; ++i) {
    const WideLimb difference = static_cast<WideLimb>(a[i]) - b[i] - borrow;
    out[i] = low(difference);
    borrow = high(difference) & 1;
  }
  return borrow;
}

template <std::size_t N>
[[nodiscard]] constexpr Limbs<N> select(Mask mask, const Limbs<N>& yes, const Limbs<N>& no) {
  Limbs<N> out{};
  for (std::size_t i = 0; i < N; ++i) out[i] = select(mask, yes[i], no[i]);
  return out;
}
template <std::size_t N>
[[nodiscard]] constexpr Mask mask_if_zero(const Limbs<N>& a) {
  Limb any = 0;
  for (const Limb limb : a) any |= limb;
  return mask_if_zero(any);
}
template <std::size_t N>
[[nodiscard]] constexpr Mask mask_if_less(const Limbs<N>& a, const Limbs<N>& b) {
  Limbs<N> difference{};
  return mask_of(subtract(difference, a, b));
}

template <std::size_t N>
[[nodiscard]] constexpr Limb bit(const Limbs<N>& a, std::size_t at) {
  return at < 64 * N ? a[at / 64] >> (at % 64) & 1 : 0;
}
// The number of bits of a public integer.
template <std::size_t N>
[[nodiscard]] constexpr std::size_t bit_length_vartime(const Limbs<N>& a) {
  for (std::size_t at = 64 * N; at-- > 0;)
    if (bit(a, at)) return at + 1;
  return 0;
}
// a >> 1, with `top` shifted in.
template <std::size_t N>
[[nodiscard]] constexpr Limbs<N> halved(const Limbs<N>& a, Limb top = 0) {
  Limbs<N> out{};
  for (std::size_t i = 0; i < N; ++i) out[i] = a[i] >> 1 | (i + 1 < N ? a[i + 1] : top) << 63;
  return out;
}

// Constants of this program: hexadecimal with spaces between groups.
template <std::size_t N>
[[nodiscard]] constexpr Limbs<N> limbs_from_hex(std::string_view text) {
  Limbs<N> out{};
  std::size_t nibble = 0;
  for (std::size_t i = text.size(); i-- > 0;) {
    if (text[i] == ' ') continue;
    const char c = text[i];
    const Limb digit = static_cast<Limb>(c <= '9' ? c - '0' : c - 'a' + 10);
    out[nibble / 16] |= digit << (4 * (nibble % 16));
    ++nibble;
  }
  return out;
}

// Big-endian octets, at most 8N of them.
template <std::size_t N>
[[nodiscard]] constexpr Limbs<N> limbs_from_octets(OctetsView octets) {
  RG_ASSERT(octets.size() <= 8 * N);
  Limbs<N> out{};
  for (std::size_t i = 0; i < octets.size(); ++i)
    out[i / 8] |= static_cast<Limb>(octets[octets.size() - 1 - i]) << (8 * (i % 8));
  return out;
}
template <std::size_t N>
constexpr void write_octets(const Limbs<N>& a, std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < out.size(); ++i)
    out[out.size() - 1 - i] =
        i < 8 * N ? static_cast<std::uint8_t>(a[i / 8] >> (8 * (i % 8))) : std::uint8_t{0};
}

}  // namespace regroup::crypto
