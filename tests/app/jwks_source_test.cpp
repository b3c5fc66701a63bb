// SPDX-License-Identifier: Apache-2.0
// Token keys from a file and from an issuer on the loopback: when they are fetched again, and every way in
// which an issuer can fail us. Nothing sleeps: tests wait for what the issuer was asked and the log was told.
#include "app/jwks_source.hpp"

#include <gmock/gmock.h>

#include <condition_variable>
#include <fstream>
#include <mutex>

#include "app/gms/identity.hpp"
#include "app/kms/kms_lab.hpp"
#include "base/text.hpp"
#include "http/lab.hpp"

namespace regroup::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// An issuer's key: its JWKS and tokens signed with it.
struct SigningKey {
  [[nodiscard]] std::string jwks() const { return content_of(issuer.jwks_file()); }
  [[nodiscard]] std::string token() const {
    return issuer.token({.mcptt_id = test::kUser, .scopes = {test::kScopeRel14}}, test::kAlphaNow).value();
  }
  test::TemporaryDirectory directory;
  Issuer issuer = Issuer::make(directory.path, test::kIssuerUrl).value();
};

// What the log was told.
class Told {
 public:
  [[nodiscard]] Say say() {
    return [this](const std::string& line) {
      const std::lock_guard lock(mutex_);
      lines_.push_back(line);
      changed_.notify_all();
    };
  }
  [[nodiscard]] bool of(const std::string& part) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 1min, [&] { return count(part) > 0; });
  }
  [[nodiscard]] long times(const std::string& part) {
    const std::lock_guard lock(mutex_);
    return count(part);
  }
  void forget() {
    const std::lock_guard lock(mutex_);
    lines_.clear();
  }

 private:
  [[nodiscard]] long count(const std::string& part) const {
    return std::count_if(lines_.begin(), lines_.end(),
                         [&](const std::string& line) { return line.find(part) != std::string::npos; });
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

struct Said {
  unsigned status = 200;
  std::string body = {};
  std::string type = "application/json";
  http::Headers more = {};
};

class JwksIssuer {
 public:
  JwksIssuer() {
    server_ = http::serve([this](http::Request request, http::Responder respond) {
      const std::lock_guard lock(mutex_);
      ++asked_;
      target_ = request.method + " " + request.target;
      arrived_.notify_all();
      if (holding_) return held_.push_back(std::move(respond));
      http::Response response = http::make_response(said_.status, said_.type, http::Body(said_.body));
      for (const http::Header& field : said_.more) response.headers.add(field.name, field.value);
      respond(std::move(response));
    });
  }
  ~JwksIssuer() {
    const std::lock_guard lock(mutex_);
    held_.clear();
  }
  void says(Said said) {
    const std::lock_guard lock(mutex_);
    said_ = std::move(said);
  }
  void says(const SigningKey& key) { says(Said{.body = key.jwks()}); }
  void hold() {  // for ever
    const std::lock_guard lock(mutex_);
    holding_ = true;
  }
  [[nodiscard]] unsigned asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  [[nodiscard]] bool is_asked(unsigned times) {
    std::unique_lock lock(mutex_);
    return arrived_.wait_for(lock, 1min, [&] { return asked_ >= times; });
  }
  [[nodiscard]] std::string target() const {
    const std::lock_guard lock(mutex_);
    return target_;
  }
  [[nodiscard]] std::string url(const std::string& host = "127.0.0.1") const {
    return "https://" + host + ":" + std::to_string(server_->port("ue")) + "/realm/jwks?v=1";
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  Said said_;
  unsigned asked_ = 0;
  std::string target_;
  bool holding_ = false;
  std::vector<http::Responder> held_;
  std::unique_ptr<http::Server> server_;  // last: stops before the rest goes
};

http::TokenPolicy policy() {
  http::TokenPolicy out;
  out.issuer = test::kIssuerUrl;
  return out;
}
std::string judge(const std::string& token, const http::Jwks& keys) {
  const auto claims = http::verify(token, keys, policy(), test::kAlphaNow);
  return claims.ok() ? "accepted" : std::string(name_of(claims.error().code));
}
// What anybody can make: it names a key that nobody has.
std::string garbage() {
  return base64url(view(R"({"alg":"ES256","kid":"nobody's"})")) + "." + base64url(view("{}")) + "." +
         base64url(view(std::string(64, 'x')));
}

class JwksFromUrl : public testing::Test {
 protected:
  JwksFromUrl() {
    issuer.says(old_key);
    times.min_age = 1ms;
  }
  [[nodiscard]] Result<void> open() {
    source_ = TRY(JwksSource::open(place, told.say(), times));
    return {};
  }
  void start() {
    const auto opened = open();
    ASSERT_TRUE(opened.ok()) << opened.error().text();
  }
  void stop() { source_.reset(); }
  [[nodiscard]] http::Jwks current() { return source_->current(); }
  [[nodiscard]] std::string judge(const std::string& token) { return app::judge(token, current()); }
  // An error of open().
  [[nodiscard]] Error refused() {
    const auto opened = open();
    EXPECT_FALSE(opened.ok());
    if (opened.ok()) return {};
    EXPECT_FALSE(opened.error().clause.empty()) << opened.error().text();
    EXPECT_FALSE(opened.error().cure.empty()) << opened.error().text();
    return opened.error();
  }
  // What comes true without a further event that could be waited for.
  [[nodiscard]] static bool until(const std::function<bool()>& holds) {
    const auto deadline = Steady::now() + 1min;
    while (!holds())
      if (Steady::now() > deadline) return false;
    return true;
  }

  SigningKey old_key, new_key;
  JwksIssuer issuer;
  Told told;
  JwksPlace place{issuer.url(), http::lab().ca.certificate_file()};
  JwksTimes times;

 private:
  std::unique_ptr<JwksSource> source_;
};

// Each with what is said about it.
std::vector<std::pair<Said, std::string>> bad_answers() {
  const std::string good = SigningKey().jwks();
  std::string private_key = good;
  private_key.insert(private_key.find("\"kid\""), "\"d\":\"AAAA\",");
  return {{{302, "", "text/html", {{"Location", "https://elsewhere.example/jwks"}}}, "redirect"},
          {{404, good}, "HTTP 404"},
          {{500, good}, "HTTP 500"},
          {{200, good, "text/html; charset=utf-8"}, "not JSON"},
          {{200, "<html/>"}, "not a JSON object"},
          {{200, R"({"access_token":"a.b.c"})"}, "no array \"keys\""},
          {{200, R"({"keys":[]})"}, "no usable public key"},
          {{200, private_key}, "no usable public key"},
          {{200, good + std::string(64 * 1024, ' ')}, "larger than 65536"}};
}

TEST_F(JwksFromUrl, AKeyThatTheIssuerRollsOverToIsFetchedWithItsFirstToken) {
  start();
  EXPECT_EQ(issuer.target(), "GET /realm/jwks?v=1");
  EXPECT_EQ(judge(old_key.token()), "accepted");
  issuer.says(new_key);
  EXPECT_EQ(issuer.asked(), 1u) << "ten minutes are not over";
  EXPECT_EQ(judge(new_key.token()), "bad_signature");
  ASSERT_TRUE(told.of("have changed: 1 usable"));
  EXPECT_EQ(issuer.asked(), 2u);
  EXPECT_EQ(judge(new_key.token()), "accepted");
  EXPECT_EQ(judge(old_key.token()), "bad_signature");
}

TEST_F(JwksFromUrl, TokensOfUnknownKeysDoNotMakeItAskOftenerThanTheLeastAge) {
  times.min_age = 600ms;
  const auto from = Steady::now();
  start();
  for (const unsigned asked : {2u, 3u}) {
    EXPECT_TRUE(until([&] {
      (void)judge(garbage());
      return issuer.asked() >= asked;
    }));
    EXPECT_GE(Steady::now() - from, (asked - 1) * times.min_age);
  }
  EXPECT_EQ(told.times(""), 0) << "and none of it is worth a line";
}

TEST_F(JwksFromUrl, OnlyATokenThatNamesAKeyWhichIsNotHeldIsAReasonToAsk) {
  int missed = 0;
  const http::Jwks keys = http::Jwks::parse(old_key.jwks()).value().telling([&] { ++missed; });
  std::string forged = old_key.token();
  forged.replace(forged.rfind('.') + 1, 4, "AAAA");
  const auto headed = [](const std::string& header) { return base64url(view(header)) + ".e30.AA"; };
  std::string other_use(text_of(*from_base64url(old_key.token().substr(0, old_key.token().find('.')))));
  other_use.replace(other_use.find("ES256"), 5, "RS256");  // a key that is held, for what it cannot do
  for (const std::string& token :
       {old_key.token(), forged, headed(R"({"alg":"ES256"})"), headed(R"({"alg":"RS256"})"),
        headed(other_use), headed(R"({"alg":"HS256","kid":"x"})"), std::string("nonsense")})
    (void)app::judge(token, keys);
  EXPECT_EQ(missed, 0);
  EXPECT_EQ(app::judge(garbage(), keys), "bad_signature");
  EXPECT_EQ(missed, 1);
}

TEST_F(JwksFromUrl, IsFetchedAgainAtTheAgeThatTheIssuerGives) {
  times.least_age = 1ms;
  issuer.says(Said{.body = old_key.jwks(), .more = {{"Cache-Control", "public, max-age=0"}}});
  start();
  EXPECT_TRUE(issuer.is_asked(4));
  issuer.says(new_key);  // from now on for ten minutes
  ASSERT_TRUE(told.of("have changed"));
  EXPECT_EQ(judge(new_key.token()), "accepted");
}

TEST(JwksAge, IsWhatCacheControlSaysWithinAMinuteAndAnHour) {
  const auto age = [](const char* field) { return jwks_age({{"Cache-Control", field}}, JwksTimes{}); };
  EXPECT_EQ(jwks_age({}, {}), 10min);
  EXPECT_EQ(age("no-store"), 10min);
  EXPECT_EQ(age("max-age=900"), 15min);
  EXPECT_EQ(age("public, must-revalidate ,\tMax-Age=\"900\""), 15min);
  EXPECT_EQ(age("s-maxage=900"), 10min) << "meant for shared caches";
  EXPECT_EQ(age("max-age=0"), 1min);
  EXPECT_EQ(age("max-age=86400"), 1h);
  EXPECT_EQ(age("max-age=99999999999999999999999"), 1h);
  EXPECT_EQ(age("max-age=-5"), 10min);
  EXPECT_EQ(age("max-age=soon"), 10min);
  EXPECT_EQ(age(",,max-age="), 10min);
}

TEST_F(JwksFromUrl, ABadAnswerLeavesTheHeldKeysInPlaceAndIsToldOnce) {
  start();
  const std::string token = old_key.token();
  for (const auto& [said, words] : bad_answers()) {
    issuer.says(said);
    EXPECT_EQ(judge(garbage()), "bad_signature");
    ASSERT_TRUE(told.of(words)) << words;
    EXPECT_EQ(told.times("; those of before stay in use"), 1) << words;
    ASSERT_TRUE(issuer.is_asked(issuer.asked() + 3));
    EXPECT_EQ(told.times(words), 1) << words;
    EXPECT_EQ(judge(token), "accepted") << words;
    issuer.says(old_key);
    (void)judge(garbage());
    ASSERT_TRUE(told.of("can be fetched again")) << words;
    EXPECT_EQ(told.times("have changed"), 0);
    told.forget();
  }
}

TEST_F(JwksFromUrl, AfterFailuresTheIssuerIsAskedEverMoreSlowly) {
  times.least_age = 1ms;
  times.min_age = 150ms;
  issuer.says(Said{.body = old_key.jwks(), .more = {{"Cache-Control", "max-age=0"}}});
  const auto from = Steady::now();
  start();
  issuer.says(Said{.status = 503});
  ASSERT_TRUE(told.of("HTTP 503"));
  ASSERT_TRUE(issuer.is_asked(issuer.asked() + 3));
  EXPECT_GE(Steady::now() - from, (1 + 2 + 4) * times.min_age);
}

TEST_F(JwksFromUrl, AtTheStartAnIssuerWithoutGoodKeysIsRefusedWithItsCause) {
  for (const auto& [said, words] : bad_answers()) {
    issuer.says(said);
    EXPECT_THAT(refused().text(), AllOf(HasSubstr("token keys of " + issuer.url()), HasSubstr(words)));
  }
  place.where = "https://127.0.0.1:1/jwks";
  EXPECT_EQ(refused().code, Errc::transport);
}

TEST_F(JwksFromUrl, AtTheStartAnIssuerThatHangsCostsNoMoreThanTheTimeGiven) {
  issuer.hold();
  times.answer = 300ms;
  const auto from = Steady::now();
  EXPECT_EQ(refused().code, Errc::transport);
  EXPECT_LT(Steady::now() - from, 20s);
}

TEST_F(JwksFromUrl, WhileTheIssuerHangsTokensAreJudgedAndAStopEndsTheFetch) {
  times.answer = 10min;
  start();
  issuer.hold();
  (void)judge(garbage());
  ASSERT_TRUE(issuer.is_asked(2));
  const auto from = Steady::now();
  EXPECT_EQ(judge(old_key.token()), "accepted");
  EXPECT_EQ(judge(garbage()), "bad_signature");
  const http::Jwks kept = current();
  stop();
  EXPECT_LT(Steady::now() - from, 20s);
  EXPECT_EQ(app::judge(garbage(), kept), "bad_signature") << "a set may outlive its source";
}

TEST_F(JwksFromUrl, KeysThatWereNotFetchedForADayAreNotTrusted) {
  EXPECT_EQ(JwksTimes{}.stale_after, 24h);
  times.stale_after = 500ms;
  times.usual_age = 50ms;
  start();
  issuer.says(Said{.status = 503});
  ASSERT_TRUE(told.of("every token is refused"));
  EXPECT_EQ(judge(old_key.token()), "transport");
  EXPECT_EQ(judge(garbage()), "transport");
  EXPECT_EQ(told.times("every token is refused"), 1);

  issuer.says(old_key);
  ASSERT_TRUE(told.of("can be fetched again"));
  EXPECT_TRUE(until([&] { return judge(old_key.token()) == "accepted"; }));
}

TEST_F(JwksFromUrl, ATokenThatCannotBeJudgedIsAnsweredWith503AndNoChallenge) {
  const http::Jwks none = http::Jwks::none(
      fail(Errc::transport, "RFC 7517 5", "the keys are too old to be trusted", "see the log"));
  const test::KmsLab kms;
  const http::Request request = test::KmsLab::request("/init", kms.token(test::kUser));
  const auto expect_unavailable = [](const http::Response& response) {
    EXPECT_EQ(response.status, 503u);
    EXPECT_EQ(response.headers.find("Retry-After"), "30");
    EXPECT_FALSE(response.headers.contains("WWW-Authenticate"));
  };
  const KmsAnswer answer = kms.front.answer(request, none, test::kAlphaNow);
  expect_unavailable(answer.response);
  EXPECT_EQ(answer.reason, "unavailable");
  EXPECT_THAT(answer.detail, HasSubstr("too old")) << "for the log";
  EXPECT_THAT(std::string(answer.response.body.text()), testing::Not(HasSubstr("too old")));
  const auto judged = requester_of(request, none, policy(), test::kAlphaNow);
  ASSERT_TRUE(std::holds_alternative<http::Response>(judged));
  expect_unavailable(std::get<http::Response>(judged));
}

TEST_F(JwksFromUrl, NeedsAServerOfTheNamedCaAndItsName) {
  place.ca_file = http::lab().stranger.certificate_file();
  EXPECT_THAT(refused().text(), HasSubstr("certificate"));
  place = {issuer.url("localhost"), http::lab().ca.certificate_file()};
  EXPECT_THAT(refused().text(), HasSubstr("certificate"));
  place.ca_file = "/nowhere/ca.pem";
  EXPECT_EQ(refused().code, Errc::usage);
  EXPECT_EQ(issuer.asked(), 0u);
}

TEST_F(JwksFromUrl, WithoutANamedCaTheSystemsStoreDecides) {
  place.ca_file.clear();
  EXPECT_THAT(refused().text(), HasSubstr("certificate"));
  EXPECT_EQ(issuer.asked(), 0u);
  ::setenv("SSL_CERT_FILE", http::lab().ca.certificate_file().c_str(), 1);  // OpenSSL's name for that store
  const auto opened = open();
  ::unsetenv("SSL_CERT_FILE");
  ASSERT_TRUE(opened.ok()) << opened.error().text();
  EXPECT_EQ(judge(old_key.token()), "accepted");
}

TEST_F(JwksFromUrl, PlainHttpIsRefusedByName) {
  for (const char* url : {"http://idms.mcx.example/jwks", "HTTP://idms.mcx.example/jwks"}) {
    place.where = url;
    const Error error = refused();
    EXPECT_EQ(error.code, Errc::usage);
    EXPECT_THAT(error.detail, AllOf(HasSubstr(url), HasSubstr("is not https")));
    EXPECT_THAT(error.cure, HasSubstr("https://"));
  }
  for (const char* url : {"ftp://idms.mcx.example/jwks", "https://", "https://u:p@idms.mcx.example/"}) {
    place.where = url;
    EXPECT_EQ(refused().code, Errc::usage) << url;
  }
}

class JwksFromFile : public testing::Test {
 protected:
  // Renamed into place: another inode, so another version, whatever the clock of the file system.
  void write(const std::string& text) const {
    std::ofstream(file + ".new") << text;
    std::filesystem::rename(file + ".new", file);
  }
  SigningKey old_key, new_key;
  Told told;
  const std::string file = old_key.issuer.jwks_file();
};

TEST_F(JwksFromFile, AreReadAgainWhenItChangesAndABrokenVersionIsToldOnce) {
  auto opened = JwksSource::open({file, {}}, told.say());
  ASSERT_TRUE(opened.ok()) << opened.error().text();
  JwksSource& source = **opened;
  EXPECT_EQ(judge(old_key.token(), source.current()), "accepted");
  write("{");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(judge(old_key.token(), source.current()), "accepted");
  EXPECT_EQ(told.times("JWKS file " + file), 1);
  EXPECT_EQ(told.times("those of before stay in use"), 1);
  std::filesystem::remove(file);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(judge(old_key.token(), source.current()), "accepted");
  EXPECT_EQ(told.times("cannot be opened"), 1);
  write(new_key.jwks());
  EXPECT_EQ(judge(new_key.token(), source.current()), "accepted");
  EXPECT_EQ(judge(old_key.token(), source.current()), "bad_signature");
  EXPECT_EQ(told.times("has changed: 1 usable"), 1);
}

TEST_F(JwksFromFile, NeedNoCaAndMustBeThere) {
  const auto with_ca = JwksSource::open({file, http::lab().ca.certificate_file()}, told.say());
  ASSERT_FALSE(with_ca.ok());
  EXPECT_EQ(with_ca.error().code, Errc::usage);
  EXPECT_THAT(with_ca.error().cure, HasSubstr("https URL"));
  const auto nowhere = JwksSource::open({"/nowhere/jwks.json", {}}, told.say());
  ASSERT_FALSE(nowhere.ok());
  EXPECT_EQ(nowhere.error().code, Errc::usage);
}

}  // namespace
}  // namespace regroup::app
