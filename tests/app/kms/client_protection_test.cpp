// SPDX-License-Identifier: Apache-2.0
// Our client with transport keys against our KMS, and against somebody in between.
#include "app/kms/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <fstream>

#include "app/kms/kms_lab.hpp"
#include "app/kms/protection.hpp"
#include "kmsxml/data.hpp"

namespace regroup::app {
namespace {

using test::kAlphaNow;
using test::kUser;
using testing::HasSubstr;

class KmsClientProtection : public testing::Test {
 protected:
  KmsClientProtection() {
    std::ofstream(lab.directory.path + "/user.jwt") << lab.token(kUser) << "\n";
    ::chmod((lab.directory.path + "/user.jwt").c_str(), 0600);
  }
  [[nodiscard]] KmsAccess access(KmsPolicy policy, bool with_keys = true) const {
    KmsAccess out;
    out.uri = "kms.alpha.example";
    out.url = "https://kms.alpha.example:8444";
    out.token_file = lab.directory.path + "/user.jwt";
    out.policy = policy;
    if (with_keys) out.transport_keys = std::make_shared<const kms::TransportKeys>(test::worked_keys());
    return out;
  }
  using Change = std::function<void(http::Response&)>;
  // `change` is what happens to each answer on its way.
  [[nodiscard]] Result<KmsAnswers> fetch(const KmsAccess& with, const Change& change = {}) const {
    const auto call = [&](http::ClientRequest request) -> Result<http::Response> {
      http::Response response = TRY(lab.carry(std::move(request)));
      if (change) change(response);
      return response;
    };
    return fetch_keys(with, kUser, call, clock);
  }
  [[nodiscard]] static Result<Provisioned> read(const KmsAnswers& answers) {
    return read_keys(answers, kUser, "kms.alpha.example", kAlphaNow);
  }
  [[nodiscard]] Error refusal(const KmsAccess& with, const Change& change = {}) const {
    const auto fetched = fetch(with, change);
    EXPECT_FALSE(fetched.ok());
    return fetched.ok() ? Error{} : fetched.error();
  }
  // An answer as a KMS with these keys would sign it.
  [[nodiscard]] static Change answered(const std::function<void(kmsxml::KmsResponse&)>& change) {
    return [change](http::Response& response) {
      const kms::TransportKeys keys = test::worked_keys();
      auto read = kmsxml::open_response(response.body.view(), signing_key_of(keys));
      ASSERT_TRUE(read.ok()) << read.error().text();
      change(*read);
      response.body = http::Body(kmsxml::sign(*read, signing_key_of(keys))->expose());
    };
  }

