// SPDX-License-Identifier: Apache-2.0
// Regroup over two systems (TS 33.179 7.3.5.3): order, keys, refusals, messages out of order.
#include "flow/regroup_multi.hpp"

#include <gmock/gmock.h>

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
  const std::string own = "alpha.example member acknowledged", theirs = "beta.example member acknowledged";
  EXPECT_EQ(std::count(net.trace.begin(), net.trace.end(), own), 2);
  EXPECT_EQ(std::count(net.trace.begin(), net.trace.end(), theirs), 3);
  EXPECT_LT(at("alpha.example C3"), at("alpha.example notify members"));
  EXPECT_LT(at("alpha.example notify members"), at("alpha.example C9 seq 1"));
  EXPECT_LT(at("alpha.example notify members"), at(own));
  EXPECT_LT(at("alpha.example C9 seq 1"), at("beta.example notify members"));
  EXPECT_LT(at("beta.example notify members"), at(theirs));
  EXPECT_LT(last(theirs), at("beta.example C12 seq 1"));
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

// A third system, of which only its name and its KMS are known, takes part.
TEST(RegroupMulti, AsksEveryPartnerAndNotifiesEachInItsOwnNameWhenAllHaveAccepted) {
  LabNetwork net(seed());
  make_groups(net);
  const LabKms kms("kms.third.example", "third.example", 2592000, 0, net.random);
  ASSERT_TRUE(net.domains.add(kms.certificate()).ok());
  PartnerSettings third;
  third.gms_uri = McpttId::parse("sip:gms@third.example").value();
  third.domains = {"third.example"};
  net.a->settings.partners.push_back(third);
  RegroupRequest request;
  request.id = "req-00000001";
  for (const std::string& group : {kFire, kPolice, std::string("sip:tram@third.example")})
    request.constituents.push_back(GroupId::parse(group).value());

  std::vector<std::string> asked, notified;
  std::string leg;
  for (const Effect& effect : flow::regroup(*net.a->gms, net.a->dispatcher, 700, request).effects)
    if (const auto* ask = std::get_if<AskPartner>(&effect)) {
      asked.push_back(ask->partner.text());
      leg = ask->request.id;
    }
  EXPECT_THAT(asked, testing::UnorderedElementsAre(net.b->gms_uri, "sip:gms@third.example"));
  Answer yes;
  yes.accepted = true;
  const std::size_t keys = net.a->gms->state().keys.size();
  EXPECT_TRUE(flow::partner_answered(*net.a->gms, net.b->gms_uri, leg, yes).effects.empty());
  EXPECT_EQ(net.a->gms->state().keys.size(), keys);
  for (const Effect& effect : flow::partner_answered(*net.a->gms, "sip:gms@third.example", leg, yes).effects)
    if (const auto* notify = std::get_if<NotifyPartner>(&effect)) {
      notified.push_back(notify->partner.text());
      EXPECT_EQ(notify->notification.requestor, net.a->gms_uri);
    }
  EXPECT_THAT(notified, testing::UnorderedElementsAreArray(asked));
  EXPECT_EQ(net.a->gms->state().keys.size(), keys + 1);
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
  net.a->settings.t_ask = 20;
  net.loss = 100;
  const auto ticket = net.a->ask_regroup("req-00000001", {kFire, kPolice});
  net.settle(19);
  EXPECT_FALSE(net.a->answers.count(ticket));
  net.settle(20);
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

}  // namespace
}  // namespace regroup::test
