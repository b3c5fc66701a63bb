// SPDX-License-Identifier: Apache-2.0
// Which groups may be regrouped (TS 23.280 10.2.4): one that is being asked about, or held for a partner, is
// taken until the answer, the tear-down or the end of the reservation.
#include "gms/authority.hpp"

#include <gmock/gmock.h>

#include "flow/groups.hpp"

namespace regroup::gms {
namespace {

using namespace test;  // NOLINT: the lab of the flows

struct Constituents : testing::Test {
  Constituents() : net(seed()) { make_groups(net); }
  void put(RegroupState state, NtpTime deadline) {
    Regroup regroup;
    regroup.ref = "req|one";
    regroup.state = state;
    regroup.deadline = deadline;
    regroup.constituents = {id(kFire)};
    Edit edit = net.a->gms->edit();
    edit.put(std::move(regroup));
    static_cast<void>(edit.take());
  }
  [[nodiscard]] static GroupId id(const std::string& text) { return GroupId::parse(text).value(); }
  [[nodiscard]] std::string refusal(const std::vector<std::string>& groups) const {
    std::vector<GroupId> ids;
    for (const std::string& one : groups) ids.push_back(id(one));
    const auto checked = check_constituents(*net.a->gms, ids);
    return checked.ok() ? "" : checked.error().detail;
  }
  LabNetwork net;
};

TEST_F(Constituents, AGroupThatIsAskedAboutOrReservedCountsAsRegrouped) {
  const NtpTime now = net.clock.now();
  EXPECT_EQ(refusal({kFire, kRescue}), "");
  put(RegroupState::asking, now.plus(-1));
  EXPECT_EQ(refusal({kFire, kRescue}), "already-regrouped") << "asked about, however long";
  EXPECT_EQ(refusal({kRescue, kPolice}), "") << "another group is free";
  put(RegroupState::reserved, now.plus(1));
  EXPECT_EQ(refusal({kFire, kRescue}), "already-regrouped");
  put(RegroupState::reserved, now);
  EXPECT_EQ(refusal({kFire, kRescue}), "") << "T_reserve is over";
  for (const RegroupState over : {RegroupState::rejected, RegroupState::torn_down}) {
    put(over, now.plus(100));
    EXPECT_EQ(refusal({kFire, kRescue}), "");
  }
}

}  // namespace
}  // namespace regroup::gms
