// SPDX-License-Identifier: Apache-2.0
// `regroup demo` as its users see it: what it reports, what it leaves behind, and how it stops. And how each
// role stops.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "app/cli/open.hpp"
#include "process/traces.hpp"
#include "process/two_systems.hpp"

namespace regroup::process {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

bool ended_with(std::optional<int> status, int code) {
  return status && WIFEXITED(*status) && WEXITSTATUS(*status) == code;
}

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "regroup-process-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// A demo in a process of its own, whose lines can be waited for.
class Demo {
 public:
  Demo(const Folder& folder, std::vector<std::string> more) {
    app::demo::set_program(REGROUP_PROGRAM);
    std::vector<std::string> arguments{"demo", "--members", "2"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto started = Child::start(arguments, folder.file("demo.log"), [this](const std::string& line) {
      const std::lock_guard lock(mutex_);
      printed_ += line + "\n";
    });
    EXPECT_TRUE(started.ok());
    if (started.ok()) child_ = std::move(started).value();
  }
  [[nodiscard]] Child& child() { return *child_; }
  [[nodiscard]] std::string printed() {
    const std::lock_guard lock(mutex_);
    return printed_;
  }

 private:
  std::mutex mutex_;
  std::string printed_;
  std::unique_ptr<Child> child_;
};

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> out;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string stat = contents(entry.path().string() + "/stat");
    const std::size_t after_name = stat.rfind(')');  // pid (name) state ppid ...
    if (after_name == std::string::npos) continue;
    std::istringstream rest(stat.substr(after_name + 1));
    char state = 0;
    pid_t of = 0;
    if (rest >> state >> of && of == parent) out.push_back(std::stoi(name));
  }
  return out;
}

// The directory of a demo's lab, from the arguments of one of its processes.
std::string lab_directory(const std::vector<pid_t>& processes) {
  const std::string mark = "/tmp/regroup-demo-";
  for (const pid_t process : processes) {
    const std::string arguments = contents("/proc/" + std::to_string(process) + "/cmdline");
    if (const std::size_t at = arguments.find(mark); at != std::string::npos)
      return arguments.substr(at, mark.size() + 6);
  }
  return {};
}

// Processes that work in that directory, zombies not counted: they have no arguments.
std::vector<std::string> running_in(const std::string& directory) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (contents(entry.path().string() + "/cmdline").find(directory + "/") != std::string::npos)
      out.push_back(name);
  }
  return out;
}

// Every member in the state of the flow, told by its GMS and by itself, keyed by the GMS of its own system.
void expect_good(const std::string& name, const json& flow) {
  EXPECT_TRUE(flow.at("ok").get<bool>());
  std::map<std::string, std::set<std::string>> members;
  std::set<std::string> uses;
  for (const json& member : flow.at("members")) {
    EXPECT_EQ(member.at("state"), name == "teardown" ? "WITHDRAWN" : "INSTALLED");
    EXPECT_EQ(member.at("signed_by"), "sip:gms@" + member.at("system").get<std::string>());
    members[member.at("system").get<std::string>()].insert(member.at("mcptt_id").get<std::string>());
    uses.insert(member.at("use").get<std::string>());
  }
  const bool multi = name.rfind("regroup_multi", 0) == 0 || name == "teardown";
  EXPECT_EQ(members.size(), multi ? 2U : 1U);
  if (name.rfind("group_creation_", 0) != 0) {
    for (const auto& [system, users] : members) EXPECT_EQ(users.size(), 2U) << system;
  }
  if (name.find("floor") != std::string::npos) {
    EXPECT_THAT(uses, Contains("floor"));
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
  const json& flows = report.at("flows");
  for (const char* name : {"group_creation", "regroup_single", "regroup_multi", "regroup_multi_floor_one",
                           "regroup_multi_floor_two", "teardown"})
    EXPECT_TRUE(flows.contains(name)) << name;
  std::set<std::string> ways;
  for (const auto& [name, flow] : flows.items()) {
    SCOPED_TRACE(name);
    expect_good(name, flow);
    for (const json& member : flow.at("members")) ways.insert(member.at("via").get<std::string>());
  }
  EXPECT_EQ(ways, (std::set<std::string>{"get", "notify"}));

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

// One stop in the middle: at the first line that the seed chooses.
class StoppedDemo : public testing::TestWithParam<int> {
 protected:
  void start() {
    const char* const lines[] = {"  KMS:", "  GMS:", "  UE:", "\nregroup_single", "\nregroup_multi"};
    std::mt19937 draw(seed() + 1000 + static_cast<unsigned>(GetParam()));
    const std::string line = lines[draw() % std::size(lines)];
    ASSERT_TRUE(wait_until([&] { return demo_.printed().find(line) != std::string::npos; }, seconds(60)))
        << line;
    where_ = "REGROUP_SEED=" + std::to_string(seed()) + ", stopped at " + line;
    children_ = children_of(demo_.child().pid());
    directory_ = lab_directory(children_);
    ASSERT_FALSE(children_.empty());
    ASSERT_FALSE(directory_.empty());
  }
  Folder folder_;
  Demo demo_{folder_, {}};
  std::string where_, directory_;
  std::vector<pid_t> children_;
};

TEST_P(StoppedDemo, ByCtrlCEndsAllItsProcessesAndRemovesItsFiles) {
  start();
  SCOPED_TRACE(where_);
  ASSERT_FALSE(HasFatalFailure());
  kill(demo_.child().pid(), SIGINT);
  EXPECT_TRUE(ended_with(demo_.child().wait_end(40), 1));
  EXPECT_THAT(running_in(directory_), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(directory_));
}

TEST_P(StoppedDemo, BySigkillTakesAllItsProcessesWithIt) {
  start();
  SCOPED_TRACE(where_);
  ASSERT_FALSE(HasFatalFailure());
  demo_.child().kill_now();
  EXPECT_TRUE(wait_until([&] { return running_in(directory_).empty(); }, seconds(15)))
      << running_in(directory_).size() << " processes";
  std::filesystem::remove_all(directory_);  // nobody was left to do it
}

INSTANTIATE_TEST_SUITE_P(Moments, StoppedDemo, testing::Range(0, samples(1, 10)));

class Stop : public TwoSystems {};

TEST_F(Stop, BySigtermEndsEachRoleWithCodeZeroWithinSeconds) {
  System& system = beta();
  for (Child* role : {system.clients[0].get(), system.gms.get(), system.kms.get()}) {
    kill(role->pid(), SIGTERM);
    EXPECT_TRUE(ended_with(role->wait_end(5), 0));
  }
  for (const auto& back :
       {lab().restart_kms(system), lab().restart_gms(system), lab().restart_client(system, 0)})
    ASSERT_TRUE(back.ok()) << back.error().text();
}

}  // namespace
}  // namespace regroup::process
