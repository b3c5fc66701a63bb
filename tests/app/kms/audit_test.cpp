// SPDX-License-Identifier: Apache-2.0
// What a KMS writes into its audit log, and `regroup audit verify` and `head`.
#include "app/cli/audit.hpp"

#include "app/kms/verbs.hpp"
#include "base/text.hpp"

namespace regroup::app::cli {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class KmsAudit : public KmsServe {
 protected:
  [[nodiscard]] std::string log_path() const { return path("kms/audit.log"); }
  [[nodiscard]] std::vector<json> records() const {
    std::ifstream file(log_path());
    std::vector<json> all;
    for (std::string line; std::getline(file, line);) all.push_back(json::parse(line.substr(line.find('{'))));
    return all;
  }
  [[nodiscard]] std::vector<std::string> events() const {
    std::vector<std::string> all;
    for (const json& record : records()) all.push_back(record["event"]);
    return all;
  }
  int verify(const std::string& head = {}, bool as_json = false) {
    return run_audit_verify({.directory = path("kms"), .head = head, .json = as_json}, fresh(out),
                            fresh(err));
  }
  std::string head() {
    EXPECT_EQ(run_audit_head({.directory = path("kms"), .head = {}, .json = false}, fresh(out), fresh(err)),
              0);
    return out.str().substr(0, out.str().find('\n'));
  }
};

TEST_F(KmsAudit, HoldsEachAdministrativeActBeforeItIsDone) {
  EXPECT_THAT(events(), ElementsAre("init", "add-identity", "add-identity"));
  const json server = records()[2];
  EXPECT_EQ(server["identity"], kServer);
  EXPECT_EQ(server["server"], true);
  EXPECT_EQ(server["policy"], "plain");
  EXPECT_EQ(server["uid"], ::getuid());
  EXPECT_TRUE(server["time"].is_string());
  EXPECT_EQ(add(kBob), 3) << "is there already";
  EXPECT_EQ(events().size(), 3u);
  ASSERT_EQ(init("partner", "kms.partner.example"), 0);
  ASSERT_EQ(certificate("partner"), 0);
  write("partner.xml", out.str(), 0644);
  ASSERT_EQ(import("partner.xml"), 0);
  EXPECT_EQ(records().back()["kms_uris"], json::array({"kms.partner.example"}));
  ASSERT_EQ(import("partner.xml"), 0);
  EXPECT_EQ(events().size(), 4u) << "held already: nothing was done";
  // An act that cannot be recorded is not done.
  ASSERT_EQ(::chmod(log_path().c_str(), 0644), 0);
  EXPECT_EQ(add("sip:eve@mcx.example"), 1);
  EXPECT_THAT(err.str(), HasSubstr("audit.log"));
  ASSERT_EQ(::chmod(log_path().c_str(), 0600), 0);
  EXPECT_EQ(add("sip:eve@mcx.example"), 0);
}

TEST_F(KmsAudit, HoldsEachAnswerAndNoSecret) {
  ASSERT_EQ(add_protected("sip:dora@mcx.example", "dora-trk.json"), 0);
  token("dora.jwt", "sip:dora@mcx.example");
  const std::string url = start(options());
  ASSERT_NE(url, "") << content_of(path("log"));
  ASSERT_TRUE(keys(url, kBob, "bob.jwt").ok());
  EXPECT_FALSE(keys(url, kServer, "gms.jwt").ok());
  EXPECT_TRUE(keys(url, "sip:dora@mcx.example", "dora.jwt", {}, "dora-trk.json").ok());
  EXPECT_EQ(stop(), 0);
  EXPECT_EQ(verify(), 0) << err.str();
  std::vector<json> issued, refused;
  for (const json& record : records()) {
    if (record["event"] == "request" && record.contains("periods")) issued.push_back(record);
    if (record["event"] == "request" && record["status"] == 403) refused.push_back(record);
  }
  ASSERT_EQ(issued.size(), 2u);
  EXPECT_EQ(issued[0]["identity"], kBob);
  EXPECT_EQ(issued[0]["periods"].size(), 2u);
  EXPECT_EQ(issued[0]["reason"], "ok");
  EXPECT_EQ(issued[0]["sha256"].get<std::string>().size(), 64u);
  EXPECT_THAT(issued[0]["peer"].get<std::string>(), HasSubstr("127.0.0.1:"));
  EXPECT_EQ(issued[1]["trk_id"], "tk.0001.dora@mcx.example");
  EXPECT_EQ(issued[1]["signature_id"], "ink.0001.dora@mcx.example");
  ASSERT_FALSE(refused.empty());
  EXPECT_EQ(refused[0]["identity"], kServer);
  EXPECT_EQ(refused[0]["reason"], "identity_not_allowed");
  EXPECT_EQ(events().back(), "stop");
  const std::string all = content_of(log_path());
  EXPECT_THAT(all, Not(HasSubstr(content_of(path("bob.jwt")).substr(0, 40))));
  const auto transport = read_transport_key_file(path("dora-trk.json"));
  EXPECT_THAT(all, Not(HasSubstr(hex(transport->trk.expose()))));
}

TEST_F(KmsAudit, NoAnswerLeavesWithoutItsRecord) {
  const std::string url = start(options());
  ASSERT_NE(url, "") << content_of(path("log"));
  ASSERT_TRUE(keys(url, kBob, "bob.jwt").ok());
  const auto size = std::filesystem::file_size(log_path());
  std::filesystem::resize_file(log_path(), size / 2);
  EXPECT_FALSE(keys(url, kBob, "bob.jwt").ok());
  EXPECT_NE(stop(), 0) << "its stop cannot be recorded either";
  EXPECT_THAT(content_of(path("log")), HasSubstr("no answer leaves without its record"));
}

TEST_F(KmsAudit, IsWholeAfterKillDuringRequests) {
  const std::string url = start(options());
  ASSERT_NE(url, "") << content_of(path("log"));
  ASSERT_TRUE(keys(url, kBob, "bob.jwt").ok());
  const std::size_t before = records().size();
  EXPECT_EQ(ended(SIGKILL), 128 + SIGKILL);
  EXPECT_EQ(verify(), 0) << err.str();
  EXPECT_EQ(records().size(), before);
  ASSERT_NE(start(options()), "");
  EXPECT_EQ(stop(), 0);
  EXPECT_EQ(verify(), 0) << err.str();
}

TEST_F(KmsAudit, VerifySaysWhereAndHeadFindsACutEnd) {
  const std::string known = head();
  EXPECT_THAT(known, HasSubstr("3:"));
  ASSERT_EQ(add("sip:carol@mcx.example"), 0);
  EXPECT_EQ(verify(known), 0) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("4 records is whole and holds the given head"));
  EXPECT_EQ(verify({}, true), 0);
  EXPECT_EQ(json::parse(out.str())["records"], 4);
  const std::string good = content_of(log_path());
  write("kms/audit.log", good.substr(0, good.find('\n') + 1), 0600);
  EXPECT_EQ(verify(), 0);
  EXPECT_EQ(verify(known, true), 3);
  EXPECT_EQ(json::parse(out.str())["error"]["code"], "bad_signature");
  EXPECT_THAT(err.str(), HasSubstr("regroup audit verify: bad_signature"));
  EXPECT_EQ(verify("none"), 2);
  EXPECT_THAT(err.str(), HasSubstr("--head"));
  std::string bad = good;
  bad[bad.find("add-identity")] = 'A';
  write("kms/audit.log", bad, 0600);
  EXPECT_EQ(verify(), 3);
  EXPECT_THAT(err.str(), HasSubstr("line 2"));
  EXPECT_EQ(
      run_audit_verify({.directory = path("nowhere"), .head = {}, .json = false}, fresh(out), fresh(err)), 2);
}

}  // namespace
}  // namespace regroup::app::cli
