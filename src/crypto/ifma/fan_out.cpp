// SPDX-License-Identifier: Apache-2.0
#include "crypto/ifma/fan_out.hpp"

namespace regroup::crypto::ifma {
namespace {

using F = FieldOf<Set>;
using Plain = F::Plain;
using Scalar7 = Digits<Set, kWindow>;
static_assert(Scalar7::kCount == kDigits && Scalar7::kEntries == kEntries);

constexpr std::uint64_t kLow52 = (std::uint64_t{1} << 52) - 1;
using Limbs52 = std::uint64_t[kLimbs];

void split(const Plain& a, Limbs52& out) {
  for (std::size_t j = 0; j < kLimbs; ++j) {
    const std::size_t at = 52 * j / 64, shift = 52 * j % 64;
    std::uint64_t limb = at < 16 ? a[at] >> shift : 0;
    if (shift > 12 && at + 1 < 16) limb |= a[at + 1] << (64 - shift);
    out[j] = limb & kLow52;
  }
}
// Below 2^1024, in limbs below 2^52.
Plain join(const Limbs52& a) {
  Plain out{};
  for (std::size_t j = 0; j < kLimbs; ++j) {
    const std::size_t at = 52 * j / 64, shift = 52 * j % 64;
    if (at < 16) out[at] |= a[j] << shift;
    if (shift > 12 && at + 1 < 16) out[at + 1] |= a[j] >> (64 - shift);
  }
  return out;
}
// A value below p + p/8 < 2^1024 in one lane.
Plain lane_of(const Residue8& a, std::size_t lane) {
  Limbs52 limbs;
  for (std::size_t j = 0; j < kLimbs; ++j) limbs[j] = a.limb[j].lane[lane];
  return reduced(join(limbs), Set::p);
}

// 2^n mod p.
F power_of_two(std::size_t n) {
  F out = F::one();
  for (std::size_t i = 0; i < n; ++i) out = out.twice();
  return out;
}
// The integer a 2^1040 mod p.
Plain montgomery8(const F& a) {
  static const F shift = power_of_two(1040);
  return (a * shift).plain();
}

void invert(Limbs52& residue) {
  static const F square = power_of_two(2080);
  const ct::Wiped<Plain> value(reduced(join(residue), Set::p));
  const ct::Wiped<Plain> inverse(DivisionSteps<16>::inverse(*value, Set::p.m, Set::p.minus_inverse));
  split((F::of(*inverse) * square).plain(), residue);
}

void put(Column& column, std::size_t entry, const F& value) {
  Limbs52 limbs;
  split(montgomery8(value), limbs);
  for (std::size_t j = 0; j < kLimbs; ++j) column.of[j][entry / kLanes].lane[entry % kLanes] = limbs[j];
}

std::vector<PowerWindow> power_table(const F& t) {
  const PowerTable<Set, kWindow> table(t);
  std::vector<PowerWindow> out(kDigits);
  for (std::size_t i = 0; i < kDigits; ++i)
    for (std::size_t e = 0; e < kEntries; ++e) put(out[i].t, e, table.entry(i, e));
  return out;
}

struct Generators8 {
  PointTable8 p = point_table(Affine<Set>::generator());
  std::vector<PowerWindow> g = power_table(F::of(Set::g));
  [[nodiscard]] static const Generators8& get() {
    static const Generators8 tables;
    return tables;
  }
};

// The digits of r b and r of one member into its lane.
void put_digits(Members& members, std::size_t lane, OctetsView ssv, OctetsView identifier) {
  const ct::Wiped<ScalarOf<Set>> r(scheme::derive_r<Set>(ssv, identifier));
  const ct::Wiped<ScalarOf<Set>> rb(*r * ScalarOf<Set>::of_octets(identifier));
  const Scalar7 of_r(*r), of_rb(*rb);
  for (std::size_t i = 0; i < kDigits; ++i) {
    members.r[i][lane] = of_r.plain(i);
    members.rb[i][lane] = of_rb.plain(i);
  }
}

void write_result(const Members& members, std::size_t lane, OctetsView ssv, Octets& out) {
  out.resize(Affine<Set>::kOctets + ssv.size());
  const std::span<std::uint8_t> octets(out);
  const auto h = octets.subspan(Affine<Set>::kOctets);
  Affine<Set>{F::of(lane_of(members.x, lane)), F::of(lane_of(members.y, lane))}.write(
      octets.first<Affine<Set>::kOctets>());
  std::copy(ssv.begin(), ssv.end(), h.begin());
  const ct::Wiped<F> w(F::of(lane_of(members.im, lane)));
  scheme::apply_mask<Set>(*w, scheme::MaskRule::rfc6508, h);
}

}  // namespace

const Field& field() {
  static const Field made = [] {
    Field out{};
    split(Set::p.m, out.p);
    out.minus_inverse = Set::p.minus_inverse & kLow52;
    split(montgomery8(F::one()), out.one);
    split(EdwardsMap<Set>::get().lambda.plain(), out.lambda);
    split(EdwardsMap<Set>::get().s.plain(), out.s);
    out.invert = invert;
    return out;
  }();
  return made;
}

bool supported() noexcept {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512ifma");
#else
  return false;
#endif
}

PointTable8 point_table(const Affine<Set>& base) {
  const PointTable<Set, kWindow> table(base);
  PointTable8 out(kDigits);
  for (std::size_t i = 0; i < kDigits; ++i)
    for (std::size_t e = 0; e < kEntries; ++e) {
      const EdwardsEntry<Set>& entry = table.entry(i, e);
      put(out[i].minus, e, entry.minus);
      put(out[i].plus, e, entry.plus);
      put(out[i].twice, e, entry.twice);
    }
  return out;
}

bool encapsulate(OctetsView ssv, std::span<const OctetsView> identifiers, const PointTable8& z,
                 std::span<Octets> out) {
  const std::size_t count = identifiers.size(), vectors = (count + kLanes - 1) / kLanes;
  ct::WipedArray<Members> members(vectors);
  for (std::size_t i = 0; i < vectors * kLanes; ++i)  // lanes without a member repeat the last one
    put_digits(members[i / kLanes], i % kLanes, ssv, identifiers[std::min(i, count - 1)]);
  const Generators8& generators = Generators8::get();
  if (!fan_out(&members[0], vectors, generators.p.data(), z.data(), generators.g.data(), field()))
    return false;
  for (std::size_t i = 0; i < count; ++i) write_result(members[i / kLanes], i % kLanes, ssv, out[i]);
  return true;
}

}  // namespace regroup::crypto::ifma
