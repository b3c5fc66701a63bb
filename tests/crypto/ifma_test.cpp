// SPDX-License-Identifier: Apache-2.0
// The kernel `ifma` against the portable one: the product at the bounds that its lazy sums reach, and whole
// encapsulations octet for octet.
#include <gmock/gmock.h>

#include "base/text.hpp"
#include "crypto/forced_kernel.hpp"
#include "crypto/ifma/fan_out.hpp"
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
    const test::ForcedKernel forced(kernel);
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
    const test::ForcedKernel forced(Kernel::ifma);
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
  const test::ForcedKernel forced(Kernel::ifma);
  EXPECT_TRUE(sakke::encapsulate(Octets(16, 1), to).ok());
  to[4].identifier = minus;
  const auto refused = sakke::encapsulate(Octets(16, 1), to);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::conflict);
}

TEST_F(Ifma, ExtractsTheReceiverKeysOfThePortableKernel) {
  test::SeededRandom random(8);
  const sakke::MasterSecret z = sakke::make_master_secret(random);
  std::vector<Octets> identifiers;
  for (int i = 0; i < 260; ++i) identifiers.push_back(to_octets(random.octets<32>()));
  const std::vector<OctetsView> views(identifiers.begin(), identifiers.end());
  for (const std::size_t count : {0U, 1U, 2U, 9U, 260U}) {
    const test::ForcedKernel forced(Kernel::ifma);
    const auto keys = sakke::extract_all(z, std::span(views).first(count)).value();
    ASSERT_EQ(keys.size(), count);
    for (std::size_t i = 0; i<count; i += count> 20 ? 51 : 1) {
      const test::ForcedKernel portable(Kernel::portable);
      EXPECT_TRUE(ct_equal(keys[i].expose(), sakke::extract(z, views[i]).value().octets().expose())) << i;
    }
  }
}

TEST_F(Ifma, OneIdentifierThatHitsTheMasterSecretIsNamedAndFailsTheCall) {
  sakke::MasterSecret z;
  z.expose_mutable()[127] = 5;
  Octets minus(128);
  ScalarOf<ifma::Set>().operator-(ScalarOf<ifma::Set>::of(5)).write(minus);
  const std::vector<Octets> identifiers{Octets(32, 1), minus, Octets(32, 2)};
  const std::vector<OctetsView> views(identifiers.begin(), identifiers.end());
  for (const Kernel kernel : {Kernel::portable, Kernel::ifma}) {
    const test::ForcedKernel forced(kernel);
    EXPECT_EQ(sakke::extract_all(z, views).error().code, Errc::conflict);
  }
}

// Messages of two KMSs to three receivers, the last one beyond the budget of lines.
struct Mailbox {
  explicit Mailbox(std::size_t count) {
    for (int i = 0; i < 3; ++i) {
      identifiers.push_back(to_octets(random.octets<32>()));
      secrets.push_back(sakke::make_master_secret(random));
      kms.push_back(sakke::KmsPublicKey::derive(secrets.back()));
      keys.push_back(sakke::extract(secrets.back(), identifiers.back()).value());
    }
    for (std::size_t i = 0; i < count; ++i) {
      ssvs.push_back(to_octets(random.octets<16>()));
      const sakke::Recipient to{identifiers[i % 3], &kms[i % 3]};
      messages.push_back(sakke::encapsulate(ssvs[i], {&to, 1}).value().front());
    }
  }
  [[nodiscard]] std::vector<sakke::Sealed> sealed() const {
    std::vector<sakke::Sealed> out;
    for (std::size_t i = 0; i < messages.size(); ++i)
      out.push_back({&kms[i % 3], identifiers[i % 3], &keys[i % 3], messages[i]});
    return out;
  }
  test::SeededRandom random{9};
  std::vector<Octets> identifiers, ssvs, messages;
  std::vector<sakke::MasterSecret> secrets;
  std::vector<sakke::KmsPublicKey> kms;
  std::vector<sakke::Rsk> keys;
};

