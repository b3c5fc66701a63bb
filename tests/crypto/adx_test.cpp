// SPDX-License-Identifier: Apache-2.0
// The kernel `adx` against the portable one: single operations modulo p and q at their edges, and the verbs
// of SAKKE octet for octet.
#include <gmock/gmock.h>

#include "crypto/adx/arithmetic.hpp"
#include "crypto/curve/parameters.hpp"
#include "crypto/field/kernel.hpp"
#include "crypto/kernel.hpp"
#include "crypto/sakke.hpp"
#include "vectors.hpp"

#ifdef __x86_64__

namespace regroup::crypto {
namespace {

using Number = Limbs<16>;
using Set = ParameterSet1;

class Adx : public testing::Test {
 protected:
  void SetUp() override {
    if (!adx::supported()) GTEST_SKIP() << "this processor has no ADX or no BMI2";
  }
};

Number filled(Limb limb) {
  Number out;
  out.fill(limb);
  return out;
}

// 0, 1, 2, m - 2, m - 1, long runs of ones and zeros, single bits, and random numbers: all below m.
std::vector<Number> operands(const Modulus<16>& modulus, test::SeededRandom& random) {
  Number one{}, two{}, below = modulus.m, lower = modulus.m;
  one[0] = 1;
  two[0] = 2;
  below[0] -= 1;
  lower[0] -= 2;
  std::vector<Number> out{Number{}, one, two, below, lower, reduced(filled(~Limb{0}), modulus)};
  for (std::size_t i = 0; i < 16; ++i) {
    Number ones = filled(~Limb{0}), bit{};
    for (std::size_t j = i; j < 16; ++j) ones[j] = i % 2 ? modulus.m[j] : 0;
    bit[i] = Limb{1} << (i % 2 ? 63 : 0);
    out.push_back(reduced(ones, modulus));
    out.push_back(reduced(bit, modulus));
  }
  for (int i = 0; i < 40; ++i) {
    Fixed<128> octets;
    random.fill(octets);
    out.push_back(reduced(limbs_from_octets<16>(octets), modulus));
  }
  return out;
}

TEST_F(Adx, ProductSumAndDifferenceEqualThePortableOnesForEveryPairOfEdges) {
  const std::uint64_t seed =
      std::getenv("REGROUP_SEED") ? std::strtoull(std::getenv("REGROUP_SEED"), nullptr, 10) : 11;
  SCOPED_TRACE("REGROUP_SEED=" + std::to_string(seed));
  test::SeededRandom random(seed);
  int wrong = 0;
  for (const Modulus<16>* modulus : {&Set::p, &Set::q}) {
    const Modulus<16>& m = *modulus;
    const std::vector<Number> all = operands(m, random);
    for (const Number& a : all)
      for (const Number& b : all) {
        Number expected{}, got{};
        montgomery_product_by_columns(expected, a, b, m.m, m.minus_inverse);
        adx::regroup_adx_product16(got.data(), a.data(), b.data(), m.m.data(), m.minus_inverse);
        wrong += got != expected;
        adx::regroup_adx_sum16(got.data(), a.data(), b.data(), m.m.data());
        wrong += got != add_mod(a, b, m.m);
        adx::regroup_adx_difference16(got.data(), a.data(), b.data(), m.m.data());
        wrong += got != subtract_mod(a, b, m.m);
      }
  }
  EXPECT_EQ(wrong, 0);
}

// Hashes are reduced by a product: one operand may fill all its limbs.
TEST_F(Adx, OneOperandMayBeAnyNumberOf16Limbs) {
  test::SeededRandom random(12);
  for (const Modulus<16>* m : {&Set::p, &Set::q})
    for (const Number& b : operands(*m, random))
      for (const Number& a : {filled(~Limb{0}), filled(Limb{1} << 63)}) {
        Number expected{}, got{};
        montgomery_product_by_columns(expected, a, b, m->m, m->minus_inverse);
        adx::regroup_adx_product16(got.data(), a.data(), b.data(), m->m.data(), m->minus_inverse);
        EXPECT_EQ(got, expected);
        adx::regroup_adx_product16(got.data(), b.data(), a.data(), m->m.data(), m->minus_inverse);
        EXPECT_EQ(got, expected);
      }
}

TEST_F(Adx, TheResultMayTakeThePlaceOfAnOperand) {
  test::SeededRandom random(13);
  const auto all = operands(Set::p, random);
  for (const Number& a : all) {
    Number expected{}, left = a, right = all.back(), both = a;
    const Modulus<16>& m = Set::p;
    montgomery_product_by_columns(expected, a, all.back(), m.m, m.minus_inverse);
    adx::regroup_adx_product16(left.data(), left.data(), right.data(), m.m.data(), m.minus_inverse);
    adx::regroup_adx_product16(right.data(), a.data(), right.data(), m.m.data(), m.minus_inverse);
    EXPECT_EQ(left, expected);
    EXPECT_EQ(right, expected);
    adx::regroup_adx_difference16(both.data(), both.data(), both.data(), m.m.data());
    EXPECT_EQ(both, Number{});
  }
}

TEST_F(Adx, TheChoiceAmongEntriesIsThatOfThePortableKernel) {
  test::SeededRandom random(14);
  std::vector<Number> entries;
  for (int i = 0; i < 96; ++i) {
    Fixed<128> octets;
    random.fill(octets);
    entries.push_back(limbs_from_octets<16>(octets));
  }
  for (const std::size_t parts : {1U, 3U})
    for (std::size_t index = 0; index < 33; ++index) {  // 32 is none of them: nothing is found
      std::array<Number, 3> expected{}, got{};
      kernel::use_adx(false);
      kernel::choose16(expected.data(), entries.data(), 32, parts, index);
      kernel::use_adx(true);
      kernel::choose16(got.data(), entries.data(), 32, parts, index);
      EXPECT_EQ(got, expected) << index;
      if (index < 32)
        EXPECT_EQ(got[parts - 1], entries[index * parts + parts - 1]) << index;
      else
        EXPECT_EQ(got[0], Number{});
    }
  ASSERT_TRUE(force_kernel(name_of(active_kernel())).ok());
}

// What every kernel makes of the same secrets: public key, receiver key, message, and what opens it.
struct Made {
  Octets z, rsk, message, ssv;
  bool verified = false;
  bool operator==(const Made&) const = default;
};
Made made_by(Kernel kernel, std::uint64_t seed) {
  EXPECT_TRUE(force_kernel(name_of(kernel)).ok());
  test::SeededRandom random(seed);
  const sakke::MasterSecret z = sakke::make_master_secret(random);
  const sakke::KmsPublicKey kms = sakke::KmsPublicKey::derive(z);
  const Octets identifier = to_octets(random.octets<32>()), ssv = to_octets(random.octets<16>());
  const sakke::Rsk rsk = sakke::extract(z, identifier).value();
  const sakke::Recipient to{identifier, &kms};
  Made out;
  out.z = to_octets(kms.octets());
  out.rsk = to_octets(rsk.octets().expose());
  out.message = sakke::encapsulate(ssv, {&to, 1}).value().front();
  out.ssv = to_octets(sakke::decapsulate(kms, identifier, rsk, out.message).value().expose());
  out.verified = sakke::verify(kms, identifier, rsk).ok() && out.ssv == ssv;
  return out;
}

TEST_F(Adx, TheVerbsOfSakkeGiveTheSameOctets) {
  const Kernel before = active_kernel();
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const Made portable = made_by(Kernel::portable, seed);
    EXPECT_TRUE(portable.verified);
    EXPECT_EQ(made_by(Kernel::adx, seed), portable) << "seed " << seed;
  }
  EXPECT_TRUE(force_kernel(name_of(before)).ok());
}

}  // namespace
}  // namespace regroup::crypto

#endif
