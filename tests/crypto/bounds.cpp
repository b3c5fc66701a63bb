// SPDX-License-Identifier: Apache-2.0
// The bounds that src/crypto/ifma writes next to its lazy sums, asserted: the engines are compiled here once
// more with REGROUP_CHECK_BOUNDS and take the place of the room's own. Every product and every sum of the
// runs below comes by expect_below().
#include <gmock/gmock.h>

#include <cmath>
#include <deque>
#include <map>

#include "crypto/eccsi/batch.hpp"
#include "crypto/ifma/fan_out.hpp"
#include "vectors.hpp"

namespace regroup::crypto::ifma {
namespace {

struct Seen {
  std::map<std::string, long double> largest;  // by place and bound: value / p
  std::vector<std::string> broken;
};
Seen seen;

// To the 64 bits of a long double.
template <std::size_t N>
long double number(const std::array<std::int64_t, N>& limbs) {
  long double out = 0;
  for (std::size_t j = N; j-- > 0;)
    out += std::ldexp(static_cast<long double>(limbs[j]), static_cast<int>(52 * j));
  return out;
}
long double p_of(std::size_t limbs) {
  if (limbs == p256::kLimbs) return std::ldexp(1.0L, 256) - std::ldexp(1.0L, 224) + std::ldexp(1.0L, 192);
  std::array<std::int64_t, kLimbs> p{};
  for (std::size_t j = 0; j < kLimbs; ++j) p[j] = static_cast<std::int64_t>(field().p[j]);
  return number(p);
}

}  // namespace

void expect_below(const Limb8* limbs, std::size_t count, double multiple, const char* file,
                  int line) noexcept {
  const std::string path(file), place = path.substr(path.rfind('/') + 1) + ":" + std::to_string(line),
                                written = std::to_string(multiple);
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    std::array<std::int64_t, kLimbs> value{};
    bool in_range = true;
    for (std::size_t j = 0; j < count; ++j) {
      value[j] = static_cast<std::int64_t>(limbs[j].lane[lane]);
      in_range &= value[j] >= 0 && value[j] < std::int64_t{1} << 52;
    }
    const long double ratio = number(value) / p_of(count);
    long double& largest = seen.largest[place + " < " + written];
    largest = std::max(largest, ratio);
    if (in_range && ratio >= 0 && ratio < static_cast<long double>(multiple)) continue;
    if (seen.broken.size() < 20)
      seen.broken.push_back(place + ": " + std::to_string(static_cast<double>(ratio)) + " p, written " +
                            written + (in_range ? "" : ", a limb out of range"));
  }
}

namespace {

class Bounds : public testing::Test {
 protected:
  void SetUp() override {
    if (!supported()) GTEST_SKIP() << "this processor has no AVX-512 IFMA";
    seen = {};
  }
  // Nothing was broken, and at least so many bounds of this file were looked at. REGROUP_SHOW prints what was
  // reached.
  static void expect_held(const std::string& file, int places) {
    EXPECT_THAT(seen.broken, testing::IsEmpty());
    int count = 0;
    for (const auto& [place, largest] : seen.largest) {
      if (place.starts_with(file)) ++count;
      if (std::getenv("REGROUP_SHOW")) std::printf("%-32s %8.4Lf p\n", place.c_str(), largest);
    }
    EXPECT_GE(count, places) << "the bounds of " << file << " are not asserted";
  }
  static std::uint64_t seed() {
    const char* given = std::getenv("REGROUP_SEED");
    return given ? std::strtoull(given, nullptr, 10) : 5;
  }
  test::SeededRandom random{seed()};
  ScalarOf<Set> z = ScalarOf<Set>::of_octets(random.octets<127>());
  PointTable8 table = point_table(scheme::multiple_of_p<Set>(z).value());
};

TEST_F(Bounds, OfEncapsulationHold) {
  std::vector<Octets> identifiers, out(40);
  for (std::size_t i = 0; i < out.size(); ++i) identifiers.push_back(to_octets(random.octets<32>()));
  const std::vector<OctetsView> views(identifiers.begin(), identifiers.end());
  for (const std::uint8_t octet : std::initializer_list<std::uint8_t>{0x00, 0xff, 0x5a}) {
    const Octets ssv(16, octet);
    for (const std::size_t count : {out.size(), std::size_t{9}})  // many members, and few
      ASSERT_TRUE(encapsulate(ssv, std::span(views).first(count), table, std::span(out).first(count)));
  }
  expect_held("engine.cpp", 2);
  expect_held("sums8.hpp", 21);
}

// Digits that no scalar has: the same entry, the first, the last, always added or always subtracted.
TEST_F(Bounds, HoldForDigitsAtTheirEnds) {
  const PointTable8 p = point_table(Affine<Set>::generator());
  std::vector<Members> members(3);
  for (const std::uint8_t digit : std::initializer_list<std::uint8_t>{0, 1, 63, 64, 65, 126, 127}) {
    for (std::size_t i = 0; i < kDigits; ++i)
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        members[0].rb[i][lane] = members[0].r[i][lane] = digit;
        members[1].rb[i][lane] = i % 2 ? digit : static_cast<std::uint8_t>(127 - digit);
        members[1].r[i][lane] = lane % 2 ? digit : static_cast<std::uint8_t>(random.octets<1>()[0] % 128);
        members[2].rb[i][lane] = members[2].r[i][lane] = static_cast<std::uint8_t>(127 - digit);
      }
    for (const std::size_t count : {std::size_t{2}, std::size_t{3}})  // few, and many
      (void)fan_out(members.data(), count, p.data(), table.data(), nullptr, field());
  }
  expect_held("engine.cpp", 2);
  expect_held("sums8.hpp", 15);
}

