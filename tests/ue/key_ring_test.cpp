// SPDX-License-Identifier: Apache-2.0
// Which key transmits, which receives (TS 33.179 7.3.1), and what is handed to the media side.
#include "ue/key_ring.hpp"

#include "ue/ue_lab.hpp"

namespace regroup::ue {
namespace {

using test::key_with_id;
using test::kKeyOne;
using test::kKeyTwo;
using test::kMarch;

const std::string kGroup(test::kGroup);

struct Choice {
  std::uint32_t id = 0x00000001;
  std::int64_t activation = kMarch.unix_seconds();
  std::int64_t expiry = 0;
  std::string text = "TG-7 [use=both]";
};

void put(KeyRing& ring, const Choice& choice) {
  RingKey key;
  key.material = key_with_id(choice.id);
  key.material.parameters.activation = choice.activation;
  key.material.parameters.expiry = choice.expiry;
  key.use = mcx::use_of(choice.text);
  key.group = kGroup;
  key.t = kMarch;
  ring.put(std::move(key));
}

// The identifier chosen, or the reason.
std::string transmits(const KeyRing& ring, NtpTime now, mcx::KeyUse use = mcx::KeyUse::media) {
  const auto key = ring.for_transmission(kGroup, use, now);
  return key.ok() ? (*key)->material.id.text() : std::string(name_of(key.error().code));
}
std::string receives(const KeyRing& ring, std::uint32_t id, NtpTime now,
                     mcx::KeyUse use = mcx::KeyUse::media) {
  const auto key = ring.for_reception(kGroup, mcx::GmkId{id}, use, now);
  return key.ok() ? (*key)->material.id.text() : std::string(name_of(key.error().code));
}

TEST(KeyRing, TheLatestActivationThatHasComeTransmits) {
  KeyRing ring;
  put(ring, {.id = 3, .activation = kMarch.unix_seconds() - 100});
  put(ring, {.id = 2, .activation = kMarch.unix_seconds()});
  put(ring, {.id = 1, .activation = kMarch.unix_seconds() + 100});
  EXPECT_EQ(transmits(ring, kMarch.plus(-1)), "00000003");
  EXPECT_EQ(transmits(ring, kMarch), "00000002");
  EXPECT_EQ(transmits(ring, kMarch.plus(99)), "00000002");
  EXPECT_EQ(transmits(ring, kMarch.plus(100)), "00000001");
}

TEST(KeyRing, OfEqualActivationsTheHigherIdentifierTransmits) {
  KeyRing ring;
  put(ring, {.id = 5});
  put(ring, {.id = 9});
  put(ring, {.id = 7});
  EXPECT_EQ(transmits(ring, kMarch), "00000009");
}

TEST(KeyRing, ActivationZeroMeansTheTimeOfTheMessage) {
  KeyRing ring;
  put(ring, {.activation = 0});
  EXPECT_EQ(transmits(ring, kMarch.plus(-1)), "not_yet_valid");
  EXPECT_EQ(transmits(ring, kMarch), "00000001");
}

TEST(KeyRing, AnExpiredKeyTransmitsNoMoreEvenWithoutASuccessor) {
  KeyRing ring;
  put(ring, {.expiry = kMarch.unix_seconds() + 60});
  EXPECT_EQ(transmits(ring, kMarch.plus(59)), "00000001");
  EXPECT_EQ(transmits(ring, kMarch.plus(60)), "expired");
}

TEST(KeyRing, WhenTheNewestExpiresTheOlderOneThatLivesTransmits) {
  KeyRing ring;
  put(ring, {.id = 1, .activation = kMarch.unix_seconds() - 100});
  put(ring, {.id = 2, .expiry = kMarch.unix_seconds() + 60});
  EXPECT_EQ(transmits(ring, kMarch.plus(59)), "00000002");
  EXPECT_EQ(transmits(ring, kMarch.plus(60)), "00000001");
}

TEST(KeyRing, AKeyForTheOtherUseIsNoFallback) {
  KeyRing ring;
  put(ring, {.id = 1, .text = "x [use=media]"});
  EXPECT_EQ(transmits(ring, kMarch, mcx::KeyUse::floor), "unknown_group");
  EXPECT_EQ(receives(ring, 1, kMarch, mcx::KeyUse::floor), "not_authorised");
  put(ring, {.id = 2, .text = "x [use=floor]"});
  EXPECT_EQ(transmits(ring, kMarch, mcx::KeyUse::floor), "00000002");
  EXPECT_EQ(transmits(ring, kMarch, mcx::KeyUse::media), "00000001");
}

TEST(KeyRing, AKeyOfAnotherGroupIsNoFallback) {
  KeyRing ring;
  put(ring, {});
  EXPECT_EQ(ring.for_transmission("sip:other@alpha.example", mcx::KeyUse::media, kMarch).error().code,
            Errc::unknown_group);
  EXPECT_EQ(
      ring.for_reception("sip:other@alpha.example", mcx::GmkId{1}, mcx::KeyUse::media, kMarch).error().code,
      Errc::unknown_group);
}

TEST(KeyRing, AWithdrawnKeyNeitherTransmitsNorReceives) {
  KeyRing ring;
  put(ring, {});
  EXPECT_TRUE(ring.withdraw(mcx::GmkId{1}, KeyState::withdrawn));
  EXPECT_FALSE(ring.withdraw(mcx::GmkId{1}, KeyState::revoked));
  EXPECT_EQ(transmits(ring, kMarch), "revoked");
  EXPECT_EQ(receives(ring, 1, kMarch), "revoked");
}

TEST(KeyRing, ReceptionTakesTheKeyTheMkiNamesAndTriesNoOther) {
  KeyRing ring;
  put(ring, {.id = 1, .activation = kMarch.unix_seconds() - 100});
  put(ring, {.id = 2});
  EXPECT_EQ(receives(ring, 1, kMarch), "00000001");
  EXPECT_EQ(receives(ring, 2, kMarch), "00000002");
  EXPECT_EQ(receives(ring, 3, kMarch), "unknown_group");
}

TEST(KeyRing, ReceptionGrantsAMinuteBeforeActivationAndHalfAMinuteAfterExpiry) {
  KeyRing ring;
  put(ring, {.expiry = kMarch.unix_seconds() + 1000});
  EXPECT_EQ(receives(ring, 1, kMarch.plus(-61)), "not_yet_valid");
  EXPECT_EQ(receives(ring, 1, kMarch.plus(-60)), "00000001");
  EXPECT_EQ(receives(ring, 1, kMarch.plus(1029)), "00000001");
  EXPECT_EQ(receives(ring, 1, kMarch.plus(1030)), "expired");
}

// The sender derives under its own GUK-ID; a receiver who knows that GUK-ID derives the same (RFC
// 3830 4.1.3).
TEST(KeyRing, TheMediaSideGetsTheKeysOfTheSenderItNames) {
  KeyRing ring;
  put(ring, {});
  const RingKey& key = *ring.find(mcx::GmkId{1});
  const mcx::GukId sender = gktp::guk_id_of(key.material.key, key.material.id, test::id(test::kUser));
  const mcx::SrtpKeys derived = srtp_keys_of(key, sender);
  const mcx::SrtpKeys expected =
      mcx::srtp_keys(test::material().key.expose(), 4, sender.value, test::material().rand);
  EXPECT_TRUE(ct_equal(derived.key.expose(), expected.key.expose()));
  EXPECT_TRUE(ct_equal(derived.salt.expose(), expected.salt.expose()));
  const mcx::SrtpKeys of_another = srtp_keys_of(key, mcx::GukId{sender.value ^ 1});
  EXPECT_FALSE(ct_equal(of_another.key.expose(), expected.key.expose()));
}

TEST(KeyRing, TheMediaSideUsesTheCryptoSessionOfTheMessage) {
  KeyRing ring;
  RingKey key;
  key.material = key_with_id(1);
  key.material.policy.cs_ids = {5};
  key.group = kGroup;
  const mcx::SrtpKeys derived = srtp_keys_of(key, mcx::GukId{7});
  const mcx::SrtpKeys five = mcx::srtp_keys(key.material.key.expose(), 5, 7, key.material.rand);
  EXPECT_TRUE(ct_equal(derived.key.expose(), five.key.expose()));
}

}  // namespace
}  // namespace regroup::ue
