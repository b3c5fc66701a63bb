// SPDX-License-Identifier: Apache-2.0
#include "gktp/seal.hpp"

#include "gktp/world.hpp"
#include "mcx/guk_id.hpp"

namespace regroup::gktp {
namespace {

using test::id;
using test::kMarch;
using test::material;
using test::open_message;
using test::world;

TEST(Seal, WhatItMakesEveryReceiverOpensToTheSameKeyAndAPersonalGukId) {
  const test::World& w = world();
  std::vector<mcx::KeySet> others;
  others.push_back(w.alpha.issue("sip:user.002@alpha.example", w.now));
  const std::vector<Receiver> to{{id(test::kUser), &w.alpha.certificate},
                                 {id("sip:user.002@alpha.example"), &w.alpha.certificate},
                                 {id(test::kBetaGms), &w.beta.certificate}};
  crypto::SystemRandom random;
  const auto sealed = seal(material(), w.sender(), to, w.now, random).value();
  ASSERT_EQ(sealed.size(), 3U);
  const std::vector<Reception> receptions{w.user(), w.reception(others), w.reception(w.partner_keys)};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto opened = open_message(sealed[i].message, receptions[i]);
    ASSERT_TRUE(opened.ok()) << opened.error().text();
    const KeyMaterial expected = material();
    EXPECT_TRUE(ct_equal(opened->material.key.expose(), expected.key.expose()));
    EXPECT_EQ(opened->material.id, expected.id);
    EXPECT_EQ(opened->material.rand, expected.rand);
    EXPECT_EQ(opened->material.parameters, expected.parameters);
    EXPECT_EQ(opened->guk_id, sealed[i].guk_id);
    EXPECT_EQ(opened->guk_id, guk_id_of(expected.key, expected.id, to[i].identity));
    EXPECT_EQ(opened->responder, to[i].identity);
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(sealed[j].guk_id, sealed[i].guk_id);
  }
}

TEST(Seal, EveryMessageOfABatchOfFiftyOpensForItsReceiverAlone) {
  const test::World& w = world();
  std::vector<std::vector<mcx::KeySet>> keys(50);
  std::vector<Receiver> to;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const test::LabKms& kms = i % 3 == 2 ? w.beta : w.alpha;
    const std::string who =
        "sip:user." + std::to_string(i) + (i % 3 == 2 ? "@beta.example" : "@alpha.example");
    keys[i].push_back(kms.issue(who, w.now));
    to.push_back({id(who), &kms.certificate});
  }
  crypto::SystemRandom random;
  const auto sealed = seal(material(), w.sender(), to, w.now, random).value();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    EXPECT_TRUE(open_message(sealed[i].message, w.reception(keys[i])).ok()) << i;
    EXPECT_EQ(verify(sealed[i].message, w.reception(keys[(i + 1) % 50])).error().code, Errc::not_for_me) << i;
  }
}

TEST(Seal, ComesBackWholeForRandomMaterialOverTwoDomains) {
  const std::uint64_t seed = 20260302;
  RecordProperty("seed", static_cast<int>(seed));
  test::SeededRandom random(seed);
  const test::World& w = world();
  const auto number = [&](std::uint32_t below) { return load_be32(random.octets<4>()) % below; };
  for (int round = 0; round < 40; ++round) {
    KeyMaterial key;
    random.fill(key.key.expose_mutable());
    key.id = mcx::GmkId{load_be32(random.octets<4>()) & 0x0fffffff};
    key.rand.resize(16 + number(49));
    random.fill(key.rand);
    key.parameters.revoked = number(4) == 0;
    key.parameters.security_gateway = number(2) == 0;
    key.parameters.activation = number(2) ? 0 : w.now.unix_seconds() + number(86400);
    key.parameters.expiry = number(2) ? 0 : w.now.unix_seconds() + 86401 + number(1000000);
    key.parameters.text = std::string(number(300), 'x');
    key.parameters.groups = {std::string(test::kGroup)};
    for (std::uint32_t more = number(4); more > 0; --more)
      key.parameters.groups.push_back("sip:g" + std::to_string(more) + "@alpha.example");
    if (number(3) == 0) key.policy = {SecurityPolicy::Form::empty_map, {}, {}};
    if (key.policy.form == SecurityPolicy::Form::explicit_policy) {
      key.policy.sp_parameters = mikey::Sp::group_default().parameter_octets();
      if (number(2)) key.policy.cs_ids = {4, 5};
    }
    const SealOptions hidden{number(2) == 0, number(2) == 0};
    const bool to_partner = number(2) == 0;
    const std::vector<Receiver> to{{id(to_partner ? test::kBetaGms : test::kUser),
                                    to_partner ? &w.beta.certificate : &w.alpha.certificate}};
    const auto sealed = seal(key, w.sender(), to, w.now, random, hidden);
    ASSERT_TRUE(sealed.ok()) << "seed " << seed << " round " << round << ' ' << sealed.error().text();
    const auto opened =
        open_message(sealed->front().message, to_partner ? w.reception(w.partner_keys) : w.user());
    ASSERT_TRUE(opened.ok()) << "seed " << seed << " round " << round << ' ' << opened.error().text();
    EXPECT_TRUE(ct_equal(opened->material.key.expose(), key.key.expose()));
    EXPECT_EQ(opened->material.id, key.id);
    EXPECT_EQ(opened->material.rand, key.rand);
    EXPECT_EQ(opened->material.parameters, key.parameters);
    EXPECT_EQ(opened->material.policy, key.policy);
    EXPECT_EQ(opened->initiator, id(test::kAlphaGms));
  }
}

