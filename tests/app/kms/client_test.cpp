// SPDX-License-Identifier: Apache-2.0
// Our client against our KMS, message by message, and against a KMS that errs or lies.
#include "app/kms/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <fstream>

#include "app/kms/idms.hpp"
#include "app/kms/kms_lab.hpp"
#include "kmsxml/data.hpp"

namespace regroup::app {
namespace {

using test::kAlphaNow;
using test::kms_document;
using test::kUser;
using test::replaced;
using test::replaced_everywhere;
using testing::HasSubstr;

class KmsClient : public testing::Test {
 protected:
  KmsClient() { write_token(lab.token(kUser)); }
  void write_token(const std::string& token) const {
    std::ofstream(access().token_file) << token << "\n";
    ::chmod(access().token_file.c_str(), 0600);
  }
  [[nodiscard]] std::string token_now() const {
    return lab.issuer.token({.mcptt_id = kUser, .scopes = {test::kScopeRel14}}, clock.now()).value();
  }
  [[nodiscard]] KmsAccess access() const {
    KmsAccess out;
    out.uri = "kms.alpha.example";
    out.url = "https://kms.alpha.example:8444/";
    out.token_file = lab.directory.path + "/user.jwt";
    return out;
  }
  [[nodiscard]] Result<KmsAnswers> fetch(const std::string& identity = kUser) const {
    return fetch_keys(
        access(), identity, [this](http::ClientRequest request) { return lab.carry(std::move(request)); },
        clock);
  }
  // A KMS that always gives this status and body.
  [[nodiscard]] Error refusal(unsigned status, const std::string& body = {},
                              const std::string& retry_after = {}) const {
    const auto call = [&](const http::ClientRequest&) -> Result<http::Response> {
      http::Response response = http::make_response(status, "application/xml", http::Body(body));
      if (!retry_after.empty()) response.headers.add("Retry-After", retry_after);
      return response;
    };
    auto fetched = fetch_keys(access(), kUser, call, clock);
    EXPECT_FALSE(fetched.ok());
    return fetched.ok() ? Error{} : fetched.error();
  }
  // The worked answers (tests/kmsxml/data): another KMS's own, made by an independent script.
  [[nodiscard]] static KmsAnswers worked(const std::string& init = kms_document("init.xml"),
                                         const std::string& keys = kms_document("keyprov.xml"),
                                         const std::string& cache = kms_document("certcache.xml")) {
    return {SecretOctets(view(init)), SecretOctets(view(keys)), SecretOctets(view(cache))};
  }
  [[nodiscard]] static Result<Provisioned> read(const KmsAnswers& answers, NtpTime now = kAlphaNow) {
    return read_keys(answers, kUser, "kms.alpha.example", now);
  }

