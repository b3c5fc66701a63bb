// SPDX-License-Identifier: Apache-2.0
// Compiled with AVX-512 F, DQ, VL and IFMA. Bounds are written as multiples of p next to each sum; a product
// of operands below A p and B p is below (1 + A B / 109312) p. Nothing here gathers, and no branch depends on
// a lane: a look-up permutes every entry of its window.
#include "crypto/ifma/engine.hpp"

#ifdef __AVX512IFMA__
#include <immintrin.h>

namespace regroup::crypto::ifma {
namespace {

constexpr long long kLow52 = (1LL << 52) - 1;

// p and its double in every lane, and what a product needs.
struct Constants {
  Residue8 p, twice;
  __m512i minus_inverse;
};

inline __m512i load(const Limb8& from) { return _mm512_load_si512(&from); }
inline void store(Limb8& to, __m512i v) { _mm512_store_si512(&to, v); }
inline void broadcast(Residue8& to, const std::uint64_t (&from)[kLimbs]) {
  for (std::size_t j = 0; j < kLimbs; ++j)
    store(to.limb[j], _mm512_set1_epi64(static_cast<long long>(from[j])));
}

// Into limbs of 0 .. 2^52 - 1; the value itself is not negative and below 2^1040.
inline void carry(Residue8& a) {
  const __m512i low = _mm512_set1_epi64(kLow52);
  __m512i c = _mm512_setzero_si512();
#pragma GCC unroll 20
  for (std::size_t j = 0; j < kLimbs; ++j) {
    const __m512i sum = _mm512_add_epi64(load(a.limb[j]), c);
    c = _mm512_srai_epi64(sum, 52);
    store(a.limb[j], j + 1 < kLimbs ? _mm512_and_si512(sum, low) : sum);
  }
}

// a b / R. The rows stay rolled: unrolled, compilers run out of registers.
[[gnu::noinline]] void multiply(Residue8& out, const Residue8& a, const Residue8& b, const Constants& k) {
  __m512i acc[kLimbs + 1];
#pragma GCC unroll 21
  for (std::size_t j = 0; j <= kLimbs; ++j) acc[j] = _mm512_setzero_si512();
  const __m512i inverse = k.minus_inverse;
#pragma GCC unroll 1
  for (std::size_t i = 0; i < kLimbs; ++i) {
    const __m512i ai = load(a.limb[i]);
    acc[0] = _mm512_madd52lo_epu64(acc[0], ai, load(b.limb[0]));
    const __m512i q = _mm512_madd52lo_epu64(_mm512_setzero_si512(), acc[0], inverse);
#pragma GCC unroll 20
    for (std::size_t j = 1; j < kLimbs; ++j) acc[j] = _mm512_madd52lo_epu64(acc[j], ai, load(b.limb[j]));
#pragma GCC unroll 20
    for (std::size_t j = 0; j < kLimbs; ++j) acc[j] = _mm512_madd52lo_epu64(acc[j], q, load(k.p.limb[j]));
    const __m512i over = _mm512_srli_epi64(acc[0], 52);
#pragma GCC unroll 20
    for (std::size_t j = 0; j < kLimbs; ++j) {
      acc[j] = _mm512_madd52hi_epu64(acc[j + 1], ai, load(b.limb[j]));
      acc[j] = _mm512_madd52hi_epu64(acc[j], q, load(k.p.limb[j]));
    }
    acc[0] = _mm512_add_epi64(acc[0], over);
  }
  const __m512i low = _mm512_set1_epi64(kLow52);
  __m512i over = _mm512_setzero_si512();
#pragma GCC unroll 20
  for (std::size_t j = 0; j < kLimbs; ++j) {
    const __m512i sum = _mm512_add_epi64(acc[j], over);
    over = _mm512_srli_epi64(sum, 52);
    store(out.limb[j], _mm512_and_si512(sum, low));
  }
}

// -a in the lanes of the mask, without carries.
inline __m512i negated(__m512i a, __mmask8 lanes) {
  return _mm512_mask_sub_epi64(a, lanes, _mm512_setzero_si512(), a);
}

// Two sums at once, given limb by limb, into limbs of 0 .. 2^52 - 1: their carries run side by side.
template <class First, class Second>
inline void settle(Residue8& first, Residue8& second, const First& one, const Second& other) {
  const __m512i low = _mm512_set1_epi64(kLow52);
  __m512i c = _mm512_setzero_si512(), d = c;
#pragma GCC unroll 20
  for (std::size_t j = 0; j < kLimbs; ++j) {
    const __m512i a = _mm512_add_epi64(one(j), c), b = _mm512_add_epi64(other(j), d);
    c = _mm512_srai_epi64(a, 52);
    d = _mm512_srai_epi64(b, 52);
    store(first.limb[j], j + 1 < kLimbs ? _mm512_and_si512(a, low) : a);
    store(second.limb[j], j + 1 < kLimbs ? _mm512_and_si512(b, low) : b);
  }
}
inline __m512i plus(__m512i a, __m512i b) { return _mm512_add_epi64(a, b); }
inline __m512i minus(__m512i a, __m512i b) { return _mm512_sub_epi64(a, b); }

// The digits of eight members for one window: which entry, in which group, with which sign.
struct Choice {
  __m512i index;
  __mmask8 negative;
  __mmask8 group[kGroups];
};
inline Choice choice_of(const std::uint8_t (&digits)[kLanes]) {
  const __m512i v = _mm512_cvtepu8_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(digits)));
  Choice out;
  out.negative = _mm512_testn_epi64_mask(v, _mm512_set1_epi64(1LL << (kWindow - 1)));
  const __m512i flipped = _mm512_mask_xor_epi64(v, out.negative, v, _mm512_set1_epi64(-1));
  out.index = _mm512_and_si512(flipped, _mm512_set1_epi64(kEntries - 1));
  const __m512i group = _mm512_srli_epi64(out.index, 3);
  for (std::size_t h = 0; h < kGroups; ++h)
    out.group[h] = _mm512_cmpeq_epi64_mask(group, _mm512_set1_epi64(static_cast<long long>(h)));
  return out;
}
inline void look_up(Residue8& out, const Column& column, const Choice& choice) {
#pragma GCC unroll 20
  for (std::size_t j = 0; j < kLimbs; ++j) {
    __m512i found = _mm512_permutexvar_epi64(choice.index, load(column.of[j][0]));
#pragma GCC unroll 8
    for (std::size_t h = 1; h < kGroups; ++h)
      found = _mm512_mask_permutexvar_epi64(found, choice.group[h], choice.index, load(column.of[j][h]));
    store(out.limb[j], found);
  }
}