TEST(Seal, WorksInTheFirstAndTheLastSecondOfAPeriodAndAfter2036) {
  const mcx::KeyPeriods periods = test::alpha().certificate.periods;
  const std::int64_t march = periods.number_at(kMarch);
  const NtpTime instants[] = {periods.start_of(march),
                              {periods.start_of(march + 1).seconds - 1, 0xffffffff},
                              NtpTime{0xffffffff, 5},
                              NtpTime{0x100000000, 0},
                              NtpTime{0x100000000 + 40000000, 7}};
  for (const NtpTime at : instants) {
    const test::World w(at);
    KeyMaterial key = material();
    key.parameters.activation = 0;
    const auto opened = open_message(w.message(key), w.user());
    ASSERT_TRUE(opened.ok()) << opened.error().text();
    EXPECT_EQ(opened->time, at);
  }
}

TEST(Seal, AMessageOfTheLastSecondOpensInTheNextPeriodWithTheOldKeys) {
  const mcx::KeyPeriods periods = test::alpha().certificate.periods;
  const NtpTime end{periods.start_of(periods.number_at(kMarch) + 1).seconds - 1, 0};
  test::World w(end);
  const Octets message = w.message();
  w.now = end.plus(10);
  EXPECT_TRUE(open_message(message, w.user()).ok());
  w.user_keys.clear();
  w.user_keys.push_back(w.alpha.issue(test::kUser, w.now));
  EXPECT_EQ(verify(message, w.user()).error().code, Errc::expired);
}

TEST(Seal, APartnerHandsOnTheSameKeyIdentifierRandAndParameters) {
  const test::World& w = world();
  crypto::SystemRandom random;
  const std::vector<Receiver> to_partner{{id(test::kBetaGms), &w.beta.certificate}};
  const auto first = seal(material(), w.sender(), to_partner, w.now, random).value();
  const auto at_partner = open_message(first.front().message, w.reception(w.partner_keys)).value();

  std::vector<mcx::KeySet> member;
  member.push_back(w.beta.issue("sip:user.101@beta.example", w.now));
  const std::vector<Receiver> to_member{{member.front().identity(), &w.beta.certificate}};
  const auto second =
      seal(at_partner.material, Sender{w.beta.certificate, w.partner}, to_member, w.now, random).value();
  Reception reception = w.reception(member);
  reception.authorised_initiators = {id(test::kBetaGms)};
  const auto at_member = open_message(second.front().message, reception);
  ASSERT_TRUE(at_member.ok()) << at_member.error().text();
  const KeyMaterial original = material();
  EXPECT_TRUE(ct_equal(at_member->material.key.expose(), original.key.expose()));
  EXPECT_EQ(at_member->material.id, original.id);
  EXPECT_EQ(at_member->material.rand, original.rand);
  EXPECT_EQ(at_member->material.parameters, original.parameters);
  EXPECT_EQ(at_member->material.policy, at_partner.material.policy);
  EXPECT_NE(at_member->guk_id, at_partner.guk_id);
  EXPECT_EQ(at_member->initiator, id(test::kBetaGms));
}

TEST(Seal, AnMkfcIsNotDiversifiedAndGoesWithTheEmptyMap) {
  const test::World& w = world();
  KeyMaterial key = material();
  key.id = mcx::GmkId{0x4abcdef1};
  key.parameters.key_type = mcx::Purpose::mkfc;
  const Octets message = w.message(key);
  const auto parsed = mikey::parse(message).value();
  EXPECT_EQ(parsed.hdr.csb_id, key.id.value);
  EXPECT_EQ(parsed.hdr.map.type, mikey::MapType::empty);
  EXPECT_TRUE(parsed.policies.empty());
  EXPECT_EQ(verify(message, w.user()).error().code, Errc::unsupported);
  Reception reception = w.user();
  reception.expected = {mcx::Purpose::mkfc};
  const auto opened = open_message(message, reception);
  ASSERT_TRUE(opened.ok()) << opened.error().text();
  EXPECT_EQ(opened->material.id, key.id);
  EXPECT_EQ(opened->guk_id.value, key.id.value);
  EXPECT_EQ(opened->material.parameters.key_type, mcx::Purpose::mkfc);
  EXPECT_EQ(verify(w.message(), reception).error().code, Errc::unsupported);
}