  test::KmsLab lab;
  FixedClock clock{kAlphaNow};
};

TEST_F(KmsClient, GetsCertificateKeysAndPartnersFromOurKms) {
  const auto answers = fetch();
  ASSERT_TRUE(answers.ok()) << answers.error().text();
  const auto keys = read(*answers);
  ASSERT_TRUE(keys.ok()) << keys.error().text();
  ASSERT_EQ(keys->key_sets.size(), 2u);
  EXPECT_EQ(keys->key_sets[0].identity().text(), kUser);
  EXPECT_EQ(keys->key_sets[0].period_no(), 1536);
  ASSERT_EQ(keys->domains.all().size(), 2u);
  EXPECT_EQ(keys->domains.all()[0].kms_uri.text(), "kms.alpha.example");
  EXPECT_EQ(keys->domains.kms_of(test::id("sip:x@beta.example"), NtpTime{}).value()->kms_uri.text(),
            "kms.beta.example");
  EXPECT_TRUE(keys->warnings.empty());
}

TEST_F(KmsClient, TakesTheWorkedAnswersOfAnIndependentKms) {
  const auto keys = read(worked());
  ASSERT_TRUE(keys.ok()) << keys.error().text();
  EXPECT_EQ(hex(keys->key_sets[0].uid()), "72db45f98d6287bf2acec5599eb27afb0bff0337423ba3a36639ea3a6408314a");
  EXPECT_EQ(keys->domains.all()[1].periods.offset(), 259200);
}

TEST_F(KmsClient, KeepsItsAnswersForARestartWithoutTheKms) {
  const auto answers = fetch();
  ASSERT_TRUE(answers.ok());
  KmsAnswers kept;
  for (Write& write : writes_of(*answers)) {
    if (!write.value) continue;  // nothing of an earlier period
    take_record(Record{write.kind, write.id, std::move(*write.value)}, kept);
  }
  EXPECT_TRUE(read(kept).ok());
}

TEST_F(KmsClient, ReadsItsTokenAgainOnceAfterA401) {
  write_token(
      lab.issuer.token({.mcptt_id = kUser, .scopes = {test::kScopeRel14}}, kAlphaNow.plus(-7200)).value());
  int calls = 0;
  const auto renewing = [&](http::ClientRequest request) {
    if (++calls == 1) write_token(lab.token(kUser));  // the token source writes a fresh one meanwhile
    return lab.carry(std::move(request));
  };
  EXPECT_TRUE(fetch_keys(access(), kUser, renewing, clock).ok());
  EXPECT_EQ(calls, 4);

  write_token("nonsense");
  calls = 0;
  const auto stale = [&](http::ClientRequest request) {
    ++calls;
    return lab.carry(std::move(request));
  };
  const auto refused = fetch_keys(access(), kUser, stale, clock);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::not_authorised);
  EXPECT_EQ(calls, 2) << "once, not for ever";
}

TEST_F(KmsClient, TakesANewTokenOfTheEndpointOnceAfterA401) {
  test::Idms idms;
  idms.says_token("expired");
  idms.says_token(lab.token(kUser));
  idms.says_token("never asked for");
  KmsAccess by_endpoint = access();
  by_endpoint.token_file.clear();
  by_endpoint.token_endpoint = std::make_shared<TokenEndpoint>(idms.settings(), clock);
  const auto carry = [this](http::ClientRequest request) { return lab.carry(std::move(request)); };
  const auto fetched = fetch_keys(by_endpoint, kUser, carry, clock);
  ASSERT_TRUE(fetched.ok()) << fetched.error().text();
  EXPECT_EQ(idms.asked().size(), 2u);
}

TEST_F(KmsClient, SendsNoTokenThatOthersCouldHaveRead) {
  ::chmod(access().token_file.c_str(), 0644);
  const auto refused = fetch();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::usage);
  EXPECT_THAT(refused.error().text(), HasSubstr("chmod 600 " + access().token_file));
}

TEST_F(KmsClient, TakesItsTokenFromACommand) {
  KmsAccess by_command = access();
  by_command.token_command = "cat " + by_command.token_file;
  by_command.token_file.clear();
  const auto carry = [this](http::ClientRequest request) { return lab.carry(std::move(request)); };
  EXPECT_TRUE(fetch_keys(by_command, kUser, carry, clock).ok());
}

TEST_F(KmsClient, WithoutATokenSourceSendsNoToken) {
  KmsAccess bare = access();
  bare.token_file.clear();
  bool sent = true;
  const auto look = [&](const http::ClientRequest& request) -> Result<http::Response> {
    sent = request.headers.contains("Authorization");
    return http::make_response(404);
  };
  EXPECT_FALSE(fetch_keys(bare, kUser, look, clock).ok());
  EXPECT_FALSE(sent);
}

TEST_F(KmsClient, RefusesOtherKeysUnderAPinnedName) {
  const std::string init = kms_document("init.xml");
  const auto pinned = [&](const std::string& from, const std::string& to) {
    return check_pinned(worked(replaced_everywhere(init, from, to)), worked());
  };
  EXPECT_TRUE(check_pinned(worked(), worked()).ok());
  EXPECT_TRUE(check_pinned(worked(), {}).ok()) << "nothing is pinned yet";
  EXPECT_EQ(pinned(">0416B686", ">0416B687").error().code, Errc::conflict) << "Z";
  EXPECT_EQ(pinned(">04019860", ">04019861").error().code, Errc::conflict) << "KPAK";
  EXPECT_EQ(pinned(">2592000<", ">2592001<").error().code, Errc::conflict) << "period";
  EXPECT_EQ(pinned("kms.alpha.example", "kms.evil.example").error().code, Errc::conflict) << "KmsUri";
  EXPECT_TRUE(check_pinned(worked(replaced(replaced(init, ">0416B686", ">0416B687"), "<CertUri>cert1.",
                                           "<CertUri>cert2.")),
                           worked())
                  .ok())
      << "a successor has another name";
  EXPECT_FALSE(check_pinned(worked(kms_document("keyprov.xml")), worked()).ok());
}

