// SPDX-License-Identifier: Apache-2.0
#include "mcx/domain.hpp"

#include "mcx/lab_domain.hpp"

namespace regroup::mcx {
namespace {

using test::id;
using test::kMarch;
using test::ssk_of;
using test::unhex;
using test::vectors;

TEST(KeyPeriods, MatchEveryVector) {
  const auto list = vectors("3gpp-derivations.json").at("key_period_no");
  ASSERT_EQ(list.size(), 6U);
  for (const auto& v : list) {
    const auto periods = KeyPeriods::make(v.at("key_period_s"), v.at("key_period_offset_s")).value();
    EXPECT_EQ(periods.number_at(NtpTime{v.at("seconds_since_1900"), 0}), v.at("key_period_no")) << v.dump();
  }
}

TEST(KeyPeriods, BeginWithTheirFirstSecondAndEndBeforeTheNextOnes) {
  for (const auto& [period, offset] : {std::pair{2592000, 0}, {604800, 259200}, {10, 9}, {1, 0}}) {
    const auto periods = KeyPeriods::make(period, offset).value();
    const std::int64_t number = periods.number_at(kMarch);
    EXPECT_EQ(periods.number_at(periods.start_of(number)), number);
    EXPECT_EQ(periods.number_at(periods.start_of(number + 1).plus(-1)), number);
    EXPECT_EQ(periods.number_at(periods.start_of(number + 1)), number + 1);
    EXPECT_EQ(periods.number_at(NtpTime{periods.start_of(number + 1).seconds - 1, 0xffffffff}), number);
  }
}

TEST(KeyPeriods, AreRoundedDownBeforeTheFirstOneToo) {
  const auto periods = KeyPeriods::make(100, 50).value();
  for (const auto& [seconds, number] :
       {std::pair{150, 1}, {149, 0}, {50, 0}, {49, -1}, {0, -1}, {-50, -1}, {-51, -2}})
    EXPECT_EQ(periods.number_at(NtpTime{seconds, 0}), number) << seconds;
}

TEST(KeyPeriods, CountFrom1900AsTheWorkedExamplesDo) {
  EXPECT_EQ(KeyPeriods::make(2592000, 0).value().number_at(kMarch), 1536);
  EXPECT_EQ(KeyPeriods::make(604800, 259200).value().number_at(kMarch), 6582);
  EXPECT_EQ(date_time(KeyPeriods::make(604800, 259200).value().start_of(6582)), "2026-02-26T00:00:00Z");
}

TEST(KeyPeriods, GoOnBeyondTheEraRollOverOf2036) {
  const auto periods = KeyPeriods::make(2592000, 0).value();
  const NtpTime last{0xffffffff, 0}, first{0x100000000, 0};
  EXPECT_EQ(periods.number_at(last), 1657);
  EXPECT_EQ(periods.number_at(first), 1657);
  EXPECT_EQ(periods.number_at(NtpTime::nearest(first.wire(), NtpTime{0xfffffff0, 0})), 1657);
  EXPECT_EQ(periods.number_at(NtpTime::nearest(NtpTime{0x100000000 + 2592000, 0}.wire(), first)), 1658);
}

TEST(KeyPeriods, MayBeLongerThan32BitsOfSeconds) {
  const auto periods = KeyPeriods::make(std::int64_t{1} << 40, 7).value();
  EXPECT_EQ(periods.number_at(kMarch), 0);
  EXPECT_EQ(periods.number_at(NtpTime{(std::int64_t{3} << 40) + 7, 0}), 3);
}

TEST(KeyPeriods, RefusePeriodsWithoutLengthAndOffsetsBeyondThem) {
  EXPECT_FALSE(KeyPeriods::make(0, 0).ok());
  EXPECT_FALSE(KeyPeriods::make(-5, 0).ok());
  EXPECT_FALSE(KeyPeriods::make(10, -1).ok());
  EXPECT_FALSE(KeyPeriods::make(10, 10).ok());
  EXPECT_TRUE(KeyPeriods::make(10, 9).ok());
  EXPECT_TRUE(KeyPeriods::make_unchecked_offset(10, 45).ok());
  EXPECT_FALSE(KeyPeriods::make_unchecked_offset(0, 45).ok());
}

struct VendorUser {
  KmsCertificate certificate;
  nlohmann::json user;
  std::int64_t number;
};
std::vector<VendorUser> vendor_users() {
  std::vector<VendorUser> out;
  const nlohmann::json file = vectors("vendor-messages.json");
  for (const auto& d : file.at("domains"))
    for (const auto& user : d.at("users"))
      out.push_back({KmsCertificate{KmsUri::parse(d.at("kms").get<std::string>()).value(),
                                    "",
                                    KeyPeriods::make(d.at("period"), d.at("offset")).value(),
                                    crypto::sakke::KmsPublicKey::parse(unhex(d.at("Z"))).value(),
                                    crypto::eccsi::Kpak::parse(unhex(d.at("KPAK"))).value(),
                                    {},
                                    {},
                                    {},
                                    false},
                     user, d.at("number")});
  return out;
}
Result<KeySet> validate(const VendorUser& v) {
  return KeySet::validate(v.certificate, id(v.user.at("uri").get<std::string>()), v.number,
                          unhex(v.user.at("rsk")), ssk_of(v.user.at("ssk")), unhex(v.user.at("pvt")));
}

TEST(KeySet, OfVendorsIsTakenExactlyWhenItsFlagsAreTrue) {
  const auto users = vendor_users();
  ASSERT_EQ(users.size(), 8U);
  for (const auto& v : users) {
    const bool good = v.user.at("uid_ok") && v.user.at("rsk_ok") && v.user.at("pair_ok");
    EXPECT_EQ(validate(v).ok(), good) << v.user.at("uri");
    if (!good) continue;
    EXPECT_EQ(hex(validate(v)->uid()), v.user.at("uid"));
  }
}

TEST(KeySet, IsRefusedForAnotherIdentityPeriodOrKms) {
  const test::LabKms alpha = test::alpha(), beta = test::beta();
  const auto attempt = [&](const KmsCertificate& certificate, const char* who, std::int64_t number) {
    const KeySet good = alpha.issue("sip:user.001@alpha.example", 1536);
    return KeySet::validate(certificate, id(who), number, good.rsk().octets().expose(),
                            good.signing().ssk().duplicate(), good.signing().pvt());
  };
  EXPECT_TRUE(attempt(alpha.certificate, "sip:user.001@alpha.example", 1536).ok());
  for (const auto& refused : {attempt(alpha.certificate, "sip:user.002@alpha.example", 1536),
                              attempt(alpha.certificate, "sip:user.001@alpha.example", 1537),
                              attempt(beta.certificate, "sip:user.001@alpha.example", 1536)}) {
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().detail, testing::HasSubstr("@alpha.example, period 153"));
  }
}

TEST(KeySet, IsRefusedWhenOnlyOneOfItsKeysFits) {
  const test::LabKms alpha = test::alpha();
  const KeySet one = alpha.issue("sip:user.001@alpha.example", 1536),
               other = alpha.issue("sip:user.002@alpha.example", 1536);
  const auto mix = [&](const KeySet& decrypting, const KeySet& signing) {
    return KeySet::validate(alpha.certificate, one.identity(), 1536, decrypting.rsk().octets().expose(),
                            signing.signing().ssk().duplicate(), signing.signing().pvt());
  };
  EXPECT_TRUE(mix(one, one).ok());
  EXPECT_FALSE(mix(other, one).ok());
  EXPECT_FALSE(mix(one, other).ok());
}

class Kmss : public testing::Test {
 protected:
  KmsCertificate with_domains(std::vector<std::string> suffixes) {
    KmsCertificate out = alpha_.certificate;
    out.domains = std::move(suffixes);
    return out;
  }
  test::LabKms alpha_ = test::alpha(), beta_ = test::beta();
  Domains domains_;
};

TEST_F(Kmss, AnIdentityIsServedByTheLongestSuffixOfItsDomain) {
  KmsCertificate north = beta_.certificate;
  north.domains = {"north.alpha.example"};
  ASSERT_TRUE(domains_.add(alpha_.certificate).ok() && domains_.add(north).ok());
  const auto serves = [&](const char* who) {
    return domains_.kms_of(id(who), NtpTime{}).value()->kms_uri.text();
  };
  EXPECT_EQ(serves("sip:u@alpha.example"), "kms.alpha.example");
  EXPECT_EQ(serves("sip:u@west.alpha.example"), "kms.alpha.example");
  EXPECT_EQ(serves("sip:u@north.alpha.example"), "kms.beta.example");
  EXPECT_EQ(serves("sip:u@deep.north.alpha.example;user=phone"), "kms.beta.example");
  EXPECT_EQ(serves("sip:u@ALPHA.Example"), "kms.alpha.example");
  EXPECT_EQ(serves("sip:beta.example@alpha.example"), "kms.alpha.example");
}

TEST_F(Kmss, CaseIsFoldedInTheDomainOfTheCertificateToo) {
  ASSERT_TRUE(domains_.add(with_domains({"Alpha.EXAMPLE"})).ok());
  EXPECT_TRUE(domains_.kms_of(id("sip:u@alpha.example"), NtpTime{}).ok());
}

TEST_F(Kmss, AnIdentityWithoutAnAnswerIsAnError) {
  ASSERT_TRUE(domains_.add(alpha_.certificate).ok());
  for (const char* who : {"sip:u@gamma.example", "tel:+15550100", "sip:u@notalpha.example", "sip:u@example",
                          "sip:alpha.example", "sip:u@"})
    EXPECT_EQ(domains_.kms_of(id(who), NtpTime{}).error().code, Errc::unknown_kms) << who;
}

TEST_F(Kmss, AnExactEntryGoesFirst) {
  ASSERT_TRUE(domains_.add(alpha_.certificate).ok() && domains_.add(beta_.certificate).ok());
  domains_.map_exactly("tel:+15550100", beta_.certificate.kms_uri);
  domains_.map_exactly("sip:guest@alpha.example", beta_.certificate.kms_uri);
  EXPECT_EQ(domains_.kms_of(id("tel:+15550100"), NtpTime{}).value()->kms_uri, beta_.certificate.kms_uri);
  EXPECT_EQ(domains_.kms_of(id("sip:guest@alpha.example"), NtpTime{}).value()->kms_uri,
            beta_.certificate.kms_uri);
  EXPECT_EQ(domains_.kms_of(id("sip:Guest@alpha.example"), NtpTime{}).value()->kms_uri,
            alpha_.certificate.kms_uri);
  domains_.map_exactly("tel:+1", KmsUri::parse("kms.gone").value());
  EXPECT_EQ(domains_.kms_of(id("tel:+1"), NtpTime{}).error().code, Errc::unknown_kms);
}

TEST_F(Kmss, TwoCertificatesOfOneDomainAreATieAndATieIsRefused) {
  KmsCertificate twin = beta_.certificate;
  twin.domains = {"alpha.example"};
  ASSERT_TRUE(domains_.add(alpha_.certificate).ok() && domains_.add(twin).ok());
  EXPECT_EQ(domains_.kms_of(id("sip:u@alpha.example"), NtpTime{}).error().code, Errc::unknown_kms);
}

TEST_F(Kmss, ARevokedCertificateServesNobody) {
  KmsCertificate gone = alpha_.certificate;
  gone.revoked = true;
  ASSERT_TRUE(domains_.add(gone).ok());
  EXPECT_EQ(domains_.kms_of(id("sip:u@alpha.example"), NtpTime{}).error().code, Errc::unknown_kms);
  EXPECT_EQ(gone.usable_at(kMarch).error().code, Errc::revoked);
}

TEST_F(Kmss, ACertificateIsUsableInItsValidityOnly) {
  KmsCertificate bounded = alpha_.certificate;
  EXPECT_TRUE(bounded.usable_at(kMarch).ok());
  bounded.valid_from = kMarch;
  bounded.valid_to = kMarch.plus(10);
  EXPECT_TRUE(bounded.usable_at(kMarch).ok());
  EXPECT_TRUE(bounded.usable_at(kMarch.plus(10)).ok());
  EXPECT_EQ(bounded.usable_at(kMarch.plus(-1)).error().code, Errc::not_yet_valid);
  EXPECT_EQ(bounded.usable_at(kMarch.plus(11)).error().code, Errc::expired);
}

TEST_F(Kmss, AnUpdateUnderTheSameNameReplacesButNeverTheKeys) {
  ASSERT_TRUE(domains_.add(alpha_.certificate).ok());
  KmsCertificate update = with_domains({"alpha.example", "other.example"});
  ASSERT_TRUE(domains_.add(update).ok());
  EXPECT_EQ(domains_.all().size(), 1U);
  EXPECT_EQ(domains_.all().front().domains.size(), 2U);
  KmsCertificate forged = update;
  forged.z = beta_.certificate.z;
  EXPECT_EQ(domains_.add(forged).error().code, Errc::conflict);
  forged = update;
  forged.kpak = beta_.certificate.kpak;
  EXPECT_EQ(domains_.add(forged).error().code, Errc::conflict);
  EXPECT_EQ(domains_.all().front().z.octets(), alpha_.certificate.z.octets());
}

TEST_F(Kmss, ANameOfAnotherKmsIsAConflict) {
  ASSERT_TRUE(domains_.add(alpha_.certificate).ok());
  KmsCertificate forged = beta_.certificate;
  forged.cert_uri = alpha_.certificate.cert_uri;
  EXPECT_EQ(domains_.add(forged).error().code, Errc::conflict);
  EXPECT_EQ(domains_.find(beta_.certificate.kms_uri, NtpTime{}), nullptr);
}

TEST_F(Kmss, OfOneKmsTheCertificateOfTheTimeCounts) {
  KmsCertificate next = alpha_.certificate;
  next.z = beta_.certificate.z;
  next.kpak = beta_.certificate.kpak;
  next.cert_uri = "cert2.kms.alpha.example";
  next.valid_from = kMarch;
  ASSERT_TRUE(domains_.add(next).ok() && domains_.add(alpha_.certificate).ok()) << "in whatever order";
  const auto name_at = [&](NtpTime t) {
    const KmsCertificate* found = domains_.find(next.kms_uri, t);
    const auto served = domains_.kms_of(id("sip:u@alpha.example"), t);
    EXPECT_TRUE(served.ok() && *served == found) << "no tie of two that follow each other";
    return found->cert_uri;
  };
  EXPECT_EQ(name_at(kMarch.plus(-1)), alpha_.certificate.cert_uri);
  EXPECT_EQ(name_at(kMarch), next.cert_uri);
  EXPECT_EQ(domains_.all().front().cert_uri, alpha_.certificate.cert_uri) << "in the order of their time";
  next.z = alpha_.certificate.z;
  EXPECT_EQ(domains_.add(next).error().code, Errc::conflict) << "pinned like any other";
}

TEST_F(Kmss, OneThatDoesNotStandBesideTakesThePlace) {
  ASSERT_TRUE(domains_.add(alpha_.certificate).ok());
  KmsCertificate other = alpha_.certificate;
  other.cert_uri = "cert2.kms.alpha.example";
  ASSERT_TRUE(domains_.add(other).ok());
  EXPECT_EQ(domains_.all().size(), 1U) << "both from the beginning of time";
  other.cert_uri = "cert3.kms.alpha.example";
  other.valid_from = kMarch;
  other.periods = KeyPeriods::make(86400, 0).value();
  ASSERT_TRUE(domains_.add(other).ok());
  EXPECT_EQ(domains_.all().size(), 1U) << "other periods: a domain of its own";
  for (int n = 4; n < 9; ++n) {
    other.cert_uri = "cert" + std::to_string(n) + ".kms.alpha.example";
    other.valid_from = kMarch.plus(n * 86400);
    ASSERT_TRUE(domains_.add(other).ok());
  }
  EXPECT_EQ(domains_.all().size(), Domains::kMostOfOneKms);
  EXPECT_EQ(domains_.all().front().cert_uri, "cert6.kms.alpha.example");
}

TEST_F(Kmss, AreFoundByTheirOctets) {
  ASSERT_TRUE(domains_.add(alpha_.certificate).ok());
  EXPECT_NE(domains_.find(KmsUri::parse("kms.alpha.example").value(), NtpTime{}), nullptr);
  EXPECT_EQ(domains_.find(KmsUri::parse("KMS.alpha.example").value(), NtpTime{}), nullptr);
}

}  // namespace
}  // namespace regroup::mcx