// What decapsulate() says of the same, as text.
std::vector<std::string> one_by_one(std::span<const sakke::Sealed> all) {
  std::vector<std::string> out;
  for (const sakke::Sealed& one : all) {
    const auto opened = sakke::decapsulate(*one.kms, one.identifier, *one.rsk, one.encapsulated);
    out.push_back(opened.ok() ? hex(opened->expose()) : opened.error().text());
  }
  return out;
}
std::vector<std::string> together(std::span<const sakke::Sealed> all) {
  const test::ForcedKernel forced(Kernel::ifma);
  std::vector<std::string> out;
  for (const auto& opened : sakke::decapsulate_all(all))
    out.push_back(opened.ok() ? hex(opened->expose()) : opened.error().text());
  return out;
}

TEST_F(Ifma, OpensManyMessagesOfSeveralKeysAsOneByOne) {
  const Mailbox mail(27);
  const auto all = mail.sealed();
  const auto opened = together(all);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(opened[i], hex(mail.ssvs[i])) << i;
  for (const std::size_t count : {0U, 1U, 2U, 3U, 8U})
    EXPECT_EQ(together(std::span(all).first(count)).size(), count);
}

// A bad message costs the others nothing: another's key, altered H, altered R, the point of order 2, octets
// that are no point, a cut one, an R of order 2q.
TEST_F(Ifma, OneBadMessageAmongManyIsRefusedAloneAsOneByOne) {
  Mailbox mail(24);
  mail.messages[1].back() ^= 1;
  mail.messages[4][40] ^= 1;
  std::fill(mail.messages[7].begin() + 1, mail.messages[7].begin() + 257, std::uint8_t{0});
  mail.messages[10].pop_back();
  Affine<ifma::Set> high;
  ASSERT_EQ(parse_on_curve<ifma::Set>(OctetsView(mail.messages[13]).first(257), high), PointFlaw::none);
  // R + (0, 0), of order 2q: (x, y) + (0, 0) = (-3/x, 3y/x^2) on y^2 = x^3 - 3x.
  const F inverse = high.x.inverse();
  high = {-(F::of(3) * inverse), F::of(3) * high.y * inverse.square()};
  ASSERT_TRUE(high.on_curve());
  high.write(std::span(mail.messages[13]).first<257>());
  auto all = mail.sealed();
  all[16].rsk = &mail.keys[(16 + 1) % 3];
  const auto expected = one_by_one(all);
  EXPECT_EQ(together(all), expected);
  for (const std::size_t bad : {1U, 4U, 7U, 10U, 13U, 16U})
    EXPECT_THAT(expected[bad], testing::HasSubstr("does not open with this key")) << bad;
  EXPECT_EQ(expected[2], hex(mail.ssvs[2]));
}

TEST_F(Ifma, AKeyBeyondTheBudgetOfLinesOpensAll) {
  sakke::set_line_budget(0);
  const Mailbox mail(6);
  EXPECT_EQ(together(mail.sealed())[3], hex(mail.ssvs[3]));
  sakke::set_line_budget(64);
}

TEST(Kernels, AreForcedByNameOnlyWhereTheyRun) {
  const test::KernelRestored restored;
  const Kernel best = runs_here(Kernel::ifma)  ? Kernel::ifma
                      : runs_here(Kernel::adx) ? Kernel::adx
                                               : Kernel::portable;
  EXPECT_EQ(active_kernel(), best);
  EXPECT_TRUE(force_kernel("portable").ok());
  EXPECT_EQ(active_kernel(), Kernel::portable);
  for (const Kernel kernel : {Kernel::adx, Kernel::ifma})
    EXPECT_EQ(force_kernel(name_of(kernel)).ok(), runs_here(kernel)) << name_of(kernel);
  for (const char* name : {"", "IFMA", "avx512", "portable "}) {
    const auto refused = force_kernel(name);
    ASSERT_FALSE(refused.ok()) << name;
    EXPECT_EQ(refused.error().code, Errc::usage);
    EXPECT_THAT(refused.error().text(), testing::HasSubstr("REGROUP_KERNEL"));
  }
}

}  // namespace
}  // namespace regroup::crypto