TEST_F(KmsClient, SaysWhatTheKmsRefusedAndWhatToDo) {
  write_token(lab.token("sip:stranger@alpha.example"));
  const auto stranger = fetch("sip:stranger@alpha.example");
  ASSERT_FALSE(stranger.ok());
  EXPECT_THAT(stranger.error().text(), HasSubstr("unknown_identity"));
  EXPECT_THAT(stranger.error().text(), HasSubstr("add-identity"));
  EXPECT_EQ(fetch(kUser).error().code, Errc::usage) << "the token is another identity's";
  EXPECT_EQ(refusal(403).code, Errc::not_authorised);
  EXPECT_EQ(refusal(503, "", "17").code, Errc::transport);
  EXPECT_THAT(refusal(429, "", "17").text(), HasSubstr("17 s"));
  EXPECT_THAT(refusal(429, "", "Mon, 02 Mar 2026 09:31:30 GMT").text(), HasSubstr("90 s"));
  EXPECT_EQ(refusal(302).code, Errc::transport) << "no redirect is followed";
  EXPECT_EQ(refusal(500, "<html>").code, Errc::transport);
}

TEST_F(KmsClient, PinsItsKmsAndItsIdentity) {
  const std::string init = kms_document("init.xml"), keys = kms_document("keyprov.xml");
  EXPECT_EQ(read_keys(worked(), kUser, "kms.other.example", kAlphaNow).error().code, Errc::conflict);
  EXPECT_EQ(read_keys(worked(), "sip:User.001@alpha.example", "kms.alpha.example", kAlphaNow).error().code,
            Errc::not_for_me);
  const std::string two_names = replaced(init, "<KmsUri>kms.alpha.example</KmsUri>\n        <Issuer>",
                                         "<KmsUri>kms.evil.example</KmsUri>\n        <Issuer>");
  EXPECT_EQ(read(worked(two_names)).error().code, Errc::conflict)
      << "the envelope names the pinned KMS, the certificate another";
  EXPECT_FALSE(
      read(worked(init, replaced_everywhere(keys, "<UserUri>sip:user.001", "<UserUri>sip:user.002"))).ok());
}

TEST_F(KmsClient, RefusesAnotherMessageThanAskedFor) {
  EXPECT_THAT(read(worked(kms_document("init.xml"), kms_document("init.xml"))).error().text(),
              HasSubstr("/keyprov"));
  EXPECT_THAT(read(worked(kms_document("keyprov.xml"))).error().text(), HasSubstr("/init"));
  EXPECT_THAT(
      read(worked(kms_document("init.xml"), kms_document("keyprov.xml"), kms_document("cert_unknown.xml")))
          .error()
          .text(),
      HasSubstr("unknown_kms"));
}

TEST_F(KmsClient, RefusesKeysThatDoNotValidate) {
  const std::string init = kms_document("init.xml"), keys = kms_document("keyprov.xml");
  const auto second_set = keys.find("<KmsKeySet", keys.find("<KmsKeySet") + 1);
  const std::string first_only = keys.substr(0, second_set) + keys.substr(keys.find("</KmsKeyProv>"));
  ASSERT_TRUE(read(worked(init, first_only)).ok());
  const auto with = [&](const std::string& from, const std::string& to) {
    return read(worked(init, replaced(first_only, from, to)));
  };
  EXPECT_FALSE(with("1F45A30FD8A5", "1F45A30FD8A6").ok()) << "SSK";
  EXPECT_FALSE(with("04818142DB12", "04818142DB13").ok()) << "PVT";
  EXPECT_FALSE(with("048106C3E6B9", "048106C3E6BA").ok()) << "RSK";
  EXPECT_FALSE(with(">1536<", ">1537<").ok()) << "another period";
  const auto uid = with("cttF+Y1i", "cttF+Y1j");
  ASSERT_FALSE(uid.ok());
  EXPECT_THAT(uid.error().text(), HasSubstr("UserID"));
  EXPECT_FALSE(read(worked(replaced(init, ">0416B686", ">0416B687"), keys)).ok()) << "Z off the curve";
  EXPECT_FALSE(read(worked(replaced(init, ">04019860", ">04019861"), keys)).ok()) << "KPAK off the curve";
}

