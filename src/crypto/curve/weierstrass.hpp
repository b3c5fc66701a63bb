// SPDX-License-Identifier: Apache-2.0
// Points of E: y^2 = x^3 - 3x as they travel: 04 || x || y (RFC 6508 4). One place for the
// checks of a received point; each failure has its own name. E(F_p) is cyclic of order 4q, so "on the curve"
// is weaker than "in the group": order_q() of curve/pairing.hpp decides that.
#pragma once

#include "crypto/curve/parameters.hpp"

namespace regroup::crypto {

template <class Set>
struct Affine {
  FieldOf<Set> x;
  FieldOf<Set> y;

  static constexpr std::size_t kOctets = 1 + 2 * FieldOf<Set>::kOctets;

  [[nodiscard]] static constexpr Affine generator() {
    return {FieldOf<Set>::of(Set::px), FieldOf<Set>::of(Set::py)};
  }
  [[nodiscard]] Affine operator-() const { return {x, -y}; }
  [[nodiscard]] Mask on_curve() const {
    const auto three = FieldOf<Set>::of(3);
    return FieldOf<Set>::equal(y.square(), x * (x.square() - three));
  }
  [[nodiscard]] static Mask equal(const Affine& a, const Affine& b) {
    return FieldOf<Set>::equal(a.x, b.x) & FieldOf<Set>::equal(a.y, b.y);
  }
  void write(std::span<std::uint8_t, kOctets> out) const {
    out[0] = 0x04;
    x.write(out.subspan(1, FieldOf<Set>::kOctets));
    y.write(out.subspan(1 + FieldOf<Set>::kOctets));
  }
};

enum class PointFlaw { none, encoding, neutral, coordinate, off_curve, wrong_order };

// The Error of a flaw; `name` says which point, for example "Z (PubEncKey)".
[[nodiscard]] Error point_error(PointFlaw flaw, std::string_view name);

// Encoding, range and equation; the order is left to the caller. `point` is set when the answer is none.
// Constant time in the coordinates of a point without flaw.
template <class Set>
[[nodiscard]] PointFlaw parse_on_curve(OctetsView octets, Affine<Set>& point) {
  using F = FieldOf<Set>;
  if (octets.size() == 1 && octets[0] == 0x00) return PointFlaw::neutral;  // how SEC 1 writes O
  if (octets.size() != Affine<Set>::kOctets || ct::declassify(octets[0]) != 0x04) return PointFlaw::encoding;
  Mask x_fits = 0, y_fits = 0;
  point.x = F::parse(octets.subspan(1, F::kOctets), x_fits);
  point.y = F::parse(octets.subspan(1 + F::kOctets), y_fits);
  if (!ct::declassify(x_fits & y_fits)) return PointFlaw::coordinate;
  if (!ct::declassify(point.on_curve())) return PointFlaw::off_curve;
  return PointFlaw::none;
}

}  // namespace regroup::crypto
