// SPDX-License-Identifier: Apache-2.0
// Regroup over two systems (TS 33.179 7.3.5.3): order, keys, refusals, messages out of order.
#include "flow/regroup_multi.hpp"

#include <gtest/gtest.h>

#include "flow/groups.hpp"

namespace regroup::test {
namespace {

// The steps of TS 33.179 7.3.5.3: everybody holds KMS material (0); own users are notified (1) and
// acknowledge (2); the partner is notified (3), its users after it has opened the key (4); the partner
// acknowledges (6) after its users (5).
TEST(RegroupMulti, FollowsTheStepsOfTheClause) {
  LabNetwork net(seed());
  make_groups(net);
  net.trace.clear();
  for (const LabSystem* system : {net.a.get(), net.b.get()}) {
    EXPECT_FALSE(system->key_sets.empty());
    for (const auto& [identity, client] : system->ues) EXPECT_FALSE(client->key_sets.empty()) << identity;
  }
  const auto ticket = net.a->ask_regroup("req-00000001", {kFire, kPolice});
  net.settle();
  ASSERT_TRUE(net.a->answers.at(ticket).accepted) << net.a->answers.at(ticket).reason;
  const auto at = [&](const std::string& what) {
    const auto found = std::find(net.trace.begin(), net.trace.end(), what);
    EXPECT_NE(found, net.trace.end()) << what;
    return found - net.trace.begin();
  };
  const auto last = [&](const std::string& what) {
    return net.trace.rend() - std::find(net.trace.rbegin(), net.trace.rend(), what) - 1;
  };
  EXPECT_LT(at("alpha.example C3"), at("alpha.example notify members"));
  EXPECT_LT(at("alpha.example notify members"), at("alpha.example C9 seq 1"));
  EXPECT_LT(at("alpha.example notify members"), at("alpha.example member acknowledged"));
  EXPECT_LT(at("alpha.example C9 seq 1"), at("beta.example notify members"));
  EXPECT_LT(last("beta.example member acknowledged"), at("beta.example C12 seq 1") + 1);
  EXPECT_LT(at("beta.example C12 seq 1"), last("alpha.example reply accepted"));
}

TEST(RegroupMulti, BothSystemsEndWithTheSameKeyAndPersonalIdentifiersSignedByTheirOwnGms) {
  LabNetwork net(seed());
  make_groups(net);
  const auto ticket = net.a->ask_regroup("req-00000001", {kFire, kPolice});
  net.settle();
  const std::string temporary = net.a->answers.at(ticket).temporary;
  expect_same_keys(net, temporary, {kUsersA[0], kUsersA[1]}, kUsersB, 1);
  expect_all(*net.a, temporary, Delivery::installed);
  expect_all(*net.b, temporary, Delivery::installed);
  std::set<std::uint32_t> guk_ids;
  for (const LabSystem* system : {net.a.get(), net.b.get()})
    for (const LedgerRow* row : system->gms->ledger_of(temporary)) guk_ids.insert(row->guk_id.value);
  EXPECT_EQ(guk_ids.size(), 6u) << "two members and the partner GMS in alpha, three members in beta";
  for (const auto& [id, key] : net.b->ues.at(kUsersB[0])->ue->ring().keys()) {
    if (key.group == temporary) {
      EXPECT_EQ(key.initiator, "sip:gms@beta.example");
    }
  }
  // The same RAND, or media could not be exchanged between the systems (TS 33.180 7.4.2).
  EXPECT_EQ(net.a->gms->keys_of(temporary).front()->material.rand,
            net.b->gms->keys_of(temporary).front()->material.rand);
}

class RegroupMultiPlans : public testing::TestWithParam<std::pair<FloorKey, Procedure>> {};

TEST_P(RegroupMultiPlans, EndInRingsWithAMediaAndAFloorKey) {
  LabNetwork net(seed());
  make_groups(net);
  const auto ticket =
      net.a->ask_regroup("req-00000001", {kFire, kPolice}, KeyPlan{GetParam().first, GetParam().second});
  net.settle();
  const std::string temporary = net.a->answers.at(ticket).temporary;
  expect_same_keys(net, temporary, {kUsersA[0], kUsersA[1]}, kUsersB, 2);
  const auto held = net.b->ues.at(kUsersB[2])->held(temporary);
  EXPECT_TRUE(held.count("media") && held.count("floor"));
  expect_all(*net.b, temporary, Delivery::installed);
}
INSTANTIATE_TEST_SUITE_P(FloorKeys, RegroupMultiPlans,
                         testing::Values(std::pair(FloorKey::gmk, Procedure::one),
                                         std::pair(FloorKey::gmk, Procedure::two),
                                         std::pair(FloorKey::mkfc, Procedure::one),
                                         std::pair(FloorKey::mkfc, Procedure::two)));

TEST(RegroupMulti, APartnerThatRefusesRejectsTheWhole) {
  LabNetwork net(seed());
  make_groups(net);
  const auto ticket = net.a->ask_regroup("req-00000001", {kFire, "sip:unknown@beta.example"});
  net.settle();
  EXPECT_EQ(net.a->answers.at(ticket).reason, "partner-rejected");
  EXPECT_EQ(net.a->gms->state().keys.size(), 2u) << "no key was made";
  EXPECT_TRUE(net.a->gms->group(kFire)->regrouped_as.empty());
}

// What beta's GMS answers to one C9 made by hand, as from alpha's GMS.
Answer hand_made_c9(LabNetwork& net, Ticket ticket, const RegroupNotification& n) {
  net.b->carry_out(flow::partner_notification(*net.b->gms, net.a->gms_uri, ticket, n));
  net.settle(60);
  const auto answer = net.b->answers.find(ticket);
  return answer == net.b->answers.end() ? Answer{} : answer->second;
}

// A C9 of alpha's with a key it really makes for beta's GMS.
RegroupNotification real_c9(LabNetwork& net, const std::string& temporary, std::uint32_t seq = 1) {
  RegroupNotification n;
  n.id = "leg-00000001";
  n.seq = seq;
  n.temporary = GroupId::parse(temporary).value();
  n.requestor = net.a->gms_uri;
  n.constituents = {GroupId::parse(kFire).value(), GroupId::parse(kPolice).value()};
  const NewKey wanted{n.temporary, mcx::Purpose::gmk, mcx::KeyUse::both, {temporary}};
  auto made = make_key(*net.a->gms, wanted, {{McpttId::parse(net.b->gms_uri).value(), true}});
  n.gmk_messages = {{{}, made.value().rows.front().message}};
  return n;
}

TEST(RegroupMulti, APartnerMayNotNameATemporaryGroupThatExistsOrThatIsNotIts) {
  LabNetwork net(seed());
  make_groups(net);
  PartnerSettings third;
  third.gms_uri = McpttId::parse("sip:gms@third.example").value();
  third.domains = {"third.example"};
  net.b->settings.partners.push_back(third);
  const std::size_t keys = net.b->gms->state().keys.size();
  const Group police = *net.b->gms->group(kPolice);
  EXPECT_EQ(hand_made_c9(net, 801, real_c9(net, kPolice)).reason, "policy");
  RegroupNotification n = real_c9(net, "sip:tmp-1@third.example");
  n.id = "leg-00000002";
  EXPECT_EQ(hand_made_c9(net, 802, n).reason, "policy");
  n = real_c9(net, "sip:tmp-1@beta.example;x=@alpha.example");
  n.id = "leg-00000003";
  EXPECT_EQ(hand_made_c9(net, 803, n).reason, "policy") << "a parameter is not a domain";
  EXPECT_EQ(net.b->gms->state().keys.size(), keys);
  // A temporary group of the same partner that exists already, named again for another regroup.
  const std::string first = "sip:tmp-1@alpha.example", kMedics = "sip:medics@beta.example";
  n = real_c9(net, first);
  n.id = "leg-00000004";
  ASSERT_TRUE(hand_made_c9(net, 804, n).accepted);
  net.b->create_group(kMedics, {kUsersB[0]});
  n = real_c9(net, first);
  n.id = "leg-00000005";
  n.constituents.back() = GroupId::parse(kMedics).value();
  EXPECT_EQ(hand_made_c9(net, 805, n).reason, "policy");
  net.b->carry_out(flow::partner_teardown(*net.b->gms, net.a->gms_uri, 806, {"leg-00000004", first}));
  net.settle(60);
  EXPECT_EQ(net.b->gms->group(kPolice)->members, police.members);
  EXPECT_TRUE(net.b->gms->group(kPolice)->regrouped_as.empty());
}

TEST(RegroupMulti, APartnerGivesOneKeyForAUseAndNoMorePayloadsThanThePlanHasKeys) {
  LabNetwork net(seed());
  make_groups(net);
  const std::string temporary = "sip:tmp-1@alpha.example";
  ASSERT_TRUE(hand_made_c9(net, 801, real_c9(net, temporary)).accepted);
  const std::size_t keys = net.b->gms->state().keys.size();
  EXPECT_EQ(hand_made_c9(net, 802, real_c9(net, temporary, 2)).reason, "policy") << "a second key";
  RegroupNotification two = real_c9(net, temporary, 3);
  two.gmk_messages.push_back(two.gmk_messages.front());
  EXPECT_EQ(hand_made_c9(net, 803, two).reason, "policy") << "two payloads for one key";
  EXPECT_EQ(net.b->gms->state().keys.size(), keys);
}

TEST(RegroupMulti, ARepeatedC9IsAnsweredAgainAndAKeyThatWasWithdrawnDoesNotComeBack) {
  LabNetwork net(seed());
  make_groups(net);
  const std::string temporary = "sip:tmp-1@alpha.example";
  RegroupNotification n = real_c9(net, temporary);
  ASSERT_TRUE(hand_made_c9(net, 801, n).accepted);
  EXPECT_TRUE(hand_made_c9(net, 802, n).accepted);
  net.b->carry_out(flow::partner_teardown(*net.b->gms, net.a->gms_uri, 803, {n.id, temporary}));
  net.settle(60);
  EXPECT_TRUE(net.b->answers.at(803).accepted);
  n.seq = 2;
  EXPECT_EQ(hand_made_c9(net, 804, n).reason, "policy") << "the regroup is over";
  n.id = "leg-00000002";
  EXPECT_EQ(hand_made_c9(net, 805, n).reason, "key-undecryptable") << "the GMK-ID is withdrawn";
  for (const auto& [identity, client] : net.b->ues) EXPECT_TRUE(client->held(temporary).empty()) << identity;
  for (const auto& [id, key] : net.b->gms->state().keys)
    if (key.withdrawn) {
      EXPECT_TRUE(ct_equal(key.material.key.expose(), mcx::Gmk().expose())) << "a withdrawn key is wiped";
    }
}

// Both runs of procedure two are out; the second is acknowledged first. The first is still repeated.
TEST(RegroupMulti, AnAcknowledgementOfTheSecondC9IsNotOneOfTheFirst) {
  LabNetwork net(seed());
  make_groups(net);
  const auto ticket =
      net.a->ask_regroup("req-00000001", {kFire, kPolice}, KeyPlan{FloorKey::gmk, Procedure::two});
  net.hold_c9_seq = 1;
  net.settle(20);
  const auto& regroup = std::find_if(net.a->gms->state().regroups.begin(), net.a->gms->state().regroups.end(),
                                     [](const auto& one) { return one.second.state == RegroupState::active; })
                            ->second;
  ASSERT_EQ(regroup.partners.front().unanswered, std::vector<std::uint32_t>{1});
  EXPECT_EQ(regroup.partners.front().state, PartnerState::pending);
  for (const LedgerRow* row : net.a->gms->ledger_of(regroup.temporary.text()))
    if (row->partner) {
      EXPECT_EQ(row->state, row->seq == 1 ? Delivery::prepared : Delivery::installed);
    }
  net.hold_c9_seq = 0;
  net.settle(600);
  ASSERT_TRUE(net.a->answers.at(ticket).accepted);
  expect_same_keys(net, net.a->answers.at(ticket).temporary, {kUsersA[0], kUsersA[1]}, kUsersB, 2);
}

TEST(RegroupMulti, APartnerThatAcceptsTooLateIsReleased) {
  LabNetwork net(seed());
  make_groups(net);
  net.loss = 100;
  const auto ticket = net.a->ask_regroup("req-00000001", {kFire, kPolice});
  net.settle(60);
  ASSERT_EQ(net.a->answers.at(ticket).reason, "partner-unreachable");
  net.loss = 0;
  const std::string leg = net.a->gms->state().regroups.begin()->first;
  Answer late;
  late.accepted = true;
  const auto out = flow::partner_answered(*net.a->gms, net.b->gms_uri, leg, late);
  ASSERT_EQ(out.effects.size(), 1u);
  EXPECT_EQ(std::get<TearDownPartner>(out.effects.front()).request.id, leg);
}

TEST(RegroupMulti, APartnerOutOfReachRejectsTheWholeAfterTAsk) {
  LabNetwork net(seed());
  make_groups(net);
  net.loss = 100;
  const auto ticket = net.a->ask_regroup("req-00000001", {kFire, kPolice});
  net.settle(60);
  EXPECT_EQ(net.a->answers.at(ticket).reason, "partner-unreachable");
}

TEST(RegroupMulti, ARejectedPayloadIsMadeAnewOnceAndThenThePartnerHasFailed) {
  LabNetwork net(seed());
  make_groups(net);
  net.a->ask_regroup("req-00000001", {kFire, kPolice});
  net.hold_c9_seq = 1;
  net.settle(5);
  const std::string leg = net.a->gms->state().regroups.begin()->first;
  const auto partner = [&] { return net.a->gms->state().regroups.at(leg).partners.front(); };
  Answer no;
  no.reason = "key-undecryptable";
  auto out = flow::partner_acknowledged(*net.a->gms, net.b->gms_uri, leg, 1, no);
  ASSERT_EQ(out.effects.size(), 1u);
  EXPECT_EQ(std::get<NotifyPartner>(out.effects.front()).notification.seq, 2u);
  EXPECT_EQ(partner().state, PartnerState::pending);
  EXPECT_TRUE(flow::partner_acknowledged(*net.a->gms, net.b->gms_uri, leg, 1, no).effects.empty())
      << "the first one, refused again late";
  (void)flow::partner_acknowledged(*net.a->gms, net.b->gms_uri, leg, 2, no);
  EXPECT_EQ(partner().state, PartnerState::failed);
  EXPECT_EQ(partner().reason, "key-undecryptable");
  EXPECT_EQ(net.a->gms->state().keys.size(), 3u) << "the same key, never a second one";
}

TEST(RegroupMulti, AnAcceptedC3HoldsItsGroupsUntilItLapses) {
  LabNetwork net(seed());
  make_groups(net);
  RegroupRequest c3;
  c3.id = "leg-00000001";
  c3.constituents = {GroupId::parse(kFire).value(), GroupId::parse(kPolice).value()};
  net.b->carry_out(flow::partner_request(*net.b->gms, net.a->gms_uri, 801, c3));
  ASSERT_TRUE(net.b->answers.at(801).accepted);
  c3.id = "leg-00000002";
  net.b->carry_out(flow::partner_request(*net.b->gms, net.a->gms_uri, 802, c3));
  EXPECT_EQ(net.b->answers.at(802).reason, "already-regrouped");
  net.clock.set(net.clock.now().plus(net.b->settings.t_reserve + 1));
  c3.id = "leg-00000003";
  net.b->carry_out(flow::partner_request(*net.b->gms, net.a->gms_uri, 803, c3));
  EXPECT_TRUE(net.b->answers.at(803).accepted);
  // The first one's C9 comes too late: checked as C3 and C9 in one, its groups are held by the third.
  EXPECT_EQ(hand_made_c9(net, 804, real_c9(net, "sip:tmp-1@alpha.example")).reason, "already-regrouped");
}

}  // namespace
}  // namespace regroup::test
