// SPDX-License-Identifier: Apache-2.0
// The Tate-Lichtenbaum pairing <A,B> of RFC 6508 3.2 and the order check that comes out of
// the same walk. B is moved to (-Bx, i By); vertical lines and every factor in F_p vanish in PF_p. The walk
// follows the signed digits of q, which are public: its control flow is the same for all points. Legend: a
// line through C is l (Bx + Cx) - Cy + i By, kept as (slope Bx + constant, scale By), a multiple in F_p.
#pragma once

#include "crypto/curve/weierstrass.hpp"
#include "crypto/field/pfp.hpp"

namespace regroup::crypto {

// The non-adjacent form of q, least significant digit first.
template <class Set>
[[nodiscard]] constexpr auto signed_digits_of_q() {
  std::array<std::int8_t, Set::q.bits + 1> digits{};
  auto rest = Set::q.m;
  for (auto& digit : digits) {
    const Limb two_bits = rest[0] & 3;
    digit = static_cast<std::int8_t>(two_bits == 1 ? 1 : two_bits == 3 ? -1 : 0);
    Limbs<FieldOf<Set>::kLimbs> one{};
    one[0] = static_cast<Limb>(digit != 0);
    if (digit > 0) subtract(rest, rest, one);
    if (digit < 0) add(rest, rest, one);
    rest = halved(rest);
  }
  return digits;
}

template <class Set>
struct Line {
  FieldOf<Set> slope, constant, scale;

  [[nodiscard]] Fp2<FieldOf<Set>> at(const Affine<Set>& b) const {
    return {slope * b.x + constant, scale * b.y};
  }
};

// Jacobian coordinates: x = X/Z^2, y = Y/Z^3.
template <class Set>
struct Jacobian {
  using F = FieldOf<Set>;
  F x, y, z;

  // C = [2]C; the tangent at the old C. Z becomes 0 exactly when C was of order 2 or neutral.
  Line<Set> step_double() {
    const F zz = z.square(), yy = y.square();
    const F difference = (x - zz) * (x + zz);
    const F m = difference.twice() + difference;  // 3 X^2 - 3 Z^4
    const F s = (x * yy).twice().twice();
    const F z3 = (y * z).twice();
    const Line<Set> tangent{m * zz, m * x - yy.twice(), z3 * zz};
    x = m.square() - s.twice();
    y = m * (s - x) - yy.square().twice().twice().twice();
    z = z3;
    return tangent;
  }

  // C = C + A for A different from C, -C; the chord. Z becomes 0 for C = -A.
  Line<Set> step_add(const Affine<Set>& a) {
    const F zz = z.square();
    const F h = a.x * zz - x;
    const F r = a.y * (zz * z) - y;
    const F z3 = z * h;
    const Line<Set> chord{r, r * a.x - a.y * z3, z3};
    const F hh = h.square(), hhh = hh * h, v = x * hh;
    x = r.square() - hhh - v.twice();
    y = r * (v - x) - y * hhh;
    z = z3;
    return chord;
  }

