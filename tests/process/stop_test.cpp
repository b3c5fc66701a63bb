// SPDX-License-Identifier: Apache-2.0
// How the demo stops, whoever asks it to, and how each role does.
#include <gmock/gmock.h>
#include <signal.h>

#include <random>

#include "process/demo_process.hpp"

namespace regroup::process {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class DemoStop : public testing::Test {
 protected:
  void reach(const std::string& line) {
    ASSERT_TRUE(wait_until([&] { return demo_.printed().find(line) != std::string::npos; }, seconds(60)))
        << line;
    where_ = "REGROUP_SEED=" + std::to_string(seed()) + ", stopped at " + line;
    children_ = children_of(demo_.child().pid());
    directory_ = lab_directory(children_);
    ASSERT_FALSE(children_.empty());
    ASSERT_FALSE(directory_.empty());
  }
  void stopped_by(int signal) {
    kill(demo_.child().pid(), signal);
    EXPECT_TRUE(ended_with(demo_.child().wait_end(40), 1));
    EXPECT_THAT(running_in(directory_), IsEmpty());
    EXPECT_FALSE(std::filesystem::exists(directory_));
    const std::string log = contents(folder_.file("demo.log"));
    EXPECT_THAT(log, HasSubstr("regroup demo: transport: stopped; start again\n"));
    EXPECT_THAT(log, Not(HasSubstr(directory_))) << "it is gone: nobody can look there";
  }
  Folder folder_;
  Demo demo_{folder_, {}};
  std::string where_, directory_;
  std::vector<pid_t> children_;
};

// One stop in the middle: at the first line that the seed chooses.
class StoppedDemo : public DemoStop, public testing::WithParamInterface<int> {
 protected:
  void start() {
    const char* const lines[] = {"  KMS:", "  GMS:", "  UE:", "\nregroup_single", "\nregroup_multi"};
    std::mt19937 draw(seed() + 1000 + static_cast<unsigned>(GetParam()));
    reach(lines[draw() % std::size(lines)]);
  }
};

TEST_P(StoppedDemo, ByCtrlCEndsAllItsProcessesAndRemovesItsFiles) {
  start();
  SCOPED_TRACE(where_);
  ASSERT_FALSE(HasFatalFailure());
  stopped_by(SIGINT);
}

TEST_P(StoppedDemo, ByAClosedTerminalDoesTheSame) {
  start();
  SCOPED_TRACE(where_);
  ASSERT_FALSE(HasFatalFailure());
  stopped_by(SIGHUP);
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

// Its GMSs cannot become ready, for the KMSs are frozen: it is at that wait that the demo is stopped.
TEST_F(DemoStop, WhileItWaitsForAProcessSaysSoAndNotThatTheProcessIsLate) {
  reach("  KMS:");
  ASSERT_FALSE(HasFatalFailure());
  const auto processes = [this] { return children_of(demo_.child().pid()); };
  std::vector<pid_t> frozen;
  for (const pid_t one : children_)
    if (contents("/proc/" + std::to_string(one) + "/cmdline").find(std::string("kms\0serve", 9)) !=
        std::string::npos)
      frozen.push_back(one);
  ASSERT_EQ(frozen.size(), 2U);
  for (const pid_t kms : frozen) kill(kms, SIGSTOP);
  ASSERT_TRUE(wait_until([&] { return processes().size() >= 4; }));
  kill(demo_.child().pid(), SIGINT);
  EXPECT_TRUE(wait_until([&] { return processes().size() <= 2; }));
  for (const pid_t kms : frozen) kill(kms, SIGCONT);
  EXPECT_TRUE(ended_with(demo_.child().wait_end(40), 1));
  EXPECT_EQ(contents(folder_.file("demo.log")), "regroup demo: transport: stopped; start again\n");
}

// The handlers of the demo, as they were before once this is over.
class DemoHandlers {
 public:
  DemoHandlers() {
    for (std::size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], nullptr, &before_[i]);
    app::demo::watch_for_stop();
  }
  ~DemoHandlers() {
    for (std::size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &before_[i], nullptr);
    app::demo::set_program(REGROUP_PROGRAM);
  }
  DemoHandlers(const DemoHandlers&) = delete;

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction before_[3]{};
};

// Between fork and exec it has our handlers, which must not swallow what is meant for it.
TEST(DemoChild, ThatIsStoppedBeforeItIsAProgramEnds) {
  const Folder folder;
  const DemoHandlers handlers;
  app::demo::set_program("/bin/sleep");
  for (int i = 0; i < 100; ++i) {
    auto child = Child::start({"60"}, folder.file("sleep.log"));
    ASSERT_TRUE(child.ok());
    (*child)->ask_to_stop();
    const auto status = (*child)->wait_end(10);
    ASSERT_TRUE(status) << "the signal to child " << i << " was lost";
    EXPECT_TRUE(WIFSIGNALED(*status));
  }
}

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
