// SPDX-License-Identifier: Apache-2.0
// Arithmetic modulo p on eight residues at once, for the files that are compiled for AVX-512 IFMA
// (vector.hpp). Bounds are written as multiples of p next to each sum; a product of operands below A p and B
// p is below (1 + A B / 109312) p. The limbs of an operand are 0 .. 2^52 - 1, because a product reads nothing
// above.
#pragma once

#include "crypto/ifma/vector.hpp"

#ifdef __AVX512IFMA__

namespace regroup::crypto::ifma {
namespace {

// Multiples of p in every lane, and what a product needs.
struct Constants {
  Residue8 p, twice, thrice;
  __m512i minus_inverse;
};

inline void broadcast(Residue8& to, const std::uint64_t (&from)[kLimbs]) {
  for (std::size_t j = 0; j < kLimbs; ++j) store(to.limb[j], in_all(from[j]));
}

inline void make_constants(Constants& k, const Field& field) {
  broadcast(k.p, field.p);
  for (std::size_t j = 0; j < kLimbs; ++j) {
    const __m512i limb = load(k.p.limb[j]);
    store(k.twice.limb[j], plus(limb, limb));
    store(k.thrice.limb[j], plus(plus(limb, limb), limb));
  }
  k.minus_inverse = in_all(field.minus_inverse);
}

// A sum, given limb by limb, into limbs of 0 .. 2^52 - 1; its value is not negative and below 2^1040.
template <class Sum>
inline void settle(Residue8& out, const Sum& sum) {
  const __m512i low = low52();
  __m512i c = _mm512_setzero_si512();
#pragma GCC unroll 20
  for (std::size_t j = 0; j < kLimbs; ++j) {
    const __m512i a = plus(sum(j), c);
    c = _mm512_srai_epi64(a, 52);
    store(out.limb[j], j + 1 < kLimbs ? _mm512_and_si512(a, low) : a);
  }
}
// Two sums at once: their carries run side by side.
template <class First, class Second>
inline void settle(Residue8& first, Residue8& second, const First& one, const Second& other) {
  const __m512i low = low52();
  __m512i c = _mm512_setzero_si512(), d = c;
#pragma GCC unroll 20
  for (std::size_t j = 0; j < kLimbs; ++j) {
    const __m512i a = plus(one(j), c), b = plus(other(j), d);
    c = _mm512_srai_epi64(a, 52);
    d = _mm512_srai_epi64(b, 52);
    store(first.limb[j], j + 1 < kLimbs ? _mm512_and_si512(a, low) : a);
    store(second.limb[j], j + 1 < kLimbs ? _mm512_and_si512(b, low) : b);
  }
}

// The value of every lane is in 0 .. multiple p, its limbs in 0 .. 2^52 - 1.
inline void below(const Residue8& a, double multiple, const char* file = __builtin_FILE(),
                  int line = __builtin_LINE()) {
  below(a.limb, kLimbs, multiple, file, line);
}

struct NoRow {};

// a b / R, or a b + c d over R with one reduction; a(i) and c(i) are the limbs of a and c. The rows stay
// rolled: unrolled, compilers run out of registers. Each limb of b and p is loaded once for both halves of
// its products, because loads are as scarce as multiplications.
template <class A, class C>
[[gnu::always_inline]] inline void product_rows(Residue8& out, const A& a, const Residue8& b, const C& c,
                                                const Residue8* d, const Constants& k) {
  constexpr bool kTwo = !__is_same(C, NoRow);
  const __m512i zero = _mm512_setzero_si512(), inverse = k.minus_inverse;
  __m512i acc[kLimbs + 1];
#pragma GCC unroll 21
  for (std::size_t j = 0; j <= kLimbs; ++j) acc[j] = zero;
#pragma GCC unroll 1
  for (std::size_t i = 0; i < kLimbs; ++i) {
    const __m512i ai = a(i);
    __m512i ci = ai, limb = load(b.limb[0]);
    acc[0] = _mm512_madd52lo_epu64(acc[0], ai, limb);
    acc[1] = _mm512_madd52hi_epu64(acc[1], ai, limb);
    if constexpr (kTwo) {
      ci = c(i);
      limb = load(d->limb[0]);
      acc[0] = _mm512_madd52lo_epu64(acc[0], ci, limb);
      acc[1] = _mm512_madd52hi_epu64(acc[1], ci, limb);
    }
    const __m512i q = _mm512_madd52lo_epu64(zero, acc[0], inverse);
#pragma GCC unroll 20
    for (std::size_t j = 1; j < kLimbs; ++j) {
      limb = load(b.limb[j]);
      acc[j] = _mm512_madd52lo_epu64(acc[j], ai, limb);
      acc[j + 1] = _mm512_madd52hi_epu64(j + 1 < kLimbs ? acc[j + 1] : zero, ai, limb);
    }
#pragma GCC unroll 20
    for (std::size_t j = 1; kTwo && j < kLimbs; ++j) {
      limb = load(d->limb[j]);
      acc[j] = _mm512_madd52lo_epu64(acc[j], ci, limb);
      acc[j + 1] = _mm512_madd52hi_epu64(acc[j + 1], ci, limb);
    }
    // q p clears the lowest limb, and the sum moves one limb down.
    limb = load(k.p.limb[0]);
    const __m512i over = _mm512_srli_epi64(_mm512_madd52lo_epu64(acc[0], q, limb), 52);
    acc[0] = plus(_mm512_madd52hi_epu64(acc[1], q, limb), over);
#pragma GCC unroll 20
    for (std::size_t j = 1; j < kLimbs; ++j) {
      limb = load(k.p.limb[j]);
      acc[j - 1] = _mm512_madd52lo_epu64(acc[j - 1], q, limb);
      acc[j] = _mm512_madd52hi_epu64(acc[j + 1], q, limb);
    }
  }
  // A limb holds at most 20 rows of 6 halves of 52 bits.
  const __m512i low = low52();
  __m512i over = zero;
#pragma GCC unroll 20
  for (std::size_t j = 0; j < kLimbs; ++j) {
    const __m512i sum = plus(acc[j], over);
    over = _mm512_srli_epi64(sum, 52);
    store(out.limb[j], _mm512_and_si512(sum, low));
  }
  below(out, 1.1);
}

// a b / R.
[[gnu::noinline]] void multiply(Residue8& out, const Residue8& a, const Residue8& b, const Constants& k) {
  product_rows(
      out, [&](std::size_t i) { return load(a.limb[i]); }, b, NoRow{}, nullptr, k);
}

template <int Steps>
inline void rotate(Residue8& out, const Residue8& a) {
  for (std::size_t j = 0; j < kLimbs; ++j) {
    const __m512i limb = load(a.limb[j]);
    store(out.limb[j], _mm512_alignr_epi64(limb, limb, Steps));
  }
}

// The inverse of every lane, by one inversion of the product of all eight. False for a zero.
inline bool invert_lanes(Residue8& a, const Constants& k, const Field& field) {
  Residue8 four, two, turned, inverse;
  rotate<4>(turned, a);
  multiply(four, a, turned, k);
  rotate<2>(turned, four);
  multiply(two, four, turned, k);
  rotate<1>(turned, two);
  multiply(inverse, two, turned, k);
  std::uint64_t one[kLimbs];
  for (std::size_t j = 0; j < kLimbs; ++j) one[j] = inverse.limb[j].lane[0];
  field.invert(one);
  std::uint64_t any = 0;
  for (std::size_t j = 0; j < kLimbs; ++j) any |= one[j];
  broadcast(inverse, one);
  multiply(inverse, inverse, turned, k);
  rotate<2>(turned, four);
  multiply(inverse, inverse, turned, k);
  rotate<4>(turned, a);
  multiply(a, inverse, turned, k);
  __builtin_memset(one, 0, sizeof one);
  __asm__ volatile("" : : "r"(one) : "memory");
  return any != 0;  // public: RFC 6508 6.2.1 wants another SSV
}

}  // namespace
}  // namespace regroup::crypto::ifma

#endif
