// SPDX-License-Identifier: Apache-2.0
// Regroup inside one system (TS 33.179 7.3.5.2).
#include "flow/regroup_single.hpp"

#include <gtest/gtest.h>

#include "flow/groups.hpp"

namespace regroup::test {
namespace {

TEST(RegroupSingle, GivesANewKeyToTheMembersOfAllConstituents) {
  LabNetwork net(seed());
  make_groups(net);
  const auto ticket = net.a->ask_regroup("req-00000001", {kFire, kRescue});
  net.settle();
  const Answer& answer = net.a->answers.at(ticket);
  ASSERT_TRUE(answer.accepted) << answer.reason;
  expect_same_keys(net, answer.temporary, kUsersA, {}, 1);
  expect_all(*net.a, answer.temporary, Delivery::installed);
  EXPECT_NE(net.a->ues.at(kUsersA[1])->held(kFire), net.a->ues.at(kUsersA[1])->held(answer.temporary));
}

TEST(RegroupSingle, ARepeatedRequestGetsTheSameAnswerAndNoSecondKey) {
  LabNetwork net(seed());
  make_groups(net);
  const auto first = net.a->ask_regroup("req-00000001", {kFire, kRescue});
  net.settle();
  const std::size_t keys = net.a->gms->state().keys.size();
  const auto again = net.a->ask_regroup("req-00000001", {kFire, kRescue});
  net.settle();
  EXPECT_EQ(net.a->answers.at(again).temporary, net.a->answers.at(first).temporary);
  EXPECT_EQ(net.a->gms->state().keys.size(), keys);
}

TEST(RegroupSingle, WhoMayNotRegroupLeavesNoTrace) {
  LabNetwork net(seed());
  make_groups(net);
  RegroupRequest request;
  request.id = "req-00000001";
  request.constituents = {GroupId::parse(kFire).value(), GroupId::parse(kRescue).value()};
  const auto out = flow::regroup(*net.a->gms, kUsersA[0], 700, request);
  EXPECT_TRUE(out.writes.empty()) << "a refusal of strangers is not worth a record";
  EXPECT_EQ(std::get<Reply>(out.effects.front()).answer.reason, "not-authorised");
}

TEST(RegroupSingle, RefusesTemporaryRegroupedUnknownAndTooFewGroups) {
  LabNetwork net(seed());
  make_groups(net);
  const auto refused = [&](const std::string& id, const std::vector<std::string>& groups) {
    const auto ticket = net.a->ask_regroup(id, groups);
    net.settle();
    EXPECT_FALSE(net.a->answers.at(ticket).accepted);
    return net.a->answers.at(ticket).reason;
  };
  EXPECT_EQ(refused("req-00000001", {kFire}), "policy");
  EXPECT_EQ(refused("req-00000002", {kFire, "sip:none@alpha.example"}), "unknown-group");
  EXPECT_EQ(refused("req-00000003", {kFire, "sip:group@other.example"}), "not-trusted");
  const auto ticket = net.a->ask_regroup("req-00000004", {kFire, kRescue});
  net.settle();
  EXPECT_EQ(refused("req-00000005", {kFire, kRescue}), "already-regrouped");
  EXPECT_EQ(refused("req-00000006", {net.a->answers.at(ticket).temporary, kPolice}), "temporary-group");
}

}  // namespace
}  // namespace regroup::test
