// SPDX-License-Identifier: Apache-2.0
// Scalars as signed odd digits of W bits, +-1, +-3 ... +-(2^W - 1): no zero digit, no carry, any k in [0, m)
// for an odd modulus m, the same number of digits for all (performance-design 2.5). With C = 2^(nW) - 1 and
// v_i the plain digits of (k + C) / 2 mod m, the sum of (2 v_i - (2^W - 1)) 2^(Wi) is k mod m.
#pragma once

#include "crypto/ct.hpp"
#include "crypto/field/montgomery.hpp"

namespace regroup::crypto {

// C mod m for digits that fill `bits` bits.
template <std::size_t N>
[[nodiscard]] constexpr Limbs<N> digit_offset(std::size_t bits, const Modulus<N>& modulus) {
  Limbs<N> power{}, one{};
  power[0] = one[0] = 1;
  for (std::size_t i = 0; i < bits; ++i) power = add_mod(power, power, modulus.m);
  return subtract_mod(power, one, modulus.m);
}

template <std::size_t Count, std::size_t W>
class SignedDigits {
 public:
  static_assert(W >= 2 && W <= 8);
  static constexpr std::size_t kCount = Count;
  static constexpr std::size_t kEntries = std::size_t{1} << (W - 1);  // of a table for one digit

  template <std::size_t N>
  SignedDigits(const Limbs<N>& k, const Limbs<N>& offset, const Limbs<N>& m) {
    const ct::Wiped<Limbs<N>> sum(add_mod(k, offset, m));
    const Mask odd = mask_of((*sum)[0] & 1);
    ct::Wiped<Limbs<N>> even, correction;
    for (std::size_t i = 0; i < N; ++i) (*correction)[i] = m[i] & odd;
    const Limb carry = add(*even, *sum, *correction);
    const ct::Wiped<Limbs<N>> half(halved(*even, carry));
    for (std::size_t i = 0; i < kCount; ++i) v_[i] = window(*half, i * W);
  }
  SignedDigits(const SignedDigits&) = delete;
  SignedDigits& operator=(const SignedDigits&) = delete;
  ~SignedDigits() { wipe(v_.data(), v_.size()); }

  [[nodiscard]] std::uint8_t plain(std::size_t i) const { return v_[i]; }
  // The top bit set means positive; a negative digit counts its index downwards.
  [[nodiscard]] Mask negative(std::size_t i) const { return mask_of(Limb{1} ^ (Limb{v_[i]} >> (W - 1))); }
  // Table index of |digit|: (|digit| - 1) / 2.
  [[nodiscard]] Limb index(std::size_t i) const { return (v_[i] ^ negative(i)) & (kEntries - 1); }

 private:
  // W bits from bit `at`, which is public; bits above the number are zero.
  template <std::size_t N>
  static std::uint8_t window(const Limbs<N>& a, std::size_t at) {
    const std::size_t limb = at / 64, shift = at % 64;
    Limb v = limb < N ? a[limb] >> shift : 0;
    if (shift > 64 - W && limb + 1 < N) v |= a[limb + 1] << (64 - shift);
    return static_cast<std::uint8_t>(v & ((Limb{1} << W) - 1));
  }
  std::array<std::uint8_t, kCount> v_{};
};

}  // namespace regroup::crypto
