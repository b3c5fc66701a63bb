// SPDX-License-Identifier: Apache-2.0
// PR-40, the server's side: a partner is taken by the name that is configured for it, a URI or a DNS name.
#include <gtest/gtest.h>

#include "app/gms/identity.hpp"
#include "app/gms/keys.hpp"
#include "app/kms/kms_lab.hpp"

namespace regroup::app {
namespace {

constexpr const char* kPartner = "sip:gms@beta.example";
constexpr const char* kServer = "sip:mcptt-server@alpha.example";

class PartnerIdentity : public testing::Test {
 protected:
  // Whether a peer with that certificate is taken as `asserted`, with the partner's configured `san`.
  [[nodiscard]] bool taken(const std::string& san, std::vector<std::string> uris,
                           std::vector<std::string> dns, const std::string& asserted = kPartner) const {
    gms::PartnerSettings partner;
    partner.gms_uri = test::id(kPartner);
    partner.san = san;
    http::Request request;
    request.peer.listener = "trusted";
    request.peer.certificate = {true, "", std::move(uris), std::move(dns)};
    request.headers.add("X-3GPP-Asserted-Identity", "\"" + asserted + "\"");
    const auto judged = requester_of(request, lab.jwks, {}, test::kAlphaNow, {partner});
    const auto* requester = std::get_if<Requester>(&judged);
    if (!requester) {
      EXPECT_EQ(std::get<http::Response>(judged).status, 403u);
      return false;
    }
    EXPECT_EQ(requester->identity, asserted);
    EXPECT_TRUE(requester->trusted);
    return true;
  }
  test::KmsLab lab;
};

TEST_F(PartnerIdentity, WithADnsNameTheCertificateMustCarryThatName) {
  EXPECT_TRUE(taken("gms.beta.example", {}, {"other.example", "GMS.beta.example"}));
  EXPECT_FALSE(taken("gms.beta.example", {kPartner}, {"other.example"}))
      << "the URI is not what was configured";
  EXPECT_FALSE(taken("gms.beta.example", {"gms.beta.example"}, {})) << "a URI is no DNS name";
}

TEST_F(PartnerIdentity, WithAUriOrNoneConfiguredTheUriDecides) {
  EXPECT_TRUE(taken("", {kPartner}, {}));
  EXPECT_TRUE(taken(kPartner, {kPartner}, {}));
  EXPECT_FALSE(taken("", {}, {"gms.beta.example"}));
  EXPECT_FALSE(taken(kPartner, {}, {kPartner}));
  EXPECT_TRUE(taken("urn:gms:beta", {"urn:gms:beta"}, {}));
  EXPECT_FALSE(taken("urn:gms:beta", {kPartner}, {}));
}

TEST_F(PartnerIdentity, OthersAreTakenByTheUriTheyAssert) {
  EXPECT_TRUE(taken("gms.beta.example", {kServer}, {}, kServer));
  EXPECT_FALSE(taken("gms.beta.example", {}, {"gms.beta.example"}, kServer))
      << "a partner's name opens only the partner";
}

// ---- partner.kms_uri

class PartnerKms : public testing::Test {
 protected:
  PartnerKms() {
    EXPECT_TRUE(domains.add(lab.kms.certificate_at(NtpTime{})).ok());
    const auto beta = test::external("kms.beta.example", "beta.example");
    EXPECT_TRUE(domains.add(certificate_of(document_of(beta, kmsxml::Role::external)).value()).ok());
  }
  [[nodiscard]] Result<void> check(const std::string& gms_uri, const std::string& kms_uri) {
    PartnerAccess access;
    access.gms_uri = gms_uri;
    access.kms_uri = kms_uri;
    unknown.clear();
    return check_partner_kms({access}, domains, test::kAlphaNow, unknown);
  }
  test::KmsLab lab;
  mcx::Domains domains;
  std::vector<Error> unknown;
};

TEST_F(PartnerKms, MustBeTheOneThatServesThePartner) {
  EXPECT_TRUE(check(kPartner, "kms.beta.example").ok());
  EXPECT_TRUE(unknown.empty());
  const auto other = check(kPartner, "kms.alpha.example");
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, Errc::usage);
  EXPECT_NE(other.error().text().find("kms.beta.example"), std::string::npos);
}

TEST_F(PartnerKms, ThatIsNotKnownYetIsListedAndNoReasonNotToStart) {
  EXPECT_TRUE(check("sip:gms@gamma.example", "kms.gamma.example").ok());
  ASSERT_EQ(unknown.size(), 1u);
  EXPECT_NE(unknown[0].text().find("sip:gms@gamma.example"), std::string::npos);
}

TEST_F(PartnerKms, FollowsTheExactEntriesOfKmsOf) {
  domains.map_exactly(kPartner, mcx::KmsUri::parse("kms.alpha.example").value());
  EXPECT_TRUE(check(kPartner, "kms.alpha.example").ok());
  EXPECT_FALSE(check(kPartner, "kms.beta.example").ok());
}

}  // namespace
}  // namespace regroup::app
