// SPDX-License-Identifier: Apache-2.0
// A token from an endpoint: asked for over verified TLS, held until it ends or is refused, and every way in
// which an endpoint can fail us.
#include "app/kms/token_endpoint.hpp"

#include <gmock/gmock.h>

#include "app/kms/access.hpp"
#include "app/kms/idms.hpp"
#include "app/kms/kms_lab.hpp"
#include "base/text.hpp"

namespace regroup::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

class TokenFromEndpoint : public testing::Test {
 protected:
  std::string get(std::chrono::milliseconds limit = 60s) {
    auto token = endpoint().token({limit, {}});
    if (token.ok()) return std::string(text_of(token->expose()));
    error = std::move(token).error();
    EXPECT_THAT(error.text(), Not(HasSubstr("ss&w")));
    EXPECT_FALSE(error.clause.empty()) << error.text();
    EXPECT_FALSE(error.cure.empty()) << error.text();
    return "failed";
  }
  TokenEndpoint& endpoint() {
    if (!endpoint_) endpoint_.emplace(settings, clock);
    return *endpoint_;
  }
  // A new one, with nothing held.
  void again() { endpoint_.reset(); }

  test::Idms idms;
  FixedClock clock{test::kAlphaNow};
  TokenEndpointSettings settings = idms.settings();
  Error error;

 private:
  std::optional<TokenEndpoint> endpoint_;
};

TEST_F(TokenFromEndpoint, IsAskedForWithClientCredentialsAndHeld) {
  settings.scope = "3gpp:mc:ptt_key_management_service 3gpp:mc:ptt_group_management_service";
  idms.says_token("a.b.c");
  EXPECT_EQ(get(), "a.b.c");
  EXPECT_EQ(get(), "a.b.c");
  const auto asked = idms.asked();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].line, "POST /realm/token?tenant=1");
  EXPECT_EQ(asked[0].type, "application/x-www-form-urlencoded");
  EXPECT_EQ(asked[0].body,
            "grant_type=client_credentials&scope=3gpp%3Amc%3Aptt_key_management_service%20"
            "3gpp%3Amc%3Aptt_group_management_service");
  ASSERT_THAT(asked[0].authorization, testing::StartsWith("Basic "));
  const auto pair = from_base64(asked[0].authorization.substr(6));
  ASSERT_TRUE(pair.ok());
  EXPECT_EQ(text_of(*pair), "cli%3Aent:p%3Aa%20ss%26w%2Ford%2B%C3%A9") << "RFC 6749 2.3.1, appendix B";
}

TEST_F(TokenFromEndpoint, IsFetchedAgainAMinuteBeforeItEnds) {
  idms.says_token("first");
  idms.says_token("second");
  EXPECT_EQ(get(), "first");
  clock.advance(3539);
  EXPECT_FALSE(endpoint().due());
  EXPECT_EQ(get(), "first");
  clock.advance(1);
  EXPECT_TRUE(endpoint().due());
  EXPECT_EQ(get(), "second");
}

TEST_F(TokenFromEndpoint, EndsWhenItsOwnClaimSaysSoIfThatIsSooner) {
  const test::KmsLab kms;
  const std::string jwt =
      kms.issuer.token({.mcptt_id = test::kUser, .scopes = {"s"}, .lifetime = 100}, test::kAlphaNow).value();
  idms.says_token(jwt);
  idms.says_token("second");
  EXPECT_EQ(get(), jwt);
  clock.advance(74);
  EXPECT_EQ(get(), jwt);
  clock.advance(1);  // a quarter of a short life before its end
  EXPECT_EQ(get(), "second");
}

