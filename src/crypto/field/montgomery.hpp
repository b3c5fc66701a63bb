// SPDX-License-Identifier: Apache-2.0
// Montgomery multiplication modulo an odd m of at most 64N bits, R = 2^(64N). The modulus is data: p and q of
// every parameter set use the same code. Results are fully reduced; p of parameter set 1 fills all its limbs,
// so there is no slack for lazy sums here.
#pragma once

#include "crypto/field/limbs.hpp"

namespace regroup::crypto {

template <std::size_t N>
struct Modulus {
  Limbs<N> m{};
  Limb minus_inverse = 0;  // -m^-1 mod 2^64
  Limbs<N> r{};            // R mod m, which is the Montgomery form of 1
  Limbs<N> r2{};           // R^2 mod m
  std::size_t bits = 0;
};

// (a + b) mod m for a, b < m.
template <std::size_t N>
[[nodiscard]] constexpr Limbs<N> add_mod(const Limbs<N>& a, const Limbs<N>& b, const Limbs<N>& m) {
  Limbs<N> sum{}, reduced{};
  const Limb carry = add(sum, a, b);
  const Limb borrow = subtract(reduced, sum, m);
  return select(mask_of(borrow & (carry ^ 1)), sum, reduced);
}

// (a - b) mod m for a, b < m.
template <std::size_t N>
[[nodiscard]] constexpr Limbs<N> subtract_mod(const Limbs<N>& a, const Limbs<N>& b, const Limbs<N>& m) {
  Limbs<N> difference{}, correction{};
  const Mask below = mask_of(subtract(difference, a, b));
  for (std::size_t i = 0; i < N; ++i) correction[i] = m[i] & below;
  add(difference, difference, correction);
  return difference;
}

// Any a of N limbs mod m, by masked subtractions of 2^k m. For q of parameter set 1 these are 4q, 2q, q.
template <std::size_t N>
[[nodiscard]] constexpr Limbs<N> reduced(Limbs<N> a, const Modulus<N>& modulus) {
  const std::size_t slack = 64 * N - modulus.bits;
  Limbs<N> multiple = modulus.m, less{};
  for (std::size_t i = 0; i < slack; ++i) add(multiple, multiple, multiple);
  for (std::size_t i = 0; i <= slack; ++i) {
    a = select(mask_of(subtract(less, a, multiple)), a, less);
    multiple = halved(multiple);
  }
  return a;
}

// One column of a schoolbook product: a sum of at most 2^64 products in three limbs.
struct Column {
  WideLimb sum = 0;
  Limb top = 0;

  constexpr void add_product(Limb a, Limb b) {
    const WideLimb product = wide_product(a, b);
    sum += product;
    top += static_cast<Limb>(sum < product);
  }
  // The lowest limb; the column moves on to the next one.
  constexpr Limb shift() {
    const Limb out = low(sum);
    sum = sum >> 64 | static_cast<WideLimb>(top) << 64;
    top = 0;
    return out;
  }
};

// a b R^-1 mod m, by columns (finely integrated product scanning): for a b < R m, so a may be any N limbs
// when b < m. The sum before the last subtraction is below 2m. Unrolled, because compilers leave these short
// inner loops as they are, which costs a quarter of the speed.
template <std::size_t N>
constexpr void montgomery_product_by_columns(Limbs<N>& out, const Limbs<N>& a, const Limbs<N>& b,
                                             const Limbs<N>& m, Limb minus_inverse) {
  Limbs<N> quotient{}, sum{}, reduced{};
  Column column;
#pragma GCC unroll 16
  for (std::size_t i = 0; i < N; ++i) {
#pragma GCC unroll 16
    for (std::size_t j = 0; j < i; ++j) {
      column.add_product(a[j], b[i - j]);
      column.add_product(quotient[j], m[i - j]);
    }
    column.add_product(a[i], b[0]);
    quotient[i] = low(column.sum) * minus_inverse;
    column.add_product(quotient[i], m[0]);
    column.shift();
  }
#pragma GCC unroll 16
  for (std::size_t i = N; i < 2 * N - 1; ++i) {
#pragma GCC unroll 16
    for (std::size_t j = i - N + 1; j < N; ++j) {
      column.add_product(a[j], b[i - j]);
      column.add_product(quotient[j], m[i - j]);
    }
    sum[i - N] = column.shift();
  }
  sum[N - 1] = column.shift();
  const Limb carry = low(column.sum);
  const Limb borrow = subtract(reduced, sum, m);
  out = select(mask_of(borrow & (carry ^ 1)), sum, reduced);
}

// For N a power of two.
template <std::size_t N>
[[nodiscard]] constexpr Modulus<N> make_modulus(const Limbs<N>& m) {
  Modulus<N> out;
  out.m = m;
  Limb inverse = 1;
  for (int i = 0; i < 6; ++i) inverse *= 2 - m[0] * inverse;  // Newton: 2, 4, ... 64 correct bits
  out.minus_inverse = Limb{0} - inverse;
  out.bits = bit_length_vartime(m);
  Limbs<N> power{};
  power[(out.bits - 1) / 64] = Limb{1} << (out.bits - 1) % 64;  // the largest power of two below m
  for (std::size_t at = out.bits - 1; at < 64 * N; ++at) power = add_mod(power, power, m);
  out.r = power;
  out.r2 = add_mod(power, power, m);  // the Montgomery form of 2; 2^(64N) is that of R
  for (std::size_t exponent = 1; exponent < 64 * N; exponent *= 2)
    montgomery_product_by_columns(out.r2, out.r2, out.r2, m, out.minus_inverse);
  return out;
}

}  // namespace regroup::crypto
