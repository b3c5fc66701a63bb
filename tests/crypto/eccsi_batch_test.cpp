// SPDX-License-Identifier: Apache-2.0
// Batches of signatures and the multiples under them: the kernel `ifma` gives what OpenSSL and one signature
// at a time give.
#include "crypto/eccsi/batch.hpp"

#include <gmock/gmock.h>

#include "base/text.hpp"
#include "crypto/eccsi/signing.hpp"
#include "crypto/forced_kernel.hpp"
#include "crypto/ifma/fan_out.hpp"
#include "vectors.hpp"

namespace regroup::crypto::eccsi {
namespace {

Scalar scalar(std::uint64_t value) {
  Fixed<32> octets{};
  for (std::size_t i = 0; i < 8; ++i) octets[31 - i] = static_cast<std::uint8_t>(value >> (8 * i));
  return Scalar::reduce(octets);
}
Scalar drawn(Random& random) { return Scalar::reduce(random.octets<32>()); }
Scalar minus(const Scalar& a) {
  Fixed<32> most;  // n - 1
  const Octets order = from_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550").value();
  std::copy(order.begin(), order.end(), most.begin());
  return a.times(Scalar::reduce(most));
}
Fixed<32> x_of(const PointOctets& point) {
  Fixed<32> out;
  std::copy(point.begin() + 1, point.begin() + 33, out.begin());
  return out;
}

class EccsiBatch : public testing::Test {
 protected:
  void SetUp() override {
    if (!ifma::supported()) GTEST_SKIP() << "this processor has no AVX-512 IFMA";
  }
  test::SeededRandom random{11};
};

TEST_F(EccsiBatch, MultiplesAsPointsHaveBothCoordinates) {
  std::vector<Scalar> scalars;
  for (const std::uint64_t small : {1U, 2U, 5U}) scalars.push_back(scalar(small));
  scalars.push_back(minus(scalar(1)));
  for (int i = 0; i < 20; ++i) scalars.push_back(drawn(random));
  const auto all = multiples_of_generator(scalars);
  ASSERT_TRUE(all);
  for (std::size_t i = 0; i < scalars.size(); ++i) EXPECT_EQ((*all)[i], times_generator(scalars[i])) << i;
  scalars.push_back(scalar(0));
  EXPECT_FALSE(multiples_of_generator(scalars));
}

// The same draws give the same keys, whatever the kernel.
TEST_F(EccsiBatch, UserKeysOfABatchAreThoseOfOneByOne) {
  const Ksak ksak = make_ksak(random);
  const Kpak kpak = Kpak::derive(ksak);
  std::vector<Octets> identifiers;
  for (int i = 0; i < 300; ++i) identifiers.push_back(to_octets(random.octets<32>()));
  const std::vector<OctetsView> views(identifiers.begin(), identifiers.end());
  test::SeededRandom draws(5), again(5);
  const test::ForcedKernel forced(Kernel::ifma);
  const std::vector<UserKey> all = UserKey::make_all(ksak, kpak, views, draws);
  ASSERT_EQ(all.size(), views.size());
  for (std::size_t i = 0; i < views.size(); ++i) {
    const UserKey one = UserKey::make(ksak, kpak, views[i], again);
    ASSERT_TRUE(ct_equal(all[i].ssk().expose(), one.ssk().expose())) << i;
    ASSERT_EQ(all[i].pvt(), one.pvt()) << i;
    ASSERT_EQ(all[i].hs(), one.hs()) << i;
  }
  EXPECT_TRUE(UserKey::validate(kpak, views[7], all[7].ssk().duplicate(), all[7].pvt()).ok());
}

TEST_F(EccsiBatch, MultiplesOfTheGeneratorAreThoseOfOpenSsl) {
  std::vector<Scalar> scalars;
  for (const std::uint64_t small : {1U, 2U, 3U, 63U, 64U, 65U, 4095U, 4096U})
    scalars.push_back(scalar(small));
  for (const std::uint64_t small : {1U, 2U, 64U}) scalars.push_back(minus(scalar(small)));
  for (int i = 0; i < 40; ++i) scalars.push_back(drawn(random));
  const auto all = x_of_multiples(scalars);
  ASSERT_TRUE(all);
  for (std::size_t i = 0; i < scalars.size(); ++i)
    EXPECT_EQ((*all)[i], x_of(times_generator(scalars[i]))) << i;
  for (const std::size_t count : {0U, 1U, 7U, 8U, 9U}) {
    const auto some = x_of_multiples(std::span(scalars).first(count));
    ASSERT_TRUE(some);
    EXPECT_TRUE(std::equal(some->begin(), some->end(), all->begin())) << count;
  }
}

TEST_F(EccsiBatch, SumsOfTwoMultiplesAreThoseOfOpenSslDoublingsAndNeutralOnesIncluded) {
  const Scalar k = drawn(random), one = Scalar::one(), zero;
  const PointOctets point = times_generator(k);
  const FixedBase base(point);
  std::vector<Scalar> a, b;
  for (int i = 0; i < 20; ++i) {
    a.push_back(drawn(random));
    b.push_back(drawn(random));
  }
  a.push_back(k.times(one));  // [k]G + [1][k]G is a doubling on the way
  b.push_back(Scalar::one());
  const auto all = x_of_multiples(a, b, &base);
  ASSERT_TRUE(all);
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_EQ((*all)[i], x_of(*combine_vartime(a[i], {&b[i], &point}, {&zero, &point}))) << i;
  a.push_back(minus(k));  // [-k]G + [1][k]G
  b.push_back(Scalar::one());
  EXPECT_FALSE(x_of_multiples(a, b, &base));
}

struct Signer {
  explicit Signer(Random& random)
      : ksak(make_ksak(random)),
        kpak(Kpak::derive(ksak)),
        key(UserKey::make(ksak, kpak, identifier, random)) {
    for (std::uint8_t i = 0; i < 200; ++i) messages.push_back(Octets(300 + i, i));
    for (const Octets& one : messages) views.emplace_back(one);
  }
  Octets identifier = Octets(32, 7);
  Ksak ksak;
  Kpak kpak;
  UserKey key;
  std::vector<Octets> messages;
  std::vector<OctetsView> views;
};

TEST_F(EccsiBatch, SignsOctetForOctetAsOneSignatureAtATimeDoes) {
  const Signer signer(random);
  const auto by = [&](Kernel kernel, std::size_t count) {
    const test::ForcedKernel forced(kernel);
    test::SeededRandom same(99);
    return sign_all(signer.key, signer.kpak, signer.identifier, std::span(signer.views).first(count), same)
        .value();
  };
  for (const std::size_t count : {0U, 1U, 2U, 8U, 200U}) {
    const auto batch = by(Kernel::ifma, count);
    EXPECT_EQ(batch, by(Kernel::portable, count)) << count;
    for (std::size_t i = 0; i < count; ++i)
      EXPECT_TRUE(verify(signer.kpak, signer.identifier, signer.views[i], batch[i]).ok()) << i;
  }
}

TEST_F(EccsiBatch, ASignatureThatDoesNotVerifyIsNotHandedOut) {
  const Signer signer(random), other(random);
  for (const Kernel kernel : {Kernel::ifma, Kernel::portable}) {
    const test::ForcedKernel forced(kernel);
    const auto refused = sign_all(signer.key, other.kpak, signer.identifier, signer.views, random);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::bad_signature);
  }
}

}  // namespace
}  // namespace regroup::crypto::eccsi
