// SPDX-License-Identifier: Apache-2.0
// The verbs that work in chunks give the same on several threads as on one, in the same order.
#include <gmock/gmock.h>

#include "base/workers.hpp"
#include "crypto/eccsi.hpp"
#include "crypto/sakke.hpp"
#include "vectors.hpp"

namespace regroup::crypto {
namespace {

constexpr std::size_t kMany = 600;  // three chunks, the last one short

struct Threads {
  explicit Threads(unsigned threads) { set_worker_threads(threads); }
  ~Threads() { set_worker_threads(1); }
};

struct Identifiers {
  explicit Identifiers(Random& random) {
    for (std::size_t i = 0; i < kMany; ++i) octets.push_back(to_octets(random.octets<32>()));
    views.assign(octets.begin(), octets.end());
  }
  std::vector<Octets> octets;
  std::vector<OctetsView> views;
};

class InChunks : public testing::Test {
 protected:
  test::SeededRandom random{21};
  Identifiers who{random};
};

TEST_F(InChunks, EncapsulationAndExtractionAreTheSameOnThreeThreads) {
  const sakke::MasterSecret z = sakke::make_master_secret(random);
  const sakke::KmsPublicKey kms = sakke::KmsPublicKey::derive(z);
  std::vector<sakke::Recipient> to;
  for (const OctetsView one : who.views) to.push_back({one, &kms});
  const auto messages = sakke::encapsulate(Octets(16, 3), to).value();
  const auto keys = sakke::extract_all(z, who.views).value();
  const Threads three(3);
  EXPECT_EQ(sakke::encapsulate(Octets(16, 3), to).value(), messages);
  const auto again = sakke::extract_all(z, who.views).value();
  for (std::size_t i = 0; i < kMany; ++i) EXPECT_TRUE(ct_equal(again[i].expose(), keys[i].expose())) << i;
}

TEST_F(InChunks, OpeningIsTheSameOnThreeThreads) {
  const sakke::MasterSecret z = sakke::make_master_secret(random);
  const sakke::KmsPublicKey kms = sakke::KmsPublicKey::derive(z);
  const sakke::Rsk rsk = sakke::extract(z, who.views[0]).value();
  const std::vector<sakke::Recipient> to(3, {who.views[0], &kms});
  std::vector<Octets> three;
  for (std::uint8_t ssv = 1; ssv <= 3; ++ssv)
    three.push_back(sakke::encapsulate(Octets(16, ssv), std::span(to).first(1)).value().front());
  std::vector<sakke::Sealed> sealed;
  for (std::size_t i = 0; i < kMany; ++i) sealed.push_back({&kms, who.views[0], &rsk, three[i % 3]});
  const Threads scope(3);
  const auto opened = sakke::decapsulate_all(sealed);
  for (std::size_t i = 0; i < kMany; ++i)
    EXPECT_TRUE(ct_equal(opened[i].value().expose(), Octets(16, static_cast<std::uint8_t>(1 + i % 3)))) << i;
}

TEST_F(InChunks, SigningDrawsInOrderOnThreeThreads) {
  const eccsi::Ksak ksak = eccsi::make_ksak(random);
  const eccsi::Kpak kpak = eccsi::Kpak::derive(ksak);
  const auto key = eccsi::UserKey::make(ksak, kpak, who.views[0], random);
  test::SeededRandom first(4), second(4), third(5), fourth(5);
  const auto signatures = eccsi::sign_all(key, kpak, who.views[0], who.views, first).value();
  const auto users = eccsi::UserKey::make_all(ksak, kpak, who.views, third);
  const Threads scope(3);
  EXPECT_EQ(eccsi::sign_all(key, kpak, who.views[0], who.views, second).value(), signatures);
  const auto again = eccsi::UserKey::make_all(ksak, kpak, who.views, fourth);
  for (std::size_t i = 0; i < kMany; ++i) EXPECT_EQ(again[i].pvt(), users[i].pvt()) << i;
}

}  // namespace
}  // namespace regroup::crypto
