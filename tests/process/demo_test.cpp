// SPDX-License-Identifier: Apache-2.0
// `regroup demo` as its users see it: what it reports and what it leaves behind.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <map>
#include <random>
#include <set>

#include "app/cli/open.hpp"
#include "process/demo_process.hpp"

namespace regroup::process {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::UnorderedElementsAre;

// What a flow is about, by its name.
struct About {
  explicit About(const std::string& name)
      : multi(name.rfind("regroup_multi", 0) == 0 || name.rfind("teardown", 0) == 0),
        state(name.rfind("teardown", 0) == 0 ? "WITHDRAWN" : "INSTALLED"),
        via(name.rfind("group_creation", 0) == 0 ? "get" : "notify"),
        use(name.find("floor") != std::string::npos ? "floor"
            : multi                                 ? "media"
                                                    : "both"),
        gms(name == "group_creation_police" ? "sip:gms@beta.example" : "sip:gms@alpha.example") {}
  bool multi;
  std::string state, via, use, gms;
};

// The keys of the group, one for each use, all different; gives that of the flow.
json expect_keys(const About& about, const json& flow) {
  std::set<std::string> uses, ids, fingerprints;
  json own;
  for (const json& key : flow.at("keys")) {
    uses.insert(key.at("use").get<std::string>());
    ids.insert(key.at("gmk_id").get<std::string>());
    fingerprints.insert(key.at("key_fingerprint").get<std::string>());
    if (key.at("gmk_id") == flow.at("gmk_id")) own = key;
  }
  EXPECT_EQ(uses, about.multi ? (std::set<std::string>{"media", "floor"}) : std::set<std::string>{"both"});
  EXPECT_EQ(flow.at("keys").size(), uses.size());
  EXPECT_EQ(ids.size(), uses.size());
  EXPECT_EQ(fingerprints.size(), uses.size());
  EXPECT_EQ(own.value("use", ""), about.use);
  EXPECT_THAT(own.value("gmk_id", ""), MatchesRegex("0[0-9a-f]{7}"));
  EXPECT_THAT(own.value("key_fingerprint", ""), MatchesRegex("[0-9a-f]{16}"));
  return own;
}

void expect_partner(const About& about, const json& flow, std::set<std::string>& guk_ids) {
  EXPECT_EQ(flow.contains("partner"), about.multi);
  if (!flow.contains("partner")) return;
  const json& partner = flow.at("partner");
  EXPECT_EQ(partner.at("uri"), "sip:gms@beta.example");
  EXPECT_EQ(partner.at("signed_by"), "sip:gms@alpha.example");
  EXPECT_EQ(partner.at("state"), about.state);
  EXPECT_EQ(partner.at("members_keyed"), 2);
  EXPECT_EQ(partner.at("gmk_id"), flow.at("gmk_id"));
  EXPECT_THAT(partner.at("time").get<std::string>(), HasSubstr("T"));
  guk_ids.insert(partner.at("guk_id").get<std::string>());
}

// Every member in the state of the flow, told by its GMS and by itself: the same key for all, from the GMS of
// the own system, under an identifier of its own.
void expect_good(const std::string& name, const json& flow) {
  const About about(name);
  EXPECT_TRUE(flow.at("ok").get<bool>());
  EXPECT_EQ(flow.at("signed_by"), about.gms);
  EXPECT_EQ(flow.at("use"), about.use);
  const json key = expect_keys(about, flow);
  std::map<std::string, std::set<std::string>> members;
  std::set<std::string> guk_ids;
  for (const json& member : flow.at("members")) {
    EXPECT_EQ(member.at("state"), about.state);
    EXPECT_EQ(member.at("via"), about.via);
    EXPECT_EQ(member.at("signed_by"), "sip:gms@" + member.at("system").get<std::string>());
    for (const char* same : {"gmk_id", "use", "key_fingerprint"})
      EXPECT_EQ(member.at(same).get<std::string>(), key.value(same, "")) << same;
    EXPECT_THAT(member.at("time").get<std::string>(), HasSubstr("T"));
    members[member.at("system").get<std::string>()].insert(member.at("mcptt_id").get<std::string>());
    guk_ids.insert(member.at("guk_id").get<std::string>());
  }
  expect_partner(about, flow, guk_ids);
  EXPECT_EQ(guk_ids.size(), flow.at("members").size() + flow.contains("partner"));
  for (const std::string& one : guk_ids) EXPECT_THAT(one, MatchesRegex("0[0-9a-f]{7}"));
  EXPECT_EQ(members.size(), about.multi ? 2U : 1U);
  if (name.rfind("group_creation_", 0) != 0) {
    for (const auto& [system, users] : members) EXPECT_EQ(users.size(), 2U) << system;
  }
}

// What `regroup open` needs for one line of messages.jsonl: the receiver's key set, the certificates of both
// KMSs.
app::cli::OpenOptions files_for(const std::string& evidence, const json& message) {
  const std::string to = message.at("to"), kms = message.at("to_kms");
  const std::string system = kms.substr(4, kms.find('.', 4) - 4);  // kms.alpha.example
  app::cli::OpenOptions options;
  options.key_set_files = {evidence + "/" + system + "-" + app::demo::stem(to) + ".keyset.xml"};
  for (const std::string& one : std::set<std::string>{kms, message.at("from_kms").get<std::string>()})
    options.certificate_files.push_back(evidence + "/" + one + ".certificate.xml");
  options.file = "-";
  return options;
}

void open_here(const std::string& evidence, const json& message) {
  std::istringstream in(message.at("message").get<std::string>());
  std::ostringstream out, err;
  EXPECT_EQ(app::cli::run_open(files_for(evidence, message), in, out, err), 0) << message.dump() << err.str();
  EXPECT_THAT(out.str(), HasSubstr("opened: GMK"));
}

void open_by_program(const Folder& folder, const std::string& evidence, const json& message) {
  const auto options = files_for(evidence, message);
  std::ofstream(folder.file("message")) << message.at("message").get<std::string>();
  std::vector<std::string> arguments{"open", folder.file("message"), "--key-set",
                                     options.key_set_files.front()};
  for (const std::string& one : options.certificate_files)
    arguments.insert(arguments.end(), {"--certificate", one});
  std::string said;
  auto open = Child::start(arguments, folder.file("open.log"),
                           [&said](const std::string& line) { said += line + "\n"; });
  ASSERT_TRUE(open.ok());
  ASSERT_TRUE(ended_with((*open)->wait_end(30), 0)) << message.dump() << contents(folder.file("open.log"));
  EXPECT_THAT(said, HasSubstr("opened: GMK"));
}

TEST(DemoTest, ReportsEveryFlowAndLeavesEvidenceThatOpens) {
  const Folder folder;
  const std::string evidence = folder.file("evidence");
  Demo demo(folder, {"--json", folder.file("report.json"), "--evidence", evidence});
  const auto status = demo.child().wait_end(120);
  ASSERT_TRUE(ended_with(status, 0)) << demo.printed() << contents(folder.file("demo.log"));

  const json report = json::parse(contents(folder.file("report.json")));
  EXPECT_EQ(report.size(), 3U);
  EXPECT_GT(report.at("wall_s").get<double>(), 0);
  EXPECT_FALSE(report.at("refusals").empty());
  for (const json& refusal : report.at("refusals"))
    EXPECT_TRUE(refusal.at("refused").get<bool>()) << refusal.dump();
  EXPECT_EQ(report.at("refusals").size(), 5U);
  const json& flows = report.at("flows");
  for (const char* name : {"group_creation", "regroup_single", "regroup_multi", "regroup_multi_floor_one",
                           "regroup_multi_floor_two", "teardown", "teardown_floor"})
    EXPECT_TRUE(flows.contains(name)) << name;
  for (const auto& [name, flow] : flows.items()) {
    SCOPED_TRACE(name);
    expect_good(name, flow);
  }
  EXPECT_EQ(flows.at("teardown").at("keys"), flows.at("regroup_multi").at("keys")) << "both are torn down";
  EXPECT_THAT(report.at("refusals").back().at("reason").get<std::string>(),
              HasSubstr("GMK-ID " + flows.at("teardown").at("gmk_id").get<std::string>() + " was withdrawn"));

  for (const auto& entry : std::filesystem::directory_iterator(evidence)) {
    struct stat info {};
    ASSERT_EQ(stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U) << entry.path();
  }
  std::istringstream lines(contents(evidence + "/messages.jsonl"));
  std::vector<json> messages;
  for (std::string line; std::getline(lines, line);) messages.push_back(json::parse(line));
  std::set<std::string> receivers;
  for (const json& message : messages) {
    receivers.insert(message.at("to").get<std::string>());
    open_here(evidence, message);
  }
  EXPECT_THAT(receivers, UnorderedElementsAre("sip:user1@alpha.example", "sip:user2@alpha.example",
                                              "sip:user1@beta.example", "sip:user2@beta.example",
                                              "sip:gms@beta.example"));
  // 4 groups with 2, 1, 2, 2 members; one regroup of 2; three of 2 + 2 members and a GMS, two of them with
  // two keys.
  std::mt19937 draw(seed() + 2000);
  for (int i = 0; i < samples(2, 34); ++i)
    open_by_program(folder, evidence, messages[draw() % messages.size()]);
}

TEST(DemoTest, OneMemberInEachSystemIsEnough) {
  const Folder folder;
  Demo demo(folder, {}, 1);
  const auto status = demo.child().wait_end(120);
  EXPECT_TRUE(ended_with(status, 0)) << demo.printed() << contents(folder.file("demo.log"));
  EXPECT_THAT(demo.printed(), HasSubstr("sip:gms@beta.example (GMS)"));
}

TEST(DemoTest, AReportThatCannotBeWrittenIsToldBeforeAnythingStarts) {
  const Folder folder;
  for (const std::string& file : {folder.file("no/such/folder/report.json"), folder.file("")}) {
    Demo demo(folder, {"--json", file});
    EXPECT_TRUE(ended_with(demo.child().wait_end(60), 2)) << file;
    EXPECT_EQ(demo.printed(), "");
    EXPECT_THAT(contents(folder.file("demo.log")), HasSubstr("--json: cannot write " + file + ": "));
  }
}

class DemoLab : public TwoSystems {};

TEST_F(DemoLab, AClientThatSpeaksJsonSaysSoWhenItIsReady) {
  auto client = lab().start_client(alpha(), alpha().dispatcher);
  ASSERT_TRUE(client.ok()) << client.error().text();
  EXPECT_EQ((*client)->wait_ready(1).value(), "1") << "not the words of a line of text";
}

}  // namespace
}  // namespace regroup::process
