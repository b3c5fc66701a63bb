// SPDX-License-Identifier: Apache-2.0
// What a temporary group takes over from its constituents and from the request (PR-6, PR-27), and for how
// long a regroup that is over is remembered.
#include "flow/forming.hpp"

#include <gmock/gmock.h>

#include "flow/groups.hpp"

namespace regroup::flow {
namespace {

using namespace test;  // NOLINT: the lab of the flows
using namespace gms;   // NOLINT

struct Forming : testing::Test {
  Forming() : net(seed()) { make_groups(net); }
  void set(const std::string& group, Levels levels, KeyPlan plan) {
    Group changed = *net.a->gms->group(group);
    changed.levels = levels;
    changed.plan = plan;
    Edit edit = net.a->gms->edit();
    edit.put(std::move(changed));
    static_cast<void>(edit.take());
  }
  [[nodiscard]] Terms terms(std::vector<std::string> groups, RegroupRequest request = {}) const {
    for (const std::string& one : groups) request.constituents.push_back(GroupId::parse(one).value());
    return terms_of(*net.a->gms, request);
  }
  LabNetwork net;
  static constexpr KeyPlan kNone{FloorKey::none, Procedure::one}, kMkfc{FloorKey::mkfc, Procedure::one},
      kGmk{FloorKey::gmk, Procedure::two};
};

TEST_F(Forming, WithoutAWishTheHighestPriorityAndTheStricterProtectionHold) {
  set(kFire, {3, true, false}, kNone);
  set(kRescue, {7, false, false}, kNone);
  Terms made = terms({kFire, kRescue});
  EXPECT_EQ(made.levels.priority, 7);
  EXPECT_TRUE(made.levels.protect_media);
  EXPECT_FALSE(made.levels.protect_floor) << "none of them protects it";
  set(kRescue, {7, false, true}, kNone);
  EXPECT_TRUE(terms({kFire, kRescue}).levels.protect_floor);
  set(kFire, {3, false, false}, kNone);
  set(kRescue, {7, false, false}, kNone);
  EXPECT_FALSE(terms({kFire, kRescue}).levels.protect_media);
  EXPECT_TRUE(terms({kFire, kPolice}).levels.protect_media) << "a partner's group: unknown, so protected";
}

TEST_F(Forming, TheWishOfTheRequestWins) {
  set(kFire, {3, true, true}, kGmk);
  set(kRescue, {7, true, true}, kNone);
  RegroupRequest wish;
  wish.priority = 1;
  wish.protect_media = false;
  wish.protect_floor = false;
  wish.plan = kNone;
  const Terms made = terms({kFire, kRescue}, wish);
  EXPECT_EQ(made.levels.priority, 1);
  EXPECT_FALSE(made.levels.protect_media || made.levels.protect_floor);
  EXPECT_EQ(made.plan.floor, FloorKey::none);
}

TEST_F(Forming, WithoutAWishTheStrictestKeyPlanHolds) {
  const auto floor_of = [&](const KeyPlan& one, const KeyPlan& other) {
    set(kFire, {}, one);
    set(kRescue, {}, other);
    return terms({kFire, kRescue}).plan;
  };
  EXPECT_EQ(floor_of(kNone, kNone).floor, FloorKey::none);
  EXPECT_EQ(floor_of(kNone, kMkfc).floor, FloorKey::mkfc);
  EXPECT_EQ(floor_of(kMkfc, kGmk).floor, FloorKey::gmk);
  EXPECT_EQ(floor_of(kGmk, kMkfc).floor, FloorKey::gmk);
  EXPECT_EQ(floor_of(kGmk, kNone).procedure, Procedure::two) << "with its way of making it";
}

// A partner could show the payload of a torn-down key again as long as its T passes for fresh: until then the
// tombstone stays, whatever the memory of answers.
TEST_F(Forming, ATombstoneStaysUntilNoPayloadOfItsKeyIsFresh) {
  net.b->settings.answer_memory = 60;
  const auto ticket = net.a->ask_regroup("req-00000001", {kFire, kPolice});
  net.settle();
  const std::string temporary = net.a->answers.at(ticket).temporary;
  net.a->carry_out(teardown(*net.a->gms, net.a->dispatcher, 999, {"down-0000001", temporary}));
  net.settle();
  const std::size_t keys = net.b->gms->state().keys.size();
  const mcx::KeyPeriods& periods = net.kms_b->certificate().periods;
  const std::int64_t period = periods.number_at(net.clock.now());
  net.clock.set(periods.start_of(period + 2).plus(-1));
  net.b->carry_out(sweep(*net.b->gms));
  EXPECT_TRUE(net.b->gms->state().answers.empty());
  EXPECT_EQ(net.b->gms->state().keys.size(), keys) << "the previous period still passes";
  EXPECT_EQ(net.b->gms->state().regroups.size(), 1u);
  net.clock.set(periods.start_of(period + 2));
  net.b->carry_out(sweep(*net.b->gms));
  EXPECT_EQ(net.b->gms->state().keys.size(), keys - 1);
  EXPECT_TRUE(net.b->gms->state().regroups.empty());
}

}  // namespace
}  // namespace regroup::flow
