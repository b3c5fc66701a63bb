// SPDX-License-Identifier: Apache-2.0
// Arithmetic mod p and q of parameter set 1 against OpenSSL's big numbers, at the edges and at random.
#include <gtest/gtest.h>
#include <openssl/bn.h>

#include <random>

#include "crypto/curve/parameters.hpp"
#include "crypto/field/hash_to_range.hpp"
#include "crypto/field/pfp.hpp"
#include "crypto/hash/sha256.hpp"
#include "vectors.hpp"

namespace regroup::crypto {
namespace {

using Set = ParameterSet1;

struct Free {
  void operator()(BIGNUM* n) const { BN_free(n); }
  void operator()(BN_CTX* c) const { BN_CTX_free(c); }
};
using Big = std::unique_ptr<BIGNUM, Free>;

Big big(const Limbs<16>& a) {
  Fixed<128> octets;
  write_octets<16>(a, octets);
  return Big(BN_bin2bn(octets.data(), 128, nullptr));
}
Limbs<16> limbs(const Big& a) {
  Fixed<128> octets;
  EXPECT_EQ(BN_bn2binpad(a.get(), octets.data(), 128), 128);
  return limbs_from_octets<16>(octets);
}

// 0, 1, 2, m - 2, m - 1, single limbs, and random values below m.
std::vector<Limbs<16>> operands(const Limbs<16>& m, std::mt19937_64& random) {
  std::vector<Limbs<16>> out(3);
  out[1][0] = 1;
  out[2][0] = 2;
  for (std::size_t i = 1; i <= 2; ++i) {
    Limbs<16> near{};
    subtract(near, m, out[i]);
    out.push_back(near);
  }
  for (const std::size_t i : {0U, 7U, 14U}) {
    Limbs<16> lone{};
    lone[i] = ~Limb{0};
    out.push_back(lone);
  }
  while (out.size() < 20) {
    Limbs<16> any{};
    for (Limb& limb : any) limb = random();
    any[15] &= m[15] >> 1;
    out.push_back(any);
  }
  return out;
}

template <const auto& M>
void compare_with_openssl(std::mt19937_64& random) {
  using F = Residue<M>;
  const std::unique_ptr<BN_CTX, Free> context(BN_CTX_new());
  const Big m = big(M.m);
  const auto values = operands(M.m, random);
  for (const auto& x : values) {
    const Big bx = big(x), out(BN_new());
    const F a = F::of(x);
    ASSERT_EQ(a.plain(), x);
    ASSERT_EQ((-a + a).is_zero(), ~Mask{0});
    ASSERT_EQ(a.is_zero() != 0, BN_is_zero(bx.get()) == 1);
    if (BN_is_zero(bx.get())) {
      ASSERT_TRUE(a.inverse().is_zero());
    } else {
      ASSERT_NE(BN_mod_inverse(out.get(), bx.get(), m.get(), context.get()), nullptr);
      ASSERT_EQ(a.inverse().plain(), limbs(out));
    }
    for (const auto& y : values) {
      const Big by = big(y);
      const F b = F::of(y);
      BN_mod_mul(out.get(), bx.get(), by.get(), m.get(), context.get());
      ASSERT_EQ((a * b).plain(), limbs(out));
      BN_mod_add(out.get(), bx.get(), by.get(), m.get(), context.get());
      ASSERT_EQ((a + b).plain(), limbs(out));
      BN_mod_sub(out.get(), bx.get(), by.get(), m.get(), context.get());
      ASSERT_EQ((a - b).plain(), limbs(out));
      ASSERT_EQ(F::equal(a, b) != 0, x == y);
    }
  }
}

TEST(Field, ModPEqualsOpenSslAtTheEdgesAndAtRandom) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  compare_with_openssl<Set::p>(random);
}

TEST(Field, ModQEqualsOpenSslAtTheEdgesAndAtRandom) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  compare_with_openssl<Set::q>(random);
}

TEST(Field, MontgomeryConstantsAreThePublishedOnes) {
  EXPECT_EQ(Set::p.minus_inverse, 0x290420077c8f2f3dU);  // performance-design 2.1
  EXPECT_EQ(Set::p.bits, 1024U);
  EXPECT_EQ(Set::q.bits, 1022U);
  Limbs<16> four_q{}, one{}, p_plus_one{};
  add(four_q, Set::q.m, Set::q.m);
  add(four_q, four_q, four_q);
  one[0] = 1;
  add(p_plus_one, Set::p.m, one);
  EXPECT_EQ(four_q, p_plus_one);
}

TEST(Field, AProductTakesAnySixteenLimbsOnOneSide) {
  Limbs<16> most;
  most.fill(~Limb{0});  // 2^1024 - 1 = p + (R mod p) - 1
  Limbs<16> expected{}, one{};
  one[0] = 1;
  subtract(expected, Set::p.r, one);
  EXPECT_EQ(FieldOf<Set>::of(most).plain(), expected);
}

