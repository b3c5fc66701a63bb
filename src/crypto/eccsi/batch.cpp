// SPDX-License-Identifier: Apache-2.0
#include "crypto/eccsi/batch.hpp"

#include "crypto/field/inverse.hpp"
#include "crypto/field/montgomery.hpp"

namespace regroup::crypto::eccsi {
namespace {

namespace p256 = ifma::p256;
using Plain = Limbs<4>;
using Limbs52 = std::uint64_t[p256::kLimbs];

constexpr Modulus<4> kField = make_modulus(
    limbs_from_hex<4>("ffffffff 00000001 00000000 00000000 00000000 ffffffff ffffffff ffffffff"));
constexpr Modulus<4> kOrder = make_modulus(
    limbs_from_hex<4>("ffffffff 00000000 ffffffff ffffffff bce6faad a7179e84 f3b9cac2 fc632551"));
constexpr std::uint64_t kLow52 = (std::uint64_t{1} << 52) - 1;

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
  for (std::size_t j = 0; j < p256::kLimbs; ++j) {
    const std::size_t at = 52 * j / 64, bits = 52 * j % 64;
    out[j] = form[at] >> bits & kLow52;
    if (bits > 12 && at + 1 < form.size()) out[j] |= form[at + 1] << (64 - bits) & kLow52;
  }
}
// A plain value of 0 .. p.
Plain join(const Limbs52& a) {
  Plain out{};
  for (std::size_t j = 0; j < p256::kLimbs; ++j) {
    const std::size_t at = 52 * j / 64, bits = 52 * j % 64;
    out[at] |= a[j] << bits;
    if (bits > 12 && at + 1 < out.size()) out[at + 1] |= a[j] >> (64 - bits);
  }
  return reduced(out, kField);
}
Plain lane_of(const p256::Residue& a, std::size_t lane) {
  Limbs52 limbs;
  for (std::size_t j = 0; j < p256::kLimbs; ++j) limbs[j] = a.limb[j].lane[lane];
  return join(limbs);
}

void invert(Limbs52& residue) {
  split(DivisionSteps<4>::inverse(join(residue), kField.m, kField.minus_inverse), residue);
}

void put_digits(p256::Digits8& digits, std::size_t lane, const Scalar& k) {
  static constexpr Plain one{1, 0, 0, 0};
  static constexpr Plain offset =
      subtract_mod(power_of_two(p256::kDigits * p256::kWindow, kOrder.m), one, kOrder.m);
  const Secret<32> octets = k.octets();
  const ct::Wiped<Plain> sum(add_mod(limbs_from_octets<4>(octets.expose()), offset, kOrder.m));
  const Mask odd = mask_of((*sum)[0] & 1);
  ct::Wiped<Plain> even, correction;
  for (std::size_t i = 0; i < sum->size(); ++i) (*correction)[i] = kOrder.m[i] & odd;
  const Limb carry = add(*even, *sum, *correction);
  const ct::Wiped<Plain> half(halved(*even, carry));
  for (std::size_t i = 0; i < p256::kDigits; ++i) {
    Limb v = 0;
    for (std::size_t j = p256::kWindow; j-- > 0;) v = v << 1 | bit(*half, i * p256::kWindow + j);
    digits.of[i][lane] = static_cast<std::uint8_t>(v);
  }
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

std::optional<std::vector<Fixed<32>>> x_of_multiples(std::span<const Scalar> a, std::span<const Scalar> b,
                                                     const FixedBase* base) {
  const std::size_t vectors = (a.size() + ifma::kLanes - 1) / ifma::kLanes;
  if (a.empty()) return std::vector<Fixed<32>>();
  ct::WipedArray<p256::Multiples> all(vectors);
  for (std::size_t i = 0; i < vectors * ifma::kLanes; ++i) {  // lanes without a scalar repeat the last one
    const std::size_t from = std::min(i, a.size() - 1);
    put_digits(all[i / ifma::kLanes].a, i % ifma::kLanes, a[from]);
    if (base) put_digits(all[i / ifma::kLanes].b, i % ifma::kLanes, b[from]);
  }
  if (!p256::multiply(&all[0], vectors, FixedBase::generator().windows(), base ? base->windows() : nullptr,
                      invert))
    return std::nullopt;
  std::vector<Fixed<32>> out(a.size());
  for (std::size_t i = 0; i < out.size(); ++i)
    write_octets(lane_of(all[i / ifma::kLanes].x, i % ifma::kLanes), out[i]);
  return out;
}

}  // namespace regroup::crypto::eccsi