// Adds one entry of the window to each member's point, 7 products (performance-design 2.2). Coordinates are
// below 1.1 p before and after. A negative digit subtracts the entry: X, E and C change their signs.
void add_entry(Members& m, const std::uint8_t (&digits)[kLanes], const PointWindow& window,
               const Constants& k) {
  const Choice choice = choice_of(digits);
  const __mmask8 sign = choice.negative;
  Residue8 a, b, c, entry;
  settle(
      a, b,  // Y - X and Y + X: below 4.2 p
      [&](std::size_t j) {
        return plus(minus(load(m.y.limb[j]), negated(load(m.x.limb[j]), sign)), load(k.twice.limb[j]));
      },
      [&](std::size_t j) {
        return plus(plus(load(m.y.limb[j]), negated(load(m.x.limb[j]), sign)), load(k.twice.limb[j]));
      });
  look_up(entry, window.minus, choice);
  multiply(a, a, entry, k);
  look_up(entry, window.plus, choice);
  multiply(b, b, entry, k);
  look_up(entry, window.twice, choice);
  multiply(c, m.t, entry, k);
  settle(
      entry, b,  // E = B - A below 3.1 p, H = B + A below 2.2 p
      [&](std::size_t j) {
        return plus(negated(minus(load(b.limb[j]), load(a.limb[j])), sign), load(k.twice.limb[j]));
      },
      [&](std::size_t j) { return plus(load(b.limb[j]), load(a.limb[j])); });
  settle(
      a, c,  // F = D - C and G = D + C with D = 2 Z: below 5.3 p
      [&](std::size_t j) {
        const __m512i z = load(m.z.limb[j]);
        return plus(minus(plus(z, z), negated(load(c.limb[j]), sign)), load(k.twice.limb[j]));
      },
      [&](std::size_t j) {
        const __m512i z = load(m.z.limb[j]);
        return plus(plus(plus(z, z), negated(load(c.limb[j]), sign)), load(k.twice.limb[j]));
      });
  multiply(m.x, entry, a, k);
  multiply(m.y, c, b, k);
  multiply(m.t, entry, b, k);
  multiply(m.z, a, c, k);
}

