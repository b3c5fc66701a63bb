// SPDX-License-Identifier: Apache-2.0
// The curve of parameter set 1: check values of the Edwards form and of the digits, and the refusals of a
// point.
#include <gtest/gtest.h>

#include <random>

#include "crypto/curve/scheme.hpp"
#include "vectors.hpp"

namespace regroup::crypto {
namespace {

using test::unhex;
using Set = ParameterSet1;
using F = FieldOf<Set>;

const nlohmann::json& rfc() {
  static const auto file = test::vectors("rfc6508.json");
  return file;
}
Affine<Set> parsed(const nlohmann::json& value) {
  Affine<Set> out;
  EXPECT_EQ(parse_point<Set>(unhex(value), out), PointFlaw::none);
  return out;
}
// The first and the last 16 hexadecimal digits.
std::string ends(const Limbs<16>& value) {
  Fixed<128> octets;
  write_octets<16>(value, octets);
  const std::string text = hex(octets);
  return text.substr(0, 16) + "..." + text.substr(240);
}

TEST(EdwardsForm, HasThePublishedIsomorphism) {
  const auto& map = EdwardsMap<Set>::get();
  EXPECT_EQ(ends(map.lambda.plain()), "6ec2065e3b96c6c3...ab0564f63cb03931");
  EXPECT_EQ(ends(map.s.plain()), "8c108284ecad95f7...6e939464d3013e46");
  EXPECT_TRUE(F::equal(map.lambda * map.lambda_inverse, F::one()));
}

TEST(EdwardsForm, MapsThePublishedPointsThereAndBack) {
  const auto p = Affine<Set>::generator(), z = parsed(rfc().at("Z"));
  const auto check = [](const Affine<Set>& a, const char* x, const char* y) {
    const auto e = Edwards<Set>::of(a);
    const F inverse = e.z.inverse();
    EXPECT_EQ(ends((e.x * inverse).plain()), x);
    EXPECT_EQ(ends((e.y * inverse).plain()), y);
    EXPECT_TRUE(F::equal(e.t * e.z, e.x * e.y));
    EXPECT_TRUE(Affine<Set>::equal(e.affine(e.denominator().inverse()), a));
    EXPECT_TRUE(e.is(a));
    EXPECT_FALSE(e.is(-a));
  };
  check(p, "6e6bf1eddce871b5...564ed653ebfef46c", "25eef4556d458043...9be524ed67f790a9");
  check(z, "0b455f7fd13680fa...2e9b931539b9d064", "10f1e6d42947289b...719175329b480d40");
}

template <std::size_t W>
Limbs<16> recoded(const ScalarOf<Set>& k) {  // k' of performance-design 2.5
  const Digits<Set, W> digits(k);
  Limbs<16> out{};
  for (std::size_t at = 0; at < W * digits.kCount && at < 1024; ++at)
    out[at / 64] |= Limb{static_cast<Limb>(digits.plain(at / W) >> (at % W) & 1)} << (at % 64);
  return out;
}

TEST(SignedDigits, HaveThePublishedCheckValues) {
  const auto r = ScalarOf<Set>::of_octets(unhex(rfc().at("r")));
  const Digits<Set, 7> seven(r);
  const Digits<Set, 8> eight(r);
  EXPECT_EQ(seven.kCount, 146U);
  EXPECT_EQ(eight.kCount, 128U);
  EXPECT_EQ(ends(recoded<7>(r)), "16c7c7a9e58b66dd...a3e56089c3e3844d");
  EXPECT_EQ(ends(recoded<8>(r)), "03abbb529dcab6f9...1713402d84e53c5c");
  for (const auto& [digit, expected] : {std::pair{0U, 77}, {1U, 8}, {2U, 14}, {3U, 31}})
    EXPECT_EQ(seven.plain(digit), expected);
  for (const auto& [digit, expected] : {std::pair{0U, 92}, {1U, 60}, {2U, 229}, {3U, 132}})
    EXPECT_EQ(eight.plain(digit), expected);
}

TEST(SignedDigits, EveryWidthAndSpacingGivesTheSameMultiple) {
  const auto r = ScalarOf<Set>::of_octets(unhex(rfc().at("r")));
  const auto q = parsed(rfc().at("bP_plus_Z")), expected = parsed(rfc().at("R"));
  SpacedSum<Set, 4, 1> four;
  SpacedSum<Set, 6, 3> six;
  SpacedSum<Set, 7, 2> seven;
  PointTable<Set, 4, 1>(q).add_multiple(four, Digits<Set, 4>(r));
  PointTable<Set, 6, 3>(q).add_multiple(six, Digits<Set, 6>(r));
  PointTable<Set, 7, 2>(q).add_multiple(seven, Digits<Set, 7>(r));
  EXPECT_TRUE(four.total().is(expected));
  EXPECT_TRUE(six.total().is(expected));
  EXPECT_TRUE(seven.total().is(expected));
}

TEST(SignedDigits, EdgesOfTheScalarRangeWork) {
  const auto p = Affine<Set>::generator();
  const auto one = ScalarOf<Set>::one();
  EXPECT_TRUE(Affine<Set>::equal(*scheme::multiple_of_p<Set>(one), p));
  EXPECT_TRUE(Affine<Set>::equal(*scheme::multiple_of_p<Set>(-one), -p));
  EXPECT_FALSE(scheme::multiple_of_p<Set>(ScalarOf<Set>()));
}

TEST(Point, EachFlawHasItsOwnName) {
  Affine<Set> out;
  const Octets good = unhex(rfc().at("Z"));
  EXPECT_EQ(parse_point<Set>(good, out), PointFlaw::none);
  for (const std::uint8_t prefix : Octets{0x00, 0x02, 0x03, 0x05, 0x06, 0x07, 0xff}) {
    Octets octets = good;
    octets[0] = prefix;
    EXPECT_EQ(parse_point<Set>(octets, out), PointFlaw::encoding);
  }
  for (std::size_t size = 0; size < 257; ++size)
    EXPECT_EQ(parse_point<Set>(OctetsView(good).first(size), out), PointFlaw::encoding);
  Octets longer = good;
  longer.push_back(0);
  EXPECT_EQ(parse_point<Set>(longer, out), PointFlaw::encoding);
  EXPECT_EQ(parse_point<Set>(Octets{0x00}, out), PointFlaw::neutral);
  Octets off = good;
  off[256] ^= 1;
  EXPECT_EQ(parse_point<Set>(off, out), PointFlaw::off_curve);
}

TEST(Point, CoordinatesThatAreNotReducedAreRefused) {
  // (0, 0) is on the curve; (p, 0), (0, p) and (p, p) would be if they were reduced.
  Affine<Set> out;
  for (int which = 1; which < 4; ++which) {
    Octets octets(257);
    octets[0] = 0x04;
    if (which & 1) write_octets<16>(Set::p.m, std::span(octets).subspan(1, 128));
    if (which & 2) write_octets<16>(Set::p.m, std::span(octets).subspan(129));
    EXPECT_EQ(parse_point<Set>(octets, out), PointFlaw::coordinate);
  }
}

TEST(Point, OfSmallOrDoubleOrderIsNotInTheGroup) {
  Affine<Set> out;
  Octets origin(257);  // (0, 0), of order 2
  origin[0] = 0x04;
  EXPECT_EQ(parse_point<Set>(origin, out), PointFlaw::wrong_order);
  // Order 4: x^2 = -3, so that the tangent meets (0, 0); y^2 = x^3 - 3x = -6x.
  const F lambda = EdwardsMap<Set>::get().lambda;
  for (const F& x : {lambda, -lambda}) {
    const F y2 = -(x.twice() + x).twice();
    const F y = y2.power(Set::q.m);
    if (!F::equal(y.square(), y2)) continue;
    Fixed<257> octets;
    Affine<Set>{x, y}.write(octets);
    EXPECT_EQ(parse_point<Set>(octets, out), PointFlaw::wrong_order);
  }
  for (const auto& entry : rfc().at("negative"))  // order 2q
    if (entry.at("name").get<std::string>().starts_with("R plus")) {
      const auto octets = unhex(entry.at("encapsulated_data"));
      EXPECT_EQ(parse_point<Set>(OctetsView(octets).first(257), out), PointFlaw::wrong_order);
    }
}

TEST(Point, ErrorsNameThePointTheClauseAndTheDifference) {
  std::set<std::string> texts;
  for (const auto flaw : {PointFlaw::encoding, PointFlaw::neutral, PointFlaw::coordinate,
                          PointFlaw::off_curve, PointFlaw::wrong_order}) {
    const Error error = point_error(flaw, "Z");
    EXPECT_EQ(error.code, Errc::malformed);
    EXPECT_FALSE(error.clause.empty());
    EXPECT_FALSE(error.cure.empty());
    texts.insert(error.detail);
  }
  EXPECT_EQ(texts.size(), 5U);
}

TEST(Pairing, IsBilinearForRandomScalars) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  test::SeededRandom random(seed);
  for (int i = 0; i < 2; ++i) {
    const auto a = ScalarOf<Set>::of_octets(random.octets<128>()),
               b = ScalarOf<Set>::of_octets(random.octets<128>());
    const auto w = pairing(*scheme::multiple_of_p<Set>(a), *scheme::multiple_of_p<Set>(b));
    const auto expected = Generators<Set>::get().g.power(Digits<Set>(a * b));
    EXPECT_TRUE(w.represents(expected.im * expected.re.inverse()));
  }
}

}  // namespace
}  // namespace regroup::crypto
