// SPDX-License-Identifier: Apache-2.0
// Steps 1-7 of the check order, each violated alone. What verify() refuses has not been decapsulated: only a
// Verified can be opened (tests/must_not_compile).
#include "crypto/hash/sha256.hpp"
#include "gktp/world.hpp"

namespace regroup::gktp {
namespace {

using mikey::Unsigned;
using test::id;
using test::open_message;
using test::world;
using testing::HasSubstr;

Error refusal(const Octets& message, const Reception& with) {
  const auto verified = verify(message, with);
  if (verified.ok()) return fail(Errc::internal, "", "it was verified");
  return verified.error();
}
Error refusal(const std::function<void(Unsigned&)>& change) {
  return refusal(world().forged(change), world().user());
}

#define EXPECT_REFUSED(expression, expected_code, reason)       \
  do {                                                          \
    const Error refused_ = (expression);                        \
    EXPECT_EQ(refused_.code, expected_code) << refused_.text(); \
    EXPECT_THAT(refused_.detail, HasSubstr(reason));            \
    EXPECT_FALSE(refused_.clause.empty());                      \
  } while (false)

TEST(Verify, AForgedMessageWithoutAChangeIsGood) {
  const auto opened = open_message(world().forged([](Unsigned&) {}), world().user());
  EXPECT_TRUE(opened.ok());
}

TEST(Verify, RefusesTruncatedAndExtendedMessages) {
  Octets message = world().message();
  message.push_back(0);
  EXPECT_EQ(refusal(message, world().user()).code, Errc::malformed);
  message.resize(message.size() - 2);
  EXPECT_EQ(refusal(message, world().user()).code, Errc::malformed);
  EXPECT_EQ(refusal({}, world().user()).code, Errc::malformed);
}

TEST(Verify, RefusesEverySingleChangedOctet) {
  const Octets good = world().message();
  const Reception user = world().user();
  ASSERT_TRUE(open_message(good, user).ok());
  for (std::size_t i = 0; i < good.size(); ++i) {
    Octets bad = good;
    bad[i] ^= static_cast<std::uint8_t>(1U << (i % 8));
    ASSERT_FALSE(verify(bad, user).ok()) << "octet " << i;
  }
}

TEST(Verify, Step2RefusesAnotherPrf) {
  for (const auto prf : std::initializer_list<std::uint8_t>{0, 2, 3, 127})
    EXPECT_REFUSED(refusal([&](Unsigned& m) { m.hdr.prf = prf; }), Errc::unsupported, "PRF func");
}

TEST(Verify, Step2RefusesAPurposeTheProcedureDoesNotExpect) {
  EXPECT_REFUSED(refusal([](Unsigned& m) { m.hdr.csb_id |= 0x20000000; }), Errc::unsupported, "CSK");
  EXPECT_REFUSED(refusal([](Unsigned& m) { m.hdr.csb_id |= 0x70000000; }), Errc::unsupported, "not assigned");
}

void set_parameter(Unsigned& m, mikey::SpType type, std::uint8_t value) {
  for (mikey::SpParameter& parameter : m.policies.front().parameters)
    if (parameter.type == static_cast<std::uint8_t>(type)) parameter.value = {value};
}

TEST(Verify, Step2RefusesAPolicyThatIsNoneWeKey) {
  using mikey::SpType;
  const auto with = [](SpType type, std::uint8_t value) {
    return refusal([=](Unsigned& m) { set_parameter(m, type, value); });
  };
  EXPECT_REFUSED(with(SpType::encryption_algorithm, 0), Errc::unsupported, "SP parameter 0");
  EXPECT_REFUSED(with(SpType::encryption_algorithm, 7), Errc::unsupported, "SP parameter 0");
  EXPECT_REFUSED(with(SpType::session_encryption_key_length, 32), Errc::unsupported, "SP parameter 1");
  EXPECT_REFUSED(with(SpType::authentication_algorithm, 5), Errc::unsupported, "SP parameter 2");
}

TEST(Verify, Step2LetsAesCmThroughForTheMediaSideToRefuse) {
  const Octets message =
      world().forged([](Unsigned& m) { set_parameter(m, mikey::SpType::encryption_algorithm, 1); });
  const auto opened = open_message(message, world().user());
  ASSERT_TRUE(opened.ok()) << opened.error().text();
  EXPECT_EQ(mikey::Sp::from_parameter_octets(opened->material.policy.sp_parameters)
                ->number(mikey::SpType::encryption_algorithm),
            1U);
}

TEST(Verify, Step2RefusesSessionsUnderDifferentPolicies) {
  EXPECT_REFUSED(refusal([](Unsigned& m) {
                   m.policies.push_back(mikey::Sp::group_default(1));
                   m.policies.back().parameters.pop_back();
                   m.hdr.map.generic.push_back(m.hdr.map.generic.front());
                   m.hdr.map.generic.back().cs_id = 5;
                   m.hdr.map.generic.back().policies = {1};
                 }),
                 Errc::unsupported, "another policy");
}

TEST(Verify, Step3TakesTUpToTheSkewAheadAndRefusesItBeyond) {
  const Octets message = world().message();
  Reception user = world().user();
  user.now = world().now.plus(-300);
  EXPECT_TRUE(verify(message, user).ok());
  user.now = world().now.plus(-301);
  EXPECT_REFUSED(refusal(message, user), Errc::not_yet_valid, "2026-03-02T09:30:00Z");
}

TEST(Verify, Step3TakesTOfThePreviousPeriodAndRefusesOlderOnes) {
  const Octets message = world().message();
  const mcx::KeyPeriods& periods = world().alpha.certificate.periods;
  Reception user = world().user();
  user.now = periods.start_of(periods.number_at(world().now) + 2).plus(-1);
  EXPECT_TRUE(verify(message, user).ok());
  user.now = user.now.plus(1);
  EXPECT_REFUSED(refusal(message, user), Errc::expired, "key period 1536");
  user.max_age_periods = 2;
  EXPECT_TRUE(verify(message, user).ok());
}

TEST(Verify, Step4RefusesAMessageForSomebodyElseAndShowsBothIdentities) {
  const Error error = refusal([](Unsigned& m) {
    m.responder = mikey::Idr::uri(mikey::Role::responder, "sip:User.001@alpha.example");
  });
  EXPECT_REFUSED(error, Errc::not_for_me, "'sip:User.001@alpha.example'");
  EXPECT_THAT(error.detail, HasSubstr("'sip:user.001@alpha.example'"));
}

TEST(Verify, Step4RefusesAHiddenResponderThatIsSomebodyElse) {
  const mcx::KmsCertificate& kms = world().alpha.certificate;
  const mcx::Uid other = kms.uid_at(id("sip:user.002@alpha.example"), world().now);
  const mcx::Uid own_before = kms.uid_of(id(test::kUser), world().user_keys.front().period_no() - 1);
  for (const mcx::Uid& uid : {other, own_before}) {
    const Error error =
        refusal([&](Unsigned& m) { m.responder = mikey::Idr::uid(mikey::Role::responder_uid, uid); });
    EXPECT_REFUSED(error, Errc::not_for_me, hex(uid));
    EXPECT_THAT(error.detail, HasSubstr(hex(world().user_keys.front().uid())));
  }
}

TEST(Verify, Step4RefusesAnotherKmsOfTheResponder) {
  const Error error = refusal(
      [](Unsigned& m) { m.responder_kms = mikey::Idr::uri(mikey::Role::responder_kms, "kms.beta.example"); });
  EXPECT_REFUSED(error, Errc::not_for_me, "'kms.beta.example'");
  EXPECT_THAT(error.detail, HasSubstr("'kms.alpha.example'"));
}

TEST(Verify, Step4RefusesAPeriodWithoutKeysAndNamesThoseHeld) {
  std::vector<mcx::KeySet> wrong;
  wrong.push_back(world().alpha.issue(test::kUser, world().user_keys.front().period_no() - 1));
  EXPECT_REFUSED(refusal(world().message(), world().reception(wrong)), Errc::expired,
                 "1535 of kms.alpha.example");
}

TEST(Verify, Step4RefusesAKmsOfTheInitiatorWithoutACertificate) {
  EXPECT_REFUSED(refusal([](Unsigned& m) {
                   m.initiator_kms = mikey::Idr::uri(mikey::Role::initiator_kms, "kms.gamma.example");
                 }),
                 Errc::unknown_kms, "'kms.gamma.example'");
}

TEST(Verify, Step4RefusesWithoutTheCertificateOfTheOwnKms) {
  const mcx::Domains none;
  Reception user{id(test::kUser), world().alpha.certificate.kms_uri, none, world().user_keys};
  EXPECT_REFUSED(refusal(world().message(), user), Errc::unknown_kms, "own KMS");
}

// A message of beta's GMS, a minute old; the user holds the two certificates so changed.
Error refusal_under(const std::function<void(mcx::KmsCertificate& own, mcx::KmsCertificate& other)>& change) {
  const test::World& w = world();
  crypto::SystemRandom random;
  const std::vector<Receiver> to{{id(test::kUser), &w.alpha.certificate}};
  const Octets message = seal(test::material(), Sender{w.beta.certificate, w.partner}, to, w.now, random)
                             .value()
                             .front()
                             .message;
  mcx::KmsCertificate alpha = w.alpha.certificate, beta = w.beta.certificate;
  change(alpha, beta);
  mcx::Domains domains;
  EXPECT_TRUE(domains.add(alpha).ok() && domains.add(beta).ok());
  Reception user{id(test::kUser), w.alpha.certificate.kms_uri, domains, w.user_keys};
  user.authorised_initiators = {id(test::kBetaGms)};
  user.now = w.now.plus(60);
  return refusal(message, user);
}

TEST(Verify, Step4RefusesRevokedAndExpiredCertificatesOfTheInitiatorsKms) {
  using Certificate = mcx::KmsCertificate;
  const NtpTime t = world().now;
  EXPECT_EQ(refusal_under([](Certificate&, Certificate&) {}).detail, "it was verified");
  EXPECT_REFUSED(refusal_under([](Certificate&, Certificate& c) { c.revoked = true; }), Errc::revoked,
                 "kms.beta.example");
  EXPECT_REFUSED(refusal_under([&](Certificate&, Certificate& c) { c.valid_to = t.plus(-1); }), Errc::expired,
                 "kms.beta.example");
  EXPECT_REFUSED(refusal_under([&](Certificate&, Certificate& c) { c.valid_from = t.plus(1); }),
                 Errc::not_yet_valid, "kms.beta.example");
  EXPECT_EQ(refusal_under([&](Certificate&, Certificate& c) { c.valid_to = t; }).detail, "it was verified")
      << "T decides, not the clock";
}

TEST(Verify, Step4RefusesARevokedOrExpiredCertificateOfTheOwnKms) {
  using Certificate = mcx::KmsCertificate;
  EXPECT_REFUSED(refusal_under([](Certificate& c, Certificate&) { c.revoked = true; }), Errc::revoked,
                 "kms.alpha.example");
  EXPECT_REFUSED(refusal_under([](Certificate& c, Certificate&) { c.valid_to = world().now.plus(-1); }),
                 Errc::expired, "kms.alpha.example");
}

TEST(Verify, Step4RefusesAnIdentityThatIsNotOnTheListHoweverItSigns) {
  Reception user = world().user();
  user.authorised_initiators = {id("sip:other.gms@alpha.example"), id("sip:GMS.group@alpha.example")};
  EXPECT_REFUSED(refusal(world().message(), user), Errc::not_authorised, "'sip:gms.group@alpha.example'");
  user.require_authorised_initiator = false;
  EXPECT_TRUE(verify(world().message(), user).ok());
}

// A KMS can issue keys for any text: without PR-37 the KMS of beta could speak as the GMS of alpha.
TEST(Verify, Step4RefusesAnInitiatorWhoseDomainAnotherKmsServes) {
  const test::World& w = world();
  const mcx::KeySet impostor = w.beta.issue(test::kAlphaGms, w.now);
  const std::vector<Receiver> to{{id(test::kUser), &w.alpha.certificate}};
  crypto::SystemRandom random;
  for (const bool hidden : {false, true}) {
    SealOptions options;
    options.hide_initiator = hidden;
    const Octets message =
        seal(test::material(), Sender{w.beta.certificate, impostor}, to, w.now, random, options)
            .value()
            .front()
            .message;
    EXPECT_REFUSED(refusal(message, w.user()), hidden ? Errc::bad_signature : Errc::not_authorised,
                   "is served by 'kms.alpha.example'");
    Reception lab = w.user();
    lab.require_authorised_initiator = false;
    EXPECT_FALSE(verify(message, lab).ok());
  }
}

TEST(Verify, Step4RefusesKmssByRole3AndAKmsUriWithANul) {
  EXPECT_REFUSED(refusal([](Unsigned& m) { m.initiator_kms.role = m.responder_kms.role = mikey::Role::kms; }),
                 Errc::malformed, "role 3");
  EXPECT_REFUSED(refusal([](Unsigned& m) { m.responder_kms.data.push_back(0); }), Errc::malformed, "IDRkmsr");
  EXPECT_REFUSED(refusal([](Unsigned& m) { m.initiator_kms.data.push_back(0); }), Errc::malformed, "IDRkmsi");
  EXPECT_REFUSED(refusal([](Unsigned& m) { m.initiator.data.push_back(0); }), Errc::malformed, "IDRi");
}

TEST(Verify, Step5RefusesIdScheme1AndKeysOf32Octets) {
  EXPECT_REFUSED(refusal([](Unsigned& m) { m.sakke.id_scheme = 1; }), Errc::unsupported, "ID scheme is 1");
  EXPECT_REFUSED(refusal([](Unsigned& m) { m.sakke.id_scheme = 3; }), Errc::unsupported, "ID scheme is 3");
  EXPECT_REFUSED(refusal([](Unsigned& m) { m.sakke.h.resize(32); }), Errc::unsupported, "289");
}

TEST(Verify, Step6RefusesTheSignatureOfAnybodyElse) {
  const test::World& w = world();
  const Octets message =
      w.signed_by(w.alpha.issue("sip:user.002@alpha.example", w.now), mikey::parse(w.message()).value());
  const Error error = refusal(message, w.user());
  EXPECT_REFUSED(error, Errc::bad_signature,
                 "'sip:gms.group@alpha.example' of KMS 'kms.alpha.example', period 1536");
  EXPECT_THAT(error.detail, HasSubstr(hex(w.gms.uid())));
  EXPECT_EQ(mikey::error_code(error), 0);
}

TEST(Verify, Step6RefusesASignatureMadeWithTheKeysOfAnotherPeriod) {
  const test::World& w = world();
  const mcx::KeySet old = w.alpha.issue(test::kAlphaGms, w.gms.period_no() - 1);
  EXPECT_EQ(refusal(w.signed_by(old, mikey::parse(w.message()).value()), w.user()).code, Errc::bad_signature);
}

class HiddenInitiator : public testing::Test {
 protected:
  HiddenInitiator() {
    SealOptions options;
    options.hide_initiator = true;
    message_ = world().message(test::material(), options);
  }
  Octets message_;
  Reception user_ = world().user();
};

TEST_F(HiddenInitiator, IsResolvedByTheListOfAuthorisedIdentities) {
  const auto verified = verify(message_, user_);
  ASSERT_TRUE(verified.ok()) << verified.error().text();
  EXPECT_EQ(verified->initiator(), id(test::kAlphaGms));
  EXPECT_EQ(verified->initiator_uid(), world().gms.uid());
}

TEST_F(HiddenInitiator, ThatIsNoneOfThemIsRefusedLikeABadSignature) {
  user_.authorised_initiators = {id("sip:other.gms@alpha.example")};
  const Error error = refusal(message_, user_);
  EXPECT_REFUSED(error, Errc::bad_signature, hex(world().gms.uid()));
  EXPECT_THAT(error.detail, HasSubstr("'sip:other.gms@alpha.example'"));
  user_.initiator_candidates = {id(test::kAlphaGms)};
  EXPECT_REFUSED(refusal(message_, user_), Errc::bad_signature, "not on the list");
}

TEST_F(HiddenInitiator, MayStayUnresolvedInALabTool) {
  user_.authorised_initiators.clear();
  user_.require_authorised_initiator = false;
  const auto opened = open_message(message_, user_);
  ASSERT_TRUE(opened.ok()) << opened.error().text();
  EXPECT_FALSE(opened->initiator.has_value());
  user_.initiator_candidates = {id("sip:other.gms@alpha.example"), id(test::kAlphaGms)};
  EXPECT_EQ(open_message(message_, user_)->initiator, id(test::kAlphaGms));
}

TEST_F(HiddenInitiator, CannotPutAUidInThatDidNotSign) {
  const mcx::KeySet other = world().alpha.issue("sip:user.002@alpha.example", world().now);
  EXPECT_EQ(refusal(world().signed_by(other, mikey::parse(message_).value()), user_).code,
            Errc::bad_signature);
}

class OneSeen final : public ReplayCache {
 public:
  explicit OneSeen(const Fixed<32>& hash) : hash_(hash) {}
  std::optional<std::string> find(const Fixed<32>& hash) const override {
    if (hash == hash_) return "installed";
    return std::nullopt;
  }

