// SPDX-License-Identifier: Apache-2.0
// Compiled with AVX-512 F, DQ, VL and IFMA. The complete mixed addition of Renes, Costello and Batina
// ("Complete addition formulas for prime order elliptic curves", 2016, algorithm 5) has no exceptions between
// points of P-256, so no branch depends on a lane. Bounds are multiples of p; a product of operands below A p
// and B p is below (1 + A B / 16) p. p = -1 mod 2^52: the quotient digit of a row is its lowest limb.
#include "crypto/ifma/p256.hpp"

#include "crypto/ifma/vector.hpp"

#ifdef __AVX512IFMA__

namespace regroup::crypto::ifma::p256 {
namespace {

constexpr std::uint64_t kP[kLimbs] = {0xfffffffffffff, 0xfffffffffff, 0x0, 0x1000000000, 0xffffffff0000};
constexpr std::uint64_t kZero[kLimbs] = {}, kUnit[kLimbs] = {1};
constexpr std::uint64_t kOne[kLimbs] = {0x10, 0xf000000000000, 0xfffffffffffff, 0xffeffffffffff,
                                        0xfffff};  // R mod p
constexpr std::uint64_t kB[kLimbs] = {0xdf6229c4bddfd, 0xca8843090d89c, 0x212ed6acf005c, 0x83415a220abf7,
                                      0xc30061dd4874};  // the curve's b, times R

struct F {
  __m512i limb[kLimbs];
};

using ifma::load;
inline F load(const Residue& from) {
  F out;
#pragma GCC unroll 5
  for (std::size_t j = 0; j < kLimbs; ++j) out.limb[j] = load(from.limb[j]);
  return out;
}
inline void store(Residue& to, const F& from) {
#pragma GCC unroll 5
  for (std::size_t j = 0; j < kLimbs; ++j) _mm512_store_si512(&to.limb[j], from.limb[j]);
}
// The value of every lane is in 0 .. multiple p, its limbs in 0 .. 2^52 - 1: asserted as in vector.hpp.
inline const F& below(const F& a, [[maybe_unused]] double multiple,
                      [[maybe_unused]] int line = __builtin_LINE()) {
#ifdef REGROUP_CHECK_BOUNDS
  Residue stored;
  store(stored, a);
  ifma::below(stored.limb, kLimbs, multiple, "p256.cpp", line);
#endif
  return a;
}
inline F constant(const std::uint64_t (&limbs)[kLimbs]) {
  F out;
#pragma GCC unroll 5
  for (std::size_t j = 0; j < kLimbs; ++j) out.limb[j] = in_all(limbs[j]);
  return out;
}
inline F plus(const F& a, const F& b) {
  F out;
#pragma GCC unroll 5
  for (std::size_t j = 0; j < kLimbs; ++j) out.limb[j] = _mm512_add_epi64(a.limb[j], b.limb[j]);
  return out;
}
inline F minus(const F& a, const F& b) {
  F out;
#pragma GCC unroll 5
  for (std::size_t j = 0; j < kLimbs; ++j) out.limb[j] = _mm512_sub_epi64(a.limb[j], b.limb[j]);
  return out;
}
inline F thrice(const F& a) { return plus(plus(a, a), a); }
// Times p, for sums that could turn negative.
inline F multiple_of_p(int times) {
  F out;
#pragma GCC unroll 5
  for (std::size_t j = 0; j < kLimbs; ++j)
    out.limb[j] = _mm512_set1_epi64(static_cast<long long>(kP[j]) * times);
  return out;
}

// Limbs into 0 .. 2^52 - 1, for a value of 0 .. 16 p.
inline F carried(F a) {
  const __m512i low = low52();
#pragma GCC unroll 4
  for (std::size_t j = 0; j + 1 < kLimbs; ++j) {
    a.limb[j + 1] = _mm512_add_epi64(a.limb[j + 1], _mm512_srai_epi64(a.limb[j], 52));
    a.limb[j] = _mm512_and_si512(a.limb[j], low);
  }
  return a;
}
// A value below the multiple of p, at most 16, comes out below 1.01 p: what stands above 2^256 comes back as
// 2^224 - 2^192 - 2^96 + 1.
inline F folded(const F& sum, double multiple) {
  F a = carried(sum);
  below(a, multiple);
  const __m512i top = _mm512_srli_epi64(a.limb[4], 48);
  a.limb[4] = _mm512_and_si512(a.limb[4], _mm512_set1_epi64((1LL << 48) - 1));
  a.limb[0] = _mm512_add_epi64(a.limb[0], top);
  a.limb[1] = _mm512_sub_epi64(a.limb[1], _mm512_slli_epi64(top, 44));
  a.limb[3] = _mm512_sub_epi64(a.limb[3], _mm512_slli_epi64(top, 36));
  a.limb[4] = _mm512_add_epi64(a.limb[4], _mm512_slli_epi64(top, 16));
  return below(carried(a), 1.01);
}

// a b / R; limbs of both in 0 .. 2^52 - 1.
inline F times(const F& a, const F& b) {
  const F p = constant(kP);
  const __m512i zero = _mm512_setzero_si512(), low = low52();
  __m512i acc[kLimbs + 1] = {zero, zero, zero, zero, zero, zero};
#pragma GCC unroll 5
  for (std::size_t i = 0; i < kLimbs; ++i) {
#pragma GCC unroll 5
    for (std::size_t j = 0; j < kLimbs; ++j) acc[j] = _mm512_madd52lo_epu64(acc[j], a.limb[i], b.limb[j]);
    const __m512i q = _mm512_and_si512(acc[0], low);
#pragma GCC unroll 5
    for (std::size_t j = 0; j < kLimbs; ++j)
      if (kP[j]) acc[j] = _mm512_madd52lo_epu64(acc[j], q, p.limb[j]);
    const __m512i over = _mm512_srli_epi64(acc[0], 52);
#pragma GCC unroll 5
    for (std::size_t j = 0; j < kLimbs; ++j) {
      acc[j] = _mm512_madd52hi_epu64(acc[j + 1], a.limb[i], b.limb[j]);
      if (kP[j]) acc[j] = _mm512_madd52hi_epu64(acc[j], q, p.limb[j]);
    }
    acc[0] = _mm512_add_epi64(acc[0], over);
    acc[kLimbs] = zero;
  }
  return carried(F{{acc[0], acc[1], acc[2], acc[3], acc[4]}});
}

using Digit = Choice<kWindow>;
inline F entry_of(const Column& column, const Digit& choice) {
  F out;
#pragma GCC unroll 5
  for (std::size_t j = 0; j < kLimbs; ++j) out.limb[j] = look_up(column.of[j], choice);
  return out;
}

// Adds one entry to each lane's point; coordinates below 1.01 p before and after.
[[gnu::noinline]] void add_entry(Multiples& m, const std::uint8_t (&digits)[kLanes], const Window& window) {
  const Digit choice = choice_of<kWindow>(digits);
  const F x2 = entry_of(window.x, choice);
  F y2 = entry_of(window.y, choice);
  const F p = constant(kP);
#pragma GCC unroll 5
  for (std::size_t j = 0; j < kLimbs; ++j)
    y2.limb[j] = _mm512_mask_sub_epi64(y2.limb[j], choice.negative, p.limb[j], y2.limb[j]);
  y2 = carried(y2);
  const F x1 = load(m.x), y1 = load(m.y), z1 = load(m.z), b = constant(kB);
  F t0 = below(times(x1, x2), 1.07), t1 = below(times(y1, y2), 1.07);
  F t3 = below(times(below(carried(plus(x2, y2)), 2.01), below(carried(plus(x1, y1)), 2.02)), 1.26);
  t3 = below(carried(plus(minus(t3, plus(t0, t1)), multiple_of_p(3))), 4.3);
  const F t4 = below(carried(plus(times(y2, z1), y1)), 2.1);
  F y3 = below(carried(plus(times(x2, z1), x1)), 2.1);
  F x3 = folded(thrice(plus(minus(y3, times(b, z1)), multiple_of_p(2))), 12.3);
  const F z3 = below(carried(plus(minus(t1, x3), multiple_of_p(2))), 3.1);
  x3 = below(carried(plus(t1, x3)), 2.1);
  const F t2 = thrice(z1);  // 3.1, not carried
  y3 = folded(plus(minus(minus(times(b, y3), t2), t0), multiple_of_p(5)), 6.2);
  y3 = below(carried(thrice(y3)), 3.1);
  t0 = folded(plus(minus(thrice(t0), t2), multiple_of_p(4)), 7.3);
  t1 = below(times(t4, y3), 1.5);
  store(m.y, folded(plus(times(x3, z3), times(t0, y3)), 2.7));
  store(m.x, folded(plus(minus(times(t3, x3), t1), multiple_of_p(2)), 3.6));
  store(m.z, folded(plus(times(t4, z3), times(t3, t0)), 2.7));
}

template <int Steps>
inline F rotated(const F& a) {
  F out;
#pragma GCC unroll 5
  for (std::size_t j = 0; j < kLimbs; ++j) out.limb[j] = _mm512_alignr_epi64(a.limb[j], a.limb[j], Steps);
  return out;
}

bool invert_lanes(F& a, Invert invert) {
  const F four = times(a, rotated<4>(a)), two = times(four, rotated<2>(four));
  Residue octuple;
  store(octuple, times(times(two, rotated<1>(two)), constant(kUnit)));
  std::uint64_t one[kLimbs], any = 0;
  for (std::size_t j = 0; j < kLimbs; ++j) one[j] = octuple.limb[j].lane[0];
  invert(one);
  for (std::size_t j = 0; j < kLimbs; ++j) any |= one[j];
  const F of_two = times(constant(one), rotated<1>(two)), of_four = times(of_two, rotated<2>(four));
  a = times(of_four, rotated<4>(a));
  return any != 0;
}

}  // namespace

bool multiply(Multiples* all, std::size_t vectors, const Window* a, const Window* b, Invert invert) noexcept {
  for (std::size_t v = 0; v < vectors; ++v) {
    store(all[v].x, constant(kZero));
    store(all[v].y, constant(kOne));
    store(all[v].z, constant(kZero));
  }
  for (std::size_t i = 0; i < kDigits; ++i) {
    for (std::size_t v = 0; v < vectors; ++v) add_entry(all[v], all[v].a.of[i], a[i]);
    for (std::size_t v = 0; b && v < vectors; ++v) add_entry(all[v], all[v].b.of[i], b[i]);
  }
  F running = constant(kOne);
  for (std::size_t v = 0; v < vectors; ++v) {
    store(all[v].before, running);
    running = times(running, load(all[v].z));
  }
  const bool good = invert_lanes(running, invert);
  const F unit = constant(kUnit);
  for (std::size_t v = vectors; good && v-- > 0;) {
    const F inverse = times(running, load(all[v].before));
    running = times(running, load(all[v].z));
    store(all[v].x, times(times(load(all[v].x), inverse), unit));
    store(all[v].y, times(times(load(all[v].y), inverse), unit));
  }
  wipe_frames<4096>();
  wipe_registers();
  return good;
}

}  // namespace regroup::crypto::ifma::p256

#else

namespace regroup::crypto::ifma::p256 {
bool multiply(Multiples*, std::size_t, const Window*, const Window*, Invert) noexcept { return false; }
}  // namespace regroup::crypto::ifma::p256

#endif
