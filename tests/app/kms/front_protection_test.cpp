// SPDX-License-Identifier: Apache-2.0
// The KMS towards clients with transport keys (TS 33.180 9.3): who must sign, what comes back, and what one
// learns from a refusal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/kms/front.hpp"
#include "app/kms/kms_lab.hpp"
#include "app/kms/protection.hpp"
#include "kmsxml/data.hpp"

namespace regroup::app {
namespace {

using test::kAlphaNow;
using test::KmsLab;
using test::kUser;
using test::kVictim;
using test::replaced;
using testing::HasSubstr;
using testing::Not;

// The worked signed request is of this moment, to /keyprov, of kUser.
const std::string& worked_request() {
  static const std::string text = test::kms_document("signed_request.xml");
  return text;
}

kmsxml::KmsRequest request_at(NtpTime time, const std::string& id = "q9",
                              const std::string& resource = "/keyprov") {
  return {.id = id,
          .user_uri = kUser,
          .kms_uri = "kms.alpha.example",
          .time = time,
          .client_req_url = "https://kms.alpha.example" + std::string(kKmsRoot) + resource};
}
std::string signed_text(const kmsxml::KmsRequest& request) {
  static const kms::TransportKeys keys = test::worked_keys();
  return kmsxml::sign(request, signing_key_of(keys)).value();
}

class KmsFrontProtection : public testing::Test {
 protected:
  [[nodiscard]] KmsAnswer keyprov(const std::string& body) const {
    return lab.ask("/keyprov", lab.token(kUser), body);
  }
  // Signed by the KMS, or nothing.
  [[nodiscard]] static kmsxml::KmsResponse opened(const KmsAnswer& answer) {
    auto read = kmsxml::open_response(answer.response.body.view(), signing_key_of(keys()));
    EXPECT_TRUE(read.ok()) << read.error().text() << answer.response.body.text();
    return read.ok() ? std::move(read).value() : kmsxml::KmsResponse{};
  }
  static const kms::TransportKeys& keys() {
    static const kms::TransportKeys one = test::worked_keys();
    return one;
  }
  static void expect_signed_error(const KmsAnswer& answer, unsigned status, const std::string& reason) {
    EXPECT_EQ(answer.response.status, status) << answer.response.body.text();
    EXPECT_EQ(answer.reason, reason);
    const auto read = opened(answer);
    const auto* error = std::get_if<kmsxml::KmsError>(&read.content);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, status);
    EXPECT_THAT(error->message, testing::StartsWith(reason + ": "));
  }

