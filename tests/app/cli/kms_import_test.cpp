// SPDX-License-Identifier: Apache-2.0
// regroup kms identity import: a list of identities taken in, once more too.
#include "app/cli/kms_identity.hpp"
#include "app/kms/directory.hpp"
#include "app/kms/verbs.hpp"

namespace regroup::app::cli {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class KmsImport : public KmsVerbs {
 protected:
  KmsImport() { EXPECT_EQ(init("kms", "kms.mcx.example"), 0) << err.str(); }
  nlohmann::json import(const std::string& text, int code, const std::string& keys = {}) {
    write("list.csv", text, 0644);
    KmsIdentityImportOptions options;
    options.directory = path("kms");
    options.file = path("list.csv");
    options.transport_keys_out = keys.empty() ? "" : path(keys);
    options.json = true;
    EXPECT_EQ(run_kms_identity_import(options, fresh(out), fresh(err)), code) << err.str();
    return nlohmann::json::parse(out.str(), nullptr, false);
  }
  [[nodiscard]] kms::Kms opened() const { return std::move(open_kms(path("kms"), {}).value().kms); }
};

TEST_F(KmsImport, RegistersWhatTheListSays) {
  const auto said = import(
      "uri,server,suspended,transport_keys\n"
      "sip:ann@mcx.example,,,\n"
      "sip:gms@mcx.example,true,,wrap\n"
      "sip:bob@mcx.example,,true,wrap+sign\n",
      0, "keys");
  EXPECT_EQ(said["added"], 3);
  EXPECT_EQ(said["transport_keys"], 2);
  const kms::Kms kms = opened();
  EXPECT_TRUE(kms.registry().find("sip:gms@mcx.example")->server);
  EXPECT_EQ(kms.registry().find("sip:bob@mcx.example")->standing, kms::Standing::suspended);
  EXPECT_EQ(kms.registry().find("sip:ann@mcx.example")->standing, kms::Standing::active);
  EXPECT_FALSE(kms.transport_keys().find("sip:gms@mcx.example")->signs);
  const auto file = read_transport_key_file(path("keys/sip_bob@mcx.example-trk.json"));
  ASSERT_TRUE(file.ok()) << file.error().text();
  EXPECT_TRUE(
      ct_equal(file->trk.expose(), kms.transport_keys().find("sip:bob@mcx.example")->present().trk.expose()));
}

TEST_F(KmsImport, CanBeRepeated) {
  const std::string list =
      "uri,suspended,transport_keys\nsip:ann@mcx.example,,wrap\nsip:bob@mcx.example,true,\n";
  import(list, 0, "keys");
  const auto again = import(list, 0, "keys");
  EXPECT_EQ(again["unchanged"], 2);
  EXPECT_EQ(again["added"], 0);
  EXPECT_EQ(again["transport_keys"], 0) << "keys are given once";
  const auto changed = import("uri,suspended\nsip:bob@mcx.example,false\n", 0);
  EXPECT_EQ(changed["changed"], 1);
  EXPECT_EQ(opened().registry().find("sip:bob@mcx.example")->standing, kms::Standing::active);
}

TEST_F(KmsImport, ABadLineChangesNothingAndTheOthersAreTaken) {
  ASSERT_EQ(add("sip:known@mcx.example"), 0);
  const auto said = import(
      "uri,server,transport_keys\n"
      "sip:ops.group@mcx.example,,wrap\n"
      "sip:known@mcx.example,true,\n"
      "sip:KNOWN@mcx.example,,\n"
      "nonsense,,\n",
      3, "keys");
  EXPECT_EQ(said["added"], 1);
  ASSERT_EQ(said["bad"].size(), 3U);
  EXPECT_EQ(said["bad"][0]["line"], 2);
  EXPECT_THAT(err.str(), HasSubstr("list.csv:2: "));
  EXPECT_THAT(err.str(), HasSubstr("list.csv:5: "));
  EXPECT_TRUE(fs::is_empty(path("keys"))) << "the key file of a refused line is gone";
  EXPECT_FALSE(opened().registry().find("sip:ops.group@mcx.example"));
  EXPECT_FALSE(opened().registry().find("sip:known@mcx.example")->server);
}

TEST_F(KmsImport, KeysNeedAPlace) {
  const auto said = import("uri,transport_keys\nsip:ann@mcx.example,wrap\n", 3);
  EXPECT_THAT(std::string(said["bad"][0]["error"]), HasSubstr("--transport-keys-out"));
  EXPECT_FALSE(opened().registry().find("sip:ann@mcx.example"));
}

TEST_F(KmsImport, AListThatIsNoneIsRefusedWhole) {
  const auto said = import("sip:ann@mcx.example\n", 3);
  EXPECT_THAT(std::string(said["error"]["detail"]), HasSubstr("line 1"));
  EXPECT_EQ(opened().registry().subscribers(), 0U);
}

TEST_F(KmsImport, OnlyARegularFileIsAList) {
  for (const char* file : {"/", "/dev/zero"}) {
    KmsIdentityImportOptions options;
    options.directory = path("kms");
    options.file = file;
    EXPECT_EQ(run_kms_identity_import(options, fresh(out), fresh(err)), 2) << file;
    EXPECT_THAT(err.str(), HasSubstr("is no regular file"));
  }
}

TEST_F(KmsImport, IsOneActOfTheAuditLog) {
  import("uri\nsip:ann@mcx.example\nsip:bob@mcx.example\n", 0);
  const std::string log = content_of(path("kms/audit.log"));
  EXPECT_THAT(log, HasSubstr("\"event\":\"identity-import\""));
  EXPECT_THAT(log, HasSubstr("\"added\":2"));
  import("uri\nsip:ann@mcx.example\nsip:bob@mcx.example\n", 0);
  EXPECT_EQ(content_of(path("kms/audit.log")), log) << "nothing changed, nothing is recorded";
}

}  // namespace
}  // namespace regroup::app::cli
