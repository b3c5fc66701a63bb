// SPDX-License-Identifier: Apache-2.0
#include "crypto/eccsi/batch.hpp"

#include "crypto/curve/signed_digits.hpp"
#include "crypto/field/inverse.hpp"
#include "crypto/field/montgomery.hpp"
#include "crypto/ifma/limbs52.hpp"

namespace regroup::crypto::eccsi {
namespace {

namespace p256 = ifma::p256;
using Plain = Limbs<4>;
using Limbs52 = std::uint64_t[p256::kLimbs];

constexpr Modulus<4> kField = make_modulus(
    limbs_from_hex<4>("ffffffff 00000001 00000000 00000000 00000000 ffffffff ffffffff ffffffff"));
constexpr Modulus<4> kOrder = make_modulus(
    limbs_from_hex<4>("ffffffff 00000000 ffffffff ffffffff bce6faad a7179e84 f3b9cac2 fc632551"));

// 2^n mod m.
constexpr Plain power_of_two(std::size_t n, const Plain& m) {
  Plain power{};
  power[0] = 1;
  for (std::size_t i = 0; i < n; ++i) power = add_mod(power, power, m);
  return power;
}

// a 2^260 mod p in limbs of 52 bits: Montgomery's form of the engine.
void split(const Plain& a, Limbs52& out) {
  static constexpr Plain shift = power_of_two(516, kField.m);  // 2^260 2^256
  Plain form{};
  montgomery_product_by_columns(form, a, shift, kField.m, kField.minus_inverse);
  ifma::split52(form, out);
}
// A plain value of 0 .. p.
Plain join(const Limbs52& a) { return reduced(ifma::join52<4>(a), kField); }
Plain lane_of(const p256::Residue& a, std::size_t lane) {
  Limbs52 limbs;
  for (std::size_t j = 0; j < p256::kLimbs; ++j) limbs[j] = a.limb[j].lane[lane];
  return join(limbs);
}

void invert(Limbs52& residue) {
  split(DivisionSteps<4>::inverse(join(residue), kField.m, kField.minus_inverse), residue);
}

void put_digits(p256::Digits8& digits, std::size_t lane, const Scalar& k) {
  static constexpr Plain offset = digit_offset(p256::kDigits * p256::kWindow, kOrder);
  const Secret<32> octets = k.octets();
  const ct::Wiped<Plain> plain(limbs_from_octets<4>(octets.expose()));
  const SignedDigits<p256::kDigits, p256::kWindow> of_k(*plain, offset, kOrder.m);
  for (std::size_t i = 0; i < p256::kDigits; ++i) digits.of[i][lane] = of_k.plain(i);
}

void put(p256::Column& column, std::size_t entry, OctetsView coordinate) {
  Limbs52 limbs;
  split(limbs_from_octets<4>(coordinate), limbs);
  for (std::size_t j = 0; j < p256::kLimbs; ++j)
    column.of[j][entry / ifma::kLanes].lane[entry % ifma::kLanes] = limbs[j];
}

}  // namespace

FixedBase::FixedBase(const PointOctets& base) : windows_(p256::kDigits) {
  const std::vector<PointOctets> points = odd_multiples(base, p256::kDigits, p256::kWindow);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const OctetsView point(points[i]);
    p256::Window& window = windows_[i / p256::kEntries];
    put(window.x, i % p256::kEntries, point.subspan(1, 32));
    put(window.y, i % p256::kEntries, point.subspan(33, 32));
  }
}

const FixedBase& FixedBase::generator() {
  static const FixedBase table(eccsi::generator());
  return table;
}

namespace {

using Lanes = ct::WipedArray<p256::Multiples>;

std::size_t vectors_of(std::span<const Scalar> a) { return (a.size() + ifma::kLanes - 1) / ifma::kLanes; }

// [a_i]G + [b_i]B in every lane; false when one of them is neutral.
bool multiply(Lanes& all, std::span<const Scalar> a, std::span<const Scalar> b, const FixedBase* base) {
  for (std::size_t i = 0; i < all.size() * ifma::kLanes; ++i) {  // lanes without a scalar repeat the last one
    const std::size_t from = std::min(i, a.size() - 1);
    put_digits(all[i / ifma::kLanes].a, i % ifma::kLanes, a[from]);
    if (base) put_digits(all[i / ifma::kLanes].b, i % ifma::kLanes, b[from]);
  }
  return p256::multiply(&all[0], all.size(), FixedBase::generator().windows(),
                        base ? base->windows() : nullptr, invert);
}

}  // namespace

std::optional<std::vector<Fixed<32>>> x_of_multiples(std::span<const Scalar> a, std::span<const Scalar> b,
                                                     const FixedBase* base) {
  if (a.empty()) return std::vector<Fixed<32>>();
  Lanes all(vectors_of(a));
  if (!multiply(all, a, b, base)) return std::nullopt;
  std::vector<Fixed<32>> out(a.size());
  for (std::size_t i = 0; i < out.size(); ++i)
    write_octets(lane_of(all[i / ifma::kLanes].x, i % ifma::kLanes), out[i]);
  return out;
}

std::optional<std::vector<PointOctets>> multiples_of_generator(std::span<const Scalar> a) {
  if (a.empty()) return std::vector<PointOctets>();
  Lanes all(vectors_of(a));
  if (!multiply(all, a, {}, nullptr)) return std::nullopt;
  std::vector<PointOctets> out(a.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const p256::Multiples& of = all[i / ifma::kLanes];
    const std::span<std::uint8_t> point(out[i]);
    point[0] = 0x04;
    write_octets(lane_of(of.x, i % ifma::kLanes), point.subspan(1, 32));
    write_octets(lane_of(of.y, i % ifma::kLanes), point.subspan(33, 32));
  }
  return out;
}

}  // namespace regroup::crypto::eccsi
