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
    if (with_keys) out.transport_keys = std::make_shared<TransportRing>(test::worked_keys());
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
    if (write.value) take_record(Record{write.kind, write.id, std::move(*write.value)}, kept);
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

// ---- roll-over of the transport keys (TS 33.180 9.3, D.3)
class TransportKeyRollOver : public KmsClientProtection {
 protected:
  TransportKeyRollOver() { lab.protect(); }
  void offer() {
    ASSERT_TRUE(lab.kms.transport_keys().offer_successor(test::id(kUser), kAlphaNow, random).value());
  }
  // One visit at the KMS; `stored`: its client keeps what it learnt.
  void visit(bool stored = true) {
    const auto answers = fetch(with);
    ASSERT_TRUE(answers.ok()) << answers.error().text();
    ASSERT_TRUE(read(*answers).ok());
    if (stored) {
      ASSERT_TRUE(use_stored(with, *answers).ok());
    }
  }
  [[nodiscard]] std::vector<std::string> held() const {
    std::vector<std::string> out;
    for (const kms::TransportKeys& one : with.transport_keys->keys()) out.push_back(one.trk_id);
    return out;
  }
  test::SeededRandom random{21};
  KmsAccess with = access(KmsPolicy::wrap_sign);
  const std::string first = test::worked_keys().trk_id, second = "tk.0002.user.001@alpha.example";
};

TEST_F(TransportKeyRollOver, TakesTheSuccessorAndUsesItFromTheNextRequestOn) {
  offer();
  visit();
  EXPECT_EQ(held(), (std::vector{first, second})) << "both until the new one has worked";
  EXPECT_TRUE(ct_equal(with.transport_keys->keys()[1].trk.expose(),
                       lab.kms.transport_keys().find(kUser)->successor()->trk.expose()));
  EXPECT_TRUE(ct_equal(with.transport_keys->keys()[1].ink.expose(),
                       lab.kms.transport_keys().find(kUser)->successor()->ink.expose()));
  visit();
  EXPECT_EQ(held(), std::vector{second});
  ASSERT_TRUE(lab.kms.transport_keys().promote(kUser));
  visit();
  EXPECT_EQ(held(), std::vector{second});
  EXPECT_FALSE(fetch(access(KmsPolicy::wrap_sign)).ok()) << "the old ones are gone";
}

TEST_F(TransportKeyRollOver, TheKmsHearsWhichKeysItsClientUses) {
  offer();
  std::vector<bool> successor;
  const auto call = [&](http::ClientRequest request) -> Result<http::Response> {
    http::Request there = test::KmsLab::request("", lab.token(kUser));
    there.target = http::parse_url(request.url).value().origin_form();
    there.body = request.body;
    KmsAnswer answer = lab.ask(there);
    successor.push_back(answer.uses_successor);
    return std::move(answer.response);
  };
  const auto answers = fetch_keys(with, kUser, call, clock);
  ASSERT_TRUE(answers.ok()) << answers.error().text();
  ASSERT_TRUE(use_stored(with, *answers).ok());
  ASSERT_TRUE(fetch_keys(with, kUser, call, clock).ok());
  EXPECT_EQ(successor, (std::vector{false, false, false, true, true, true}));
}

TEST_F(TransportKeyRollOver, NoLostAnswerAndNoLostStoreLocksTheClientOut) {
  offer();
  visit(false);
  EXPECT_EQ(held(), std::vector{first});
  visit(false);  // under the old keys: offered once more
  visit();
  EXPECT_EQ(held(), (std::vector{first, second}));
}

TEST_F(TransportKeyRollOver, GoesBackToTheOldKeysWhenTheKmsDoesNotKnowTheNewOnes) {
  offer();
  visit();
  test::KmsLab from_backup;  // made before the roll-over
  from_backup.protect();
  const auto call = [&](http::ClientRequest request) { return from_backup.carry(std::move(request)); };
  std::ofstream(lab.directory.path + "/user.jwt") << from_backup.token(kUser) << "\n";
  const auto answers = fetch_keys(with, kUser, call, clock);
  ASSERT_TRUE(answers.ok()) << answers.error().text();
  ASSERT_TRUE(use_stored(with, *answers).ok());
  EXPECT_EQ(held(), (std::vector{first, second})) << "kept, it may come back";
}

TEST_F(TransportKeyRollOver, NewKeysAreOfTheKmsAndNamedOrNone) {
  offer();
  const auto refused = [&](const std::function<void(kmsxml::KmsInit&)>& change) {
    return !fetch(with, answered([&](kmsxml::KmsResponse& response) {
                    if (auto* init = std::get_if<kmsxml::KmsInit>(&response.content)) change(*init);
                  }))
                .ok();
  };
  EXPECT_TRUE(refused([](auto& init) { init.new_integrity_keys.clear(); })) << "half of them";
  EXPECT_TRUE(refused([](auto& init) { init.new_transport_keys[0].carried_key_name.clear(); }));
  EXPECT_TRUE(refused([](auto& init) { init.new_transport_keys[0].cipher[9] ^= 1; }));
  EXPECT_TRUE(refused([](auto& init) { init.new_transport_keys.push_back(init.new_transport_keys[0]); }));
  EXPECT_EQ(held(), std::vector{first});
}

TEST_F(KmsClientProtection, OfARevokedIdentityNothingIsLeft) {
  lab.protect();
  const auto before = fetch(access(KmsPolicy::wrap_sign)).value();
  ASSERT_TRUE(lab.kms.registry().set_standing(kUser, kms::Standing::revoked).value());
  auto fetched = fetch(access(KmsPolicy::wrap_sign));
  ASSERT_TRUE(fetched.ok()) << fetched.error().text();
  const KmsAnswers joined = keep_previous(std::move(fetched).value(), before);
  const auto keys = read(joined);
  ASSERT_TRUE(keys.ok()) << keys.error().text();
  EXPECT_TRUE(keys->revoked);
  EXPECT_TRUE(keys->key_sets.empty());
  for (const Write& one : writes_of(joined)) {
    if (one.id == "previous") {
      EXPECT_FALSE(one.value) << "erased";
    }
    if (one.id != "keyprov") continue;
    const auto response = kmsxml::parse_response(one.value->expose());
    for (const auto& set : std::get<kmsxml::KmsKeyProv>(response->content).key_sets)
      EXPECT_TRUE(set.revoked && set.user_decrypt_key.empty() && set.user_signing_key_ssk.empty());
  }
}

TEST_F(KmsClientProtection, ASuspendedIdentityKeepsWhatItHolds) {
  ASSERT_TRUE(lab.kms.registry().set_standing(kUser, kms::Standing::suspended).value());
  const auto fetched = fetch(access(KmsPolicy::plain, false));
  ASSERT_FALSE(fetched.ok());
  EXPECT_EQ(fetched.error().code, Errc::not_authorised);
  EXPECT_THAT(fetched.error().text(), HasSubstr("revoked: this identity is suspended"));
  ASSERT_TRUE(lab.kms.registry().set_standing(kUser, kms::Standing::active).value());
  EXPECT_TRUE(fetch(access(KmsPolicy::plain, false)).ok());
}

}  // namespace
}  // namespace regroup::app