TEST(Field, MaskedSubtractionsReduceEveryQuotientUpToSix) {
  Limbs<16> multiple{}, one{}, most;
  one[0] = 1;
  most.fill(~Limb{0});
  for (int k = 0; k <= 6; ++k) {
    Limbs<16> near{};
    EXPECT_EQ(reduced(multiple, Set::q), Limbs<16>{});
    add(near, multiple, one);
    EXPECT_EQ(reduced(near, Set::q), one);
    if (k < 6) {
      add(multiple, multiple, Set::q.m);
      subtract(near, multiple, one);
      EXPECT_EQ(add_mod(reduced(near, Set::q), one, Set::q.m), Limbs<16>{});
    }
  }
  EXPECT_EQ(reduced(most, Set::q), ScalarOf<Set>::of(most).plain());
}

TEST(Field, OctetsOfAnyLengthAreOneBigInteger) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  test::SeededRandom random(seed);
  const std::unique_ptr<BN_CTX, Free> context(BN_CTX_new());
  const Big q = big(Set::q.m), out(BN_new());
  for (const std::size_t size : {0U, 1U, 25U, 32U, 127U, 128U, 129U, 256U, 300U}) {
    Octets octets(size);
    random.fill(octets);
    const Big value(BN_bin2bn(octets.data(), static_cast<int>(size), nullptr));
    BN_mod(out.get(), value.get(), q.get(), context.get());
    EXPECT_EQ(ScalarOf<Set>::of_octets(octets).plain(), limbs(out)) << size;
  }
}

TEST(Field, ParsesExactlyTheCanonicalValues) {
  using F = FieldOf<Set>;
  Fixed<128> octets;
  Mask canonical = 0;
  write_octets<16>(Set::p.m, octets);
  EXPECT_TRUE(F::parse(octets, canonical).is_zero());
  EXPECT_EQ(canonical, 0U);
  octets[127] = static_cast<std::uint8_t>(octets[127] - 1);
  const F minus_one = F::parse(octets, canonical);
  EXPECT_EQ(canonical, ~Mask{0});
  EXPECT_TRUE(F::equal(minus_one, -F::one()));
  Fixed<128> again;
  minus_one.write(again);
  EXPECT_EQ(again, octets);
  octets.fill(0xff);
  EXPECT_TRUE(F::parse(octets, canonical).is_zero());
  EXPECT_EQ(canonical, 0U);
}

TEST(Field, OneZeroSpoilsASharedInversionAndIsReported) {
  using F = FieldOf<Set>;
  std::vector<F> values;
  for (Limb i = 1; i <= 9; ++i) values.push_back(F::of(i * i));
  auto inverses = values;
  EXPECT_NE(invert_all<Set::p>(inverses), 0U);
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_TRUE(F::equal(values[i] * inverses[i], F::one()));
  values[4] = F();
  EXPECT_EQ(invert_all<Set::p>(values), 0U);
}

TEST(Pfp, IsTheQuotientGroupOfTheRfc) {
  using F = FieldOf<Set>;
  const F t = F::of(Set::g), u = F::of(5);
  const auto value = [](const Fp2<F>& f) { return f.im * f.re.inverse(); };
  // RFC 6508 2.1: the product of t and u is (t + u) / (1 - t u), the square 2 t / (1 - t^2), the inverse -t.
  const auto product = Fp2<F>::of(t) * Fp2<F>::of(u);
  EXPECT_TRUE(product.represents((t + u) * (F::one() - t * u).inverse()));
  EXPECT_FALSE(product.represents(t));
  EXPECT_TRUE(F::equal(value(Fp2<F>::of(t).times(u)), value(product)));
  EXPECT_TRUE(Fp2<F>::of(t).square().represents(t.twice() * (F::one() - t.square()).inverse()));
  EXPECT_TRUE(Fp2<F>::of(t).times(-t).represents(F()));
  EXPECT_FALSE((Fp2<F>{F(), F::one()}).represents(F()));  // the class of i has no t
}

TEST(HashToRange, IsTheFirstBlocksOfOneLongHash) {
  Octets long_one(128), short_one(32);
  hash_blocks({view("ab"), view("c")}, long_one);
  hash_blocks({view("abc")}, short_one);
  EXPECT_EQ(hex(OctetsView(long_one).first(32)), hex(short_one));
  const Fixed<32> h1 = sha256(Fixed<32>{}), h2 = sha256(h1), a = sha256(view("abc"));
  EXPECT_EQ(hex(short_one), hex(sha256({h1, a})));
  EXPECT_EQ(hex(OctetsView(long_one).subspan(32, 32)), hex(sha256({h2, a})));
}

}  // namespace
}  // namespace regroup::crypto