TEST_F(Bounds, OfOpeningHoldForOneKeyAndForSeveral) {
  std::vector<Octets> identifiers, texts(9);
  std::deque<KeyLines> lines;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    identifiers.push_back(to_octets(random.octets<32>()));
    const OctetsView to(identifiers.back());
    ASSERT_TRUE(encapsulate(random.octets<16>(), {&to, 1}, table, {&texts[i], 1}));
    lines.emplace_back(FixedLines<Set>(scheme::extract<Set>(z, to).value()));
  }
  for (const bool several : {true, false}) {
    std::vector<Closed> closed;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::size_t from = several ? i : 0;
      const OctetsView text(texts[from]);
      Affine<Set> r;
      ASSERT_EQ(parse_on_curve<Set>(text.first(Affine<Set>::kOctets), r), PointFlaw::none);
      closed.push_back({r, text.subspan(Affine<Set>::kOctets), identifiers[from], &lines[from]});
    }
    std::vector<Secret<16>> ssvs(closed.size());
    std::vector<Mask> good(closed.size());
    ASSERT_TRUE(open(closed, table, ssvs, good));
    EXPECT_THAT(good, testing::Each(~Mask{0}));
  }
  expect_held("pairing.cpp", 5);
}

TEST_F(Bounds, OfMultiplesOnP256Hold) {
  const eccsi::FixedBase base(eccsi::times_generator(eccsi::Scalar::reduce(random.octets<32>())));
  std::vector<eccsi::Scalar> a, b;
  for (std::size_t i = 0; i < 64; ++i) {
    Fixed<32> few{};
    few[31] = static_cast<std::uint8_t>(i + 1);
    a.push_back(eccsi::Scalar::reduce(i % 2 ? few : random.octets<32>()));
    b.push_back(eccsi::Scalar::reduce(i % 3 ? random.octets<32>() : few));
  }
  ASSERT_TRUE(eccsi::x_of_multiples(a).has_value());
  ASSERT_TRUE(eccsi::x_of_multiples(a, b, &base).has_value());
  expect_held("p256.cpp", 17);
}

// The assertion itself: a value at its bound, a negative one, a limb that was not carried.
TEST_F(Bounds, ThatAreReachedAreReported) {
  Residue8 value{};
  for (std::size_t j = 0; j < kLimbs; ++j)
    for (std::uint64_t& lane : value.limb[j].lane) lane = field().p[j];
  expect_below(value.limb, kLimbs, 1.0001, "engine.cpp", 1);
  EXPECT_THAT(seen.broken, testing::IsEmpty());
  expect_below(value.limb, kLimbs, 1, "engine.cpp", 2);
  EXPECT_THAT(seen.broken, testing::SizeIs(kLanes));
  EXPECT_THAT(seen.broken.front(), testing::HasSubstr("engine.cpp:2: 1.000000 p, written 1.0"));
  seen = {};
  value.limb[kLimbs - 1].lane[3] = ~std::uint64_t{0};
  expect_below(value.limb, kLimbs, 2, "engine.cpp", 3);
  value.limb[kLimbs - 1].lane[3] = 0;
  value.limb[4].lane[5] = std::uint64_t{1} << 52;
  expect_below(value.limb, kLimbs, 2, "engine.cpp", 4);
  EXPECT_THAT(seen.broken,
              testing::ElementsAre(testing::HasSubstr(":3:"), testing::HasSubstr("out of range")));
}

}  // namespace
}  // namespace regroup::crypto::ifma