TEST(Seal, EveryMessageHasItsOwnIvAndSignature) {
  const test::World& w = world();
  const Octets one = w.message(), two = w.message();
  EXPECT_NE(one, two);
  EXPECT_NE(hex(mikey::parse(one)->sign.r), hex(mikey::parse(two)->sign.r));
  EXPECT_NE(mikey::parse(one)->extensions.front().data, mikey::parse(two)->extensions.front().data);
}

class SealRefuses : public testing::Test {
 protected:
  Errc refusal(const KeyMaterial& key) { return refusal(key, world().sender(), world().now); }
  Errc refusal(const KeyMaterial& key, const Sender& sender, NtpTime time) {
    crypto::SystemRandom random;
    const auto sealed = seal(key, sender, to_, time, random);
    return sealed.ok() ? Errc::internal : sealed.error().code;
  }
  std::vector<Receiver> to_{{id(test::kUser), &world().alpha.certificate}};
};

TEST_F(SealRefuses, KeySetsOfAnotherPeriodOrDomain) {
  const test::World& w = world();
  const NtpTime next = w.alpha.certificate.periods.start_of(w.gms.period_no() + 1);
  EXPECT_EQ(refusal(material(), w.sender(), next), Errc::expired);
  EXPECT_EQ(refusal(material(), Sender{w.beta.certificate, w.gms}, w.now), Errc::expired);
}

TEST_F(SealRefuses, KeysThatAreNotAGmkOrAnMkfcOfSixteenOctets) {
  KeyMaterial key = material();
  key.id = mcx::GmkId{0x1abcdef1};
  EXPECT_EQ(refusal(key), Errc::usage);
  key.id = mcx::GmkId{0x9abcdef1};
  EXPECT_EQ(refusal(key), Errc::unsupported);
  key.id = mcx::GmkId{0x4abcdef1};
  EXPECT_EQ(refusal(key), Errc::usage) << "tag of an MKFC, key type of a GMK";
  key = material(std::string(64, 'a'));
  EXPECT_EQ(refusal(key), Errc::usage);
}

TEST_F(SealRefuses, FieldsThatNoReceiverWouldTake) {
  const auto with = [&](const std::function<void(KeyMaterial&)>& change) {
    KeyMaterial key = material();
    change(key);
    return refusal(key);
  };
  EXPECT_EQ(with([](KeyMaterial& k) { k.rand.resize(15); }), Errc::usage);
  EXPECT_EQ(with([](KeyMaterial& k) { k.rand.resize(65); }), Errc::usage);
  EXPECT_EQ(with([](KeyMaterial& k) { k.parameters.activation = 3973622400; }), Errc::usage);
  EXPECT_EQ(with([](KeyMaterial& k) { k.parameters.expiry = -1; }), Errc::usage);
  EXPECT_EQ(with([](KeyMaterial& k) { k.parameters.groups.assign(256, "sip:g@alpha.example"); }),
            Errc::usage);
  EXPECT_EQ(with([](KeyMaterial& k) { k.parameters.groups = {"a group"}; }), Errc::malformed);
  EXPECT_EQ(with([](KeyMaterial& k) { k.parameters.text.assign(1025, 'x'); }), Errc::usage);
  EXPECT_EQ(with([](KeyMaterial& k) { k.policy.cs_ids.clear(); }), Errc::usage);
  EXPECT_EQ(with([](KeyMaterial& k) { k.policy.cs_ids = {4, 4}; }), Errc::usage);
  EXPECT_EQ(with([](KeyMaterial& k) { k.policy.sp_parameters = {0, 9}; }), Errc::malformed);
}

TEST_F(SealRefuses, AnOwnKmsThatIsRevoked) {
  mcx::KmsCertificate gone = world().alpha.certificate;
  gone.revoked = true;
  EXPECT_EQ(refusal(material(), Sender{gone, world().gms}, world().now), Errc::revoked);
}

TEST_F(SealRefuses, WhatAReceiverCouldNotParseOrVerify) {
  KeyMaterial large = material();
  large.parameters.groups.assign(255, "sip:" + std::string(80, 'g') + "@alpha.example");
  EXPECT_EQ(refusal(large), Errc::limit);
  mcx::KmsCertificate another_kpak = world().alpha.certificate;
  another_kpak.kpak = world().beta.certificate.kpak;
  EXPECT_EQ(refusal(material(), Sender{another_kpak, world().gms}, world().now), Errc::bad_signature);
}

TEST_F(SealRefuses, ReceiversOfARevokedOrUnknownKmsAndThenNothingIsMade) {
  mcx::KmsCertificate gone = world().beta.certificate;
  gone.revoked = true;
  to_.push_back({id(test::kBetaGms), &gone});
  EXPECT_EQ(refusal(material()), Errc::revoked);
  to_.back().certificate = nullptr;
  EXPECT_EQ(refusal(material()), Errc::unknown_kms);
}

}  // namespace
}  // namespace regroup::gktp
