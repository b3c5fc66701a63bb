// SPDX-License-Identifier: Apache-2.0
// What the KMS answers over HTTP: resources, tokens, identities, bodies (docs/wire.md, KMS).
#include "app/kms/front.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/kms/documents.hpp"
#include "app/kms/kms_lab.hpp"
#include "kmsxml/data.hpp"

namespace regroup::app {
namespace {

using test::kAlphaNow;
using test::kGms;
using test::KmsLab;
using test::kUser;
using test::kVictim;
using testing::HasSubstr;
using testing::Not;

kmsxml::KmsResponse parsed(const KmsAnswer& answer) {
  auto read = kmsxml::parse_response(answer.response.body.view());
  EXPECT_TRUE(read.ok()) << read.error().text() << "\n" << answer.response.body.text();
  return read.ok() ? std::move(read).value() : kmsxml::KmsResponse{};
}

std::string error_of(const KmsAnswer& answer) {
  const auto response = parsed(answer);
  const auto* error = std::get_if<kmsxml::KmsError>(&response.content);
  if (!error) return "no KmsError";
  EXPECT_EQ(error->code, answer.response.status);
  return error->message;
}

std::vector<kmsxml::KmsKeySet> keys_of(const KmsAnswer& answer) {
  auto response = parsed(answer);
  auto* provided = std::get_if<kmsxml::KmsKeyProv>(&response.content);
  return provided ? std::move(provided->key_sets) : std::vector<kmsxml::KmsKeySet>{};
}

void expect_refused(const KmsAnswer& answer, unsigned status, const std::string& reason) {
  EXPECT_EQ(answer.response.status, status) << answer.response.body.text();
  EXPECT_EQ(answer.reason, reason);
  EXPECT_THAT(error_of(answer), testing::StartsWith(reason + ": "));
}

// The RSK that no answer to anybody else may hold.
std::string rsk_of(const KmsLab& lab, const char* identity) {
  return hex_upper(lab.kms.provision(identity, {1536}, kAlphaNow, *std::make_unique<crypto::SystemRandom>())
                       .value()[0]
                       .rsk.expose());
}

TEST(KmsFront, AnswersInitWithTheRootCertificate) {
  const KmsLab lab;
  const KmsAnswer answer = lab.ask("/init", lab.token(kUser));
  ASSERT_EQ(answer.response.status, 200u);
  const auto response = parsed(answer);
  EXPECT_EQ(response.user_uri, kUser);
  EXPECT_EQ(response.kms_uri, "kms.alpha.example");
  EXPECT_EQ(response.kms_id, "alpha-kms-1");
  EXPECT_EQ(response.time, kAlphaNow);
  EXPECT_EQ(response.client_req_url, "https://kms.alpha.example:8444/keymanagement/identity/v1/init");
  const auto& init = std::get<kmsxml::KmsInit>(response.content);
  EXPECT_EQ(init.certificate.role, kmsxml::Role::root);
  EXPECT_EQ(hex(init.certificate.pub_auth_key), test::kAlphaKpak);
  EXPECT_EQ(answer.response.headers.find("Cache-Control"), "no-store");
  EXPECT_EQ(answer.response.headers.find("Pragma"), "no-cache");
  EXPECT_EQ(answer.response.headers.find("Content-Type"), "application/xml; charset=utf-8");
}

TEST(KmsFront, AnswersKeyprovWithTheCurrentAndTheNextPeriod) {
  const KmsLab lab;
  mcx::Domains domains;
  ASSERT_TRUE(domains.add(lab.kms.certificate_at(NtpTime{})).ok());
  for (const char* resource :
       {"/keyprov", "/keyprov/", "/keyprov/sip%3Auser.001%40alpha.example",
        "/keyprov/sip:user.001@alpha.example", "/keyprov/sip%3auser.001@ALPHA.example/"}) {
    const auto sets = keys_of(lab.ask(resource, lab.token(kUser)));
    ASSERT_EQ(sets.size(), 2u) << resource;
    EXPECT_EQ(sets[0].key_period_no, 1536);
    EXPECT_EQ(sets[1].key_period_no, 1537);
    EXPECT_EQ(sets[0].user_uri, kUser) << "in the registered spelling";
    EXPECT_TRUE(key_set_of(sets[0], domains).ok());
  }
}

TEST(KmsFront, AnswersKeyprovWithATimeWithExactlyThatPeriod) {
  const KmsLab lab;
  const std::string token = lab.token(kUser);
  const auto at = [&](const std::string& time) {
    return lab.ask("/keyprov/" + std::string(kUser) + "/" + time, token);
  };
  const auto stamp = [](const char* text) { return hex(parse_date_time(text).value().wire()); };
  ASSERT_EQ(keys_of(at("ED4FD71800000000")).size(), 1u);
  EXPECT_EQ(keys_of(at("ED4FD71800000000"))[0].key_period_no, 1536);
  EXPECT_EQ(keys_of(at("ed4fd718ffffffff"))[0].key_period_no, 1536) << "lower case";
  EXPECT_EQ(keys_of(at(stamp("2026-03-30T23:59:59Z")))[0].key_period_no, 1536) << "the last second";
  EXPECT_EQ(keys_of(at(stamp("2026-03-31T00:00:00Z")))[0].key_period_no, 1537) << "the first second";
  EXPECT_EQ(keys_of(at(stamp("2026-01-20T00:00:00Z")))[0].key_period_no, 1534);
  expect_refused(at(stamp("2025-12-20T00:00:00Z")), 403, "identity_not_allowed");
  expect_refused(at(stamp("2026-05-10T00:00:00Z")), 403, "identity_not_allowed");
  for (const char* bad : {"ED4FD718", "ED4FD71800000000ab", "XD4FD71800000000", "now", "ED4FD7180000000%20"})
    expect_refused(at(bad), 400, "bad_request");
}

TEST(KmsFront, AnswersCertcacheWithWhatChangedAndCertWithOne) {
  const KmsLab lab;
  const std::string token = lab.token(kUser);
  const auto cache = [&](const char* resource) {
    return std::get<kmsxml::KmsCertCache>(parsed(lab.ask(resource, token)).content);
  };
  EXPECT_EQ(cache("/certcache").cache_num, 2);
  ASSERT_EQ(cache("/certcache").certificates.size(), 1u);
  EXPECT_EQ(cache("/certcache").certificates[0].role, kmsxml::Role::external);
  EXPECT_EQ(cache("/certcache/1").certificates.size(), 1u);
  EXPECT_EQ(cache("/certcache/2").certificates.size(), 0u);
  EXPECT_EQ(cache("/certcache/2").cache_num, 2);
  expect_refused(lab.ask("/certcache/-1", token), 400, "bad_request");
  expect_refused(lab.ask("/certcache/2x", token), 400, "bad_request");
  EXPECT_EQ(cache("/cert/kms.beta.example").certificates[0].kms_uri, "kms.beta.example");
  EXPECT_EQ(cache("/cert/kms.alpha.example").certificates[0].role, kmsxml::Role::root);
  expect_refused(lab.ask("/cert/kms.gamma.example", token), 404, "unknown_kms");
}

TEST(KmsFront, KnowsNoOtherResource) {
  const KmsLab lab;
  const std::string token = lab.token(kUser);
  for (const char* resource :
       {"", "/", "/init/x", "/Init", "/keyprov/a/b/c", "/keyprov//", "/certcache/1/2", "/cert", "/cert/a/b",
        "/lookup/x", "/redirect", "/certupdatequery", "/clustercache", "/init?x=1"}) {
    const unsigned status = lab.ask(resource, token).response.status;
    EXPECT_TRUE(status == 404 || (std::string(resource) == "/keyprov//" && status == 403))
        << resource << " " << status;
  }
  http::Request elsewhere = KmsLab::request("/init", token);
  for (const char* target : {"/", "/init", "/keymanagement/identity/v2/init", "/keymanagement/identity/v1",
                             "/keymanagement%2fidentity/v1/init", "/KeyManagement/identity/v1/init",
                             "//keymanagement/identity/v1/init", "/keymanagement/identity/v1/../v1/init"}) {
    elsewhere.target = target;
    expect_refused(lab.ask(elsewhere), 404, "not_found");
  }
}

TEST(KmsFront, TakesPostOnlyAndBodiesUpToItsLimit) {
  const KmsLab lab;
  http::Request request = KmsLab::request("/keyprov", lab.token(kUser));
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE"}) {
    request.method = method;
    const KmsAnswer answer = lab.ask(request);
    EXPECT_EQ(answer.response.status, 405u);
    EXPECT_EQ(answer.response.headers.find("Allow"), "POST");
    EXPECT_TRUE(answer.response.body.empty());
  }
  EXPECT_EQ(lab.ask("/keyprov", lab.token(kUser), std::string(kMaxKmsRequest + 1, ' ')).response.status,
            413u);
}

// ---- item 5: the token matrix

TEST(KmsFrontToken, AcceptsBothScopeGenerationsAndNoOtherScope) {
  const KmsLab lab;
  EXPECT_EQ(lab.ask("/keyprov", lab.token(kUser, {test::kScopeRel13})).response.status, 200u);
  EXPECT_EQ(lab.ask("/keyprov", lab.token(kUser, {test::kScopeRel14})).response.status, 200u);
  EXPECT_EQ(lab.ask("/keyprov", lab.token(kUser, {"openid", test::kScopeRel14, "x"})).response.status, 200u);
  for (const char* scope :
       {"3gpp:mc:ptt_group_management_service", "3gpp:mc:video_key_management_service",
        "3gpp:mcptt:key_management_serve", "3gpp:mcptt:key_management_server2", "openid"}) {
    const KmsAnswer answer = lab.ask("/keyprov", lab.token(kUser, {scope}));
    expect_refused(answer, 403, "insufficient_scope");
    EXPECT_EQ(answer.response.headers.find("WWW-Authenticate"), "Bearer error=\"insufficient_scope\"");
  }
}

TEST(KmsFrontToken, RefusesEveryTokenThatIsNotOneWith401) {
  const KmsLab lab;
  const std::string good = lab.token(kUser);
  const std::string header = good.substr(0, good.find('.')), rest = good.substr(good.find('.'));
  const std::string none = base64url(view(R"({"alg":"none","typ":"at+jwt"})"));
  const std::string hmac = base64url(view(R"({"alg":"HS256","typ":"at+jwt"})"));
  std::string signature_changed = good;
  signature_changed[good.rfind('.') + 5] = good[good.rfind('.') + 5] == 'A' ? 'B' : 'A';
  std::string claims_changed = good;
  claims_changed[good.find('.') + 5] = good[good.find('.') + 5] == 'A' ? 'B' : 'A';
  const test::TemporaryDirectory elsewhere;
  const auto stranger = Issuer::make(elsewhere.path, test::kIssuerUrl).value();
  const auto other_name = Issuer::make(elsewhere.path, "https://evil.example").value();
  const IssuedClaims claims{.mcptt_id = kUser, .scopes = {test::kScopeRel14}};
  const std::string cases[] = {
      "",
      "x",
      "a.b.c",
      good + ".x",
      none + rest,
      none + rest.substr(0, rest.rfind('.') + 1),
      hmac + rest,
      signature_changed,
      claims_changed,
      stranger.token(claims, kAlphaNow).value(),
      other_name.token(claims, kAlphaNow).value(),
      lab.issuer.token(claims, kAlphaNow.plus(-3631)).value(),
      lab.issuer
          .token({.mcptt_id = kUser, .scopes = {test::kScopeRel14}, .audience = {"regroup-gms"}}, kAlphaNow)
          .value(),
      lab.token("")};
  for (const std::string& token : cases)
    for (const char* resource : {"/keyprov", "/init", "/certcache", "/nowhere"}) {
      const KmsAnswer answer = lab.ask(resource, token);
      expect_refused(answer, 401, "invalid_token");
      EXPECT_EQ(answer.response.headers.find("WWW-Authenticate"), "Bearer error=\"invalid_token\"");
      EXPECT_EQ(answer.identity, "") << "nothing unverified reaches the log";
    }
  EXPECT_EQ(lab.ask("/keyprov", good).response.status, 200u);
  EXPECT_EQ(
      lab.ask("/keyprov",
              lab.issuer
                  .token({.mcptt_id = kUser, .scopes = {test::kScopeRel14}, .audience = {"regroup-kms"}},
                         kAlphaNow)
                  .value())
          .response.status,
      200u);
}

TEST(KmsFrontToken, RefusesTwoCredentialsAndOtherSchemes) {
  const KmsLab lab;
  http::Request request = KmsLab::request("/keyprov", lab.token(kVictim));
  request.headers.add("Authorization", "Bearer " + lab.token(kUser));
  expect_refused(lab.ask(request), 401, "invalid_token");
  request.headers.set("Authorization", "Basic dXNlcjpwYXNz");
  expect_refused(lab.ask(request), 401, "invalid_token");
}

TEST(KmsFrontToken, DoesNotLookAtAnAssertedIdentity) {
  const KmsLab lab;
  http::Request request = KmsLab::request("/keyprov", lab.token(kUser));
  request.headers.add("X-3GPP-Asserted-Identity", kVictim);
  EXPECT_EQ(keys_of(lab.ask(request))[0].user_uri, kUser);
  request.headers.remove("Authorization");
  expect_refused(lab.ask(request), 401, "invalid_token");
}

TEST(KmsFrontToken, OfAnIdentityWithoutRecordGets404) {
  const KmsLab lab;
  for (const char* resource : {"/init", "/keyprov", "/certcache"})
    expect_refused(lab.ask(resource, lab.token("sip:stranger@alpha.example")), 404, "unknown_identity");
}

// ---- item 6: nobody gets another's keys

TEST(KmsFrontIdentity, NobodyGetsAnothersKeysByAnySpelling) {
  const KmsLab lab;
  const std::string token = lab.token(kUser);
  const std::string victims = rsk_of(lab, kVictim), gms = rsk_of(lab, kGms);
  for (const char* resource :
       {"/keyprov/sip%3Auser.002%40alpha.example", "/keyprov/sip:user.002@alpha.example",
        "/keyprov/SIP:user.002@ALPHA.example", "/keyprov/sip%253Auser.002%2540alpha.example",
        "/keyprov/sip%3Auser.001%40alpha.example%2f..%2fsip%3Auser.002%40alpha.example",
        "/keyprov/sip:user.001@alpha.example/../sip:user.002@alpha.example",
        "/keyprov/sip:user.001@alpha.example%00sip:user.002@alpha.example",
        "/keyprov/sip:user.002@alpha.example/ED4FD71800000000", "/keyprov/sip:user.002@alpha.example/",
        "/keyprov/sip:gms.group@alpha.example", "/keyprov/sip:USER.001@alpha.example",
        "/keyprov/sip:user.001@alpha.example;x=sip:user.002@alpha.example",
        "/keyprov/sip:user.00%EF%BC%92@alpha.example", "/keyprov/sip:us\xD0\xB5r.002@alpha.example",
        "/keyprov/%20sip:user.002@alpha.example", "/keyprov/sip%3Auser.002%4",
        "/keyprov/sip%3Auser.002%zz"}) {
    const KmsAnswer answer = lab.ask(resource, token);
    EXPECT_GE(answer.response.status, 400u) << resource;
    EXPECT_THAT(std::string(answer.response.body.text()), Not(HasSubstr(victims))) << resource;
    EXPECT_THAT(std::string(answer.response.body.text()), Not(HasSubstr(gms))) << resource;
  }
}

TEST(KmsFrontIdentity, AForeignIdentityAndAnUnknownOneGetTheSameAnswer) {
  const KmsLab lab;
  const KmsAnswer foreign = lab.ask("/keyprov/sip:user.002@alpha.example", lab.token(kUser));
  const KmsAnswer unknown = lab.ask("/keyprov/sip:user.999@alpha.example", lab.token(kUser));
  expect_refused(foreign, 403, "identity_not_allowed");
  EXPECT_EQ(error_of(foreign), error_of(unknown));
  EXPECT_EQ(foreign.response.status, unknown.response.status);
}

TEST(KmsFrontIdentity, AServerNeedsACertificateThatNamesIt) {
  const KmsLab lab(ServerAuth::mtls_token);
  http::Request request = KmsLab::request("/keyprov", lab.token(kGms));
  expect_refused(lab.ask(request), 403, "identity_not_allowed");
  request.peer.certificate.presented = true;
  request.peer.certificate.uris = {"sip:other@alpha.example"};
  request.peer.certificate.dns = {kGms};
  expect_refused(lab.ask(request), 403, "identity_not_allowed");
  request.peer.certificate.uris.emplace_back(kGms);
  const auto sets = keys_of(lab.ask(request));
  ASSERT_EQ(sets.size(), 2u);
  EXPECT_EQ(hex(sets[0].user_decrypt_key.expose()), test::kAlphaGmsRsk);
  EXPECT_EQ(lab.ask("/keyprov", lab.token(kUser)).response.status, 200u) << "users need none";
  const KmsLab open;
  EXPECT_EQ(open.ask("/keyprov", open.token(kGms)).response.status, 200u)
      << "without a client CA the token is enough";
}

// What a server sends that has a certificate with these URIs; an empty token sends none.
KmsAnswer ask_certified(const KmsLab& lab, std::vector<std::string> uris, const std::string& token) {
  http::Request request = KmsLab::request("/keyprov", token);
  request.peer.certificate.presented = true;
  request.peer.certificate.uris = std::move(uris);
  return lab.ask(request);
}

TEST(KmsFrontIdentity, WithMtlsACertificateIsEnoughForAServerAndForNobodyElse) {
  const KmsLab lab(ServerAuth::mtls);
  const auto sets = keys_of(ask_certified(lab, {kGms}, {}));
  ASSERT_FALSE(sets.empty());
  EXPECT_EQ(sets[0].user_uri, kGms);
  EXPECT_EQ(ask_certified(lab, {kGms}, lab.token(kGms)).response.status, 200u);
  expect_refused(lab.ask("/keyprov", lab.token(kGms)), 403, "identity_not_allowed");
  expect_refused(ask_certified(lab, {kUser}, {}), 401, "invalid_token");
  expect_refused(ask_certified(lab, {"sip:stranger@alpha.example"}, {}), 401, "invalid_token");
  expect_refused(ask_certified(lab, {}, {}), 401, "invalid_token");
  expect_refused(ask_certified(lab, {kGms}, "nonsense"), 401, "invalid_token");
  EXPECT_EQ(keys_of(ask_certified(lab, {kGms}, lab.token(kUser)))[0].user_uri, kUser)
      << "a token says who asks; a certificate never adds to it";
  http::Request absent = KmsLab::request("/keyprov", {});
  absent.peer.certificate.uris = {kGms};  // not verified
  expect_refused(lab.ask(absent), 401, "invalid_token");
}

TEST(KmsFrontIdentity, WithMtlsACertificateThatNamesTwoServersSaysNotWhoAsks) {
  KmsLab lab(ServerAuth::mtls);
  ASSERT_TRUE(lab.kms.registry().add(test::id("sip:other@alpha.example"), true).ok());
  expect_refused(ask_certified(lab, {kGms, "sip:other@alpha.example"}, {}), 401, "invalid_token");
  EXPECT_EQ(keys_of(ask_certified(lab, {"sip:other@alpha.example", kUser}, {}))[0].user_uri,
            "sip:other@alpha.example");
}

TEST(KmsFrontIdentity, WithTokenOrBothACertificateAloneIsNotEnough) {
  for (const ServerAuth auth : {ServerAuth::token, ServerAuth::mtls_token})
    expect_refused(ask_certified(KmsLab(auth), {kGms}, {}), 401, "invalid_token");
  const KmsLab token_only(ServerAuth::token);
  EXPECT_EQ(token_only.ask("/keyprov", token_only.token(kGms)).response.status, 200u);
}

TEST(KmsFrontIdentity, AServersCertificateDoesNotOpenUsersKeys) {
  const KmsLab lab(ServerAuth::mtls_token);
  http::Request request = KmsLab::request("/keyprov/" + std::string(kUser), lab.token(kGms));
  request.peer.certificate.presented = true;
  request.peer.certificate.uris = {kGms, kUser};
  expect_refused(lab.ask(request), 403, "identity_not_allowed");
}

// ---- the body

TEST(KmsFrontBody, TakesTheWorkedRequestAndAnswersWithItsUrl) {
  const KmsLab lab;
  const KmsAnswer answer = lab.ask("/init", lab.token(kUser), test::kms_document("request.xml"));
  ASSERT_EQ(answer.response.status, 200u) << answer.response.body.text();
  EXPECT_EQ(parsed(answer).client_req_url, "https://kms.alpha.example/keymanagement/identity/v1/init");
}

TEST(KmsFrontBody, MustRepeatWhatTokenAndRequestLineSay) {
  const KmsLab lab;
  const std::string body = test::kms_document("request.xml");
  const auto with = [&](const char* from, const char* to) {
    return lab.ask("/init", lab.token(kUser), test::replaced(body, from, to));
  };
  expect_refused(with("<UserUri>sip:user.001", "<UserUri>sip:user.002"), 400, "bad_request");
  expect_refused(with("<KmsUri>kms.alpha", "<KmsUri>kms.beta"), 400, "bad_request");
  expect_refused(with("v1/init", "v1/keyprov"), 400, "bad_request");
  EXPECT_EQ(with("https://kms.alpha.example/key", "http://proxy:1/key").response.status, 200u)
      << "a proxy changes scheme and host";
  EXPECT_EQ(with("https://kms.alpha.example/key", "/key").response.status, 200u) << "path only (T-22)";
  EXPECT_EQ(with("2026-03-02T09:30:00Z", "2020-01-01T00:00:00Z").response.status, 200u)
      << "the time of an unsigned request is not judged";
  const std::string encoded = test::replaced(body, "v1/init", "v1/keyprov/sip%3Auser.001%40alpha.example/");
  EXPECT_EQ(lab.ask("/keyprov/sip:user.001@alpha.example", lab.token(kUser), encoded).response.status, 200u)
      << "compared decoded";
}

TEST(KmsFrontBody, RefusesWhatIsNoKmsRequest) {
  const KmsLab lab;
  const std::string body = test::kms_document("request.xml");
  std::string attributes = "<KmsRequest xmlns=\"urn:3gpp:ns:mcsecKMSInterface:1.0\"";
  for (int i = 0; i < 5000; ++i) attributes += " a" + std::to_string(i) + "=''";
  for (const std::string& bad :
       {std::string("{\"UserUri\":\"sip:user.001@alpha.example\"}"), std::string("x"), body.substr(0, 200),
        attributes + "/>",
        test::replaced(body, "<KmsRequest",
                       "<!DOCTYPE KmsRequest [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><KmsRequest"),
        test::kms_document("init.xml")})
    expect_refused(lab.ask("/init", lab.token(kUser), bad), 400, "bad_request");
}

// ---- form of the answer

TEST(KmsFrontForm, AnswersTextXmlToAClientThatTakesNothingElse) {
  const KmsLab lab;
  http::Request request = KmsLab::request("/init", lab.token(kUser));
  request.headers.add("Accept", "text/xml");
  EXPECT_EQ(lab.ask(request).response.headers.find("Content-Type"), "text/xml; charset=utf-8");
  request.headers.set("Accept", "text/xml, application/xml;q=0.5");
  EXPECT_EQ(lab.ask(request).response.headers.find("Content-Type"), "application/xml; charset=utf-8");
}

// ---- item 3: the year 2036, item 10: nothing secret outside key sets

TEST(KmsFront, ServesAcrossTheRollOverOf2036) {
  const KmsLab lab;
  const NtpTime now = parse_date_time("2036-02-08T00:00:00Z").value();
  const std::string token = lab.issuer.token({.mcptt_id = kUser, .scopes = {test::kScopeRel14}}, now).value();
  const std::int64_t number = now.seconds / 2592000;
  EXPECT_GT(now.seconds, INT64_C(0xFFFFFFFF));
  EXPECT_EQ(keys_of(lab.ask(KmsLab::request("/keyprov", token), now))[0].key_period_no, number);
  const auto named =
      lab.ask(KmsLab::request("/keyprov/" + std::string(kUser) + "/" + hex(now.wire()), token), now);
  EXPECT_EQ(keys_of(named)[0].key_period_no, number);
}

TEST(KmsFront, LeaksNoSecretIntoAnswersThatCarryNoKeysNorIntoTheLog) {
  const KmsLab lab;
  const std::string token = lab.token(kUser);
  for (const char* resource :
       {"/init", "/certcache", "/nowhere", "/keyprov/sip:user.002@alpha.example", "/keyprov"}) {
    const KmsAnswer answer = lab.ask(resource, token);
    const std::string log = answer.identity + answer.resource + answer.reason;
    for (const std::string& secret : {std::string(test::kAlphaZ), std::string(test::kAlphaKsak), token}) {
      EXPECT_THAT(test::replaced_everywhere(std::string(answer.response.body.text()), "\n", ""),
                  Not(HasSubstr(secret.substr(0, 40))));
      EXPECT_THAT(log, Not(HasSubstr(secret.substr(0, 40))));
    }
    if (std::string(resource) != "/keyprov") {
      EXPECT_THAT(std::string(answer.response.body.text()), Not(HasSubstr(rsk_of(lab, kUser).substr(0, 60))));
    }
  }
}

// As `lab` has it, but with a rate.
KmsFront limited(const KmsLab& lab, crypto::SystemRandom& random) {
  KmsFrontSettings settings;
  settings.tokens.issuer = test::kIssuerUrl;
  settings.rate = 3;
  return {lab.kms, settings, random};
}

TEST(KmsFront, WhoAsksTooOftenIsToldWhenToComeBack) {
  const KmsLab lab;
  crypto::SystemRandom random;
  const KmsFront front = limited(lab, random);
  const auto ask = [&](const char* identity, NtpTime now) {
    return front.answer(KmsLab::request("/init", lab.token(identity)), lab.jwks, now);
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(kUser, kAlphaNow).response.status, 200u);
  const KmsAnswer refused = ask(kUser, kAlphaNow);
  expect_refused(refused, 429, "rate_limited");
  EXPECT_EQ(refused.response.headers.find("Retry-After"), "20");
  EXPECT_EQ(refused.identity, kUser);
  EXPECT_EQ(ask(kVictim, kAlphaNow).response.status, 200u);
  EXPECT_EQ(ask(kUser, kAlphaNow.plus(20)).response.status, 200u);
}

// Otherwise names that anybody makes up would fill memory.
TEST(KmsFront, OnlyRegisteredIdentitiesAreCounted) {
  const KmsLab lab;
  crypto::SystemRandom random;
  const KmsFront front = limited(lab, random);
  for (int i = 0; i < 5; ++i) {
    const auto request = KmsLab::request("/init", lab.token("sip:stranger@alpha.example"));
    expect_refused(front.answer(request, lab.jwks, kAlphaNow), 404, "unknown_identity");
  }
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(front.answer(KmsLab::request("/init", ""), lab.jwks, kAlphaNow).response.status, 401u);
}

TEST(KmsFront, ARequestThatIsTurnedAwayHoldsNothingOfItsOwn) {
  const KmsLab lab;
  KmsAnswer answer;
  answer.response = lab.front.overloaded(KmsLab::request("/keyprov", lab.token(kUser)), kAlphaNow, 17);
  answer.reason = "overloaded";
  expect_refused(answer, 503, "overloaded");
  EXPECT_EQ(answer.response.headers.find("Retry-After"), "17");
  EXPECT_EQ(answer.response.headers.find("Cache-Control"), "no-store");
  EXPECT_EQ(parsed(answer).user_uri, "unauthenticated");
  EXPECT_TRUE(keys_of(answer).empty());
}

}  // namespace
}  // namespace regroup::app