// Times one entry: re and im grow by 3.1 p in each of 146 windows and stay below 460 p, far from 2^1040.
void times_entry(Members& m, const std::uint8_t (&digits)[kLanes], const PowerWindow& window,
                 const Constants& k) {
  const Choice choice = choice_of(digits);
  const __mmask8 sign = choice.negative;
  Residue8 entry, u, v;
  look_up(entry, window.t, choice);
  multiply(u, m.im, entry, k);
  multiply(v, m.re, entry, k);
  settle(
      m.re, m.im,
      [&](std::size_t j) {
        return plus(minus(load(m.re.limb[j]), negated(load(u.limb[j]), sign)), load(k.twice.limb[j]));
      },
      [&](std::size_t j) {
        return plus(plus(load(m.im.limb[j]), negated(load(v.limb[j]), sign)), load(k.twice.limb[j]));
      });
}

template <int Steps>
inline void rotate(Residue8& out, const Residue8& a) {
  for (std::size_t j = 0; j < kLimbs; ++j) {
    const __m512i limb = load(a.limb[j]);
    store(out.limb[j], _mm512_alignr_epi64(limb, limb, Steps));
  }
}

// The inverse of every lane, by one inversion of the product of all eight. False for a zero.
bool invert_lanes(Residue8& a, const Constants& k, const Field& field) {
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
  return any != 0;  // public: RFC 6508 6.2.1 wants another SSV
}

void begin(Members& m, const Field& field) {
  constexpr std::uint64_t kZero[kLimbs] = {};
  broadcast(m.y, field.one);
  broadcast(m.z, field.one);
  broadcast(m.re, field.one);
  broadcast(m.x, kZero);
  broadcast(m.t, kZero);
  broadcast(m.im, kZero);
}

// The denominator of R, (Z - Y) X; that of w is re.
void denominator(Residue8& out, const Members& m, const Constants& k) {
  for (std::size_t j = 0; j < kLimbs; ++j)
    store(out.limb[j], plus(minus(load(m.z.limb[j]), load(m.y.limb[j])), load(k.twice.limb[j])));
  carry(out);  // 3.1 p
  multiply(out, out, m.x, k);
}

// To the coordinates of E, out of Montgomery form by the last product.
void finish(Members& m, const Residue8& of_r, const Residue8& of_w, const Field& field, const Constants& k) {
  constexpr std::uint64_t kOne[kLimbs] = {1};
  Residue8 common, plain;
  for (std::size_t j = 0; j < kLimbs; ++j) store(common.limb[j], plus(load(m.z.limb[j]), load(m.y.limb[j])));
  carry(common);  // 2.2 p
  multiply(common, common, of_r, k);
  broadcast(plain, field.lambda);
  multiply(m.x, m.x, common, k);
  multiply(m.x, m.x, plain, k);
  broadcast(plain, field.s);
  multiply(m.y, m.z, common, k);
  multiply(m.y, m.y, plain, k);
  broadcast(plain, kOne);
  multiply(m.im, m.im, of_w, k);
  multiply(m.im, m.im, plain, k);
}

void make_constants(Constants& k, const Field& field) {
  broadcast(k.p, field.p);
  for (std::size_t j = 0; j < kLimbs; ++j) {
    const __m512i limb = load(k.p.limb[j]);
    store(k.twice.limb[j], plus(limb, limb));
  }
  k.minus_inverse = _mm512_set1_epi64(static_cast<long long>(field.minus_inverse));
}

