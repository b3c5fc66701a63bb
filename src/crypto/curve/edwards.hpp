// SPDX-License-Identifier: Apache-2.0
// E as the twisted Edwards curve -X^2 + Y^2 = 1 + X^2 Y^2 (a = -1, d = 1; performance-design 2.2), where the
// group law has no exceptions between points of order q: neutral element, doubling and P - P take the same
// steps. That holds for the order-q subgroup only: nothing may enter here that has not passed order_q().
#pragma once

#include "crypto/curve/weierstrass.hpp"

namespace regroup::crypto {

// The isomorphism: u = x / lambda, X = s u / y, Y = (u - 1) / (u + 1), and back.
template <class Set>
struct EdwardsMap {
  using F = FieldOf<Set>;
  F lambda;          // a square root of -3, of the sign for which -2 lambda^3 is a square
  F lambda_inverse;  // = -lambda / 3
  F s;               // a square root of -2 lambda^3

  [[nodiscard]] static const EdwardsMap& get() {
    static const EdwardsMap map = make();
    return map;
  }

 private:
  static F root(const F& a) {  // p = 3 mod 4; (p + 1) / 4 = q
    return a.power(Set::q.m);
  }
  static EdwardsMap make() {
    EdwardsMap map;
    const F minus_three = -F::of(3);
    map.lambda = root(minus_three);
    const F wanted = (map.lambda * minus_three).twice();  // 2 lambda^3
    map.s = root(-wanted);
    if (!F::equal(map.s.square(), -wanted)) {  // public constants
      map.lambda = -map.lambda;
      map.s = root(wanted);
    }
    map.lambda_inverse = map.lambda * minus_three.inverse();
    return map;
  }
};

// What a table keeps of a fixed affine point: addition then costs 7 products.
template <class Set>
struct EdwardsEntry {
  FieldOf<Set> minus;  // Y - X
  FieldOf<Set> plus;   // Y + X
  FieldOf<Set> twice;  // 2 X Y

  [[nodiscard]] static EdwardsEntry of(const FieldOf<Set>& x, const FieldOf<Set>& y) {
    return {y - x, y + x, (x * y).twice()};
  }
  [[nodiscard]] static EdwardsEntry choose(Mask mask, const EdwardsEntry& yes, const EdwardsEntry& no) {
    using F = FieldOf<Set>;
    return {F::choose(mask, yes.minus, no.minus), F::choose(mask, yes.plus, no.plus),
            F::choose(mask, yes.twice, no.twice)};
  }
};

// Extended coordinates: X/Z, Y/Z, T = XY/Z.
template <class Set>
struct Edwards {
  using F = FieldOf<Set>;
  F x, y = F::one(), z = F::one(), t;  // the neutral element

  // x and y of a Weierstrass point of order q.
  [[nodiscard]] static Edwards of(const Affine<Set>& a) {
    const auto& map = EdwardsMap<Set>::get();
    const F u = a.x * map.lambda_inverse, above = u - F::one(), below = u + F::one(), su = map.s * u;
    return {su * below, above * a.y, a.y * below, su * above};
  }

  // Adds a table entry, or subtracts it under the mask.
  void add(const EdwardsEntry<Set>& entry, Mask negative) {
    const F a = (y - x) * F::choose(negative, entry.plus, entry.minus);
    const F b = (y + x) * F::choose(negative, entry.minus, entry.plus);
    const F c = t * entry.twice, d = z.twice();
    finish(a, b, d + c, d - c, negative);
  }
  void add(const Edwards& other) {
    const F a = (y - x) * (other.y - other.x), b = (y + x) * (other.y + other.x);
    const F c = (t * other.t).twice(), d = (z * other.z).twice();
    finish(a, b, d + c, d - c, 0);
  }
  void add_affine(const F& ax, const F& ay) { add(EdwardsEntry<Set>::of(ax, ay), 0); }
  void twice() {
    const F a = x.square(), b = y.square(), c = z.square().twice();
    const F e = (x + y).square() - a - b, g = b - a, f = g - c, h = -(a + b);
    x = e * f, y = g * h, t = e * h, z = f * g;
  }

  // The way back needs one division, by this; zero for the neutral element only. The caller shares
  // inversions.
  [[nodiscard]] F denominator() const { return (z - y) * x; }
  [[nodiscard]] Affine<Set> affine(const F& inverse_denominator) const {
    const auto& map = EdwardsMap<Set>::get();
    const F common = (z + y) * inverse_denominator;
    return {map.lambda * (common * x), map.s * (common * z)};
  }
  // Whether this is the point `a`, without a division.
  [[nodiscard]] Mask is(const Affine<Set>& a) const {
    const auto& map = EdwardsMap<Set>::get();
    const F d = denominator(), sum = z + y;
    return F::equal(a.x * d, map.lambda * (sum * x)) & F::equal(a.y * d, map.s * (sum * z)) & ~d.is_zero();
  }

 private:
  // E = b - a, H = b + a, G = plus, F = minus; a negated entry has the roles of F and G exchanged.
  void finish(const F& a, const F& b, const F& plus, const F& minus, Mask negative) {
    const F e = b - a, h = b + a;
    const F g = F::choose(negative, minus, plus), f = F::choose(negative, plus, minus);
    x = e * f, y = g * h, t = e * h, z = f * g;
  }
};

}  // namespace regroup::crypto
