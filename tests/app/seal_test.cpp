// SPDX-License-Identifier: Apache-2.0
#include "app/cli/seal.hpp"

#include <gmock/gmock.h>

#include <sstream>

#include "app/cli/open.hpp"
#include "app/key_documents.hpp"

namespace regroup::app::cli {
namespace {

using nlohmann::json;
using test::Folder;
using testing::HasSubstr;

constexpr const char* kAt = "2026-03-02T09:30:00Z";
constexpr const char* kGmk = "00112233445566778899aabbccddeeff";

const test::KeyDocuments& documents() {
  static const test::KeyDocuments all;
  return all;
}

struct Ending {
  int code;
  std::string out, err;
  [[nodiscard]] json report() const { return json::parse(out); }
};

SealOptions to(std::vector<std::string> receivers) {
  SealOptions options;
  options.certificate_files = {documents().alpha_kms, documents().beta_kms};
  options.key_set_files = {documents().alpha_gms};
  options.to = std::move(receivers);
  options.groups = {"sip:tgroup.7@alpha.example"};
  options.at = kAt;
  options.json = true;
  return options;
}
Ending seal(const SealOptions& options) {
  std::istringstream in;
  std::ostringstream out, err;
  const int code = run_seal(options, in, out, err);
  return {code, out.str(), err.str()};
}
Ending open(const std::string& key_set, const std::string& message, bool show_secrets = true) {
  OpenOptions options;
  options.certificate_files = {documents().alpha_kms, documents().beta_kms};
  options.key_set_files = {key_set};
  options.file = "-";
  options.show_secrets = show_secrets;
  options.json = true;
  std::istringstream in(message);
  std::ostringstream out, err;
  const int code = run_open(options, in, out, err);
  return {code, out.str(), err.str()};
}

TEST(SealVerb, WritesMessagesThatEveryReceiverOpensToOneFreshKey) {
  SealOptions options =
      to({"sip:user.001@alpha.example", "sip:user.101@beta.example", "sip:gms.group@beta.example"});
  options.text = "TG-7";
  options.use = "media";
  options.expiry = "2026-04-01T00:00:00Z";
  const Ending sealed = seal(options);
  ASSERT_EQ(sealed.code, 0) << sealed.err;
  const json report = sealed.report();
  const std::string files[] = {documents().alpha_user, documents().beta_user, documents().beta_gms};
  std::set<std::string> keys;
  for (std::size_t i = 0; i < 3; ++i) {
    const json& message = report.at("messages").at(i);
    const Ending opened = open(files[i], message.at("message"));
    ASSERT_EQ(opened.code, 0) << opened.err;
    const json o = opened.report();
    EXPECT_EQ(o.at("kind"), "GMK");
    EXPECT_EQ(o.at("responder"), options.to[i]);
    EXPECT_EQ(o.at("initiator"), "sip:gms.group@alpha.example");
    EXPECT_EQ(o.at("gmk_id"), report.at("gmk_id"));
    EXPECT_EQ(o.at("guk_id"), message.at("guk_id"));
    EXPECT_EQ(o.at("rand"), report.at("rand"));
    EXPECT_EQ(o.at("key_fingerprint"), report.at("key_fingerprint"));
    EXPECT_EQ(o.at("use"), "media");
    EXPECT_EQ(o.at("time"), kAt);
    EXPECT_EQ(o.at("key_parameters").at("groups"), json::array({"sip:tgroup.7@alpha.example"}));
    EXPECT_EQ(o.at("key_parameters").at("expiry"), 1775001600);
    keys.insert(o.at("key").get<std::string>());
  }
  EXPECT_EQ(keys.size(), 1U);
  EXPECT_EQ(sealed.out.find(*keys.begin()), std::string::npos) << "the key itself is not printed";
  EXPECT_NE(seal(options).report().at("key_fingerprint"), report.at("key_fingerprint"));
}

TEST(SealVerb, TakesAGivenGmkFromAFileOfMode0600) {
  const Folder folder;
  SealOptions options = to({"sip:user.001@alpha.example"});
  options.gmk_file = folder.put("gmk", std::string(kGmk) + "\n");
  options.gmk_id = "0abcdef1";
  options.rand = "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf";
  const Ending sealed = seal(options);
  ASSERT_EQ(sealed.code, 0) << sealed.err;
  const json opened =
      open(documents().alpha_user, sealed.report().at("messages").at(0).at("message")).report();
  EXPECT_EQ(opened.at("key"), kGmk);
  EXPECT_EQ(opened.at("gmk_id"), "0abcdef1");
  EXPECT_EQ(opened.at("rand"), options.rand);

  options.gmk_file = folder.put("open", kGmk, 0644);
  const Ending refused = seal(options);
  EXPECT_NE(refused.code, 0);
  EXPECT_EQ((refused.out + refused.err).find(kGmk), std::string::npos);
  options.gmk_file = folder.put("short", "0011\n");
  EXPECT_EQ(seal(options).code, 2);
  options.gmk_file = folder.path("absent");
  EXPECT_NE(seal(options).code, 0);
}

TEST(SealVerb, RevokesAKeyThatIsGiven) {
  const Folder folder;
  SealOptions options = to({"sip:user.001@alpha.example"});
  options.revoke = true;
  EXPECT_EQ(seal(options).code, 2);
  options.gmk_file = folder.put("gmk", kGmk);
  options.gmk_id = "0abcdef1";
  const Ending sealed = seal(options);
  ASSERT_EQ(sealed.code, 0) << sealed.err;
  const json opened =
      open(documents().alpha_user, sealed.report().at("messages").at(0).at("message")).report();
  EXPECT_EQ(opened.at("key_parameters").at("revoked"), true);
}

TEST(SealVerb, WritesOneLinePerMessageOrOneFile) {
  const Folder folder;
  SealOptions options = to({"sip:user.001@alpha.example", "sip:user.101@beta.example"});
  options.json = false;
  const Ending lines = seal(options);
  ASSERT_EQ(lines.code, 0) << lines.err;
  EXPECT_EQ(std::count(lines.out.begin(), lines.out.end(), '\n'), 2);
  EXPECT_THAT(lines.out, testing::StartsWith("sip:user.001@alpha.example 0"));
  const std::string first = lines.out.substr(0, lines.out.find('\n'));
  EXPECT_EQ(open(documents().alpha_user, first.substr(first.find("mikey "))).code, 0);

  options.out_directory = folder.path("messages");
  const Ending files = seal(options);
  ASSERT_EQ(files.code, 0) << files.err;
  EXPECT_THAT(files.out, HasSubstr("0002.mikey"));
  std::ifstream file(folder.path("messages") + "/0001.mikey", std::ios::binary);
  const std::string octets((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(open(documents().alpha_user, octets).code, 0);
}

TEST(SealVerb, ItsLineIsTakenByOpen) {
  SealOptions options = to({"sip:user.001@alpha.example"});
  options.json = false;
  const Ending line = seal(options);
  EXPECT_EQ(open(documents().alpha_user, line.out).code, 0);
  options.to.push_back("sip:user.101@beta.example");
  const Ending refused = open(documents().alpha_user, seal(options).out);
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, HasSubstr("pick one line"));
}

TEST(SealVerb, WritesOverNoFileUnlessForced) {
  const Folder folder;
  SealOptions options = to({"sip:user.001@alpha.example", "sip:user.101@beta.example"});
  options.out_directory = folder.path(".");
  const std::string second = folder.put("0002.mikey", "of an earlier key");
  const Ending refused = seal(options);
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("0002.mikey exists already"));
  EXPECT_THAT(refused.report().at("error").at("cure").get<std::string>(), HasSubstr("--force"));
  EXPECT_FALSE(std::filesystem::exists(folder.path("0001.mikey"))) << "nothing half-written";
  EXPECT_EQ(std::filesystem::file_size(second), 17u);
  options.force = true;
  EXPECT_EQ(seal(options).code, 0);
  EXPECT_GT(std::filesystem::file_size(second), 300u);
}

TEST(SealVerb, ReceiversAndGroupsAreUrisWithAScheme) {
  SealOptions options = to({"sip:user.001@alpha.example", "alice@alpha.example"});
  Ending refused = seal(options);
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--to: 'alice@alpha.example' is not a URI"));
  EXPECT_THAT(refused.err, HasSubstr("sip:alice@alpha.example"));
  options = to({"sip:user.001@alpha.example"});
  options.groups.push_back("fire");
  refused = seal(options);
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--group: 'fire' is not a URI"));
  options.groups.back() = "sip:two words@alpha.example";
  EXPECT_EQ(seal(options).code, 2);
}

TEST(SealVerb, HidesIdentitiesOnDemand) {
  SealOptions options = to({"sip:user.001@alpha.example"});
  options.hide_initiator = options.hide_responder = true;
  const Ending sealed = seal(options);
  ASSERT_EQ(sealed.code, 0) << sealed.err;
  const Ending opened = open(documents().alpha_user, sealed.report().at("messages").at(0).at("message"));
  ASSERT_EQ(opened.code, 0) << opened.err;
  EXPECT_TRUE(opened.report().at("initiator").is_null());
  EXPECT_EQ(opened.report().at("responder"), "sip:user.001@alpha.example");
}

TEST(SealVerb, RefusesWhatItCannotDoAndSaysWhy) {
  EXPECT_EQ(seal(to({})).code, 2);
  SealOptions options = to({"sip:user@gamma.example"});
  Ending refused = seal(options);
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, HasSubstr("sip:user@gamma.example"));
  EXPECT_EQ(refused.report().at("error").at("code"), "unknown_kms");
  options.certificate_files = {documents().alpha_kms};
  EXPECT_EQ(seal(options).code, 3) << "though there is but one KMS: it names the domains that it serves";
  options = to({"sip:user.001@alpha.example"});
  options.at = "2026-06-01T00:00:00Z";
  refused = seal(options);
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, HasSubstr("held: 1536"));
  options.at = "tomorrow";
  EXPECT_EQ(seal(options).code, 2);
  options = to({"sip:user.001@alpha.example"});
  options.key_set_files = {documents().alpha_gms, documents().alpha_user};
  EXPECT_EQ(seal(options).code, 2);
  options.key_set_files = {documents().folder.path("absent.xml")};
  EXPECT_EQ(seal(options).code, 2);
  options = to({"sip:user.001@alpha.example"});
  options.expiry = "2020-01-01T00:00:00Z";
  EXPECT_EQ(seal(options).code, 2) << "a key that nobody would take";
  options.expiry.clear();
  options.use = "video";
  EXPECT_EQ(seal(options).code, 2);
  options = to({"sip:user.001@alpha.example"});
  options.gmk_id = "xyz";
  EXPECT_EQ(seal(options).code, 2);
  options = to({"sip:user.001@alpha.example"});
  options.rand = "00";
  EXPECT_EQ(seal(options).code, 2);
}

}  // namespace
}  // namespace regroup::app::cli