// All denominators share one inversion, three products each.
bool normalise(Members* members, std::size_t vectors, const Constants& k, const Field& field) {
  Residue8 running, d, of_r, of_w;
  broadcast(running, field.one);
  for (std::size_t v = 0; v < vectors; ++v) {
    Members& m = members[v];
    denominator(d, m, k);
    m.before[0] = running;
    multiply(running, running, d, k);
    m.before[1] = running;
    multiply(running, running, m.re, k);
  }
  if (!invert_lanes(running, k, field)) return false;
  for (std::size_t v = vectors; v-- > 0;) {
    Members& m = members[v];
    denominator(d, m, k);
    multiply(of_w, running, m.before[1], k);
    multiply(running, running, m.re, k);
    multiply(of_r, running, m.before[0], k);
    multiply(running, running, d, k);
    finish(m, of_r, of_w, field, k);
  }
  return true;
}

// The frames above held secrets.
[[gnu::noinline]] void wipe_frames() {
  Residue8 frames[16];
  __builtin_memset(frames, 0, sizeof frames);
  __asm__ volatile("" : : "r"(frames) : "memory");
}
// And so did the registers.
inline void wipe_registers() {
  _mm256_zeroall();  // the lower sixteen
  __asm__ volatile(
      "vpxorq %%xmm16,%%xmm16,%%xmm16\n vpxorq %%xmm17,%%xmm17,%%xmm17\n vpxorq %%xmm18,%%xmm18,%%xmm18\n"
      "vpxorq %%xmm19,%%xmm19,%%xmm19\n vpxorq %%xmm20,%%xmm20,%%xmm20\n vpxorq %%xmm21,%%xmm21,%%xmm21\n"
      "vpxorq %%xmm22,%%xmm22,%%xmm22\n vpxorq %%xmm23,%%xmm23,%%xmm23\n vpxorq %%xmm24,%%xmm24,%%xmm24\n"
      "vpxorq %%xmm25,%%xmm25,%%xmm25\n vpxorq %%xmm26,%%xmm26,%%xmm26\n vpxorq %%xmm27,%%xmm27,%%xmm27\n"
      "vpxorq %%xmm28,%%xmm28,%%xmm28\n vpxorq %%xmm29,%%xmm29,%%xmm29\n vpxorq %%xmm30,%%xmm30,%%xmm30\n"
      "vpxorq %%xmm31,%%xmm31,%%xmm31\n kxorw %%k1,%%k1,%%k1\n kxorw %%k2,%%k2,%%k2\n kxorw %%k3,%%k3,%%k3\n"
      "kxorw %%k4,%%k4,%%k4\n kxorw %%k5,%%k5,%%k5\n kxorw %%k6,%%k6,%%k6\n kxorw %%k7,%%k7,%%k7\n"
      :
      :
      : "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26",
        "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6", "k7");
}

}  // namespace

bool fan_out(Members* members, std::size_t vectors, const PointWindow* p, const PointWindow* z,
             const PowerWindow* g, const Field& field) noexcept {
  Constants k;
  make_constants(k, field);
  for (std::size_t v = 0; v < vectors; ++v) begin(members[v], field);
  // A window stays in the first cache while all vectors pass it (performance-design 5).
  for (std::size_t i = 0; i < kDigits; ++i) {
    for (std::size_t v = 0; v < vectors; ++v) add_entry(members[v], members[v].rb[i], p[i], k);
    for (std::size_t v = 0; v < vectors; ++v) add_entry(members[v], members[v].r[i], z[i], k);
    for (std::size_t v = 0; v < vectors; ++v) times_entry(members[v], members[v].r[i], g[i], k);
  }
  const bool good = normalise(members, vectors, k, field);
  wipe_frames();
  wipe_registers();
  return good;
}

void product(Residue8& out, const Residue8& a, const Residue8& b, const Field& field) noexcept {
  Constants k;
  make_constants(k, field);
  multiply(out, a, b, k);
  _mm256_zeroupper();
}

}  // namespace regroup::crypto::ifma

#else

namespace regroup::crypto::ifma {
bool fan_out(Members*, std::size_t, const PointWindow*, const PointWindow*, const PowerWindow*,
             const Field&) noexcept {
  return false;
}
void product(Residue8&, const Residue8&, const Residue8&, const Field&) noexcept {}
}  // namespace regroup::crypto::ifma

#endif
