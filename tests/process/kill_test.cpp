// SPDX-License-Identifier: Apache-2.0
// SIGKILL in the middle of a regroup over two systems (TS 33.179 7.3.5.3): what was stored is carried on,
// nothing is done twice. The moments are drawn from a printed seed.
#include <gmock/gmock.h>

#include <future>
#include <iostream>
#include <thread>

#include "process/two_systems.hpp"

namespace regroup::process {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

enum class Whom { primary, partner, client };

class SuddenDeath : public TwoSystems, public testing::WithParamInterface<int> {
 protected:
  // The state of the one regroup about `group` that is not over, as the ledger of its system shows it.
  static std::string stage(System& system, const std::string& group) {
    const json known = ledger(system, group);
    for (const json& one : known["regroups"])
      if (const std::string state = one.value("state", ""); state != "TORN_DOWN" && state != "REJECTED")
        return state;
    return {};
  }
  // Waits for the moment that `draw` names; returns its name.
  static std::string await_moment(Whom whom, std::mt19937& draw, int sample) {
    System& system = whom == Whom::primary ? alpha() : beta();
    const std::string group = whom == Whom::primary ? fire() : police();
    if (sample == 0) {  // accepted: the request at the primary, C3 at the partner
      wait_until([&] { return !stage(system, group).empty(); }, seconds(10));
      return "first stored, seen as " + stage(system, group);
    }
    if (sample == 1) {  // the key is made, or has just been taken over
      wait_until([&] { return stage(system, group) == "ACTIVE"; }, seconds(10));
      return "seen active";
    }
    const milliseconds delay(std::uniform_int_distribution<int>(0, 600)(draw));
    std::this_thread::sleep_for(delay);  // the moment itself, not a wait for something
    return "after " + std::to_string(delay.count()) + " ms";
  }
  static void kill_and_restart(Whom whom) {
    Result<void> back;
    if (whom == Whom::client) {
      beta().clients[0]->kill_now();
      back = lab().restart_client(beta(), 0);
    } else {
      System& system = whom == Whom::primary ? alpha() : beta();
      system.gms->kill_now();
      back = lab().restart_gms(system);
    }
    ASSERT_TRUE(back.ok()) << back.error().text();
  }
  // One GMK for each use, the same in both systems, in the hands of every client.
  static void expect_one_key_each(const std::string& temporary) {
    expect_everybody(temporary, 2, "INSTALLED");
    const auto keys = keys_of(alpha(), temporary);
    EXPECT_THAT(keys, ElementsAre(StartsWith("floor "), StartsWith("media ")));
    EXPECT_EQ(keys, keys_of(beta(), temporary));
    for (System* system : lab().systems)
      for (const std::string& user : system->users)
        for (const std::string& key : keys) {
          const std::string id = key.substr(6, 8), fingerprint = key.substr(15);
          const std::string said = lab().fingerprint(user, temporary, id);
          // A client killed between its store and its word has said nothing; its ring is read below.
          const bool may_be_silent = user == beta().users[0];
          EXPECT_TRUE(said == fingerprint || (may_be_silent && said.empty())) << user << " said " << said;
        }
  }
  static void expect_ring_of_killed_client(const std::string& temporary) {
    const int status = beta().clients[0]->stop();
    EXPECT_EQ(status, 0);
    EXPECT_EQ(ring_of(beta(), beta().users[0], temporary), keys_of(beta(), temporary));
    const auto back = lab().restart_client(beta(), 0);
    ASSERT_TRUE(back.ok()) << back.error().text();
  }
  static std::size_t running_regroups(System& system, const std::string& group) {
    std::size_t count = 0;
    const json known = ledger(system, group);
    for (const json& one : known["regroups"]) count += one.value("state", "") == "ACTIVE";
    return count;
  }

  void kill_in_the_middle(Whom whom, const char* name) {
    const int sample = GetParam();
    std::mt19937 draw(seed() + static_cast<unsigned>(sample) * 3 + static_cast<unsigned>(whom));
    const std::string procedure = draw() % 2 ? "one" : "two";
    const std::string id = std::string(name) + "-" + std::to_string(seed()) + "-" + std::to_string(sample);
    auto asked = std::async(std::launch::async, [&] { return regroup(id, "gmk", procedure); });
    const std::string moment = await_moment(whom, draw, sample);
    kill_and_restart(whom);
    const Ending formed = asked.get();
    SCOPED_TRACE("REGROUP_SEED=" + std::to_string(seed()) + ", " + name + " killed " + moment +
                 ", procedure " + procedure);
    ASSERT_FALSE(HasFatalFailure());
    ASSERT_EQ(formed.code, 0) << formed.err << formed.answer.dump();
    const std::string temporary = formed.answer.value("temporary", "");

    expect_one_key_each(temporary);
    if (whom == Whom::client) expect_ring_of_killed_client(temporary);
    EXPECT_EQ(regroup(id, "gmk", procedure).answer.value("temporary", ""), temporary);
    EXPECT_EQ(running_regroups(alpha(), fire()), 1U);
    EXPECT_EQ(running_regroups(beta(), police()), 1U);
    expect_one_key_each(temporary);
    ASSERT_EQ(teardown(temporary).code, 0);
    expect_everybody(temporary, 2, "WITHDRAWN");
  }
};

TEST_P(SuddenDeath, OfThePrimaryLeavesOneKeyForEachUseAndEveryMemberInstalled) {
  kill_in_the_middle(Whom::primary, "primary");
}

TEST_P(SuddenDeath, OfThePartnerLeavesOneKeyForEachUseAndEveryMemberInstalled) {
  kill_in_the_middle(Whom::partner, "partner");
}

TEST_P(SuddenDeath, OfAClientLeavesOneKeyForEachUseAndEveryMemberInstalled) {
  kill_in_the_middle(Whom::client, "client");
}

INSTANTIATE_TEST_SUITE_P(Moments, SuddenDeath, testing::Range(0, samples(3, 40)));

}  // namespace
}  // namespace regroup::process
