// SPDX-License-Identifier: Apache-2.0
// "Is it right for every element there is?" Each small set is walked whole: all coordinates, all pairs of
// points, all scalars, all keys.
#include <gtest/gtest.h>

#include "crypto/curve/scheme.hpp"
#include "crypto/toy_sets.hpp"

namespace regroup::crypto::toy {
namespace {

template <class Set>
class Walk : public testing::Test {
 public:
  using Pair = typename Model<Set>::Pair;

  static Affine<Set> affine(const Pair& a) {
    return {FieldOf<Set>::of(static_cast<Limb>(a.x)), FieldOf<Set>::of(static_cast<Limb>(a.y))};
  }
  static Pair plain(const Affine<Set>& a) { return {number(a.x), number(a.y)}; }
  template <const auto& Modulus>
  static int number(const Residue<Modulus>& a) {
    return static_cast<int>(a.plain()[0]);
  }
  static int number(const Fp2<FieldOf<Set>>& f) { return number(f.im * f.re.inverse()); }
  static ScalarOf<Set> scalar(int k) { return ScalarOf<Set>::of(static_cast<Limb>(k)); }
  // [k]P; k is not 0 mod q.
  static Pair point(int k) { return *Model<Set>::multiple(k, Model<Set>::generator()); }
  static Edwards<Set> edwards(int k) { return k == 0 ? Edwards<Set>() : Edwards<Set>::of(affine(point(k))); }
  static bool is(const Edwards<Set>& e, const typename Model<Set>::Point& expected) {
    if (!expected)
      return e.denominator().is_zero() && e.x.is_zero() && FieldOf<Set>::equal(e.y, e.z) && !e.z.is_zero();
    return e.is(affine(*expected)) && plain(e.affine(e.denominator().inverse())) == *expected;
  }
};
using Sets = testing::Types<Toy5, Toy11, Toy17, Toy41>;
TYPED_TEST_SUITE(Walk, Sets);

TYPED_TEST(Walk, FieldArithmeticIsArithmeticModP) {
  using M = Model<TypeParam>;
  using F = FieldOf<TypeParam>;
  for (int a = 0; a < M::p; ++a) {
    const F x = F::of(static_cast<Limb>(a));
    ASSERT_EQ(this->number(x), a);
    ASSERT_EQ(this->number(x.inverse()), M::inverse(a));
    ASSERT_EQ(this->number(-x), M::mod(-a));
    ASSERT_EQ(x.is_zero() != 0, a == 0);
    for (int b = 0; b < M::p; ++b) {
      const F y = F::of(static_cast<Limb>(b));
      ASSERT_EQ(this->number(x + y), M::mod(a + b));
      ASSERT_EQ(this->number(x - y), M::mod(a - b));
      ASSERT_EQ(this->number(x * y), M::mod(a * b));
      ASSERT_EQ(F::equal(x, y) != 0, a == b);
    }
  }
}

TYPED_TEST(Walk, EveryThreeOctetsAreAPointOfTheGroupOrRefusedForTheRightReason) {
  using M = Model<TypeParam>;
  std::array<int, 6> seen{};
  for (int x = 0; x < 256; ++x)
    for (int y = 0; y < 256; ++y) {
      PointFlaw expected = PointFlaw::none;
      if (x >= M::p || y >= M::p) {
        expected = PointFlaw::coordinate;
      } else if (!M::on_curve(x, y)) {
        expected = PointFlaw::off_curve;
      } else if (M::multiple(M::q, typename M::Pair{x, y})) {
        expected = PointFlaw::wrong_order;
      }
      Affine<TypeParam> point;
      const Octets octets{0x04, static_cast<std::uint8_t>(x), static_cast<std::uint8_t>(y)};
      ASSERT_EQ(parse_point<TypeParam>(octets, point), expected) << x << ' ' << y;
      ++seen[static_cast<std::size_t>(expected)];
      if (expected != PointFlaw::none) continue;
      std::array<std::uint8_t, 3> again{};
      point.write(again);
      ASSERT_EQ(Octets(again.begin(), again.end()), octets);
    }
  EXPECT_EQ(seen[static_cast<std::size_t>(PointFlaw::none)], M::q - 1);
  EXPECT_EQ(seen[static_cast<std::size_t>(PointFlaw::wrong_order)], 3 * M::q);
}

TYPED_TEST(Walk, EdwardsLawIsTheGroupLawForAllPairsOfTheSubgroup) {
  using M = Model<TypeParam>;
  using Entry = EdwardsEntry<TypeParam>;
  for (int a = 0; a < M::q; ++a) {
    Edwards<TypeParam> doubled = this->edwards(a);
    doubled.twice();
    ASSERT_TRUE(this->is(doubled, M::multiple(2 * a, M::generator())));
    for (int b = 0; b < M::q; ++b) {
      const auto expected = M::multiple(a + b, M::generator());
      Edwards<TypeParam> sum = this->edwards(a), other = this->edwards(b);
      sum.add(other);
      ASSERT_TRUE(this->is(sum, expected)) << a << ' ' << b;
      const auto z = other.z.inverse();
      const Entry entry = Entry::of(other.x * z, other.y * z);
      Edwards<TypeParam> mixed = this->edwards(a), minus = this->edwards(a);
      mixed.add(entry, 0);
      minus.add(entry, ~Mask{0});
      ASSERT_TRUE(this->is(mixed, expected)) << a << ' ' << b;
      ASSERT_TRUE(this->is(minus, M::multiple(a + M::q - b, M::generator()))) << a << ' ' << b;
      if (b == 0) continue;
      ASSERT_EQ(mixed.is(this->affine(this->point(b))) != 0, a == 0);
    }
  }
}

TYPED_TEST(Walk, DigitsAddUpToEveryScalar) {
  using D = Digits<TypeParam>;
  const int q = Model<TypeParam>::q;
  for (int k = 0; k < q; ++k) {
    const D digits(this->scalar(k));
    long sum = 0;
    for (std::size_t i = D::kCount; i-- > 0;) {
      const long magnitude = 2 * static_cast<long>(digits.index(i)) + 1;
      ASSERT_LT(digits.index(i), D::kEntries);
      sum = sum * (1L << TypeParam::window) + (digits.negative(i) ? -magnitude : magnitude);
    }
    ASSERT_EQ((sum % q + q) % q, k);
  }
}

TYPED_TEST(Walk, TablesGiveEveryMultipleOfEveryPointAndEveryPower) {
  using M = Model<TypeParam>;
  for (int k = 0; k < M::q; ++k) {
    const Digits<TypeParam> digits(this->scalar(k));
    for (int base = 1; base < M::q; ++base) {
      const PointTable<TypeParam> table(this->affine(this->point(base)));
      SpacedSum<TypeParam> sum(this->edwards(1));
      table.add_multiple(sum, digits);
      ASSERT_TRUE(this->is(sum.total(), M::multiple(k * base + 1, M::generator())));
    }
    const int g = static_cast<int>(TypeParam::g[0]);
    ASSERT_EQ(this->number(Generators<TypeParam>::get().g.power(digits)), M::power(g, k));
    using F = FieldOf<TypeParam>;
    ASSERT_EQ(this->number(power_vartime(Fp2<F>::of(F::of(TypeParam::g)), this->scalar(k).plain())),
              M::power(g, k));
  }
}

TYPED_TEST(Walk, PairingsOfAllPairsFollowTheTextOfTheRfcAndAreBilinear) {
  using M = Model<TypeParam>;
  for (int a = 1; a < M::q; ++a) {
    const FixedLines<TypeParam> lines(this->affine(this->point(a)));
    for (int b = 1; b < M::q; ++b) {
      const auto pa = this->affine(this->point(a)), pb = this->affine(this->point(b));
      const int expected = M::pairing(this->point(a), this->point(b));
      ASSERT_EQ(this->number(pairing(pa, pb)), expected) << a << ' ' << b;
      ASSERT_EQ(this->number(lines.pairing(pb)), expected) << a << ' ' << b;
      ASSERT_EQ(expected, M::power(static_cast<int>(TypeParam::g[0]), a * b % M::q));
    }
  }
}

TYPED_TEST(Walk, EveryMasterSecretExtractsAndVerifiesEveryIdentifier) {
  using M = Model<TypeParam>;
  for (int z = 1; z < M::q; ++z)
    for (int b = 0; b < M::q; ++b) {
      const std::uint8_t octet = static_cast<std::uint8_t>(b);
      const OctetsView identifier(&octet, 1);
      const auto rsk = scheme::extract<TypeParam>(this->scalar(z), identifier);
      ASSERT_EQ(rsk.has_value(), (b + z) % M::q != 0);
      if (!rsk) continue;
      ASSERT_EQ(this->plain(*rsk), this->point(M::inverse((b + z) % M::q, M::q)));
      const auto public_key = this->affine(this->point(z));
      for (int k = 1; k < M::q; ++k)  // exactly one point of the group is the key of b
        ASSERT_EQ(scheme::verify<TypeParam>(public_key, identifier, this->affine(this->point(k))),
                  this->plain(*rsk) == this->point(k));
    }
}

TYPED_TEST(Walk, EncapsulatesAsTheModelAndOpensForEveryKeyIdentifierAndManyValues) {
  using M = Model<TypeParam>;
  using Target = scheme::Target<TypeParam>;
  int neutral = 0, opened = 0;
  for (int z = 1; z < M::q; ++z) {
    const auto public_key = M::multiple(z, M::generator());
    const PointTable<TypeParam> table(this->affine(*public_key));
    for (int b = 0; b < M::q; ++b) {
      const std::uint8_t octet = static_cast<std::uint8_t>(b);
      const OctetsView identifier(&octet, 1);
      const auto rsk = scheme::extract<TypeParam>(this->scalar(z), identifier);
      for (std::uint8_t i = 0; i < 12; ++i) {
        const Fixed<2> ssv{static_cast<std::uint8_t>(z), i};
        const auto expected = M::encapsulate(ssv, b, public_key);
        const Target target{identifier, &table};
        Octets out;
        const bool made = scheme::encapsulate<TypeParam>(ssv, std::span(&target, 1), std::span(&out, 1));
        ASSERT_EQ(made, expected.has_value());
        neutral += !made;
        if (!made) continue;
        ASSERT_EQ(hex(out), hex(*expected));
        Affine<TypeParam> r;
        ASSERT_EQ(parse_point<TypeParam>(OctetsView(out).first(3), r), PointFlaw::none);
        Octets found(2);
        ASSERT_TRUE(scheme::open<TypeParam>(pairing(*rsk, r), r, OctetsView(out).last(2), identifier, table,
                                            scheme::MaskRule::rfc6508, found));
        ASSERT_EQ(hex(found), hex(ssv));
        ++opened;
        const auto other_r = -r;
        ASSERT_FALSE(scheme::open<TypeParam>(pairing(*rsk, r), other_r, OctetsView(out).last(2), identifier,
                                             table, scheme::MaskRule::rfc6508, found));
      }
    }
  }
  EXPECT_GT(neutral, 0);
  EXPECT_GT(opened, 0);
}

TYPED_TEST(Walk, OneNeutralElementFailsTheWholeBatchAndWritesNothing) {
  using M = Model<TypeParam>;
  using Target = scheme::Target<TypeParam>;
  const PointTable<TypeParam> table(this->affine(this->point(2)));
  const std::uint8_t good = 1, minus_z = static_cast<std::uint8_t>(M::q - 2);
  const std::array<Target, 2> targets{Target{{&good, 1}, &table}, Target{{&minus_z, 1}, &table}};
  std::array<Octets, 2> out;
  for (std::uint8_t i = 0; i < 4; ++i)
    EXPECT_FALSE(scheme::encapsulate<TypeParam>(Fixed<2>{7, i}, std::span<const Target>(targets), out));
  EXPECT_TRUE(out[0].empty() && out[1].empty());
}

}  // namespace
}  // namespace regroup::crypto::toy