TEST_F(TokenFromEndpoint, WithoutAnEndIsHeldUntilItIsRefused) {
  idms.says_token("first", "");
  idms.says_token("second", "");
  EXPECT_EQ(get(), "first");
  clock.advance(86'400 * 30);
  EXPECT_EQ(get(), "first");
  endpoint().refused(view("another"));
  EXPECT_EQ(get(), "first");
  endpoint().refused(view("first"));
  EXPECT_EQ(get(), "second");
}

// The second refusal in a row is not the token's fault: the endpoint is not asked in a loop.
TEST_F(TokenFromEndpoint, IsFetchedAtOnceAfterOneRefusalAndSlowlyAfterMore) {
  for (const char* token : {"one", "two", "three"}) idms.says_token(token);
  EXPECT_EQ(get(), "one");
  endpoint().refused(view("one"));
  EXPECT_EQ(get(), "two");
  endpoint().refused(view("two"));
  EXPECT_EQ(get(), "two");
  EXPECT_EQ(idms.asked().size(), 2u);
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (get() != "three" && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(20ms);
  EXPECT_EQ(idms.asked().size(), 3u);
}

TEST_F(TokenFromEndpoint, AWrongSecretIsToldWithItsCureAndNeverShown) {
  idms.says(401, R"({"error":"invalid_client","error_description":"no \u0007 such client"})");
  EXPECT_EQ(get(), "failed");
  EXPECT_EQ(error.code, Errc::not_authorised);
  EXPECT_THAT(error.text(), AllOf(HasSubstr("token.endpoint"), HasSubstr("invalid_client"),
                                  HasSubstr("no ? such client"), HasSubstr("RFC 6749 5.2")));
  EXPECT_THAT(error.cure, HasSubstr("secret_file"));
  EXPECT_EQ(get(), "failed");
  EXPECT_EQ(idms.asked().size(), 1u) << "not in a loop";
}

TEST_F(TokenFromEndpoint, EachRefusalOfTheStandardHasItsCure) {
  for (const auto& [name, cure] :
       std::map<std::string, std::string>{{"unauthorized_client", "client_credentials"},
                                          {"unsupported_grant_type", "client_credentials"},
                                          {"invalid_scope", "scope"},
                                          {"invalid_request", "endpoint"},
                                          {"something_else", "client_id"}}) {
    idms.forget();
    idms.says(400, "{\"error\":\"" + name + "\"}");
    again();
    EXPECT_EQ(get(), "failed");
    EXPECT_EQ(error.code, Errc::not_authorised) << name;
    EXPECT_THAT(error.cure, HasSubstr(cure)) << name;
  }
  for (const unsigned status : {429u, 500u, 503u}) {
    idms.forget();
    idms.says(status, "<html/>");
    again();
    EXPECT_EQ(get(), "failed");
    EXPECT_EQ(error.code, Errc::transport) << status;
  }
  idms.forget();
  idms.says(302, "");
  again();
  EXPECT_EQ(get(), "failed");
  EXPECT_THAT(error.text(), HasSubstr("redirect"));
}

TEST_F(TokenFromEndpoint, ASlowEndpointCostsNoMoreThanTheTimeGiven) {
  idms.hold();
  const auto from = std::chrono::steady_clock::now();
  EXPECT_EQ(get(300ms), "failed");
  EXPECT_EQ(error.code, Errc::transport);
  EXPECT_THAT(error.text(), HasSubstr("token.endpoint"));
  EXPECT_LT(std::chrono::steady_clock::now() - from, 20s);
}

TEST_F(TokenFromEndpoint, AStopEndsTheWait) {
  idms.hold();
  std::stop_source stop;
  Result<SecretOctets> answer = Error{};
  std::thread asking([&] { answer = endpoint().token({600s, stop.get_token()}); });
  EXPECT_TRUE(idms.is_asked());
  stop.request_stop();
  asking.join();
  EXPECT_EQ(answer.error().code, Errc::transport);
}

TEST_F(TokenFromEndpoint, AnAnswerThatIsNoneIsRefusedWithoutItsToken) {
  const std::string token = "\"access_token\":\"eyJ.a.b\"", type = "\"token_type\":\"Bearer\"";
  for (const std::string& answer :
       {std::string(), std::string("<html>eyJ.a.b</html>"), "{" + token + "}", "{" + type + "}",
        "{" + token + "," + type, "[{" + token + "," + type + "}]",
        "{" + token + "," + token + "," + type + "}", "{\"x\":{" + token + "}," + type + "}",
        "{\"access_token\":7,\"x\":{" + token + "}," + type + "}", "{" + token + ",\"token_type\":\"mac\"}",
        "{" + token + "," + type + ",\"expires_in\":\"eyJ\"}",
        "{" + token + "," + type + ",\"expires_in\":-1}", "{\"access_token\":\"eyJ a\"," + type + "}",
        "{\"access_token\":\"\"," + type + "}", "{\"access_token\":\"eyJ\\u0041\"," + type + "}",
        "{\"access_token\":\"eyJ" + std::string(20'000, 'a') + "\"," + type + "}",
        std::string(20, '[') + token,
        "{" + token + "," + type + ",\"y\":\"" + std::string(70'000, 'y') + "\"}"}) {
    idms.forget();
    idms.says(200, answer);
    again();
    EXPECT_EQ(get(), "failed") << answer.substr(0, 100);
    EXPECT_THAT(error.text(), AllOf(HasSubstr("token.endpoint"), Not(HasSubstr("eyJ"))))
        << answer.substr(0, 100);
  }
  idms.forget();
  idms.says(
      200, "{ \"scope\" : \"access_token\" ,\n\"refresh_token\":\"r\", \"access_token\" : \"a\\/b.c.d==\", " +
               type + ", \"expires_in\": 60 }");
  again();
  EXPECT_EQ(get(), "a/b.c.d==");
}

TEST_F(TokenFromEndpoint, NeedsAServerOfItsOwnCaAndItsName) {
  idms.says_token("a.b.c");
  settings.ca_file = http::lab().stranger.certificate_file();
  EXPECT_EQ(get(), "failed");
  EXPECT_EQ(error.code, Errc::transport);
  EXPECT_THAT(error.text(), HasSubstr("certificate"));
  settings = idms.settings();
  settings.url.replace(settings.url.find("127.0.0.1"), 9, "localhost");
  again();
  EXPECT_EQ(get(), "failed");
  EXPECT_THAT(error.text(), HasSubstr("certificate"));
  EXPECT_TRUE(idms.asked().empty()) << "neither saw the secret";
}

TEST_F(TokenFromEndpoint, TheSecretIsOfAFileNobodyElseCanReach) {
  idms.says_token("a.b.c");
  ::chmod(idms.secret_file().c_str(), 0640);
  EXPECT_EQ(get(), "failed");
  EXPECT_EQ(error.code, Errc::usage);
  EXPECT_THAT(error.text(), HasSubstr("chmod 600 " + idms.secret_file()));
  ::unlink(idms.secret_file().c_str());
  again();
  EXPECT_EQ(get(), "failed");
  EXPECT_THAT(error.text(), HasSubstr("client secret file"));
  EXPECT_TRUE(idms.asked().empty());
}

TEST_F(TokenFromEndpoint, ServesToItsEndWhenNoOtherCanBeHad) {
  idms.says_token("first");
  idms.says(503, "");
  EXPECT_EQ(get(), "first");
  clock.advance(3580);
  EXPECT_EQ(get(), "first");
  EXPECT_EQ(idms.asked().size(), 2u);
  clock.advance(100);
  EXPECT_EQ(get(), "failed");
}

TEST_F(TokenFromEndpoint, IsOneForAllWhoHoldTheAccess) {
  KmsAccess access;
  access.token_endpoint = std::make_shared<TokenEndpoint>(settings, clock);
  const KmsAccess copy = access;
  idms.says_token("first");
  idms.says_token("second");
  EXPECT_EQ(text_of(read_token(access)->expose()), "first");
  EXPECT_EQ(text_of(read_token(copy)->expose()), "first");
  EXPECT_EQ(text_of(read_token_again(copy, view("first"))->expose()), "second");
  EXPECT_EQ(text_of(read_token_again(access, view("first"))->expose()), "second") << "that is known already";
  EXPECT_EQ(idms.asked().size(), 2u);
}

}  // namespace
}  // namespace regroup::app