 private:
  Fixed<32> hash_;
};

TEST(Verify, Step7RefusesAMessageSeenBeforeAndTellsWhatCameOfIt) {
  const Octets message = world().message();
  const OneSeen cache(crypto::sha256(OctetsView(message)));
  const auto again = verify(message, world().user(), &cache);
  ASSERT_FALSE(again.ok());
  EXPECT_REFUSED(again.error(), Errc::replayed, "installed");
  EXPECT_EQ(verify(message, world().user())->hash(), crypto::sha256(OctetsView(message)));
  EXPECT_TRUE(verify(world().message(), world().user(), &cache).ok());
}

// Only a good signature is looked up: nobody learns from the cache what was seen.
TEST(Verify, TheReplayCacheIsAskedAfterTheSignature) {
  Octets message = world().message();
  message.back() ^= 1;
  const OneSeen cache(crypto::sha256(OctetsView(message)));
  EXPECT_EQ(verify(message, world().user(), &cache).error().code, Errc::bad_signature);
}

TEST(Outward, EveryRefusalFromTheSignatureOnIsOneToken) {
  for (const Errc code :
       {Errc::bad_signature, Errc::undecryptable, Errc::replayed, Errc::conflict, Errc::internal})
    EXPECT_EQ(outward(fail(code, "", "secret detail")), "undecryptable");
  EXPECT_EQ(outward(fail(Errc::unsupported, "", "")), "malformed");
  EXPECT_EQ(outward(fail(Errc::not_for_me, "", "")), "not-authorised");
  EXPECT_EQ(outward(fail(Errc::unknown_kms, "", "")), "unknown-kms");
  EXPECT_EQ(outward(fail(Errc::not_yet_valid, "", "")), "expired");
}

}  // namespace
}  // namespace regroup::gktp