  KmsLab lab;
};

TEST_F(KmsFrontProtection, AnswersTheWorkedSignedRequestWithWrappedKeysUnderASignature) {
  lab.protect();
  const KmsAnswer answer = keyprov(worked_request());
  ASSERT_EQ(answer.response.status, 200u) << answer.response.body.text() << answer.detail;
  kmsxml::KmsResponse read = opened(answer);
  EXPECT_EQ(read.user_uri, kUser);
  EXPECT_EQ(read.kms_uri, "kms.alpha.example");
  EXPECT_EQ(read.time, kAlphaNow);
  EXPECT_EQ(read.client_req_url, "https://kms.alpha.example/keymanagement/identity/v1/keyprov");
  auto& provided = std::get<kmsxml::KmsKeyProv>(read.content);
  ASSERT_EQ(provided.key_sets.size(), 2u);
  for (kmsxml::KmsKeySet& one : provided.key_sets) {
    ASSERT_TRUE(one.wrapped);
    EXPECT_EQ(one.wrapped->user_decrypt_key.cipher.size(), 272u) << "W3";
    EXPECT_EQ(one.wrapped->user_decrypt_key.key_name, keys().trk_id);
    ASSERT_TRUE(unwrap(one, keys()).ok());
  }
  const auto issued = lab.kms.provision(kUser, {1536}, kAlphaNow, lab.random).value();
  EXPECT_TRUE(ct_equal(provided.key_sets[0].user_decrypt_key.expose(), issued[0].rsk.expose()));
  const std::string text(answer.response.body.text());
  EXPECT_THAT(text, Not(HasSubstr(hex_upper(issued[0].rsk.expose()).substr(0, 60))));
  EXPECT_THAT(text, HasSubstr("<SignedKmsResponse"));
  EXPECT_THAT(text, HasSubstr("<ds:KeyName>ink.0007.user.001@alpha.example</ds:KeyName>"));
}

TEST_F(KmsFrontProtection, EveryResourceIsSignedAndHasAnIdOfItsOwn) {
  lab.protect();
  std::set<std::string> ids;
  int number = 0;
  for (const char* resource : {"/init", "/certcache", "/keyprov", "/cert/kms.beta.example"}) {
    const auto answer = lab.ask(resource, lab.token(kUser),
                                signed_text(request_at(kAlphaNow, "n" + std::to_string(++number), resource)));
    EXPECT_EQ(answer.response.status, 200u);
    ids.insert(opened(answer).id);
  }
  EXPECT_EQ(ids.size(), 4u);
}

TEST_F(KmsFrontProtection, AClientThatMustSignAndDoesNotGetsOneUniformRefusal) {
  lab.protect();
  std::string forged = signed_text(request_at(kAlphaNow));
  forged[forged.find("<ds:SignatureValue>") + 25] ^= 1;
  const std::string other_name = replaced(worked_request(), ">ink.0007", ">ink.0008");
  const std::string unsigned_one = text_of(view(kmsxml::write(request_at(kAlphaNow)))).data();
  std::set<std::string> texts;
  std::set<std::string> details;
  for (const std::string& body :
       {std::string(), unsigned_one, forged, other_name, std::string("<x/>"), std::string("{}"),
        replaced(worked_request(), "user.001@alpha.example</UserUri>", "user.002@alpha.example</UserUri>")}) {
    const KmsAnswer answer = keyprov(body);
    expect_signed_error(answer, 403, "bad_signature");
    texts.insert(std::get<kmsxml::KmsError>(opened(answer).content).message);
    details.insert(answer.detail);
  }
  EXPECT_EQ(texts.size(), 1u) << "which check failed is not told";
  EXPECT_GE(details.size(), 4u) << "but logged";
}

TEST_F(KmsFrontProtection, WithoutTransportKeysASignatureCannotHelpAndTheRefusalIsTheSame) {
  const KmsAnswer answer = keyprov(worked_request());
  EXPECT_EQ(answer.response.status, 403u);
  EXPECT_EQ(answer.reason, "bad_signature");
  EXPECT_FALSE(kmsxml::is_signed(answer.response.body.view()));
  EXPECT_EQ(keyprov({}).response.status, 200u) << "plain, as ever";
  lab.protect();
  const auto other = lab.ask("/keyprov", lab.token(kVictim), {});
  EXPECT_EQ(other.response.status, 200u) << "the policy is each client's own";
}

TEST_F(KmsFrontProtection, WithPolicyWrapRequestsMayBeUnsignedAndKeysAreWrappedAllTheSame) {
  lab.protect(false, kms::Wrapping::w2);
  for (const std::string& body : {std::string(), worked_request()}) {
    const KmsAnswer answer = keyprov(body);
    ASSERT_EQ(answer.response.status, 200u);
    auto read = kmsxml::parse_response(answer.response.body.view());
    ASSERT_TRUE(read.ok()) << read.error().text();
    auto& provided = std::get<kmsxml::KmsKeyProv>(read->content);
    ASSERT_TRUE(provided.key_sets.at(0).wrapped);
    EXPECT_EQ(provided.key_sets[0].wrapped->user_decrypt_key.cipher.size(), 264u) << "W2, as registered";
  }
}

TEST_F(KmsFrontProtection, ASignedRequestIsAnsweredOnceAndInTimeOnly) {
  lab.protect();
  EXPECT_EQ(keyprov(worked_request()).response.status, 200u);
  expect_signed_error(keyprov(worked_request()), 400, "replayed");
  EXPECT_EQ(keyprov(signed_text(request_at(kAlphaNow.plus(30), "a"))).response.status, 200u);
  EXPECT_EQ(keyprov(signed_text(request_at(kAlphaNow.plus(-30), "b"))).response.status, 200u);
  expect_signed_error(keyprov(signed_text(request_at(kAlphaNow.plus(31), "c"))), 400, "time_skew");
  expect_signed_error(keyprov(signed_text(request_at(kAlphaNow.plus(-31), "d"))), 400, "time_skew");
  expect_signed_error(keyprov(signed_text(request_at(kAlphaNow, std::string(200, 'q')))), 400, "bad_request");
}

TEST_F(KmsFrontProtection, AClientThatFloodsIsToldToWait) {
  lab.protect();
  for (std::size_t i = 0; i < ReplayCache::kMostOfOne; ++i)
    ASSERT_EQ(lab.ask("/init", lab.token(kUser),
                      signed_text(request_at(kAlphaNow, "f" + std::to_string(i), "/init")))
                  .response.status,
              200u);
  const KmsAnswer answer = keyprov(signed_text(request_at(kAlphaNow, "last")));
  expect_signed_error(answer, 429, "rate_limited");
  EXPECT_EQ(answer.response.headers.find("Retry-After"), "60");
}

TEST_F(KmsFrontProtection, ASignedRequestStillHasToAgreeWithTokenAndResource) {
  lab.protect();
  kmsxml::KmsRequest other_kms = request_at(kAlphaNow, "k");
  other_kms.kms_uri = "kms.evil.example";
  expect_signed_error(keyprov(signed_text(other_kms)), 400, "bad_request");
  expect_signed_error(keyprov(signed_text(request_at(kAlphaNow, "r", "/init"))), 400, "bad_request");
  kmsxml::KmsRequest named = request_at(kAlphaNow, "n1");
  named.trk_id = keys().trk_id;
  named.signature_id = keys().ink_id;
  EXPECT_EQ(keyprov(signed_text(named)).response.status, 200u);
  named.id = "n2";
  named.trk_id = "tk.0001.other";
  expect_signed_error(keyprov(signed_text(named)), 403, "bad_signature");
  // Another's token with this client's request.
  const KmsAnswer stolen = lab.ask("/keyprov", lab.token(kVictim), worked_request());
  EXPECT_EQ(stolen.reason, "bad_signature");
}

TEST_F(KmsFrontProtection, ErrorsAreSignedAsWell) {
  lab.protect();
  expect_signed_error(
      lab.ask("/keyprov/sip:user.002@alpha.example", lab.token(kUser),
              signed_text(request_at(kAlphaNow, "e1", "/keyprov/sip:user.002@alpha.example"))),
      403, "identity_not_allowed");
  expect_signed_error(
      lab.ask("/cert/kms.x", lab.token(kUser), signed_text(request_at(kAlphaNow, "e2", "/cert/kms.x"))), 404,
      "unknown_kms");
}

TEST_F(KmsFrontProtection, ThroughAProxyOnlyWrappedKeysGo) {
  http::Request request = KmsLab::request("/keyprov", lab.token(kUser));
  request.headers.add("Via", "1.1 proxy.alpha.example");
  const KmsAnswer refused = lab.ask(request);
  EXPECT_EQ(refused.response.status, 403u);
  EXPECT_EQ(refused.reason, "transport_key_required");
  http::Request init = KmsLab::request("/init", lab.token(kUser));
  init.headers.add("Via", "1.1 proxy.alpha.example");
  EXPECT_EQ(lab.ask(init).response.status, 200u) << "a certificate is public";
  lab.protect();
  request.body = to_octets(view(worked_request()));
  EXPECT_EQ(lab.ask(request).response.status, 200u);
}

}  // namespace
}  // namespace regroup::app
