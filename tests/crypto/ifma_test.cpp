// SPDX-License-Identifier: Apache-2.0
// The kernel `ifma` against the portable one: the product at the bounds that its lazy sums reach, and whole
// encapsulations octet for octet.
#include <gmock/gmock.h>

#include "crypto/ifma/fan_out.hpp"
#include "crypto/kernel.hpp"
#include "crypto/sakke.hpp"
#include "vectors.hpp"

namespace regroup::crypto {
namespace {

using F = FieldOf<ifma::Set>;
using Plain = F::Plain;
constexpr std::uint64_t kLow52 = (std::uint64_t{1} << 52) - 1;

// multiple p + rest in limbs of 52 bits.
std::array<std::uint64_t, ifma::kLimbs> limbs_of(std::uint64_t multiple, const Plain& rest) {
  std::array<std::uint64_t, 17> sum{};
  WideLimb carry = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    carry += static_cast<WideLimb>(multiple) * ifma::Set::p.m[i] + rest[i];
    sum[i] = low(carry);
    carry >>= 64;
  }
  sum[16] = low(carry);
  std::array<std::uint64_t, ifma::kLimbs> out{};
  for (std::size_t j = 0; j < out.size(); ++j) {
    const std::size_t at = 52 * j / 64, shift = 52 * j % 64;
    out[j] = sum[at] >> shift & kLow52;
    if (shift > 12 && at + 1 < sum.size()) out[j] |= sum[at + 1] << (64 - shift) & kLow52;
  }
  return out;
}
// The limbs of a lane as a number, which is below 2^1024 here.
Plain number(const ifma::Residue8& a, std::size_t lane) {
  Plain out{};
  for (std::size_t j = 0; j < ifma::kLimbs; ++j) {
    const std::size_t at = 52 * j / 64, shift = 52 * j % 64;
    EXPECT_LE(a.limb[j].lane[lane], kLow52);
    if (at < 16) out[at] |= a.limb[j].lane[lane] << shift;
    if (shift > 12 && at + 1 < 16) out[at + 1] |= a.limb[j].lane[lane] >> (64 - shift);
  }
  return out;
}
F power_of_two(std::size_t n) {
  F out = F::one();
  for (std::size_t i = 0; i < n; ++i) out = out.twice();
  return out;
}

class Ifma : public testing::Test {
 protected:
  void SetUp() override {
    if (!ifma::supported()) GTEST_SKIP() << "this processor has no AVX-512 IFMA";
  }
};

// 0, 1, p - 1, p, 2p - 1 and the largest operands of each sum in engine.cpp, in every pair, with random
// rests.
TEST_F(Ifma, TheProductIsRightForEveryBoundThatALazySumReaches) {
  const std::uint64_t seed =
      std::getenv("REGROUP_SEED") ? std::strtoull(std::getenv("REGROUP_SEED"), nullptr, 10) : 7;
  SCOPED_TRACE("REGROUP_SEED=" + std::to_string(seed));
  test::SeededRandom random(seed);
  Plain zero{}, one{}, most = ifma::Set::p.m;
  one[0] = 1;
  most[0] -= 1;
  std::vector<std::pair<std::uint64_t, Plain>> operands;
  for (const std::uint64_t multiple : {0U, 1U, 2U, 3U, 4U, 5U})
    for (const Plain& rest : {zero, one, most}) operands.emplace_back(multiple, rest);
  for (const std::uint64_t multiple : {0U, 4U, 5U}) {
    Fixed<128> octets;
    random.fill(octets);
    operands.emplace_back(multiple, F::of_octets(octets).plain());
  }
  std::vector<std::pair<std::uint64_t, Plain>> grown = operands;  // re and im of g^r, times a table entry
  for (const Plain& rest : {zero, one, most}) grown.emplace_back(459, rest);
  const F inverse_r = power_of_two(1040).inverse();
  int wrong = 0;
  for (const auto& [multiple_a, rest_a] : grown)
    for (const auto& [multiple_b, rest_b] : operands) {
      if (multiple_a > 5 && multiple_b > 1) continue;
      ifma::Residue8 a{}, b{}, out{};
      const auto limbs_a = limbs_of(multiple_a, rest_a), limbs_b = limbs_of(multiple_b, rest_b);
      for (std::size_t j = 0; j < ifma::kLimbs; ++j)
        for (std::size_t lane = 0; lane < ifma::kLanes; ++lane) {
          a.limb[j].lane[lane] = lane % 2 ? limbs_a[j] : 0;
          b.limb[j].lane[lane] = limbs_b[j];
        }
      ifma::product(out, a, b, ifma::field());
      const F expected = F::of(rest_a) * F::of(rest_b) * inverse_r;
      for (std::size_t lane = 0; lane < ifma::kLanes; ++lane) {
        const Plain got = number(out, lane);
        wrong += !F::equal(F::of(got), lane % 2 ? expected : F());
        Plain excess{};  // below p + p / 8
        subtract(excess, got, ifma::Set::p.m);
        Plain eighth = ifma::Set::p.m;
        for (int i = 0; i < 3; ++i) eighth = halved(eighth);
        wrong += !(mask_if_less(got, ifma::Set::p.m) | mask_if_less(excess, eighth));
      }
    }
  EXPECT_EQ(wrong, 0);
}

// A kernel for the time of a scope.
struct Forced {
  explicit Forced(Kernel kernel) { EXPECT_TRUE(force_kernel(name_of(kernel)).ok()); }
  ~Forced() { EXPECT_TRUE(force_kernel(name_of(before)).ok()); }
  Kernel before = active_kernel();
};

struct Members {
  explicit Members(std::size_t count, std::uint64_t seed) : random(seed) {
    for (sakke::KmsPublicKey* one : {&first, &second})
      *one = sakke::KmsPublicKey::derive(sakke::make_master_secret(random));
    for (std::size_t i = 0; i < count; ++i) {
      identifiers.push_back(to_octets(random.octets<32>()));
      to.push_back({identifiers.back(), i % 3 == 1 ? &second : &first});
    }
    for (std::size_t i = 0; i < count; ++i) to[i].identifier = identifiers[i];
  }
  [[nodiscard]] std::vector<Octets> by(Kernel kernel) const {
    const Forced forced(kernel);
    EXPECT_EQ(active_kernel(), kernel);
    return sakke::encapsulate(Octets(16, 0x5a), to).value();
  }
  test::SeededRandom random;
  sakke::KmsPublicKey first = sakke::KmsPublicKey::derive(sakke::make_master_secret(random)), second = first;
  std::vector<Octets> identifiers;
  std::vector<sakke::Recipient> to;
};

TEST_F(Ifma, EncapsulatesAsThePortableKernelDoesForEveryNumberOfMembersOfTwoKmss) {
  const Members all(300, 3);
  const std::vector<Octets> portable = all.by(Kernel::portable);
  EXPECT_EQ(all.by(Kernel::ifma), portable);
  for (const std::size_t count : {1U, 2U, 3U, 7U, 8U, 9U, 16U, 17U}) {
    const Forced forced(Kernel::ifma);
    const auto some = sakke::encapsulate(Octets(16, 0x5a), std::span(all.to).first(count)).value();
    EXPECT_TRUE(std::equal(some.begin(), some.end(), portable.begin())) << count;
  }
}

TEST_F(Ifma, OneNeutralElementFailsTheWholeCall) {
  const Members all(9, 5);
  test::SeededRandom random(6);
  sakke::MasterSecret z;
  z.expose_mutable()[127] = 5;
  const auto kms = sakke::KmsPublicKey::derive(z);
  // -5 mod q as the identifier: [b]P + Z is neutral.
  Octets minus(128);
  ScalarOf<ifma::Set>().operator-(ScalarOf<ifma::Set>::of(5)).write(minus);
  std::vector<sakke::Recipient> to;
  for (const Octets& one : all.identifiers) to.push_back({one, &kms});
  const Forced forced(Kernel::ifma);
  EXPECT_TRUE(sakke::encapsulate(Octets(16, 1), to).ok());
  to[4].identifier = minus;
  const auto refused = sakke::encapsulate(Octets(16, 1), to);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::conflict);
}

TEST(Kernels, AreForcedByNameOnlyWhereTheyRun) {
  const Forced restore(active_kernel());
  EXPECT_EQ(runs_here(Kernel::ifma) ? Kernel::ifma : Kernel::portable, active_kernel());
  EXPECT_TRUE(force_kernel("portable").ok());
  EXPECT_EQ(active_kernel(), Kernel::portable);
  EXPECT_EQ(force_kernel("ifma").ok(), runs_here(Kernel::ifma));
  for (const char* name : {"", "IFMA", "avx512", "portable "}) {
    const auto refused = force_kernel(name);
    ASSERT_FALSE(refused.ok()) << name;
    EXPECT_EQ(refused.error().code, Errc::usage);
    EXPECT_THAT(refused.error().text(), testing::HasSubstr("REGROUP_KERNEL"));
  }
}

}  // namespace
}  // namespace regroup::crypto
