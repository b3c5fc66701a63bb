// SPDX-License-Identifier: Apache-2.0
#include "app/cli/kms_issue.hpp"

#include "app/kms/verbs.hpp"

namespace regroup::app::cli {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class KmsIssue : public KmsVerbs {
 protected:
  KmsIssue() {
    EXPECT_EQ(init("kms", "kms.mcx.example"), 0) << err.str();
    EXPECT_EQ(add_protected(kBob, "bob-trk.json"), 0);
    EXPECT_EQ(add("sip:ann@mcx.example"), 0);
  }
  nlohmann::json issue(int code, std::vector<std::string> who, bool offline = true, unsigned periods = 3) {
    KmsIssueOptions options;
    options.directory = path("kms");
    options.identities = std::move(who);
    options.offline = offline;
    options.periods = periods;
    options.out_directory = path("packages");
    options.json = true;
    EXPECT_EQ(run_kms_issue(options, fresh(out), fresh(err)), code) << err.str();
    return nlohmann::json::parse(out.str(), nullptr, false);
  }
  // What bob's machine makes of the directory.
  [[nodiscard]] Result<KmsAnswers> fetched() const {
    KmsAccess access;
    access.uri = "kms.mcx.example";
    access.url = "file:" + path("packages/sip_bob@mcx.example");
    access.policy = KmsPolicy::wrap_sign;
    access.transport_keys =
        std::make_shared<TransportRing>(read_transport_key_file(path("bob-trk.json")).value());
    return fetch_keys(access, kBob);
  }
};

TEST_F(KmsIssue, WritesAPackageThatItsMachineOpens) {
  const auto made = issue(0, {kBob});
  EXPECT_EQ(made["identities"], nlohmann::json::array({kBob}));
  const auto answers = fetched();
  ASSERT_TRUE(answers.ok()) << answers.error().text();
  const auto keys = read_keys(*answers, kBob, "kms.mcx.example", SystemClock().now());
  ASSERT_TRUE(keys.ok()) << keys.error().text();
  EXPECT_EQ(keys->key_sets.size(), 3U);
  EXPECT_THAT(content_of(path("kms/audit.log")), HasSubstr("\"event\":\"issue-offline\""));
  struct stat about {};
  ASSERT_EQ(::stat(path("packages/sip_bob@mcx.example/keyprov.xml").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600U);
  EXPECT_EQ(issue(0, {kBob})["directories"].size(), 1U) << "the next one takes its place";
  EXPECT_TRUE(fetched().ok());
}

TEST_F(KmsIssue, AllOrNone) {
  EXPECT_EQ(issue(3, {kBob, "sip:ann@mcx.example"})["error"]["code"], "not_authorised");
  EXPECT_EQ(issue(3, {kBob, "sip:nobody@mcx.example"})["error"]["code"], "unknown_group");
  EXPECT_FALSE(fs::exists(path("packages")));
  EXPECT_EQ(issue(2, {kBob}, false)["error"]["code"], "usage") << "--offline must be said";
  for (const unsigned periods : {0U, 61U})
    EXPECT_EQ(issue(2, {kBob}, true, periods)["error"]["code"], "usage");
}

}  // namespace
}  // namespace regroup::app::cli
