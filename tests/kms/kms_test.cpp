// SPDX-License-Identifier: Apache-2.0
#include "kms/kms.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "kms/domain_alpha.hpp"

namespace regroup::kms {
namespace {

using test::alpha;
using test::kAlphaNow;
using testing::HasSubstr;

crypto::SystemRandom system_random;

TEST(Kms, DerivesTheReceiverKeyOfTheWorkedExample) {
  const Kms kms = alpha();
  const auto issued = kms.provision("sip:gms.group@alpha.example", {1536}, kAlphaNow, system_random);
  ASSERT_TRUE(issued.ok()) << issued.error().text();
  EXPECT_EQ(hex(issued->at(0).uid), test::kAlphaGmsUid);
  EXPECT_EQ(hex(issued->at(0).rsk.expose()), test::kAlphaGmsRsk);
  EXPECT_EQ(date_time(issued->at(0).valid_from), "2026-03-01T00:00:00Z");
  EXPECT_EQ(date_time(issued->at(0).valid_to), "2026-03-30T23:59:59Z");
}

TEST(Kms, GivesTheSameReceiverKeyAndAnotherSigningKeyForTheSameQuestion) {
  const Kms kms = alpha();
  const auto first = kms.provision("sip:user.001@alpha.example", {1536}, kAlphaNow, system_random).value();
  const auto again = kms.provision("sip:user.001@alpha.example", {1536}, kAlphaNow, system_random).value();
  EXPECT_TRUE(ct_equal(first[0].rsk.expose(), again[0].rsk.expose()));
  EXPECT_FALSE(ct_equal(first[0].signing.ssk().expose(), again[0].signing.ssk().expose()));
  EXPECT_NE(first[0].signing.pvt(), again[0].signing.pvt());
}

TEST(Kms, IssuesKeySetsThatTheReceiverAccepts) {
  const Kms kms = alpha();
  const auto issued =
      kms.provision("sip:user.002@alpha.example", kms.usual_periods(kAlphaNow), kAlphaNow, system_random)
          .value();
  for (const IssuedKeySet& one : issued) {
    const auto checked =
        mcx::KeySet::validate(kms.certificate_at(one.valid_from), one.identity, one.period_no,
                              one.rsk.expose(), one.signing.ssk().duplicate(), one.signing.pvt());
    EXPECT_TRUE(checked.ok()) << checked.error().text();
    EXPECT_FALSE(mcx::KeySet::validate(kms.certificate_at(one.valid_from),
                                       test::id("sip:user.001@alpha.example"), one.period_no,
                                       one.rsk.expose(), one.signing.ssk().duplicate(), one.signing.pvt())
                     .ok())
        << "the keys of one user are nobody else's";
  }
}

TEST(Kms, ProvisionsManyAtOnceAsItDoesOneByOne) {
  const Kms kms = alpha();
  std::vector<mcx::McpttId> who;
  for (const char* one :
       {"sip:user.001@alpha.example", "sip:gms.group@alpha.example", "sip:user.002@Alpha.EXAMPLE"})
    who.push_back(test::id(one));
  const auto all = kms.provision_all(who, 1536, kAlphaNow, system_random).value();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(hex(all[1].rsk.expose()), test::kAlphaGmsRsk);
  EXPECT_EQ(all[2].identity.text(), "sip:user.002@alpha.example") << "as it was registered";
  for (const IssuedKeySet& one : all) {
    const auto single = kms.provision(one.identity.text(), {1536}, kAlphaNow, system_random).value();
    EXPECT_TRUE(ct_equal(one.rsk.expose(), single[0].rsk.expose()));
    EXPECT_EQ(date_time(one.valid_to), date_time(single[0].valid_to));
    EXPECT_TRUE(mcx::KeySet::validate(kms.certificate_at(one.valid_from), one.identity, 1536,
                                      one.rsk.expose(), one.signing.ssk().duplicate(), one.signing.pvt())
                    .ok());
  }
  EXPECT_EQ(kms.provision_all(who, 1530, kAlphaNow, system_random).error().code, Errc::not_authorised);
  who.push_back(test::id("sip:nobody@alpha.example"));
  EXPECT_EQ(kms.provision_all(who, 1536, kAlphaNow, system_random).error().code, Errc::unknown_group);
  EXPECT_TRUE(kms.provision_all({}, 1536, kAlphaNow, system_random).value().empty());
}

TEST(Kms, AnswersWithTheSpellingThatWasRegistered) {
  const auto issued = alpha().provision("SIP:user.001@Alpha.EXAMPLE", {1536}, kAlphaNow, system_random);
  ASSERT_TRUE(issued.ok()) << issued.error().text();
  EXPECT_EQ(issued->at(0).identity.text(), "sip:user.001@alpha.example");
  EXPECT_FALSE(alpha().provision("sip:User.001@alpha.example", {1536}, kAlphaNow, system_random).ok())
      << "the user part keeps its case";
}

TEST(Kms, KeepsToTheWindowOfPeriods) {
  const Kms kms = alpha();
  EXPECT_EQ(kms.usual_periods(kAlphaNow), (std::vector<std::int64_t>{1536, 1537}));
  for (const std::int64_t number : {1534, 1535, 1536, 1537})
    EXPECT_TRUE(kms.provision("sip:user.001@alpha.example", {number}, kAlphaNow, system_random).ok())
        << number;
  for (const std::int64_t number :
       {std::int64_t{-1}, std::int64_t{0}, std::int64_t{1533}, std::int64_t{1538}, INT64_MAX}) {
    const auto refused = kms.provision("sip:user.001@alpha.example", {number}, kAlphaNow, system_random);
    ASSERT_FALSE(refused.ok()) << number;
    EXPECT_EQ(refused.error().code, Errc::not_authorised);
  }
  const auto unknown = kms.provision("sip:nobody@alpha.example", {1536}, kAlphaNow, system_random);
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, Errc::unknown_group);
}

TEST(Kms, CountsPeriodsAcrossTheRollOverOf2036) {
  const NtpTime before = parse_date_time("2036-02-07T06:28:15Z").value();
  const std::int64_t number = alpha().usual_periods(before)[0];
  EXPECT_EQ(number, 0xFFFFFFFF / 2592000);
  EXPECT_EQ(alpha().usual_periods(before.plus(2592000))[0], number + 1);
}

TEST(Kms, IsTheSameAfterARestart) {
  Kms made = Kms::make({.kms_uri = mcx::KmsUri::parse("kms.new.example").value()}, system_random).value();
  made.registry().add(test::id("sip:a@new.example"), false).value();
  EXPECT_EQ(made.registry().own().domains, std::vector<std::string>{"new.example"});
  EXPECT_EQ(made.registry().own().cert_uri, "cert1.kms.new.example");
  const auto records = test::kept(made);
  EXPECT_THAT(made.take_changes(), testing::IsEmpty()) << "each change is kept once";
  auto opened = test::reopened(records);
  ASSERT_TRUE(opened.ok()) << opened.error().text();
  EXPECT_EQ(opened->registry().own(), made.registry().own());
  EXPECT_THAT(opened->take_changes(), testing::IsEmpty());
  const auto of = [](const Kms& kms) {
    return kms.provision("sip:a@new.example", kms.usual_periods(kAlphaNow), kAlphaNow, system_random).value();
  };
  EXPECT_TRUE(ct_equal(of(made)[0].rsk.expose(), of(*opened)[0].rsk.expose()));
}

TEST(Kms, RefusesSecretsThatDoNotBelongToItsCertificate) {
  const auto with = [](const std::string& z, const std::string& ksak) {
    std::vector<Record> records;
    records.push_back(test::alpha_domain(z, ksak));
    return test::reopened(records).error();
  };
  std::string other_ksak = test::kAlphaKsak, other_z = test::kAlphaZ;
  other_ksak.back() = '6';
  other_z.back() = '1';
  EXPECT_THAT(with(test::kAlphaZ, other_ksak).text(), HasSubstr("KPAK"));
  EXPECT_THAT(with(other_z, test::kAlphaKsak).text(), HasSubstr("Z_T"));
}

TEST(Kms, RefusesAStoreWithoutADomainAndRecordsThatAreNone) {
  EXPECT_EQ(test::reopened({}).error().code, Errc::storage);
  Stored stored;
  for (const char* id : {"0", "x", "01", "4294967296", ""}) {
    Record odd = test::alpha_domain();
    odd.id = id;
    EXPECT_EQ(stored.take(odd).error().code, Errc::unsupported) << id;
  }
  std::vector<Record> twins;
  twins.push_back(test::alpha_domain());
  twins.push_back(test::alpha_domain());
  twins.back().id = "2";
  EXPECT_EQ(test::reopened(twins).error().code, Errc::storage) << "two of one time";
  const Record whole = test::alpha_domain();
  for (std::size_t size = 0; size < whole.value.size(); size += 3)
    EXPECT_FALSE(stored.take({"domain", "1", SecretOctets(whole.value.expose().first(size))}).ok()) << size;
}

TEST(Kms, GivesTheSuspendedAndTheRevokedNothing) {
  Kms kms = alpha();
  const auto ask = [&] {
    return kms.provision("sip:user.001@alpha.example", {1536}, kAlphaNow, system_random);
  };
  const std::vector<mcx::McpttId> who = {test::id("sip:user.001@alpha.example")};
  for (const Standing standing : {Standing::suspended, Standing::revoked}) {
    ASSERT_TRUE(kms.registry().set_standing("sip:user.001@alpha.example", standing).value());
    ASSERT_FALSE(ask().ok());
    EXPECT_EQ(ask().error().code, Errc::revoked);
    EXPECT_EQ(kms.provision_all(who, 1536, kAlphaNow, system_random).error().code, Errc::revoked);
    EXPECT_THAT(ask().error().text(), HasSubstr(name_of(standing)));
    if (standing == Standing::revoked) continue;
    ASSERT_TRUE(kms.registry().set_standing("sip:user.001@alpha.example", Standing::active).value());
    EXPECT_TRUE(ask().ok());
  }
  EXPECT_TRUE(kms.provision("sip:user.002@alpha.example", {1536}, kAlphaNow, system_random).ok());
}

TEST(Kms, AdoptsALaterStateOfItsOwnOnly) {
  test::SeededRandom random(11);
  Kms kms = alpha(), later = alpha();
  const mcx::McpttId user = test::id("sip:user.001@alpha.example");
  ASSERT_TRUE(later.registry().import_certificate(test::external("kms.beta.example", "beta.example")).ok());
  ClientKeys keys;
  keys.keys.push_back(make_transport_keys(user, random));
  ASSERT_TRUE(later.transport_keys().add(user, std::move(keys)).ok());
  const std::int64_t number = later.registry().cache_num();
  ASSERT_TRUE(kms.adopt(std::move(later)).ok());
  EXPECT_EQ(kms.registry().cache_num(), number);
  EXPECT_TRUE(kms.transport_keys().find(user.text()));
  EXPECT_FALSE(kms.adopt(alpha()).ok()) << "an older one";
  const ::regroup::kms::Setup setup{.kms_uri = mcx::KmsUri::parse("kms.alpha.example").value()};
  EXPECT_FALSE(kms.adopt(Kms::make(setup, random).value()).ok()) << "another KMS's";
  EXPECT_TRUE(kms.transport_keys().find(user.text())) << "and nothing of it was taken";
}

constexpr std::int64_t kPeriod = 2592000;

TEST(Kms, AnAnnouncedSuccessorTakesOverAtABoundary) {
  Kms kms = alpha();
  static_cast<void>(kms.take_changes());
  const std::int64_t from = kms.earliest_roll_over(kAlphaNow);  // from 1536 on: 1539
  EXPECT_EQ(from, 1539);
  EXPECT_EQ(kms.earliest_roll_over(kms.periods().start_of(1536)), 1538) << "two whole periods before it";
  EXPECT_EQ(kms.roll_over(from - 1, kAlphaNow, system_random).error().code, Errc::usage);
  EXPECT_THAT(kms.take_changes(), testing::IsEmpty()) << "refused: unchanged";
  const std::int64_t number = kms.registry().cache_num();
  ASSERT_TRUE(kms.roll_over(from, kAlphaNow, system_random).ok());
  EXPECT_EQ(kms.registry().cache_num(), number + 1);
  EXPECT_EQ(kms.roll_over(from + 3, kAlphaNow, system_random).error().code, Errc::conflict)
      << "one at a time";

  const NtpTime boundary = kms.periods().start_of(from);
  const auto &before = kms.certificate_at(boundary.plus(-1)), &after = kms.certificate_at(boundary);
  EXPECT_EQ(before.cert_uri, "cert1.kms.alpha.example");
  EXPECT_EQ(after.cert_uri, "cert2.kms.alpha.example");
  EXPECT_TRUE(before.valid_to == boundary && after.valid_from == boundary && !after.valid_to);
  EXPECT_TRUE(before.kms_uri == after.kms_uri && before.periods == after.periods);
  EXPECT_NE(before.z.octets(), after.z.octets());
  EXPECT_NE(before.kpak, after.kpak);
  ASSERT_EQ(kms.registry().changes_since(number).certificates.size(), 2U) << "clients learn of both";
  EXPECT_TRUE(kms.registry().changes_since(number).certificates[1].own);

  const NtpTime eve = boundary.plus(-60);
  const auto issued = kms.provision("sip:user.001@alpha.example", kms.usual_periods(eve), eve, system_random);
  ASSERT_TRUE(issued.ok()) << issued.error().text();
  for (const IssuedKeySet& one : *issued) {
    const mcx::KmsCertificate& by = one.period_no < from ? before : after;
    EXPECT_TRUE(mcx::KeySet::validate(by, one.identity, one.period_no, one.rsk.expose(),
                                      one.signing.ssk().duplicate(), one.signing.pvt())
                    .ok())
        << one.period_no;
  }
}

TEST(Kms, RollOversSurviveRestartsAndOldSecretsGo) {
  Kms kms = alpha();
  std::vector<Record> records = test::kept(kms);
  NtpTime now = kAlphaNow;
  for (int n = 0; n < 4; ++n, now = now.plus(6 * kPeriod)) {
    ASSERT_TRUE(kms.roll_over(kms.earliest_roll_over(now), now, system_random).ok()) << n;
    for (Write& one : kms.take_changes()) {
      std::erase_if(records, [&](const Record& held) { return held.kind == one.kind && held.id == one.id; });
      if (one.value) records.push_back(Record{one.kind, one.id, std::move(*one.value)});
    }
    auto again = n == 0 ? test::reopened_alpha({}) : test::reopened(records);
    auto whole = test::reopened(records);
    ASSERT_TRUE(whole.ok()) << whole.error().text();
    const NtpTime next = kms.periods().start_of(kms.earliest_roll_over(now));
    EXPECT_EQ(whole->certificate_at(next).cert_uri, kms.certificate_at(next).cert_uri);
    EXPECT_EQ(whole->registry().all_own().size(), 2U) << n;
    Kms running = std::move(again).value();
    EXPECT_TRUE(running.adopt(std::move(whole).value()).ok()) << "a server follows";
    EXPECT_EQ(running.certificate_at(next).cert_uri, "cert" + std::to_string(n + 2) + ".kms.alpha.example");
  }
  const auto domains =
      std::count_if(records.begin(), records.end(), [](const Record& one) { return one.kind == "domain"; });
  EXPECT_EQ(domains, 2) << "secrets of which nothing is issued any more are destroyed";
}

TEST(Kms, NamesItsDomainAfterItsUri) {
  EXPECT_EQ(default_domain("kms.alpha.example"), "alpha.example");
  EXPECT_EQ(default_domain("https://kms.alpha.example:8444/x"), "alpha.example");
  EXPECT_EQ(default_domain("keys.alpha.example"), "keys.alpha.example");
}

}  // namespace
}  // namespace regroup::kms
