// SPDX-License-Identifier: Apache-2.0
// Compiled with AVX-512 F, DQ, VL and IFMA. Nothing here gathers, and no branch depends on a lane: a look-up
// permutes every entry of its window. Bounds are multiples of p as in residue8.hpp.
#include "crypto/ifma/residue8.hpp"

#ifdef __AVX512IFMA__

namespace regroup::crypto::ifma {
namespace {

// -a in the lanes of the mask, without carries.
inline __m512i negated(__m512i a, __mmask8 lanes) {
  return _mm512_mask_sub_epi64(a, lanes, _mm512_setzero_si512(), a);
}

using Digit = Choice<kWindow>;

// out = a times the chosen entry of a column.
inline void times_entry_of(Residue8& out, const Residue8& a, const Column& column, const Digit& choice,
                           const Constants& k) {
  Residue8 entry;
#pragma GCC unroll 20
  for (std::size_t j = 0; j < kLimbs; ++j) store(entry.limb[j], look_up(column.of[j], choice));
  multiply(out, a, entry, k);
}

// Adds one entry of the window to each member's point, 7 products (performance-design 2.2). Coordinates are
// below 1.1 p before and after. A negative digit subtracts the entry: X, E and C change their signs.
void add_entry(Members& m, const std::uint8_t (&digits)[kLanes], const PointWindow& window,
               const Constants& k) {
  const Digit choice = choice_of<kWindow>(digits);
  const __mmask8 sign = choice.negative;
  Residue8 a, b, c, e;
  settle(
      a, b,  // Y - X and Y + X: below 4.2 p
      [&](std::size_t j) {
        return plus(minus(load(m.y.limb[j]), negated(load(m.x.limb[j]), sign)), load(k.twice.limb[j]));
      },
      [&](std::size_t j) {
        return plus(plus(load(m.y.limb[j]), negated(load(m.x.limb[j]), sign)), load(k.twice.limb[j]));
      });
  below(a, 4.2), below(b, 4.2);
  times_entry_of(a, a, window.minus, choice, k);
  times_entry_of(b, b, window.plus, choice, k);
  times_entry_of(c, m.t, window.twice, choice, k);
  settle(
      e, b,  // E = B - A below 3.1 p, H = B + A below 2.2 p
      [&](std::size_t j) {
        return plus(negated(minus(load(b.limb[j]), load(a.limb[j])), sign), load(k.twice.limb[j]));
      },
      [&](std::size_t j) { return plus(load(b.limb[j]), load(a.limb[j])); });
  below(e, 3.1), below(b, 2.2);
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
  below(a, 5.3), below(c, 5.3);
  multiply(m.x, e, a, k);
  multiply(m.y, c, b, k);
  multiply(m.t, e, b, k);
  multiply(m.z, a, c, k);
}

// Times one entry: re and im grow by 3.1 p in each of 146 windows and stay below 460 p, far from 2^1040.
void times_entry(Members& m, const std::uint8_t (&digits)[kLanes], const PowerWindow& window,
                 const Constants& k) {
  const Digit choice = choice_of<kWindow>(digits);
  const __mmask8 sign = choice.negative;
  Residue8 entry, u, v;
#pragma GCC unroll 20
  for (std::size_t j = 0; j < kLimbs; ++j) store(entry.limb[j], look_up(window.t.of[j], choice));
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
  below(m.re, 460), below(m.im, 460);
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
  settle(out, [&](std::size_t j) {  // 3.1 p
    return plus(minus(load(m.z.limb[j]), load(m.y.limb[j])), load(k.twice.limb[j]));
  });
  below(out, 3.1);
  multiply(out, out, m.x, k);
}

// To the coordinates of E, out of Montgomery form by the last product.
void finish(Members& m, const Residue8& of_r, const Residue8& of_w, const Field& field, const Constants& k) {
  constexpr std::uint64_t kOne[kLimbs] = {1};
  Residue8 common, plain;
  settle(common, [&](std::size_t j) { return plus(load(m.z.limb[j]), load(m.y.limb[j])); });  // 2.2 p
  below(common, 2.2);
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

}  // namespace

bool fan_out(Members* members, std::size_t vectors, const PointWindow* p, const PointWindow* z,
             const PowerWindow* g, const Field& field) noexcept {
  Constants k;
  make_constants(k, field);
  for (std::size_t v = 0; v < vectors; ++v) begin(members[v], field);
  // A window stays in the first cache while all vectors pass it (performance-design 5).
  for (std::size_t i = 0; i < kDigits; ++i) {
    for (std::size_t v = 0; v < vectors; ++v) add_entry(members[v], members[v].rb[i], p[i], k);
    for (std::size_t v = 0; z && v < vectors; ++v) add_entry(members[v], members[v].r[i], z[i], k);
    for (std::size_t v = 0; g && v < vectors; ++v) times_entry(members[v], members[v].r[i], g[i], k);
  }
  const bool good = normalise(members, vectors, k, field);
  wipe_frames<16 * sizeof(Residue8)>();
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