TEST_F(KmsClient, NeedsAKeySetOfThePresentPeriodAndAValidCertificate) {
  EXPECT_EQ(read(worked(), kAlphaNow.plus(3 * 2592000)).error().code, Errc::expired);
  const std::string revoked_sets =
      replaced_everywhere(kms_document("keyprov.xml"), "<Revoked>false<", "<Revoked>true<");
  const auto revoked = read(worked(kms_document("init.xml"), revoked_sets));
  ASSERT_TRUE(revoked.ok()) << revoked.error().text();
  EXPECT_TRUE(revoked->revoked && revoked->key_sets.empty());
  const auto one_of_two = read(worked(
      kms_document("init.xml"), replaced(kms_document("keyprov.xml"), "<Revoked>false<", "<Revoked>true<")));
  EXPECT_TRUE(one_of_two.ok() && one_of_two->revoked && one_of_two->key_sets.empty())
      << "that of the present period";
  EXPECT_EQ(
      read(worked(replaced(kms_document("init.xml"), "<Revoked>false<", "<Revoked>true<"))).error().code,
      Errc::revoked);
  EXPECT_EQ(read(worked(replaced(kms_document("init.xml"), "2028-01-01T00:00:00Z", "2026-03-01T00:00:00Z")))
                .error()
                .code,
            Errc::expired);
}

TEST_F(KmsClient, LeavesOutAPartnerWhoseCertificateIsBrokenAndSaysSo) {
  const auto keys = read(worked(kms_document("init.xml"), kms_document("keyprov.xml"),
                                replaced(kms_document("certcache.xml"), ">04567BBD", ">04567BBE")));
  ASSERT_TRUE(keys.ok()) << keys.error().text();
  EXPECT_EQ(keys->domains.all().size(), 1u);
  ASSERT_EQ(keys->warnings.size(), 1u);
  EXPECT_THAT(keys->warnings[0].text(), HasSubstr("kms.beta.example"));
}

TEST_F(KmsClient, AsksForTheNextPeriodByItsTimeInTheWindow) {
  std::vector<std::string> asked;
  bool gives_next = true;
  const auto present_only = [&](http::ClientRequest request) -> Result<http::Response> {
    const std::string url = request.url;
    asked.push_back(url.substr(url.find("/v1") + 3));
    if (asked.back().rfind("/keyprov/", 0) == 0 && !gives_next) return http::make_response(403);
    http::Request there = test::KmsLab::request("", token_now());
    there.target = http::parse_url(url).value().origin_form();
    there.body = request.body;
    http::Response response = lab.ask(there, clock.now()).response;
    if (asked.back() != "/keyprov") return response;
    const std::string body(response.body.text());
    const std::size_t second = body.find("<KmsKeySet", body.find("<KmsKeySet") + 1);
    response.body = http::Body(body.substr(0, second) + body.substr(body.find("</KmsKeyProv>")));
    return response;
  };
  const auto fetch_then = [&] {
    asked.clear();
    write_token(token_now());
    return fetch_keys(access(), kUser, present_only, clock).value();
  };
  const NtpTime boundary = parse_date_time("2026-03-31T00:00:00Z").value();
  clock.set(boundary.plus(-3 * 86400 - 1));
  EXPECT_TRUE(fetch_then().next.empty());
  clock.set(boundary.plus(-3 * 86400));
  const KmsAnswers early = fetch_then();
  ASSERT_EQ(asked.size(), 4u);
  EXPECT_EQ(asked[3], "/keyprov/sip%3Auser.001%40alpha.example/ED758D0100000000") << "a second inside it";

  // Stored, it serves when the period has begun and the KMS is out of reach.
  KmsAnswers kept;
  for (Write& write : writes_of(early))
    if (write.value) take_record(Record{write.kind, write.id, std::move(*write.value)}, kept);
  EXPECT_EQ(read(kept, clock.now())->key_sets.size(), 2u);
  EXPECT_TRUE(read(kept, boundary.plus(10)).ok());
  EXPECT_FALSE(read(kept, boundary.plus(2592010)).ok());
  gives_next = false;
  const KmsAnswers later = keep_previous(fetch_then(), kept);
  EXPECT_FALSE(later.next.empty()) << "what is held stays";
  EXPECT_TRUE(read(later, clock.now()).ok());
}

TEST_F(KmsClient, NamesTheTrapOfAKmsThatCountsFrom1970) {
  const std::string keys = replaced(kms_document("keyprov.xml"), ">1536<", ">683<");
  const auto refused = read(worked(kms_document("init.xml"), keys));
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().text(), HasSubstr("T-2"));
}

}  // namespace
}  // namespace regroup::app
