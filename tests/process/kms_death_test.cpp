// SPDX-License-Identifier: Apache-2.0
// A KMS that dies: the others go on with the keys they have stored, and it comes back with the same ones.
#include <gmock/gmock.h>

#include "app/kms/client.hpp"
#include "kmsxml/documents.hpp"
#include "process/traces.hpp"
#include "process/two_systems.hpp"

namespace regroup::process {
namespace {

using testing::HasSubstr;

class KmsDeath : public TwoSystems {
 protected:
  static app::KmsAnswers ask(const std::string& identity) {
    auto answers = app::fetch_keys(alpha().kms_access(identity), identity);
    EXPECT_TRUE(answers.ok()) << answers.error().text();
    return answers.ok() ? std::move(answers).value() : app::KmsAnswers();
  }
  // The master secrets are those of before: the same public keys, and of each identity the same RSK. SSK and
  // PVT are drawn anew with each question (RFC 6507 5.1.1).
  static void expect_same(const app::KmsAnswers& before, const app::KmsAnswers& after) {
    const auto own = kmsxml::find_certificates(before.init.expose());
    const auto own_after = kmsxml::find_certificates(after.init.expose());
    ASSERT_TRUE(own.ok() && own_after.ok());
    EXPECT_EQ(own->front().pub_enc_key, own_after->front().pub_enc_key);
    EXPECT_EQ(own->front().pub_auth_key, own_after->front().pub_auth_key);
    const auto sets = kmsxml::find_key_sets(before.keyprov.expose());
    const auto sets_after = kmsxml::find_key_sets(after.keyprov.expose());
    ASSERT_TRUE(sets.ok() && sets_after.ok());
    ASSERT_FALSE(sets->empty());
    ASSERT_EQ(sets->size(), sets_after->size());
    for (std::size_t i = 0; i < sets->size(); ++i) {
      EXPECT_EQ((*sets)[i].user_uri, (*sets_after)[i].user_uri);
      EXPECT_EQ((*sets)[i].key_period_no, (*sets_after)[i].key_period_no);
      EXPECT_TRUE(ct_equal((*sets)[i].user_decrypt_key.expose(), (*sets_after)[i].user_decrypt_key.expose()));
    }
  }
};

TEST_F(KmsDeath, LeavesTheSameKeysAndLetsAGmsAndAClientStartWithoutIt) {
  const app::KmsAnswers of_user = ask(alpha().users[0]), of_gms = ask(alpha().gms_uri);
  alpha().kms->kill_now();
  ASSERT_FALSE(app::fetch_keys(alpha().kms_access(alpha().users[0]), alpha().users[0]).ok());

  alpha().gms->kill_now();
  alpha().clients[0]->kill_now();
  const auto gms = lab().restart_gms(alpha());
  ASSERT_TRUE(gms.ok()) << gms.error().text();
  const auto client = lab().restart_client(alpha(), 0);
  ASSERT_TRUE(client.ok()) << client.error().text();
  EXPECT_THAT(contents(alpha().file("gms.log")), HasSubstr("starting with stored keys"));
  EXPECT_THAT(contents(alpha().file("user1.log")), HasSubstr("starting with stored keys"));

  const Ending formed = regroup("without-a-kms", "none", "one");
  ASSERT_EQ(formed.code, 0) << formed.err;
  const std::string temporary = formed.answer.value("temporary", "");
  expect_everybody(temporary, 1, "INSTALLED");
  EXPECT_EQ(keys_of(alpha(), temporary), keys_of(beta(), temporary));
  ASSERT_EQ(teardown(temporary).code, 0);
  expect_everybody(temporary, 1, "WITHDRAWN");

  const auto kms = lab().restart_kms(alpha());
  ASSERT_TRUE(kms.ok()) << kms.error().text();
  expect_same(of_user, ask(alpha().users[0]));
  expect_same(of_gms, ask(alpha().gms_uri));
}

}  // namespace
}  // namespace regroup::process
