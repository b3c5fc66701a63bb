// SPDX-License-Identifier: Apache-2.0
// The SAKKE operations of RFC 6508 6 over any parameter set, as arithmetic on checked values: sakke.hpp gives
// them their types and errors for set 1, the tests walk them over small sets. Constant time in z, SSV and
// RSK. Legend (RFC 6508): z, Z = [z]P  KMS keys    b  identifier    r = HashToIntegerRange(SSV || b, q)
//                    Q = [b]P + Z    R = [r]Q = [r b]P + [r]Z    w = g^r    H = SSV xor mask(w)
#pragma once

#include "crypto/curve/fixed_base.hpp"
#include "crypto/curve/pairing.hpp"
#include "crypto/field/hash_to_range.hpp"

namespace regroup::crypto::scheme {

// How many hash blocks mask an SSV. RFC 6508 5.1 with lg(2^n) = n is `rfc6508`; for n = 256 some count the
// 257 bits of 2^256 and so take two blocks (`long_count`), of which the low 256 bits remain.
enum class MaskRule { rfc6508, long_count };

inline constexpr std::size_t kMostSsv = 32;

// HashToIntegerRange(SSV || b, q).
template <class Set>
[[nodiscard]] ScalarOf<Set> derive_r(OctetsView ssv, OctetsView identifier) {
  constexpr std::size_t kBlocks = (Set::q.bits + 255) / 256;
  Secret<32 * kBlocks> v;
  hash_blocks({ssv, identifier}, v.expose_mutable());
  return ScalarOf<Set>::of_octets(v.expose());
}

// data xor HashToIntegerRange(w, 2^n), n the number of bits of `data`.
template <class Set>
void apply_mask(const FieldOf<Set>& w, MaskRule rule, std::span<std::uint8_t> data) {
  RG_ASSERT(data.size() <= kMostSsv);
  Secret<FieldOf<Set>::kOctets> octets;
  w.write(octets.expose_mutable());
  Secret<64> v;
  const auto blocks = v.expose_mutable().first(rule == MaskRule::rfc6508 ? 32 : 64);
  hash_blocks({octets.expose()}, blocks);
  const auto mask = blocks.last(data.size());
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(data[i] ^ mask[i]);
}

// [k]P, affine; nothing for k = 0.
template <class Set>
[[nodiscard]] std::optional<Affine<Set>> multiple_of_p(const ScalarOf<Set>& k) {
  const Digits<Set> digits(k);
  ct::Wiped<SpacedSum<Set>> spaced;
  Generators<Set>::get().p.add_multiple(*spaced, digits);
  const ct::Wiped<Edwards<Set>> sum(spaced->total());
  const ct::Wiped<FieldOf<Set>> inverse(sum->denominator().inverse());
  if (ct::declassify(inverse->is_zero())) return std::nullopt;
  return sum->affine(*inverse);
}

// Q = [b]P + Z; nothing when that is neutral.
template <class Set>
[[nodiscard]] std::optional<Affine<Set>> identity_point(const Affine<Set>& z, OctetsView identifier) {
  const Digits<Set> digits(ScalarOf<Set>::of_octets(identifier));
  SpacedSum<Set> spaced(Edwards<Set>::of(z));
  Generators<Set>::get().p.add_multiple(spaced, digits);
  const Edwards<Set> sum = spaced.total();
  const FieldOf<Set> inverse = sum.denominator().inverse();
  if (ct::declassify(inverse.is_zero())) return std::nullopt;
  return sum.affine(inverse);
}

// 6.1.1: [(b + z)^-1]P; nothing for b + z = 0.
template <class Set>
[[nodiscard]] std::optional<Affine<Set>> extract(const ScalarOf<Set>& z, OctetsView identifier) {
  const ct::Wiped<ScalarOf<Set>> d(ScalarOf<Set>::of_octets(identifier) + z);
  const ct::Wiped<ScalarOf<Set>> inverse(d->inverse());
  return multiple_of_p<Set>(*inverse);
}

// 6.1.2: <Q, RSK> = g.
template <class Set>
[[nodiscard]] bool verify(const Affine<Set>& z, OctetsView identifier, const Affine<Set>& rsk) {
  const auto q = identity_point(z, identifier);
  if (!q) return false;
  const ct::Wiped<Fp2<FieldOf<Set>>> w(pairing(*q, rsk));
  return ct::declassify(w->represents(FieldOf<Set>::of(Set::g))) != 0;
}

// [r b]P + [r]Z.
template <class Set>
[[nodiscard]] Edwards<Set> r_times_q(const ScalarOf<Set>& r, const Digits<Set>& r_digits,
                                     OctetsView identifier, const PointTable<Set>& z) {
  const ct::Wiped<ScalarOf<Set>> rb(r * ScalarOf<Set>::of_octets(identifier));
  const Digits<Set> rb_digits(*rb);
  ct::Wiped<SpacedSum<Set>> sum;
  Generators<Set>::get().p.add_multiple(*sum, rb_digits);
  z.add_multiple(*sum, r_digits);
  return sum->total();
}

template <class Set>
struct Target {
  OctetsView identifier;
  const PointTable<Set>* z;
};

// 6.2.1 for each target: R || H. One inversion serves the whole batch. False, and nothing written, when r = 0
// or Q is neutral for one of them: the SSV is then useless (6.2.1 wants another) or the identifier is -z.
template <class Set>
[[nodiscard]] bool encapsulate(OctetsView ssv, std::span<const Target<Set>> targets, std::span<Octets> out) {
  using F = FieldOf<Set>;
  const std::size_t count = targets.size();
  ct::WipedArray<Edwards<Set>> points(count);
  ct::WipedArray<Fp2<F>> powers(count);
  ct::WipedArray<F> inverses(2 * count);
  for (std::size_t i = 0; i < count; ++i) {
    const ct::Wiped<ScalarOf<Set>> r(derive_r<Set>(ssv, targets[i].identifier));
    const Digits<Set> digits(*r);
    points[i] = r_times_q(*r, digits, targets[i].identifier, *targets[i].z);
    powers[i] = Generators<Set>::get().g.power(digits);
    inverses[2 * i] = points[i].denominator();
    inverses[2 * i + 1] = powers[i].re;
  }
  if (!ct::declassify(invert_all<Set::p>(inverses))) return false;
  for (std::size_t i = 0; i < count; ++i) {
    out[i].resize(Affine<Set>::kOctets + ssv.size());
    const std::span<std::uint8_t> octets(out[i]);
    const auto h = octets.subspan(Affine<Set>::kOctets);
    points[i].affine(inverses[2 * i]).write(octets.template first<Affine<Set>::kOctets>());
    std::copy(ssv.begin(), ssv.end(), h.begin());
    const ct::Wiped<F> w(powers[i].im * inverses[2 * i + 1]);
    apply_mask<Set>(*w, MaskRule::rfc6508, h);
  }
  return true;
}

// 6.2.2 steps 2-5, after the pairing: w = <R, RSK> as a class, H as received. Leaves the SSV in `ssv`; all
// ones if it encapsulates to R. R stands checked on the curve: equality with a point of order q then proves
// its order.
template <class Set>
[[nodiscard]] Mask open(const Fp2<FieldOf<Set>>& w, const Affine<Set>& r_point, OctetsView h,
                        OctetsView identifier, const PointTable<Set>& z, MaskRule rule,
                        std::span<std::uint8_t> ssv) {
  const ct::Wiped<FieldOf<Set>> value(w.im * w.re.inverse());
  std::copy(h.begin(), h.end(), ssv.begin());
  apply_mask<Set>(*value, rule, ssv);
  const ct::Wiped<ScalarOf<Set>> r(derive_r<Set>(ssv, identifier));
  const Digits<Set> digits(*r);
  const ct::Wiped<Edwards<Set>> test(r_times_q(*r, digits, identifier, z));
  return test->is(r_point) & ~w.re.is_zero();
}

}  // namespace regroup::crypto::scheme
