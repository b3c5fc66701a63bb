// SPDX-License-Identifier: Apache-2.0
// Two MCPTT systems with a process for each role, made once for all tests of this suite, and what a
// dispatcher and an operator do with them. The GMS of alpha has a user-like identity (TS 33.179 7.3.5.1); a
// client `outsider` does not have it on its list. After a failure the next test gets new systems.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <random>

#include "app/demo/lab.hpp"

namespace regroup::process {

using app::demo::Child;
using app::demo::Lab;
using app::demo::System;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr const char* kUserLikeGms = "sip:user.001.group@alpha.example";

// Looks at a condition until it holds, at most for `within`; the last look counts.
bool wait_until(const std::function<bool()>& holds, seconds within = seconds(30));

// Drawn once for the program (REGROUP_SEED names another), printed with the first use.
std::uint32_t seed();
// The number of samples of a random test: few, or with REGROUP_LONG all.
int samples(int few, int all);

// What a verb of `regroup ue group` came to.
struct Ending {
  int code = -1;
  json answer;
  std::string err;
};

class TwoSystems : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  static Lab& lab() { return *lab_; }
  static System& alpha() { return lab_->alpha(); }
  static System& beta() { return lab_->beta(); }
  static std::string fire() { return alpha().group("fire"); }
  static std::string police() { return beta().group("police"); }

  // ---- the dispatcher of `system`
  static Ending create(System& system, const std::string& as, const std::string& group,
                       const std::vector<std::string>& members);
  // Fire and police, under that request id. The dispatcher repeats the same request until it is answered.
  static Ending regroup(const std::string& id, const std::string& floor_key, const std::string& procedure);
  static Ending teardown(const std::string& temporary);

  // ---- the operator
  static json ledger(System& system, const std::string& group);
  // Empty when every user of `system` is in `state` for each key of `group`; else what is missing.
  static std::string missing(System& system, const std::string& group, std::size_t keys,
                             const std::string& state);
  // Waits for that in both systems.
  static void expect_everybody(const std::string& group, std::size_t keys, const std::string& state);
  // The keys as "use GMK-ID fingerprint", sorted: what both systems and every client must agree on.
  static std::vector<std::string> keys_of(System& system, const std::string& group);
  // The same from the ring of a client whose process has ended.
  static std::vector<std::string> ring_of(System& system, const std::string& identity,
                                          const std::string& group);

  // The systems, with the groups fire and police keyed; made by the first test, ended after the last.
  static std::unique_ptr<Lab> lab_;
  friend class EndOfSystems;
};

}  // namespace regroup::process
