// SPDX-License-Identifier: Apache-2.0
// Scalars as signed odd digits of W bits, +-1, +-3 ... +-(2^W - 1): no zero digit, no carry, any k in [0, q),
// the same number of digits for all (performance-design 2.5). With C = 2^(nW) - 1 and v_i the plain digits of
// (k + C) / 2 mod q, the sum of (2 v_i - (2^W - 1)) 2^(Wi) is k mod q.
#pragma once

#include "crypto/curve/parameters.hpp"

namespace regroup::crypto {

// C mod q for digits that fill `bits` bits.
template <class Set>
[[nodiscard]] constexpr typename ScalarOf<Set>::Plain digit_offset(std::size_t bits) {
  typename ScalarOf<Set>::Plain power{}, one{};
  power[0] = one[0] = 1;
  for (std::size_t i = 0; i < bits; ++i) power = add_mod(power, power, Set::q.m);
  return subtract_mod(power, one, Set::q.m);
}

template <class Set, std::size_t W = Set::window>
class Digits {
 public:
  static_assert(W >= 2 && W <= 8);
  static constexpr std::size_t kCount = (Set::q.bits + W - 1) / W;
  static constexpr std::size_t kEntries = std::size_t{1} << (W - 1);  // of a table for one digit

  explicit Digits(const ScalarOf<Set>& k) {
    using Plain = typename ScalarOf<Set>::Plain;
    static constexpr Plain offset = digit_offset<Set>(kCount * W);
    const ct::Wiped<Plain> sum(add_mod(k.plain(), offset, Set::q.m));
    const Mask odd = mask_of((*sum)[0] & 1);
    ct::Wiped<Plain> even, correction;
    for (std::size_t i = 0; i < sum->size(); ++i) (*correction)[i] = Set::q.m[i] & odd;
    const Limb carry = add(*even, *sum, *correction);
    const ct::Wiped<Plain> half(halved(*even, carry));
    for (std::size_t i = 0; i < kCount; ++i) {
      Limb v = 0;
      for (std::size_t j = W; j-- > 0;) v = v << 1 | bit(*half, i * W + j);
      v_[i] = static_cast<std::uint8_t>(v);
    }
  }
  Digits(const Digits&) = delete;
  Digits& operator=(const Digits&) = delete;
  ~Digits() { wipe(v_.data(), v_.size()); }

  [[nodiscard]] std::uint8_t plain(std::size_t i) const { return v_[i]; }
  // The top bit set means positive; a negative digit counts its index downwards.
  [[nodiscard]] Mask negative(std::size_t i) const { return mask_of(Limb{1} ^ (Limb{v_[i]} >> (W - 1))); }
  // Table index of |digit|: (|digit| - 1) / 2.
  [[nodiscard]] Limb index(std::size_t i) const { return (v_[i] ^ negative(i)) & (kEntries - 1); }

 private:
  std::array<std::uint8_t, kCount> v_{};
};

}  // namespace regroup::crypto
