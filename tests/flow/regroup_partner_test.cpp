// SPDX-License-Identifier: Apache-2.0
// The partner's side of a regroup over two systems (TS 33.179 7.3.5.3 steps 4 to 6): what it takes from whom,
// with C9s made by hand.
#include <gmock/gmock.h>

#include "flow/groups.hpp"
#include "flow/regroup_multi.hpp"

namespace regroup::test {
namespace {

// What beta's GMS answers to one C9 made by hand, as from alpha's GMS.
Answer hand_made_c9(LabNetwork& net, Ticket ticket, const RegroupNotification& n) {
  net.b->carry_out(flow::partner_notification(*net.b->gms, net.a->gms_uri, ticket, n));
  net.settle(60);
  const auto answer = net.b->answers.find(ticket);
  return answer == net.b->answers.end() ? Answer{} : answer->second;
}

// A key that alpha really makes for beta's GMS.
Prepared key_for_beta(LabNetwork& net, const std::string& temporary) {
  const NewKey wanted{GroupId::parse(temporary).value(), mcx::Purpose::gmk, mcx::KeyUse::both, {temporary}};
  return make_key(*net.a->gms, wanted, {{McpttId::parse(net.b->gms_uri).value(), true}}).value();
}

// A C9 of alpha's with such a key.
RegroupNotification real_c9(LabNetwork& net, const std::string& temporary, std::uint32_t seq = 1) {
  RegroupNotification n;
  n.id = "leg-00000001";
  n.seq = seq;
  n.temporary = GroupId::parse(temporary).value();
  n.requestor = net.a->gms_uri;
  n.constituents = {GroupId::parse(kFire).value(), GroupId::parse(kPolice).value()};
  n.gmk_messages = {{{}, key_for_beta(net, temporary).rows.front().message}};
  return n;
}

TEST(RegroupMulti, AC9WithWeakerProtectionThanAgreedIsRefused) {
  LabNetwork net(seed());
  make_groups(net);
  RegroupRequest c3;
  c3.id = "leg-00000001";
  c3.constituents = {GroupId::parse(kFire).value(), GroupId::parse(kPolice).value()};
  net.b->carry_out(flow::partner_request(*net.b->gms, net.a->gms_uri, 801, c3));
  ASSERT_TRUE(net.b->answers.at(801).accepted);
  const std::string temporary = "sip:tmp-1@alpha.example";
  RegroupNotification n = real_c9(net, temporary, 1);
  n.levels.protect_media = false;
  EXPECT_EQ(hand_made_c9(net, 802, n).reason, "security-mismatch");
  n = real_c9(net, temporary, 2);
  n.levels.protect_floor = false;
  EXPECT_EQ(hand_made_c9(net, 803, n).reason, "security-mismatch");
  EXPECT_TRUE(hand_made_c9(net, 804, real_c9(net, temporary, 3)).accepted);
}

TEST(RegroupMulti, AnIdentifierThatIsHeldWithAnotherKeyIsAConflict) {
  LabNetwork net(seed());
  make_groups(net);
  const std::string temporary = "sip:tmp-1@alpha.example";
  const Prepared first = key_for_beta(net, temporary);
  RegroupNotification n = real_c9(net, temporary, 1);
  n.gmk_messages.front().message = first.rows.front().message;
  ASSERT_TRUE(hand_made_c9(net, 801, n).accepted);
  Prepared other = key_for_beta(net, temporary);
  other.key.material.id = first.key.material.id;
  n.seq = 2;
  n.gmk_messages.front().message =
      hand_out(*net.a->gms, other.key, {{McpttId::parse(net.b->gms_uri).value(), true}})
          .value()
          .rows.front()
          .message;
  EXPECT_EQ(hand_made_c9(net, 802, n).reason, "key-id-conflict");
  EXPECT_EQ(net.b->gms->keys_of(temporary).front()->fingerprint, mcx::fingerprint(first.key.material.key));
}

TEST(RegroupMulti, APartnerHasAtMostMaxRegroupsAndAStrangerNone) {
  LabNetwork net(seed());
  make_groups(net);
  const std::string kMedics = "sip:medics@beta.example";
  net.b->create_group(kMedics, {kUsersB[0]});
  net.b->settings.partners.front().max_regroups = 1;
  Ticket ticket = 801;
  const auto refusal = [&](const std::string& id, const std::string& from, const std::string& group) {
    RegroupRequest c3;
    c3.id = id;
    c3.constituents = {GroupId::parse(kFire).value(), GroupId::parse(group).value()};
    net.b->carry_out(flow::partner_request(*net.b->gms, from, ++ticket, c3));
    return net.b->answers.at(ticket).reason;
  };
  EXPECT_EQ(refusal("leg-00000001", "sip:gms@third.example", kPolice), "not-trusted");
  EXPECT_EQ(refusal("leg-00000002", net.a->gms_uri, kPolice), "");
  EXPECT_EQ(refusal("leg-00000003", net.a->gms_uri, kMedics), "limit") << "a reservation counts";
  net.clock.advance(net.b->settings.t_reserve + 1);
  EXPECT_EQ(refusal("leg-00000004", net.a->gms_uri, kMedics), "") << "not when it has lapsed";
  net.clock.advance(net.b->settings.t_reserve + 1);
  ASSERT_TRUE(hand_made_c9(net, 900, real_c9(net, "sip:tmp-1@alpha.example")).accepted);
  net.clock.advance(net.b->settings.t_reserve + 1);
  EXPECT_EQ(refusal("leg-00000005", net.a->gms_uri, kMedics), "limit") << "an active one counts";
}

// Nothing of the network is delivered: the members stay silent.
TEST(RegroupMulti, APartnerWaitsForItsSubscribedMembersAndNoLongerThanC12Wait) {
  for (const bool subscribed : {true, false}) {
    LabNetwork net(seed());
    make_groups(net);
    net.b->settings.c12_wait = 7;
    for (const auto& [identity, client] : net.b->ues) client->subscribed = subscribed;
    net.b->carry_out(flow::partner_notification(*net.b->gms, net.a->gms_uri, 801,
                                                real_c9(net, "sip:tmp-1@alpha.example")));
    net.clock.advance(6);
    net.b->carry_out(flow::tick(*net.b->gms));
    EXPECT_EQ(net.b->answers.count(801), subscribed ? 0u : 1u);
    net.clock.advance(1);
    net.b->carry_out(flow::tick(*net.b->gms));
    ASSERT_TRUE(net.b->answers.count(801));
    EXPECT_TRUE(net.b->answers.at(801).accepted);
    EXPECT_EQ(net.b->answers.at(801).members_keyed, 0u);
  }
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
  net.clock.advance(net.b->settings.t_reserve - 1);
  c3.id = "leg-00000003";
  net.b->carry_out(flow::partner_request(*net.b->gms, net.a->gms_uri, 803, c3));
  EXPECT_EQ(net.b->answers.at(803).reason, "already-regrouped") << "a second before";
  net.clock.advance(2);
  c3.id = "leg-00000004";
  net.b->carry_out(flow::partner_request(*net.b->gms, net.a->gms_uri, 805, c3));
  EXPECT_TRUE(net.b->answers.at(805).accepted);
  // The first one's C9 comes too late: checked as C3 and C9 in one, its groups are held by another.
  EXPECT_EQ(hand_made_c9(net, 806, real_c9(net, "sip:tmp-1@alpha.example")).reason, "already-regrouped");
}

}  // namespace
}  // namespace regroup::test
