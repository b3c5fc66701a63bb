// SPDX-License-Identifier: Apache-2.0
// Regroup inside one system (TS 33.179 7.3.5.2).
#include "flow/regroup_single.hpp"

#include <gmock/gmock.h>

#include "flow/groups.hpp"

namespace regroup::test {
namespace {

TEST(RegroupSingle, GivesANewKeyToTheMembersOfAllConstituents) {
  LabNetwork net(seed());
  make_groups(net);
  const auto fire = net.a->ues.at(kUsersA[1])->held(kFire), rescue = net.a->ues.at(kUsersA[1])->held(kRescue);
  ASSERT_EQ(fire.size() + rescue.size(), 2u);
  const auto ticket = net.a->ask_regroup("req-00000001", {kFire, kRescue});
  net.settle();
  const Answer& answer = net.a->answers.at(ticket);
  ASSERT_TRUE(answer.accepted) << answer.reason;
  expect_same_keys(net, answer.temporary, kUsersA, {}, 1);
  expect_all(*net.a, answer.temporary, Delivery::installed);
  EXPECT_EQ(net.a->gms->group(answer.temporary)->members.size(), 3u) << "who is in two of them counts once";
  EXPECT_EQ(net.a->ues.at(kUsersA[1])->held(kFire), fire);
  EXPECT_EQ(net.a->ues.at(kUsersA[1])->held(kRescue), rescue);
  EXPECT_NE(net.a->ues.at(kUsersA[1])->held(answer.temporary), fire);
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

TEST(RegroupSingle, AnAnswerIsRememberedForThirtyDays) {
  LabNetwork net(seed());
  make_groups(net);
  const NtpTime asked = net.clock.now();
  const auto first = net.a->ask_regroup("req-00000001", {kFire, "sip:none@alpha.example"});
  EXPECT_EQ(net.a->answers.at(first).reason, "unknown-group");
  net.clock.set(asked.plus(30 * 86400));
  net.a->key_sets.push_back(net.kms_a->provision(net.a->gms_uri, net.clock.now()));
  net.a->carry_out(flow::sweep(*net.a->gms));
  const auto again = net.a->ask_regroup("req-00000001", {kFire, kRescue});
  EXPECT_EQ(net.a->answers.at(again).reason, "unknown-group");
  net.clock.advance(1);
  net.a->carry_out(flow::sweep(*net.a->gms));
  const auto later = net.a->ask_regroup("req-00000001", {kFire, kRescue});
  EXPECT_TRUE(net.a->answers.at(later).accepted) << "a new request";
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

TEST(RegroupSingle, RefusesDoubledDisabledAndTooManyGroupsAndThoseOfOthersAlone) {
  LabNetwork net(seed());
  make_groups(net);
  int number = 10;
  const auto refused = [&](const std::vector<std::string>& groups) {
    const auto ticket = net.a->ask_regroup("req-000000" + std::to_string(++number), groups);
    net.settle();
    return net.a->answers.at(ticket).reason;
  };
  EXPECT_EQ(refused({kFire, kFire, kRescue}), "policy");
  EXPECT_EQ(refused({kPolice, "sip:medics@beta.example"}), "policy") << "none is homed here";
  std::vector<std::string> many;
  for (int i = 0; i < 32; ++i) many.push_back("sip:group" + std::to_string(i) + "@alpha.example");
  EXPECT_EQ(refused(many), "unknown-group") << "32 are not too many";
  many.push_back(kFire);
  EXPECT_EQ(refused(many), "limit");
  Group off = *net.a->gms->group(kRescue);
  off.disabled = true;
  Edit edit = net.a->gms->edit();
  edit.put(std::move(off));
  net.a->carry_out(edit.take());
  EXPECT_EQ(refused({kFire, kRescue}), "unknown-group");
}

// Its key would be encrypted to the partner's identity: that takes its KMS certificate.
TEST(RegroupSingle, AGroupOfAPartnerWhoseKmsIsNotKnownIsNotTrusted) {
  LabNetwork net(seed());
  make_groups(net);
  PartnerSettings third;
  third.gms_uri = McpttId::parse("sip:gms@third.example").value();
  third.domains = {"third.example"};
  net.a->settings.partners.push_back(third);
  net.trace.clear();
  const auto ticket = net.a->ask_regroup("req-00000001", {kFire, "sip:group@third.example"});
  net.settle();
  EXPECT_EQ(net.a->answers.at(ticket).reason, "not-trusted");
  EXPECT_THAT(net.trace, testing::Not(testing::Contains("alpha.example C3")));
}

}  // namespace
}  // namespace regroup::test
