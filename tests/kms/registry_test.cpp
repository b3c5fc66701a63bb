// SPDX-License-Identifier: Apache-2.0
#include "kms/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kms/domain_alpha.hpp"

namespace regroup::kms {
namespace {

using test::external;
using test::id;

Registry registry() { return Registry(external("kms.alpha.example", "alpha.example", 1)); }

TEST(KmsRegistry, FoldsSchemeAndHostOnly) {
  EXPECT_EQ(folded("SIP:Bob@Alpha.Example;User=Phone"), "sip:Bob@alpha.example;User=Phone");
  EXPECT_EQ(folded("Bob@Alpha.Example"), "Bob@alpha.example");
  EXPECT_EQ(folded("SIP:GMS.Example:5060;x=Y"), "sip:gms.example:5060;x=Y");
  EXPECT_EQ(folded("TEL:+49123"), "tel:+49123");
  EXPECT_EQ(folded("urn:X-service:A"), "urn:X-service:A");
  EXPECT_EQ(folded("sip:a:B@C.D:99"), "sip:a:B@c.d:99");
}

TEST(KmsRegistry, TakesEachIdentityOnceInWhateverSpelling) {
  Registry all = registry();
  ASSERT_TRUE(all.add(id("sip:Bob@alpha.example"), false).ok());
  EXPECT_EQ(all.add(id("SIP:Bob@ALPHA.example"), false).error().code, Errc::conflict);
  EXPECT_TRUE(all.add(id("sip:bob@alpha.example"), false).ok()) << "another user part is another user";
  ASSERT_TRUE(all.find("sip:Bob@ALPHA.EXAMPLE"));
  EXPECT_EQ(all.find("sip:Bob@ALPHA.EXAMPLE")->identity.text(), "sip:Bob@alpha.example");
  EXPECT_EQ(all.find("sip:BOB@alpha.example"), nullptr);
}

TEST(KmsRegistry, ReservesServerNamesForServers) {
  for (const char* name : {"sip:ops.group@alpha.example", "sip:ops.GROUP@alpha.example",
                           "sip:gms.alpha.example", "gms.alpha.example"}) {
    Registry all = registry();
    const auto refused = all.add(id(name), false);
    ASSERT_FALSE(refused.ok()) << name;
    EXPECT_EQ(refused.error().code, Errc::not_authorised);
    EXPECT_TRUE(all.add(id(name), true).ok()) << name;
    EXPECT_TRUE(all.find(name)->server);
  }
  for (const char* name :
       {"tel:+49123", "sip:group@alpha.example", "sip:group.ops@alpha.example", "user@alpha.example"})
    EXPECT_TRUE(registry().add(id(name), false).ok()) << name;
}

TEST(KmsRegistry, RaisesTheCacheNumberWithEachChangeAndOnlyThen) {
  Registry all = registry();
  EXPECT_EQ(all.cache_num(), 1);
  CertificateRecord beta = external("kms.beta.example", "beta.example");
  EXPECT_TRUE(all.import_certificate(beta).value());
  EXPECT_EQ(all.cache_num(), 2);
  EXPECT_FALSE(all.import_certificate(beta).value()) << "the same again";
  EXPECT_EQ(all.cache_num(), 2);
  beta.revoked = true;
  EXPECT_TRUE(all.import_certificate(beta).value());
  EXPECT_EQ(all.cache_num(), 3);
  ASSERT_EQ(all.changes_since({}).certificates.size(), 1u) << "replaced, not added";
  EXPECT_TRUE(all.changes_since({}).certificates[0].certificate.revoked);
}

TEST(KmsRegistry, AnswersWithWhatChangedSinceAVersion) {
  Registry all = registry();
  ASSERT_TRUE(all.import_certificate(external("kms.beta.example", "beta.example", 3)).ok());
  ASSERT_TRUE(all.import_certificate(external("kms.gamma.example", "gamma.example", 4)).ok());
  const auto names = [&](std::optional<std::int64_t> held) {
    std::vector<std::string> out;
    for (const auto& one : all.changes_since(held).certificates) out.push_back(one.certificate.kms_uri);
    return out;
  };
  EXPECT_THAT(names({}), testing::ElementsAre("kms.beta.example", "kms.gamma.example"));
  EXPECT_THAT(names(1), testing::ElementsAre("kms.beta.example", "kms.gamma.example"));
  EXPECT_THAT(names(2), testing::ElementsAre("kms.gamma.example"));
  EXPECT_THAT(names(3), testing::IsEmpty());
  EXPECT_THAT(names(99), testing::SizeIs(2)) << "a number never given out gets everything";
  EXPECT_EQ(all.changes_since(3).cache_num, 3);
}

TEST(KmsRegistry, RefusesCertificatesThatWouldMisleadItsClients) {
  Registry all = registry();
  const CertificateRecord beta = external("kms.beta.example", "beta.example", 3);
  ASSERT_TRUE(all.import_certificate(beta).ok());
  CertificateRecord changed = external("kms.beta.example", "beta.example", 5);
  EXPECT_EQ(all.import_certificate(changed).error().code, Errc::conflict)
      << "other keys under the same CertUri";
  changed.cert_uri = "cert2.kms.beta.example";
  EXPECT_TRUE(all.import_certificate(changed).ok()) << "a new name replaces by KmsUri";
  EXPECT_EQ(all.import_certificate(external("kms.alpha.example", "other.example", 6)).error().code,
            Errc::conflict)
      << "our own KmsUri";
  EXPECT_EQ(all.import_certificate(external("kms.evil.example", "alpha.example", 6)).error().code,
            Errc::conflict)
      << "our own domain";
  EXPECT_EQ(all.import_certificate(external("kms.evil.example", "beta.example", 6)).error().code,
            Errc::conflict)
      << "a partner's domain";
  for (const char* part : {"vip.alpha.example", "ALPHA.example", "example"})
    EXPECT_EQ(all.import_certificate(external("kms.evil.example", part, 6)).error().code, Errc::conflict)
        << part << " would take users away from us";
  EXPECT_EQ(all.cache_num(), 3);
}

TEST(KmsRegistry, FindsItsOwnAndExternalCertificates) {
  Registry all = registry();
  ASSERT_TRUE(all.import_certificate(external("kms.beta.example", "beta.example", 3)).ok());
  EXPECT_EQ(all.certificates_of("kms.alpha.example").at(0), all.own());
  EXPECT_EQ(all.certificates_of("kms.beta.example").at(0).domains[0], "beta.example");
  EXPECT_TRUE(all.certificates_of("KMS.beta.example").empty()) << "a KmsUri is octets";
}

// The registry after a restart.
Registry again_of(Registry& all) {
  Registry out(all.own());
  for (const Record& one : test::kept(all)) EXPECT_TRUE(out.take(one).ok()) << one.kind << "/" << one.id;
  return out;
}

TEST(KmsRegistry, HoldsAPartnersAnnouncedSuccessorBesideTheOneInForce) {
  Registry all = registry();
  CertificateRecord beta = external("kms.beta.example", "beta.example", 3);
  ASSERT_TRUE(all.import_certificate(beta).ok());
  for (int n = 2; n < 6; ++n) {
    CertificateRecord next = external("kms.beta.example", "beta.example", 10 + static_cast<unsigned>(n));
    next.cert_uri = "cert" + std::to_string(n) + ".kms.beta.example";
    next.valid_from = test::kAlphaNow.plus(n * 2592000);
    EXPECT_TRUE(all.import_certificate(next).value());
    EXPECT_FALSE(all.import_certificate(next).value()) << "the same again";
    EXPECT_EQ(all.externals().size(), static_cast<std::size_t>(std::min(n, 3)));
  }
  const Registry again = again_of(all);
  EXPECT_EQ(again.externals().size(), 3U) << "those that went are gone from the store too";
  EXPECT_EQ(again.certificates_of("kms.beta.example").at(0).cert_uri, "cert3.kms.beta.example");
  EXPECT_TRUE(all.revoke_certificate("kms.beta.example").value());
  for (const CertificateRecord& one : all.externals()) EXPECT_TRUE(one.revoked) << one.cert_uri;
}

TEST(KmsRegistry, RevokesACertificateForGood) {
  Registry all = registry();
  const CertificateRecord beta = external("kms.beta.example", "beta.example", 3);
  ASSERT_TRUE(all.import_certificate(beta).ok());
  EXPECT_EQ(all.revoke_certificate("kms.gamma.example").error().code, Errc::unknown_kms);
  EXPECT_EQ(all.revoke_certificate("kms.alpha.example").error().code, Errc::unknown_kms) << "the own one";
  EXPECT_TRUE(all.revoke_certificate("kms.beta.example").value());
  EXPECT_FALSE(all.revoke_certificate("kms.beta.example").value()) << "once";
  EXPECT_EQ(all.cache_num(), 3);
  EXPECT_TRUE(all.changes_since(2).certificates.at(0).certificate.revoked) << "clients learn of it";
  EXPECT_EQ(all.import_certificate(beta).error().code, Errc::conflict) << "it does not come back";
  CertificateRecord fresh = external("kms.beta.example", "beta.example", 5);
  fresh.cert_uri = "cert2.kms.beta.example";
  EXPECT_TRUE(all.import_certificate(fresh).value());
  EXPECT_FALSE(all.certificates_of("kms.beta.example").at(0).revoked);
  EXPECT_EQ(all.externals().size(), 1U);
}

TEST(KmsRegistry, SuspendsResumesAndRevokesOnce) {
  Registry all = registry();
  const mcx::McpttId who = id("sip:Bob@alpha.example");
  ASSERT_TRUE(all.add(who, false).ok());
  EXPECT_EQ(all.set_standing("sip:nobody@alpha.example", Standing::suspended).error().code,
            Errc::unknown_group);
  EXPECT_FALSE(all.set_standing(who.text(), Standing::active).value()) << "it is";
  EXPECT_TRUE(all.set_standing("SIP:Bob@ALPHA.example", Standing::suspended).value());
  EXPECT_EQ(all.find(who.text())->standing, Standing::suspended);
  EXPECT_TRUE(all.set_standing(who.text(), Standing::active).value());
  EXPECT_TRUE(all.set_standing(who.text(), Standing::revoked).value());
  EXPECT_FALSE(all.set_standing(who.text(), Standing::revoked).value());
  for (const Standing back : {Standing::active, Standing::suspended})
    EXPECT_EQ(all.set_standing(who.text(), back).error().code, Errc::conflict);
  EXPECT_EQ(all.add(who, false).error().code, Errc::conflict) << "nor by registering anew";
}

TEST(KmsRegistry, SurvivesARestart) {
  Registry all = registry();
  all.add(id("sip:a@alpha.example"), false).value();
  all.add(id("sip:GMS@Alpha.example"), true).value();
  ASSERT_TRUE(all.set_standing("sip:a@alpha.example", Standing::suspended).value());
  CertificateRecord beta = external("kms.beta.example", "beta.example", 3);
  beta.valid_from = test::kAlphaNow;
  beta.issuer = "Beta";
  ASSERT_TRUE(all.import_certificate(beta).ok());
  const Registry again = again_of(all);
  EXPECT_EQ(again.cache_num(), 2);
  EXPECT_EQ(again.subscribers(), 2u);
  ASSERT_TRUE(again.find("sip:GMS@alpha.example"));
  EXPECT_TRUE(again.find("sip:GMS@alpha.example")->server);
  EXPECT_EQ(again.find("sip:GMS@alpha.example")->identity.text(), "sip:GMS@Alpha.example");
  EXPECT_FALSE(again.find("sip:a@alpha.example")->server);
  EXPECT_EQ(again.find("sip:a@alpha.example")->standing, Standing::suspended);
  EXPECT_EQ(again.certificates_of("kms.beta.example").at(0), beta);
  EXPECT_TRUE(again.changes_since(1).certificates.size() == 1 && again.changes_since(2).certificates.empty());
  EXPECT_TRUE(all.take_changes().empty()) << "each change is kept once";
}

TEST(KmsRegistry, KeepsTheCacheNumberWithTheCertificateThatRaisedIt) {
  Registry all = registry();
  ASSERT_TRUE(all.import_certificate(external("kms.beta.example", "beta.example", 3)).ok());
  std::vector<std::string> kinds;
  for (const Record& one : test::kept(all)) kinds.push_back(one.kind);
  EXPECT_THAT(kinds, testing::ElementsAre("cache", "external"));
  ASSERT_TRUE(all.revoke_certificate("kms.beta.example").value());
  EXPECT_EQ(test::kept(all).size(), 2U);
}

TEST(KmsRegistry, RefusesEveryCutOrMisplacedRecord) {
  Registry all = registry();
  all.add(id("sip:a@alpha.example"), false).value();
  ASSERT_TRUE(all.import_certificate(external("kms.beta.example", "beta.example", 3)).value());
  for (const Record& one : test::kept(all)) {
    Registry other(all.own());
    for (std::size_t size = 0; size < one.value.size(); ++size)
      EXPECT_FALSE(other.take({one.kind, one.id, SecretOctets(one.value.expose().first(size))}).ok())
          << one.kind << size;
    if (one.kind != "cache") {
      EXPECT_FALSE(other.take({one.kind, "elsewhere", one.value.duplicate()}).ok());
    }
    SecretOctets changed = one.value.duplicate();
    if (one.kind == "subscriber") {
      changed.expose_mutable()[changed.size() - 1] = 3;
      EXPECT_FALSE(other.take({one.kind, one.id, std::move(changed)}).ok()) << "a standing that there is not";
    }
    EXPECT_TRUE(other.take(one).ok());
  }
}

}  // namespace
}  // namespace regroup::kms
