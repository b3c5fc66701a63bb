// SPDX-License-Identifier: Apache-2.0
// A changed member list: who joins, who leaves.
#include "flow/membership.hpp"

#include <gtest/gtest.h>

#include "flow/groups.hpp"

namespace regroup::test {
namespace {

TEST(MembershipChange, WhoJoinsGetsTheCurrentKeyAndWhoLeavesCausesANewOne) {
  LabNetwork net(seed());
  make_groups(net);
  const auto before = net.a->ues.at(kUsersA[0])->held(kFire);
  net.a->create_group(kFire, {kUsersA[0], kUsersA[1], kUsersA[2]});
  net.settle();
  EXPECT_EQ(net.a->ues.at(kUsersA[2])->held(kFire), before);
  net.a->create_group(kFire, {kUsersA[0], kUsersA[2]});
  net.settle();
  const auto after = net.a->ues.at(kUsersA[0])->held(kFire);
  EXPECT_NE(after, before);
  EXPECT_EQ(net.a->ues.at(kUsersA[2])->held(kFire), after);
  EXPECT_TRUE(net.a->ues.at(kUsersA[1])->held(kFire).empty())
      << "the one who left holds nothing of the group";
}

TEST(MembershipChange, IsRefusedWhileTheGroupIsRegrouped) {
  LabNetwork net(seed());
  make_groups(net);
  net.a->ask_regroup("req-00000001", {kFire, kRescue});
  net.settle();
  EXPECT_THROW(net.a->create_group(kFire, {kUsersA[0]}), std::runtime_error);
  EXPECT_EQ(net.a->gms->group(kFire)->members.size(), 2u);
}

}  // namespace
}  // namespace regroup::test