  test::KmsLab lab;
  FixedClock clock{kAlphaNow};
};

TEST_F(KmsClientProtection, GetsItsKeysUnderEachPolicy) {
  lab.protect();
  for (const KmsPolicy policy : {KmsPolicy::wrap_sign, KmsPolicy::wrap, KmsPolicy::plain}) {
    const auto answers = fetch(access(policy));
    ASSERT_TRUE(answers.ok()) << answers.error().text();
    const auto keys = read(*answers);
    ASSERT_TRUE(keys.ok()) << keys.error().text();
    EXPECT_EQ(keys->key_sets.size(), 2u);
    EXPECT_EQ(keys->domains.all().size(), 2u);
  }
}

TEST_F(KmsClientProtection, TakesEveryWrapping) {
  lab.protect(true, kms::Wrapping::w1);
  EXPECT_TRUE(read(fetch(access(KmsPolicy::wrap_sign)).value()).ok());
}

TEST_F(KmsClientProtection, KeepsWhatARestartNeedsWithoutKmsAndTransportKeys) {
  lab.protect();
  const auto answers = fetch(access(KmsPolicy::wrap_sign));
  ASSERT_TRUE(answers.ok()) << answers.error().text();
  KmsAnswers kept;
  for (Write& write : writes_of(*answers))
    take_record(Record{write.kind, write.id, std::move(*write.value)}, kept);
  const auto keys = read(kept);
  ASSERT_TRUE(keys.ok()) << keys.error().text();
  EXPECT_EQ(keys->key_sets.size(), 2u);
  EXPECT_TRUE(check_pinned(*answers, kept).ok());
}

TEST_F(KmsClientProtection, SignsItsRequestsEachWithItsOwnId) {
  lab.protect();
  std::set<std::string> ids;
  const auto call = [&](http::ClientRequest request) -> Result<http::Response> {
    const kms::TransportKeys keys = test::worked_keys();
    const auto body = kmsxml::open_request(request.body, signing_key_of(keys));
    EXPECT_TRUE(body.ok()) << body.error().text();
    if (body.ok()) ids.insert(body->id);
    return lab.carry(std::move(request));
  };
  ASSERT_TRUE(fetch_keys(access(KmsPolicy::wrap), kUser, call, clock).ok());
  EXPECT_EQ(ids.size(), 3u);
}

TEST_F(KmsClientProtection, WithWrapRefusesPlainKeysAndWithWrapAndSignUnsignedAnswers) {
  // The KMS holds no transport keys for this identity, but asks for no signature either.
  const auto plainly = [&](const KmsAccess& with) {
    const auto call = [&](http::ClientRequest request) -> Result<http::Response> {
      request.body.clear();
      return lab.carry(std::move(request));
    };
    return fetch_keys(with, kUser, call, clock);
  };
  const auto wrap = plainly(access(KmsPolicy::wrap));
  ASSERT_FALSE(wrap.ok());
  EXPECT_THAT(wrap.error().text(), HasSubstr("UserDecryptKey is plain"));
  EXPECT_THAT(wrap.error().cure, HasSubstr("--transport-keys-out"));
  const auto signing = plainly(access(KmsPolicy::wrap_sign));
  ASSERT_FALSE(signing.ok());
  EXPECT_EQ(signing.error().code, Errc::bad_signature);
  EXPECT_TRUE(plainly(access(KmsPolicy::plain)).ok());
  lab.protect(false);
  EXPECT_TRUE(plainly(access(KmsPolicy::wrap)).ok());
}

TEST_F(KmsClientProtection, WithoutTransportKeysSaysWhatTheKmsExpects) {
  lab.protect();
  const Error error = refusal(access(KmsPolicy::plain, false));
  EXPECT_THAT(error.text(), HasSubstr("signs its answers"));
  EXPECT_THAT(error.cure, HasSubstr("transport_keys"));
  const auto call = [&](const http::ClientRequest&) -> Result<http::Response> {
    return http::make_response(200, "application/xml",
                               http::Body(test::kms_document("keyprov_wrapped_signed.xml")));
  };
  const auto fetched = fetch_keys(access(KmsPolicy::plain, false), kUser, call, clock);
  ASSERT_FALSE(fetched.ok());
  EXPECT_EQ(fetched.error().code, Errc::usage);
  EXPECT_THAT(fetched.error().cure, HasSubstr("transport_keys"));
  EXPECT_EQ(refusal(access(KmsPolicy::wrap, false)).code, Errc::not_authorised) << "the KMS said so";
}

TEST_F(KmsClientProtection, RefusesAnAlteredAnswer) {
  lab.protect();
  const auto flip = [](http::Response& response) {
    std::string text(response.body.text());
    text[text.find("<KmsUri>") + 9] ^= 1;
    response.body = http::Body(text);
  };
  for (const KmsPolicy policy : {KmsPolicy::plain, KmsPolicy::wrap, KmsPolicy::wrap_sign})
    EXPECT_EQ(refusal(access(policy), flip).code, Errc::bad_signature)
        << "a signature that is there is verified";
}

TEST_F(KmsClientProtection, RefusesAnAnswerToAnotherQuestion) {
  lab.protect();
  const KmsAccess with = access(KmsPolicy::wrap_sign);
  const auto refused = [&](const std::function<void(kmsxml::KmsResponse&)>& change, const char* field) {
    const Error error = refusal(with, answered(change));
    EXPECT_EQ(error.code, Errc::bad_signature) << field;
    EXPECT_THAT(error.text(), HasSubstr(field));
  };
  EXPECT_TRUE(fetch(with, answered([](kmsxml::KmsResponse&) {})).ok());
  refused([](kmsxml::KmsResponse& answer) { answer.kms_uri = "kms.evil.example"; }, "KmsUri");
  refused([](kmsxml::KmsResponse& answer) { answer.user_uri = test::kVictim; }, "UserUri");
  refused([](kmsxml::KmsResponse& answer) { answer.client_req_url += "/x"; }, "ClientReqUrl");
  refused([](kmsxml::KmsResponse& answer) { answer.time = kAlphaNow.plus(31); }, "Time");
  refused([](kmsxml::KmsResponse& answer) { answer.time = kAlphaNow.plus(-31); }, "Time");
  EXPECT_TRUE(
      fetch(with, answered([](kmsxml::KmsResponse& answer) { answer.time = kAlphaNow.plus(-30); })).ok());
}

TEST_F(KmsClientProtection, TakesAnUnsignedErrorAsAHintAndASignedOneAsTheKmssWord) {
  lab.protect();
  const auto revoked = [](http::Response& response) {
    response = http::make_response(
        403, "application/xml",
        http::Body(kmsxml::write(kmsxml::KmsResponse{.user_uri = kUser,
                                                     .kms_uri = "kms.alpha.example",
                                                     .time = kAlphaNow,
                                                     .client_req_url = "https://kms.alpha.example/",
                                                     .content = kmsxml::KmsError{403, "revoked: the end"}})
                       .expose()));
  };
  const Error hint = refusal(access(KmsPolicy::wrap_sign), revoked);
  EXPECT_EQ(hint.code, Errc::transport) << "stored keys go on serving";
  EXPECT_THAT(hint.text(), HasSubstr("revoked"));
  EXPECT_THAT(hint.text(), HasSubstr("hint"));
  EXPECT_EQ(refusal(access(KmsPolicy::wrap), revoked).code, Errc::not_authorised);

  // A refusal that the KMS signed.
  const Error unknown = refusal(access(KmsPolicy::wrap_sign), [](http::Response& response) {
    answered([](kmsxml::KmsResponse& answer) {
      answer.content = kmsxml::KmsError{404, "unknown_identity: gone"};
    })(response);
    response.status = 404;
  });
  EXPECT_EQ(unknown.code, Errc::not_authorised);
  EXPECT_THAT(unknown.text(), HasSubstr("unknown_identity"));

  // One whose Time is not ours is a hint again.
  FixedClock late{kAlphaNow.plus(100)};
  const auto call = [&](http::ClientRequest request) { return lab.carry(std::move(request)); };
  const auto skewed = fetch_keys(access(KmsPolicy::wrap_sign), kUser, call, late);
  ASSERT_FALSE(skewed.ok());
  EXPECT_THAT(skewed.error().text(), HasSubstr("HTTP 400"));
  EXPECT_EQ(skewed.error().code, Errc::transport);
}

}  // namespace
}  // namespace regroup::app
