// SPDX-License-Identifier: Apache-2.0
#include "crypto/ifma/fan_out.hpp"

#include "crypto/ifma/limbs52.hpp"

namespace regroup::crypto::ifma {
namespace {

using F = FieldOf<Set>;
using Plain = F::Plain;
using Scalar7 = Digits<Set, kWindow>;
static_assert(Scalar7::kCount == kDigits && Scalar7::kEntries == kEntries);

using Limbs52 = std::uint64_t[kLimbs];

// A value below p + p/8 < 2^1024 in one lane.
Plain lane_of(const Residue8& a, std::size_t lane) {
  Limbs52 limbs;
  for (std::size_t j = 0; j < kLimbs; ++j) limbs[j] = a.limb[j].lane[lane];
  return reduced(join52<16>(limbs), Set::p);
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
  const ct::Wiped<Plain> value(reduced(join52<16>(residue), Set::p));
  const ct::Wiped<Plain> inverse(DivisionSteps<16>::inverse(*value, Set::p.m, Set::p.minus_inverse));
  split52((F::of(*inverse) * square).plain(), residue);
}

void put(Column& column, std::size_t entry, const F& value) {
  Limbs52 limbs;
  split52(montgomery8(value), limbs);
  for (std::size_t j = 0; j < kLimbs; ++j) column.of[j][entry / kLanes].lane[entry % kLanes] = limbs[j];
}

std::vector<PowerWindow> power_table(const F& t) {
  const PowerTable<Set, kWindow, 1> table(t);
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

void put_lane(Residue8& out, std::size_t lane, const F& value) {
  Limbs52 limbs;
  split52(montgomery8(value), limbs);
  for (std::size_t j = 0; j < kLimbs; ++j) out.limb[j].lane[lane] = limbs[j];
  wipe(limbs, sizeof limbs);
}
Affine<Set> point_of(const Members& members, std::size_t lane) {
  return {F::of(lane_of(members.x, lane)), F::of(lane_of(members.y, lane))};
}
constexpr std::size_t vectors_of(std::size_t count) { return (count + kLanes - 1) / kLanes; }

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
  point_of(members, lane).write(octets.first<Affine<Set>::kOctets>());
  std::copy(ssv.begin(), ssv.end(), h.begin());
  const ct::Wiped<F> w(F::of(lane_of(members.im, lane)));
  scheme::apply_mask<Set>(*w, scheme::MaskRule::rfc6508, h);
}

}  // namespace

const Field& field() {
  static const Field made = [] {
    Field out{};
    split52(Set::p.m, out.p);
    out.minus_inverse = Set::p.minus_inverse & kLow52;
    split52(montgomery8(F::one()), out.one);
    split52(EdwardsMap<Set>::get().lambda.plain(), out.lambda);
    split52(EdwardsMap<Set>::get().s.plain(), out.s);
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
  const PointTable<Set, kWindow, 1> table(base);
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
  const std::size_t count = identifiers.size(), vectors = vectors_of(count);
  ct::WipedArray<Members> members(vectors);
  for (std::size_t i = 0; i < vectors * kLanes; ++i)  // lanes without a member repeat the last one
    put_digits(members[i / kLanes], i % kLanes, ssv, identifiers[std::min(i, count - 1)]);
  const Generators8& generators = Generators8::get();
  if (!fan_out(&members[0], vectors, generators.p.data(), z.data(), generators.g.data(), field()))
    return false;
  for (std::size_t i = 0; i < count; ++i) write_result(members[i / kLanes], i % kLanes, ssv, out[i]);
  return true;
}

bool extract(const ScalarOf<Set>& z, std::span<const OctetsView> identifiers, std::span<Affine<Set>> out) {
  const std::size_t count = identifiers.size(), vectors = vectors_of(count);
  ct::WipedArray<ScalarOf<Set>> inverses(count);
  for (std::size_t i = 0; i < count; ++i) inverses[i] = ScalarOf<Set>::of_octets(identifiers[i]) + z;
  if (!ct::declassify(invert_all<Set::q>(inverses))) return false;
  ct::WipedArray<Members> members(vectors);
  for (std::size_t i = 0; i < vectors * kLanes; ++i) {
    const Scalar7 digits(inverses[std::min(i, count - 1)]);
    for (std::size_t d = 0; d < kDigits; ++d) members[i / kLanes].rb[d][i % kLanes] = digits.plain(d);
  }
  if (!fan_out(&members[0], vectors, Generators8::get().p.data(), nullptr, nullptr, field())) return false;
  for (std::size_t i = 0; i < count; ++i) out[i] = point_of(members[i / kLanes], i % kLanes);
  return true;
}

KeyLines::KeyLines(const FixedLines<Set>& lines) : lines_(FixedLines<Set>::count()) {
  std::size_t next = 0;
  lines.each([&](bool, const F& slope, const F& constant) {
    Limbs52 limbs;
    split52(montgomery8(slope), limbs);
    std::copy(std::begin(limbs), std::end(limbs), lines_[next].limb);
    split52(montgomery8(constant), limbs);
    std::copy(std::begin(limbs), std::end(limbs), lines_[next].limb + kLimbs);
    wipe(limbs, sizeof limbs);
    ++next;
  });
}

namespace {

// When the walk of Miller's loop squares, which is the same for every point.
const bool* squares() {
  static constexpr auto digits = signed_digits_of_q<Set>();
  static const auto made = [] {
    std::array<bool, FixedLines<Set>::count()> out{};
    std::size_t top = digits.size() - 1, next = 0;
    while (digits[top] == 0) --top;
    while (top-- > 0) {
      out[next++] = true;
      if (top > 0 && digits[top] != 0) ++next;
    }
    return out;
  }();
  return made.data();
}

// w of every message, by its lane.
bool pair(std::span<const Closed> messages, ct::WipedArray<Pairings>& all) {
  std::vector<F> inverses;
  for (const Closed& one : messages) inverses.push_back(one.r.y);
  if (!invert_all<Set::p>(inverses)) return false;
  for (std::size_t i = 0; i < all.size() * kLanes; ++i) {
    const std::size_t from = std::min(i, messages.size() - 1), lane = i % kLanes;
    put_lane(all[i / kLanes].x_over_y, lane, messages[from].r.x * inverses[from]);
    put_lane(all[i / kLanes].one_over_y, lane, inverses[from]);
    all[i / kLanes].lines[lane] = messages[from].lines->data();
  }
  return pair_all(&all[0], all.size(), squares(), FixedLines<Set>::count(), field());
}

}  // namespace

bool open(std::span<const Closed> messages, const PointTable8& z, std::span<Secret<16>> ssvs,
          std::span<Mask> good) {
  const std::size_t count = messages.size(), vectors = vectors_of(count);
  ct::WipedArray<Pairings> pairings(vectors);
  if (!pair(messages, pairings)) return false;
  ct::WipedArray<Members> members(vectors);
  for (std::size_t i = 0; i < vectors * kLanes; ++i) {
    const std::size_t from = std::min(i, count - 1);
    const ct::Wiped<F> w(F::of(lane_of(pairings[i / kLanes].im, i % kLanes)));
    const auto ssv = ssvs[from].expose_mutable();
    std::copy(messages[from].h.begin(), messages[from].h.end(), ssv.begin());
    scheme::apply_mask<Set>(*w, scheme::MaskRule::rfc6508, ssv);
    put_digits(members[i / kLanes], i % kLanes, ssv, messages[from].identifier);
  }
  if (!fan_out(&members[0], vectors, Generators8::get().p.data(), z.data(), nullptr, field())) return false;
  for (std::size_t i = 0; i < count; ++i)
    good[i] = Affine<Set>::equal(point_of(members[i / kLanes], i % kLanes), messages[i].r);
  return true;
}

}  // namespace regroup::crypto::ifma
