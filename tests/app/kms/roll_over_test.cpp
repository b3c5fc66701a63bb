// SPDX-License-Identifier: Apache-2.0
// A client across the roll-over of its KMS's master secrets (docs/operations.md).
#include <gmock/gmock.h>

#include <fstream>

#include <sys/stat.h>

#include "app/kms/client.hpp"
#include "app/kms/kms_lab.hpp"
#include "gktp/open.hpp"
#include "gktp/seal.hpp"

namespace regroup::app {
namespace {

using test::kAlphaNow;
using test::kGms;
using test::kUser;

class KmsRollOver : public testing::Test {
 protected:
  KmsRollOver() {
    for (const char* who : {kUser, kGms}) {
      std::ofstream(token_file(who)) << lab.token(who) << "\n";
      ::chmod(token_file(who).c_str(), 0600);
    }
  }
  [[nodiscard]] std::string token_file(const std::string& who) const {
    return lab.directory.path + "/" + (who == kUser ? "user" : "gms") + ".jwt";
  }
  [[nodiscard]] KmsAnswers fetch(const std::string& who, NtpTime now) const {
    KmsAccess access;
    access.uri = "kms.alpha.example";
    access.url = "https://kms.alpha.example:8444";
    access.token_file = token_file(who);
    const auto call = [&](http::ClientRequest from) -> Result<http::Response> {
      http::Request request;
      request.method = from.method;
      const http::Url url = TRY(http::parse_url(from.url));
      request.target = url.origin_form();
      request.headers = std::move(from.headers);
      request.headers.set(
          "Authorization",
          "Bearer " + lab.issuer.token({.mcptt_id = who, .scopes = {test::kScopeRel14}}, now).value());
      request.headers.add("Host", url.authority());
      request.body = std::move(from.body);
      return std::move(lab.ask(request, now).response);
    };
    return fetch_keys(access, who, call, FixedClock(now)).value();
  }
  [[nodiscard]] static Provisioned read(const KmsAnswers& answers, const std::string& who, NtpTime now) {
    auto out = read_keys(answers, who, "kms.alpha.example", now);
    EXPECT_TRUE(out.ok()) << out.error().text();
    for (const Error& warning : out->warnings) ADD_FAILURE() << warning.text();
    return std::move(out).value();
  }
  // A message of the GMS to the user at `t`, opened at `now`.
  static bool opens(const Provisioned& gms, const Provisioned& user, NtpTime t, NtpTime now) {
    crypto::SystemRandom random;
    const mcx::KmsCertificate& kms = *gms.domains.find(mcx::KmsUri::parse("kms.alpha.example").value(), t);
    const auto keys = std::find_if(gms.key_sets.begin(), gms.key_sets.end(), [&](const mcx::KeySet& one) {
      return one.period_no() == kms.periods.number_at(t);
    });
    if (keys == gms.key_sets.end()) return false;
    gktp::KeyMaterial material;
    random.fill(material.key.expose_mutable());
    material.id.value = 7;
    material.rand.assign(16, 1);
    const std::vector<gktp::Receiver> receivers = {{test::id(kUser), &kms}};
    const auto sealed = gktp::seal(material, gktp::Sender{kms, *keys}, receivers, t, random);
    EXPECT_TRUE(sealed.ok()) << sealed.error().text();
    gktp::Reception with{test::id(kUser), kms.kms_uri, user.domains, user.key_sets};
    with.authorised_initiators = {test::id(kGms)};
    with.now = now;
    const auto verified = gktp::verify(sealed->front().message, with);
    EXPECT_TRUE(verified.ok()) << verified.error().text();
    return verified.ok() && gktp::open(*verified, with).ok();
  }

  test::KmsLab lab;
};

TEST_F(KmsRollOver, MessagesOfBothSidesOfTheBoundaryOpen) {
  ASSERT_TRUE(lab.kms.roll_over(lab.kms.earliest_roll_over(kAlphaNow), kAlphaNow, lab.random).ok());
  const NtpTime boundary = *lab.kms.registry().all_own().back().certificate.valid_from;
  const NtpTime eve = boundary.plus(-600), morning = boundary.plus(600);
  const KmsAnswers stored = fetch(kUser, eve);
  const Provisioned gms = read(fetch(kGms, eve), kGms, eve), user = read(stored, kUser, eve);
  EXPECT_EQ(user.domains.find(mcx::KmsUri::parse("kms.alpha.example").value(), morning)->cert_uri,
            "cert2.kms.alpha.example");
  EXPECT_TRUE(opens(gms, user, eve, eve));
  EXPECT_TRUE(opens(gms, user, eve, morning)) << "sealed before, opened after";
  EXPECT_TRUE(opens(gms, user, morning, morning)) << "without having asked the KMS again";

  const KmsAnswers fresh = fetch(kUser, morning);
  ASSERT_TRUE(check_pinned(fresh, stored).ok());
  const Provisioned later = read(keep_previous(fetch(kUser, morning), stored), kUser, morning);
  EXPECT_TRUE(opens(gms, later, eve, morning)) << "fetched after the boundary, sealed before it";
  EXPECT_TRUE(opens(read(fetch(kGms, morning), kGms, morning), later, morning, morning));
}

TEST_F(KmsRollOver, AnAnnouncedSuccessorIsPinned) {
  ASSERT_TRUE(lab.kms.roll_over(lab.kms.earliest_roll_over(kAlphaNow), kAlphaNow, lab.random).ok());
  const NtpTime boundary = *lab.kms.registry().all_own().back().certificate.valid_from;
  const KmsAnswers stored = fetch(kUser, kAlphaNow);
  lab.kms = test::alpha();  // another machine, with other secrets under the announced name
  ASSERT_TRUE(lab.kms.roll_over(lab.kms.earliest_roll_over(kAlphaNow), kAlphaNow, lab.random).ok());
  const auto pinned = check_pinned(fetch(kUser, boundary.plus(60)), stored);
  ASSERT_FALSE(pinned.ok());
  EXPECT_EQ(pinned.error().code, Errc::conflict);
  EXPECT_THAT(pinned.error().text(), testing::HasSubstr("cert2.kms.alpha.example"));
}

}  // namespace
}  // namespace regroup::app
