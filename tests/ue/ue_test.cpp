// SPDX-License-Identifier: Apache-2.0
// What a client does with key documents (TS 33.179 7.3.1-7.3.4): install, keep, withdraw, revoke,
// acknowledge.
#include "crypto/hash/sha256.hpp"
#include "ue/ue_lab.hpp"

namespace regroup::ue {
namespace {

using test::key_with_id;
using test::kKeyOne;
using test::kKeyTwo;
using test::kMarch;
using test::mkfc_with_id;
using test::sealed;
using test::world;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr std::uint32_t kA = 0x0abcdef1, kB = 0x0abcdef2, kFloor = 0x4abcdef3;

class UeDocument : public test::UeLab {};

Octets damaged(Octets message) {
  message.back() ^= 1;
  return message;
}

TEST_F(UeDocument, APayloadIsInstalledAndAcknowledged) {
  EXPECT_THAT(told(document({sealed(key_with_id(kA))})), ElementsAre("installed 0abcdef1 media"));
  EXPECT_TRUE(holds(kA, kKeyOne));
  EXPECT_THAT(receipts(), ElementsAre("installed 0abcdef1"));
  const RingKey& key = *ue->ring().find(mcx::GmkId{kA});
  EXPECT_EQ(key.group, test::kGroup);
  EXPECT_EQ(key.initiator, test::kAlphaGms);
  EXPECT_EQ(key.guk_id, gktp::guk_id_of(key.material.key, key.material.id, test::id(test::kUser)));
}

TEST_F(UeDocument, TheSameDocumentAgainChangesNothing) {
  const Octets message = sealed(key_with_id(kA));
  document({message});
  deliver_receipts();
  const Received again = document({message});
  EXPECT_THAT(again.events, IsEmpty());
  EXPECT_TRUE(again.writes.empty());
  EXPECT_THAT(receipts(), IsEmpty());
}

TEST_F(UeDocument, AnotherPayloadOfTheSameTimeIsADuplicate) {
  document({sealed(key_with_id(kA))});
  deliver_receipts();
  EXPECT_THAT(told(document({sealed(key_with_id(kA))})), IsEmpty());
  EXPECT_THAT(receipts(), ElementsAre("installed 0abcdef1"));
}

TEST_F(UeDocument, ANewerPayloadUpdatesTheParameters) {
  document({sealed(key_with_id(kA))});
  gktp::KeyMaterial later = key_with_id(kA);
  later.parameters.text = "TG-7 [use=both]";
  EXPECT_THAT(told(document({sealed(later, kMarch.plus(60))})), ElementsAre("updated 0abcdef1 both"));
  EXPECT_EQ(ue->ring().find(mcx::GmkId{kA})->t, kMarch.plus(60));
}

TEST_F(UeDocument, AnOlderPayloadDoesNotTakeParametersBack) {
  document({sealed(key_with_id(kA), kMarch)});
  gktp::KeyMaterial older = key_with_id(kA);
  older.parameters.text = "TG-7 [use=floor]";
  document({sealed(older, kMarch.plus(-60))});
  EXPECT_EQ(ue->ring().find(mcx::GmkId{kA})->use, mcx::KeyUse::media);
}

TEST_F(UeDocument, TheSameIdentifierWithAnotherKeyIsRefusedAndTheOldKeyStays) {
  document({sealed(key_with_id(kA))});
  deliver_receipts();
  const Received other = document({sealed(key_with_id(kA, kKeyTwo), kMarch.plus(60))});
  EXPECT_THAT(told(other), ElementsAre("refused undecryptable"));
  ASSERT_EQ(other.why.size(), 1u);
  EXPECT_EQ(other.why.front().code, Errc::conflict);
  EXPECT_TRUE(holds(kA, kKeyOne));
  EXPECT_THAT(receipts(), ElementsAre("undecryptable"));
}

TEST_F(UeDocument, ARefusedPayloadKeepsTheKeyThatAnOlderOneInstalled) {
  document({sealed(key_with_id(kA))});
  const Received received = document({damaged(sealed(key_with_id(kA), kMarch.plus(60)))});
  EXPECT_THAT(told(received), ElementsAre("refused undecryptable"));
  EXPECT_TRUE(holds(kA, kKeyOne));
  restart();
  EXPECT_TRUE(holds(kA, kKeyOne));
}

TEST_F(UeDocument, AfterARefusalTheNextGoodDocumentDecidesWhatGoes) {
  document({sealed(key_with_id(kA))});
  const Octets successor = sealed(key_with_id(kB, kKeyTwo));
  EXPECT_THAT(told(document({successor, damaged(sealed(key_with_id(kA), kMarch.plus(60)))})),
              ElementsAre("installed 0abcdef2 media", "refused undecryptable"));
  EXPECT_TRUE(holds(kA, kKeyOne));
  restart();
  EXPECT_THAT(told(document({successor})), ElementsAre("withdrawn 0abcdef1 media"));
  EXPECT_TRUE(holds(kB, kKeyTwo));
}

TEST_F(UeDocument, ARefusalInOnePartKeepsNothingInTheOther) {
  document({{sealed(key_with_id(kA)), "", false}, {sealed(mkfc_with_id(kFloor)), "", true}});
  const Received received = document({{damaged(sealed(mkfc_with_id(kFloor), kMarch.plus(9))), "", true}});
  EXPECT_THAT(told(received), ElementsAre("refused undecryptable", "withdrawn 0abcdef1 media"));
  EXPECT_TRUE(holds(kFloor, kKeyTwo));
}

TEST_F(UeDocument, APayloadForSomebodyElseDoesNotKeepAKeyThatIsGone) {
  document({sealed(key_with_id(kA))});
  crypto::SystemRandom random;
  const std::vector<gktp::Receiver> other{
      {test::id("sip:user.002@alpha.example"), &world().alpha.certificate}};
  const Octets foreign =
      gktp::seal(key_with_id(kB), world().sender(), other, kMarch, random).value().front().message;
  const Received received = document({foreign});
  ASSERT_EQ(received.why.size(), 1u);
  EXPECT_EQ(received.why.front().code, Errc::not_for_me);
  EXPECT_EQ(state_of(kA), KeyState::withdrawn);
}

TEST_F(UeDocument, AKeyThatNoDocumentShowsIsWithdrawnAndWiped) {
  const Octets message = sealed(key_with_id(kA));
  document({message});
  deliver_receipts();
  EXPECT_THAT(told(document(std::vector<Payload>{})), ElementsAre("withdrawn 0abcdef1 media"));
  EXPECT_FALSE(
      ct_equal(ue->ring().find(mcx::GmkId{kA})->material.key.expose(), test::material(kKeyOne).key.expose()));
  ASSERT_THAT(receipts(), ElementsAre("withdrawn 0abcdef1"));
  EXPECT_EQ(ue->receipts().front().message, crypto::sha256(OctetsView(message)));
  EXPECT_THAT(ue->documents(), IsEmpty());
}

TEST_F(UeDocument, AWithdrawnKeyDoesNotComeBackByItsOldPayloadOrByANewOne) {
  const Octets message = sealed(key_with_id(kA));
  document({message});
  document(std::vector<Payload>{});
  for (int restarts = 0; restarts < 2; ++restarts, restart()) {
    EXPECT_THAT(told(document({message})), IsEmpty());
    EXPECT_EQ(state_of(kA), KeyState::withdrawn);
    const Received fresh = document({sealed(key_with_id(kA), kMarch.plus(60 + restarts))});
    EXPECT_THAT(told(fresh), IsEmpty());
    ASSERT_EQ(fresh.why.size(), 1u);
    EXPECT_EQ(fresh.why.front().code, Errc::revoked);
    EXPECT_EQ(state_of(kA), KeyState::withdrawn);
    EXPECT_THAT(receipts(), Contains("revoked 0abcdef1"));
  }
}

TEST_F(UeDocument, ARevocationEndsTheKeyForGood) {
  const Octets first = sealed(key_with_id(kA));
  document({first});
  gktp::KeyMaterial revocation = key_with_id(kA);
  revocation.parameters.revoked = true;
  const Octets revoking = sealed(revocation, kMarch.plus(60));
  EXPECT_THAT(told(document({revoking})), ElementsAre("revoked 0abcdef1 media"));
  EXPECT_EQ(state_of(kA), KeyState::revoked);
  restart();
  EXPECT_EQ(state_of(kA), KeyState::revoked);
  document({first});
  document({sealed(key_with_id(kA), kMarch.plus(120))});
  EXPECT_EQ(state_of(kA), KeyState::revoked);
}

TEST_F(UeDocument, ARevocationOfAKeyNeverHeldBarsIt) {
  gktp::KeyMaterial revocation = key_with_id(kA);
  revocation.parameters.revoked = true;
  EXPECT_THAT(told(document({sealed(revocation)})), ElementsAre("revoked 0abcdef1 media"));
  restart();
  document({sealed(key_with_id(kA), kMarch.plus(60))});
  EXPECT_EQ(state_of(kA), KeyState::revoked);
}

TEST_F(UeDocument, AKeyOfAnotherGroupIsRefused) {
  const Received received =
      document({{sealed(key_with_id(kA)), "", false}}, Ue::Part::whole, "sip:other@alpha.example");
  EXPECT_THAT(told(received), ElementsAre("refused undecryptable"));
  EXPECT_FALSE(ue->ring().find(mcx::GmkId{kA}));
}

// A message that was taken before is not verified again, but it is still no key of another group's.
TEST_F(UeDocument, APayloadSeenBeforeIsNoKeyOfAnotherGroup) {
  const Octets message = sealed(key_with_id(kA));
  document({message});
  const Received received = document({{message, "", false}}, Ue::Part::whole, "sip:other@alpha.example");
  EXPECT_THAT(told(received), ElementsAre("refused undecryptable"));
  EXPECT_THAT(told(document(std::vector<Payload>{})), ElementsAre("withdrawn 0abcdef1 media"))
      << "the other group's document does not hold it alive";
}

TEST_F(UeDocument, AKeyOfATemporaryGroupIsForThatGroup) {
  gktp::KeyMaterial key = key_with_id(kA);
  key.parameters.groups = {"sip:tmp-1@alpha.example"};
  document({{sealed(key), "sip:tmp-1@alpha.example", false}});
  EXPECT_EQ(ue->ring().find(mcx::GmkId{kA})->group, "sip:tmp-1@alpha.example");
  ASSERT_EQ(ue->receipts().size(), 1u);
  EXPECT_EQ(ue->receipts().front().group, "sip:tmp-1@alpha.example");
  EXPECT_EQ(ue->receipts().front().document, test::kGroup);
}

TEST_F(UeDocument, OneKeyOfSeveralGroupsServesEach) {
  gktp::KeyMaterial key = key_with_id(kA);
  key.parameters.groups.push_back("sip:second@alpha.example");
  document({sealed(key)});
  document({{sealed(key, kMarch.plus(1)), "", false}}, Ue::Part::whole, "sip:second@alpha.example");
  for (const std::string_view group : {test::kGroup, std::string_view("sip:second@alpha.example")})
    EXPECT_TRUE(ue->ring().for_transmission(group, mcx::KeyUse::media, kMarch).ok()) << group;
  document(std::vector<Payload>{});  // the other document still shows it
  EXPECT_TRUE(holds(kA, kKeyOne));
}

TEST_F(UeDocument, AnIdentityOffTheListKeysNothingHoweverGoodItsSignature) {
  const mcx::KeySet other = world().alpha.issue("sip:gms.other@alpha.example", kMarch);
  const Received received = document({sealed(key_with_id(kA), kMarch, &other)});
  EXPECT_THAT(told(received), ElementsAre("refused not-authorised"));
  EXPECT_FALSE(ue->ring().find(mcx::GmkId{kA}));
  EXPECT_THAT(receipts(), ElementsAre("not-authorised"));
}

TEST_F(UeDocument, AFloorKeyHasItsOwnPartAndNeitherPartWithdrawsTheOther) {
  document({{sealed(key_with_id(kA)), "", false}}, Ue::Part::gmk);
  document({{sealed(mkfc_with_id(kFloor)), "", true}}, Ue::Part::mkfc);
  EXPECT_TRUE(holds(kA, kKeyOne));
  EXPECT_TRUE(holds(kFloor, kKeyTwo));
  EXPECT_EQ(ue->ring().find(mcx::GmkId{kFloor})->use, mcx::KeyUse::floor);
  EXPECT_THAT(told(document(std::vector<Payload>{}, Ue::Part::mkfc)),
              ElementsAre("withdrawn 4abcdef3 floor"));
  EXPECT_TRUE(holds(kA, kKeyOne));
}

TEST_F(UeDocument, AGmkUnderTheFloorPartIsRefused) {
  EXPECT_THAT(told(document({{sealed(key_with_id(kA)), "", true}})), ElementsAre("refused malformed"));
  EXPECT_THAT(told(document({{sealed(mkfc_with_id(kFloor)), "", false}})), ElementsAre("refused malformed"))
      << "nor a floor key under the part of the GMKs";
}

TEST_F(UeDocument, ReceiptsAreStoredBeforeTheyAreGivenOutAndSurviveARestart) {
  const Received received = document({sealed(key_with_id(kA))});
  std::set<std::string> stored;
  for (const Write& write : received.writes)
    if (write.kind == "receipt") stored.insert(write.id);
  ASSERT_EQ(stored.size(), ue->receipts().size());
  restart();
  ASSERT_THAT(receipts(), ElementsAre("installed 0abcdef1"));
  deliver_receipts();
  restart();
  EXPECT_THAT(receipts(), IsEmpty());
}

TEST_F(UeDocument, WhatWasHeldIsHeldAfterARestart) {
  const Octets message = sealed(key_with_id(kA));
  document({message});
  restart();
  EXPECT_TRUE(holds(kA, kKeyOne));
  EXPECT_THAT(ue->documents(), ElementsAre(std::string(test::kGroup)));
  EXPECT_THAT(told(document({message})), IsEmpty());
}

TEST_F(UeDocument, AToleranceThatFiresIsCountedByInitiator) {
  gktp::KeyMaterial key = key_with_id(kA);
  const Octets odd = world().forged(sealed(key), [](mikey::Unsigned& content) { content.hdr.prf = 0; });
  EXPECT_THAT(told(document({odd})), ElementsAre("refused malformed"));
  EXPECT_THAT(ue->tolerated(), IsEmpty());
  settings.tolerances.allow(gktp::Tolerance::accept_prf_other);
  const Received received = document({odd});
  ASSERT_EQ(received.tolerated.size(), 1u);
  EXPECT_EQ(received.tolerated.front().times, 1u);
  EXPECT_THAT(ue->tolerated(),
              ElementsAre(Pair(Pair(std::string(test::kAlphaGms), gktp::Tolerance::accept_prf_other), 1u)));
}

TEST_F(UeDocument, APayloadOfThePeriodBeforeOpensWithTheKeySetOfThatPeriod) {
  const std::int64_t period = world().alpha.certificate.periods.number_at(kMarch);
  const NtpTime next = world().alpha.certificate.periods.start_of(period + 1).plus(3600);
  std::vector<mcx::KeySet> only_new;
  only_new.push_back(world().alpha.issue(test::kUser, next));
  std::vector<mcx::KeySet> both;
  both.push_back(world().alpha.issue(test::kUser, next));
  both.push_back(world().alpha.issue(test::kUser, kMarch));
  clock.set(next);
  key_sets = &only_new;
  restart();
  const Octets message = sealed(key_with_id(kA));
  EXPECT_THAT(told(document({message})), ElementsAre("refused expired"));
  key_sets = &both;
  restart();
  EXPECT_THAT(told(document({message})), ElementsAre("installed 0abcdef1 media"));
}

}  // namespace
}  // namespace regroup::ue
