// SPDX-License-Identifier: Apache-2.0
// What the sums of eight members at once are made of: points of the Edwards curve and elements of PF_p, for
// the file that is compiled for AVX-512 IFMA. Coordinates are below 1.1 p before and after; bounds as in
// residue8.hpp. No branch depends on a lane.
#pragma once

#include "crypto/ifma/engine.hpp"
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
void add_entry(Sums& m, const std::uint8_t (&digits)[kLanes], const PointWindow& window, const Constants& k) {
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
void times_entry(Sums& m, const std::uint8_t (&digits)[kLanes], const PowerWindow& window,
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

// 8 products (a = -1: A = X^2, B = Y^2, E = (X + Y)^2 - A - B, G = B - A, F = G - 2 Z^2, H = -A - B).
void twice(Sums& m, const Constants& k) {
  Residue8 a, b, c, e, f;
  multiply(a, m.x, m.x, k);
  multiply(b, m.y, m.y, k);
  multiply(c, m.z, m.z, k);
  settle(e, [&](std::size_t j) { return plus(load(m.x.limb[j]), load(m.y.limb[j])); });
  below(e, 2.2);
  multiply(e, e, e, k);
  settle(
      e, f,  // E below 4.1 p, F below 5.1 p
      [&](std::size_t j) {
        return plus(minus(load(e.limb[j]), plus(load(a.limb[j]), load(b.limb[j]))), load(k.thrice.limb[j]));
      },
      [&](std::size_t j) {
        const __m512i square = load(c.limb[j]), p2 = load(k.twice.limb[j]);
        const __m512i g = minus(load(b.limb[j]), load(a.limb[j]));
        return plus(minus(g, plus(square, square)), plus(p2, p2));
      });
  below(e, 4.1), below(f, 5.1);
  settle(
      b, a,  // G below 3.1 p, H below 3 p
      [&](std::size_t j) { return plus(minus(load(b.limb[j]), load(a.limb[j])), load(k.twice.limb[j])); },
      [&](std::size_t j) { return minus(load(k.thrice.limb[j]), plus(load(a.limb[j]), load(b.limb[j]))); });
  below(b, 3.1), below(a, 3);
  multiply(m.x, e, f, k);
  multiply(m.y, b, a, k);
  multiply(m.t, e, a, k);
  multiply(m.z, f, b, k);
}

// m += n, 8 products (the curve's constant 2 d is 2).
void add(Sums& m, const Sums& n, const Constants& k) {
  Residue8 a, b, c, d;
  const auto difference = [&](const Sums& of) {
    return [&](std::size_t j) {
      return plus(minus(load(of.y.limb[j]), load(of.x.limb[j])), load(k.twice.limb[j]));
    };
  };
  const auto sum = [](const Sums& of) {
    return [&](std::size_t j) { return plus(load(of.y.limb[j]), load(of.x.limb[j])); };
  };
  settle(a, b, difference(m), sum(m));
  settle(c, d, difference(n), sum(n));
  below(a, 3.1), below(b, 2.2), below(c, 3.1), below(d, 2.2);
  multiply(a, a, c, k);
  multiply(b, b, d, k);
  multiply(c, m.t, n.t, k);
  multiply(d, m.z, n.z, k);
  settle(
      a, b,  // E = B - A below 3.1 p, H = B + A below 2.2 p
      [&](std::size_t j) { return plus(minus(load(b.limb[j]), load(a.limb[j])), load(k.twice.limb[j])); },
      [&](std::size_t j) { return plus(load(b.limb[j]), load(a.limb[j])); });
  settle(
      c, d,  // F = 2 Z Z' - 2 T T' below 5.2 p, G = 2 Z Z' + 2 T T' below 4.4 p
      [&](std::size_t j) {
        const __m512i half = minus(load(d.limb[j]), load(c.limb[j]));
        return plus(plus(half, half), load(k.thrice.limb[j]));
      },
      [&](std::size_t j) {
        const __m512i half = plus(load(d.limb[j]), load(c.limb[j]));
        return plus(half, half);
      });
  below(a, 3.1), below(b, 2.2), below(c, 5.2), below(d, 4.4);
  multiply(m.x, a, c, k);
  multiply(m.y, d, b, k);
  multiply(m.t, a, b, k);
  multiply(m.z, c, d, k);
}

// (re + im i)^2: re below 3.1 p and im below 2.2 p, then 1.1 p and 2.2 p.
void square(Sums& m, const Constants& k) {
  Residue8 sum, difference;
  settle(
      sum, difference, [&](std::size_t j) { return plus(load(m.re.limb[j]), load(m.im.limb[j])); },
      [&](std::size_t j) {
        return plus(minus(load(m.re.limb[j]), load(m.im.limb[j])), load(k.thrice.limb[j]));
      });
  below(sum, 5.3), below(difference, 6.1);
  multiply(m.im, m.re, m.im, k);
  multiply(m.re, sum, difference, k);
  settle(m.im, [&](std::size_t j) { return plus(load(m.im.limb[j]), load(m.im.limb[j])); });
  below(m.im, 2.2);
}

// (re + im i) of m times that of n; re below 3.1 p, im below 2.2 p.
void times(Sums& m, const Sums& n, const Constants& k) {
  Residue8 a, b, c;
  multiply(a, m.re, n.re, k);
  multiply(b, m.im, n.im, k);
  multiply(c, m.re, n.im, k);
  multiply(m.im, m.im, n.re, k);
  settle(
      m.re, m.im,
      [&](std::size_t j) { return plus(minus(load(a.limb[j]), load(b.limb[j])), load(k.twice.limb[j])); },
      [&](std::size_t j) { return plus(load(c.limb[j]), load(m.im.limb[j])); });
  below(m.re, 3.1), below(m.im, 2.2);
}

}  // namespace
}  // namespace regroup::crypto::ifma

#endif
