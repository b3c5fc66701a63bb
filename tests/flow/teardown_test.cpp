// SPDX-License-Identifier: Apache-2.0
// Tear-down of a temporary group.
#include "flow/teardown.hpp"

#include <gmock/gmock.h>

#include "flow/groups.hpp"

namespace regroup::test {
namespace {

TEST(Teardown, WithdrawsTheTemporaryKeyEverywhereAndLeavesTheConstituentsTheirs) {
  LabNetwork net(seed());
  make_groups(net);
  const auto fire = net.a->ues.at(kUsersA[0])->held(kFire), police = net.b->ues.at(kUsersB[0])->held(kPolice);
  const auto ticket = net.a->ask_regroup("req-00000001", {kFire, kPolice});
  net.settle();
  const std::string temporary = net.a->answers.at(ticket).temporary;
  const Octets old_payload = net.a->gms->state()
                                 .ledger.at({net.a->gms->keys_of(temporary).front()->material.id, kUsersA[0]})
                                 .message;
  net.a->carry_out(flow::teardown(*net.a->gms, net.a->dispatcher, 999, {"down-0000001", temporary}));
  net.settle();
  EXPECT_TRUE(net.a->answers.at(999).accepted);
  expect_all(*net.a, temporary, Delivery::withdrawn);
  expect_all(*net.b, temporary, Delivery::withdrawn);
  for (const auto& [identity, client] : net.b->ues) EXPECT_TRUE(client->held(temporary).empty()) << identity;
  EXPECT_EQ(net.a->ues.at(kUsersA[0])->held(kFire), fire);
  EXPECT_EQ(net.b->ues.at(kUsersB[0])->held(kPolice), police);
  EXPECT_TRUE(net.b->gms->group(kPolice)->regrouped_as.empty());
  // The old payload offered again does not bring the key back: neither where it was seen nor after a restart.
  LabUe& client = *net.a->ues.at(kUsersA[0]);
  client.start();
  client.take(client.ue->document(temporary, {{old_payload, {}, false}}));
  EXPECT_TRUE(client.held(temporary).empty());
}

TEST(Teardown, IsOfTemporaryGroupsThatWereAndIsAnsweredAlikeWhenRepeated) {
  LabNetwork net(seed());
  make_groups(net);
  const auto fire = net.a->ues.at(kUsersA[0])->held(kFire);
  net.a->carry_out(flow::teardown(*net.a->gms, net.a->dispatcher, 900, {"down-0000001", kFire}));
  EXPECT_EQ(net.a->answers.at(900).reason, "policy") << "an ordinary group";
  EXPECT_EQ(net.a->ues.at(kUsersA[0])->held(kFire), fire);
  net.a->carry_out(
      flow::teardown(*net.a->gms, net.a->dispatcher, 901, {"down-0000002", "sip:tmp-1@alpha.example"}));
  EXPECT_EQ(net.a->answers.at(901).reason, "unknown-group")
      << "nobody is to believe that keys were withdrawn";
  const auto ticket = net.a->ask_regroup("req-00000001", {kFire, kRescue});
  net.settle();
  const std::string temporary = net.a->answers.at(ticket).temporary;
  for (const Ticket again : {902U, 903U}) {
    net.a->carry_out(flow::teardown(*net.a->gms, net.a->dispatcher, again,
                                    {"down-000000" + std::to_string(again), temporary}));
    EXPECT_TRUE(net.a->answers.at(again).accepted) << again;
  }
}

// A partner that never answers is told after 1, 2, 4 ... 600 seconds, until T_notify.
TEST(Teardown, IsRepeatedMoreAndMoreSeldomUntilTNotify) {
  LabNetwork net(seed());
  make_groups(net);
  net.a->settings.t_notify = 3000;
  const auto ticket = net.a->ask_regroup("req-00000001", {kFire, kPolice});
  net.settle();
  const auto leg_of = [](const Outcome& out) {
    for (const Effect& effect : out.effects)
      if (const auto* down = std::get_if<TearDownPartner>(&effect)) return down->request.id;
    return std::string();
  };
  std::vector<std::int64_t> waits;
  std::string leg = leg_of(flow::teardown(*net.a->gms, net.a->dispatcher, 999,
                                          {"down-0000001", net.a->answers.at(ticket).temporary}));
  const std::string ref = leg;
  while (!leg.empty()) {
    const NtpTime sent = net.clock.now();
    (void)flow::partner_unreachable(*net.a->gms, net.b->gms_uri, leg);
    net.clock.set(flow::next_deadline(*net.a->gms).value());
    waits.push_back(net.clock.now().seconds - sent.seconds);
    leg = leg_of(flow::tick(*net.a->gms));
  }
  EXPECT_THAT(waits, testing::ElementsAre(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600, 600));
  EXPECT_EQ(net.a->gms->state().regroups.at(ref).partners.front().state, PartnerState::failed);
  EXPECT_FALSE(flow::next_deadline(*net.a->gms));
}

TEST(Teardown, OnlyACreatorMayAndAPartnerMayNotTearDownThePrimarysGroup) {
  LabNetwork net(seed());
  make_groups(net);
  const auto ticket = net.a->ask_regroup("req-00000001", {kFire, kPolice});
  net.settle();
  const std::string temporary = net.a->answers.at(ticket).temporary;
  net.a->carry_out(flow::teardown(*net.a->gms, kUsersA[0], 900, {"down-0000001", temporary}));
  net.b->carry_out(flow::teardown(*net.b->gms, net.b->dispatcher, 901, {"down-0000002", temporary}));
  EXPECT_EQ(net.a->answers.at(900).reason, "not-authorised");
  EXPECT_EQ(net.b->answers.at(901).reason, "not-authorised");
  expect_same_keys(net, temporary, {kUsersA[0], kUsersA[1]}, kUsersB, 1);
}

}  // namespace
}  // namespace regroup::test