  [[nodiscard]] Mask is(const Affine<Set>& a) const {
    const F zz = z.square();
    return F::equal(x, a.x * zz) & F::equal(y, a.y * (zz * z)) & ~z.is_zero();
  }
};

// Walks from A by the digits of q, without the last addition, whose chord is vertical; gives every line to
// `tangent(line)` or `chord(line)`. Returns all ones if A has order q. For such an A no scale is ever zero:
// the multiples met on the way are not neutral. For another A on the curve the lines mean nothing, but no
// step fails.
template <class Set, class Tangent, class Chord>
Mask walk(const Affine<Set>& a, Tangent tangent, Chord chord) {
  static constexpr auto digits = signed_digits_of_q<Set>();
  const Affine<Set> minus_a = -a;
  Jacobian<Set> c{a.x, a.y, FieldOf<Set>::one()};
  std::size_t at = digits.size() - 1;
  while (digits[at] == 0) --at;  // the leading digit is 1: C = A
  // A point whose order divides 4 would meet itself on the way; any other order dividing 4q is at least 2q.
  Jacobian<Set> quadruple = c;
  (void)quadruple.step_double();
  (void)quadruple.step_double();
  while (at-- > 0) {
    tangent(c.step_double());
    if (at > 0 && digits[at] != 0) chord(c.step_add(digits[at] > 0 ? a : minus_a));
  }
  // Now C = [q - d]A for the last digit d, and [q]A is neutral if and only if C = [-d]A.
  const Mask ends = digits[0] > 0 ? c.is(minus_a) : c.is(a);
  return ends & ~quadruple.z.is_zero();
}

// [q]A is neutral and A is not.
template <class Set>
[[nodiscard]] Mask order_q(const Affine<Set>& a) {
  const auto ignore = [](const Line<Set>&) {};
  return walk<Set>(a, ignore, ignore);
}

// Parses a point and checks it in full: encoding, range, curve, order.
template <class Set>
[[nodiscard]] PointFlaw parse_point(OctetsView octets, Affine<Set>& point) {
  const PointFlaw flaw = parse_on_curve<Set>(octets, point);
  if (flaw != PointFlaw::none) return flaw;
  return ct::declassify(order_q(point)) ? PointFlaw::none : PointFlaw::wrong_order;
}

// <A,B> for A of order q, as a member of its class. (p + 1) / q = 4: two squarings at the end.
template <class Set>
[[nodiscard]] Fp2<FieldOf<Set>> pairing(const Affine<Set>& a, const Affine<Set>& b) {
  auto f = Fp2<FieldOf<Set>>::one();
  walk<Set>(
      a, [&](const Line<Set>& tangent) { f = f.square() * tangent.at(b); },
      [&](const Line<Set>& chord) { f = f * chord.at(b); });
  return f.square().square();
}

// The lines of a fixed A, divided by their scale: a pairing with A costs a third (performance-design 9). They
// are as secret as A and wiped with it. 343 KiB for parameter set 1.
template <class Set>
class FixedLines {
 public:
  explicit FixedLines(const Affine<Set>& a) : lines_(count()) {
    ct::WipedArray<FieldOf<Set>> scales(count());
    std::size_t next = 0;
    const auto keep = [&](const Line<Set>& line) {
      lines_[next] = {line.slope, line.constant};
      scales[next++] = line.scale;
    };
    [[maybe_unused]] const Mask order_q = walk<Set>(a, keep, keep);
    [[maybe_unused]] const Mask divisible = invert_all<Set::p>(scales);
    RG_ASSERT(order_q && divisible);
    for (std::size_t i = 0; i < next; ++i)
      lines_[i] = {lines_[i].slope * scales[i], lines_[i].constant * scales[i]};
  }

  // <A,B>.
  [[nodiscard]] Fp2<FieldOf<Set>> pairing(const Affine<Set>& b) const {
    auto f = Fp2<FieldOf<Set>>::one();
    std::size_t next = 0;
    for (std::size_t at = top(); at-- > 0;) {
      f = f.square() * value(next++, b);
      if (at > 0 && kDigits[at] != 0) f = f * value(next++, b);
    }
    return f.square().square();
  }

  static constexpr std::size_t count() {
    std::size_t lines = top();
    for (std::size_t at = 1; at < top(); ++at) lines += kDigits[at] != 0;
    return lines;
  }
  // Every line in the order of pairing(): take(whether the value is squared before, slope, constant).
  template <class Take>
  void each(Take take) const {
    std::size_t next = 0;
    for (std::size_t at = top(); at-- > 0;) {
      take(true, lines_[next].slope, lines_[next].constant);
      ++next;
      if (at == 0 || kDigits[at] == 0) continue;
      take(false, lines_[next].slope, lines_[next].constant);
      ++next;
    }
  }

 private:
  struct ScaledLine {
    FieldOf<Set> slope, constant;
  };
  static constexpr auto kDigits = signed_digits_of_q<Set>();

  static constexpr std::size_t top() {
    std::size_t at = kDigits.size() - 1;
    while (kDigits[at] == 0) --at;
    return at;
  }
  [[nodiscard]] Fp2<FieldOf<Set>> value(std::size_t line, const Affine<Set>& b) const {
    return {lines_[line].slope * b.x + lines_[line].constant, b.y};
  }

  ct::WipedArray<ScaledLine> lines_;
};

}  // namespace regroup::crypto
