// SPDX-License-Identifier: Apache-2.0
// The life of a subscription: refresh, end, loss in the network, restarts of the GMS (RFC 6665, RFC 5875 4.7;
// PR-31).
#include "app/gms/subscription_lab.hpp"

namespace regroup::test {
namespace {

using testing::HasSubstr;

class GmsSubscriptionsLife : public GmsSubscriptions {};

// ---- the life of a subscription

TEST_F(GmsSubscriptionsLife, AnExpiredTokenEndsIt) {
  ASSERT_EQ(subscribe(bob, kBob, {collection_of(kBob)}, 3600, 300), 200);
  EXPECT_EQ(bob.response->value().expires, 300u) << "not beyond the life of the token";
  EXPECT_EQ(again(bob, Phone::request("", {}, 3600)), 200);
  EXPECT_LE(bob.response->value().expires.value(), 300u) << "a refresh does not lengthen the token";
  ASSERT_FALSE(bob.ended());
  pass(300);
  ASSERT_TRUE(until([&] { return bob.ended(); }));
  EXPECT_THAT(bob.notified.back().subscription_state, HasSubstr("timeout"));
  ASSERT_TRUE(until([&] { return lab.subscriptions().size() == 0; }));
  EXPECT_FALSE(present(kBob));
  const std::size_t heard = bob.told.size();
  lab.create(kRescue, {kBob});
  pass(5);
  EXPECT_EQ(bob.told.size(), heard);
  EXPECT_EQ(again(bob, Phone::request("", {}, 3600)), 481) << "the dialog is over";
}

TEST_F(GmsSubscriptionsLife, ARefreshWithANewTokenLengthensItAndKeepsTheSet) {
  ASSERT_EQ(subscribe(bob, kBob, {collection_of(kBob)}, 3600, 300), 200);
  const std::string fresh = lab.token(kBob, {kGroupScope}, 3000);
  EXPECT_EQ(again(bob, Phone::request(fresh, {collection_of(kBob)}, 3600)), 200);
  EXPECT_GT(bob.response->value().expires.value(), 2900u);
  pass(400);
  lab.create(kRescue, {kBob});
  pass();
  EXPECT_FALSE(bob.ended());
  EXPECT_EQ(bob.told.back().documents.at(0).sel, collection_of(kBob) + http::percent_encode(kRescue));
}

TEST_F(GmsSubscriptionsLife, ARefreshIsAnsweredWithANotifyAndNothingToldTwice) {
  ASSERT_EQ(subscribe(bob, kBob, {collection_of(kBob)}), 200);
  ASSERT_EQ(bob.told.size(), 1u);
  EXPECT_EQ(again(bob, Phone::request("", {}, 3600)), 200);
  ASSERT_EQ(bob.told.size(), 2u) << "RFC 6665 4.2.1.2";
  EXPECT_TRUE(bob.told[1].documents.empty());
  EXPECT_EQ(subscriptions(), 1u);
}

TEST_F(GmsSubscriptionsLife, AnotherIdentityCannotTakeOverADialog) {
  ASSERT_EQ(subscribe(bob, kBob, {collection_of(kBob)}), 200);
  EXPECT_EQ(again(bob, Phone::request(lab.token(kAnn), {collection_of(kAnn)}, 3600)), 403);
  EXPECT_TRUE(present(kBob));
  EXPECT_FALSE(present(kAnn));
  lab.create(kRescue, {kBob});
  pass();
  EXPECT_EQ(bob.told.back().documents.at(0).sel, collection_of(kBob) + http::percent_encode(kRescue));
}

TEST_F(GmsSubscriptionsLife, ExpiresZeroEndsItWithALastNotify) {
  ASSERT_EQ(subscribe(bob, kBob, {collection_of(kBob)}), 200);
  EXPECT_EQ(again(bob, Phone::request("", {}, 0)), 200);
  EXPECT_TRUE(bob.ended());
  EXPECT_EQ(subscriptions(), 0u);
  EXPECT_FALSE(present(kBob));
  lab.restart();
  EXPECT_EQ(subscriptions(), 0u) << "nor does a restart bring it back";
}

// RFC 5875 4.7: what changes meanwhile is told together, after the answer.
TEST_F(GmsSubscriptionsLife, OneNotifyAtATime) {
  ASSERT_EQ(subscribe(bob, kBob, {collection_of(kBob)}), 200);
  lab.loop().run([&] { bob.silent = true; });
  lab.create(kRescue, {kBob});
  lab.create("sip:third@alpha.example", {kBob});
  pass();
  EXPECT_EQ(bob.told.size(), 2u);
  lab.loop().run([&] { bob.release(); });
  pass();
  ASSERT_EQ(bob.told.size(), 3u);
  ASSERT_EQ(bob.told[2].documents.size(), 1u) << "what the second NOTIFY could not know yet";
  EXPECT_THAT(bob.told[2].documents[0].sel, HasSubstr("third"));
}

// A re-SUBSCRIBE overtakes the answer to a NOTIFY: what that NOTIFY told must not be booked on other entries.
TEST_F(GmsSubscriptionsLife, ANewListWhileANotifyIsOutLosesNothing) {
  ASSERT_EQ(subscribe(mallory, kMallory, {collection_of(kMallory)}), 200);
  lab.loop().run([&] { mallory.silent = true; });
  lab.create(kRescue, {kMallory});
  pass();
  ASSERT_EQ(mallory.told.size(), 2u);
  const std::string group = GmsLab::group_path(kRescue), token = lab.token(kMallory);
  ASSERT_EQ(again(mallory, Phone::request(token, {group, collection_of(kMallory)}, 3600)), 200);
  lab.loop().run([&] { mallory.release(); });
  pass(3);
  ASSERT_GE(mallory.told.size(), 3u);
  std::map<std::string, std::string> state;
  for (std::size_t i = 2; i < mallory.told.size(); ++i)
    for (const auto& one : mallory.told[i].documents) {
      EXPECT_NE(one.new_etag, "") << one.sel << " was never taken away";
      EXPECT_TRUE(one.previous_etag.empty() || one.previous_etag == state[one.sel]) << one.sel;
      state[one.sel] = one.new_etag;
    }
  EXPECT_EQ(state[group], etag_in(lab.get(kMallory, group)));
  EXPECT_EQ(state[collection_of(kMallory) + http::percent_encode(kRescue)],
            etag_in(lab.get(kMallory, GmsLab::keys_path(kRescue))));
}

// ---- loss and restarts

TEST_F(GmsSubscriptionsLife, WhatTheNetworkLosesIsToldAgain) {
  ASSERT_EQ(subscribe(bob, kBob, {part_of(kFire)}), 200);
  lab.loop().run([&] { net.set_weather({.loss = 1.0}); });
  lab.create(kFire, {kBob});
  pass(5);
  EXPECT_EQ(bob.told.size(), 1u);
  EXPECT_EQ(lab.state_of(kFire, kBob), "PREPARED");
  // Two attempts fail; the third, after a longer pause, gets through.
  const auto attempts = [&] { return std::count(wire.begin(), wire.end(), "NOTIFY gms->bob"); };
  ASSERT_TRUE(until([&] { return attempts() >= 3; })) << "the second attempt";
  lab.loop().run([&] { net.set_weather({}); });
  ASSERT_TRUE(until([&] { return lab.core().gms().ledger_of(kFire).size() > 0 && bob.told.size() >= 2; }));
  pass();
  EXPECT_EQ(lab.state_of(kFire, kBob), "FETCHED");
  EXPECT_EQ(subscriptions(), 1u);
}

// The pause before the next attempt grows (PR-31): no timer of fixed length may be what ends it.
TEST_F(GmsSubscriptionsLife, AFailedNotifyIsSentAgainHoweverLongThePause) {
  ASSERT_EQ(subscribe(bob, kBob, {part_of(kFire)}), 200);
  lab.loop().run([&] { net.set_weather({.loss = 1.0}); });
  lab.create(kFire, {kBob});
  lab.loop().run([&] { net.advance(9s); });  // the NOTIFY fails; the clock stands, so the pause lasts
  std::promise<void> timers_have_fired;
  lab.loop().post_in(1500ms, [&] { timers_have_fired.set_value(); });
  timers_have_fired.get_future().wait();
  lab.loop().run([&] { net.set_weather({}); });
  EXPECT_TRUE(until([&] { return bob.told.size() >= 2; }));
}

TEST_F(GmsSubscriptionsLife, ThroughBadWeatherEveryMemberEndsWithTheCurrentKey) {
  ASSERT_EQ(subscribe(bob, kBob, {part_of(kFire)}), 200);
  ASSERT_EQ(subscribe(ann, kAnn, {part_of(kFire)}), 200);
  lab.loop().run(
      [&] { net.set_weather({.loss = 0.2, .shortest = std::chrono::milliseconds(1), .longest = 3s}); });
  lab.create(kFire, {kAnn, kBob, kCarol});
  lab.create(kFire, {kAnn, kBob});
  const auto current = [&](const Phone& phone, const std::string& who) {
    for (const gms::LedgerRow* row : lab.core().gms().ledger_of(kFire)) {
      if (row->member.text() != who || lab.core().gms().state().keys.at(row->key).withdrawn) continue;
      if (phone.told.back().elements.empty() || !phone.told.back().elements[0].content) return false;
      return xcap::read_gktp(*phone.told.back().elements[0].content).value()[0].message == row->message;
    }
    return false;
  };
  EXPECT_TRUE(until([&] { return current(bob, kBob) && current(ann, kAnn); })) << "seed " << network_seed();
}

TEST_F(GmsSubscriptionsLife, APhoneThatForgotTheDialogEndsIt) {
  ASSERT_EQ(subscribe(bob, kBob, {collection_of(kBob)}), 200);
  lab.loop().run([&] { bob.answer = 481; });
  lab.create(kRescue, {kBob});
  pass();
  EXPECT_EQ(subscriptions(), 0u);
  EXPECT_FALSE(present(kBob));
}

TEST_F(GmsSubscriptionsLife, AMemberThatStaysSilentIsGivenUp) {
  ASSERT_EQ(subscribe(bob, kBob, {collection_of(kBob)}), 200);
  lab.loop().run([&] { bob.silent = true; });
  lab.create(kRescue, {kBob});
  EXPECT_TRUE(until([&] { return lab.subscriptions().size() == 0; }));
  EXPECT_EQ(lab.state_of(kRescue, kBob), "PREPARED");
}

TEST_F(GmsSubscriptionsLife, AfterARestartTheGmsGoesOnNotifyingInTheSameDialog) {
  ASSERT_EQ(subscribe(bob, kBob, {collection_of(kBob), part_of(kFire)}), 200);
  ASSERT_EQ(subscribe(ann, kAnn, {collection_of(kAnn)}), 200);
  const std::uint32_t cseq = bob.notified.back().cseq;
  lab.restart();
  pass();
  EXPECT_EQ(subscriptions(), 2u);
  EXPECT_TRUE(present(kBob));
  EXPECT_EQ(bob.told.size(), 1u) << "nothing has changed";
  lab.create(kFire, {kBob});
  pass();
  ASSERT_EQ(bob.told.size(), 2u);
  EXPECT_GT(bob.notified[1].cseq, cseq);
  EXPECT_EQ(bob.told[1].documents.at(0).previous_etag, bob.told[0].documents.at(0).new_etag);
  EXPECT_EQ(bob.told[1].elements.at(0).sel, part_of(kFire));
  ASSERT_EQ(ann.told.size(), 2u);
  EXPECT_EQ(ann.told[1].documents.at(0).new_etag, "") << "Ann has left";
  EXPECT_EQ(again(bob, Phone::request("", {}, 3600)), 200) << "and takes a refresh in it";
}

TEST_F(GmsSubscriptionsLife, WhatWasNotToldBeforeARestartIsToldAfterIt) {
  ASSERT_EQ(subscribe(bob, kBob, {part_of(kFire)}), 200);
  lab.loop().run([&] { net.set_weather({.loss = 1.0}); });
  lab.create(kFire, {kBob});
  pass();
  ASSERT_EQ(bob.told.size(), 1u);
  lab.restart();
  lab.loop().run([&] { net.set_weather({}); });
  ASSERT_TRUE(until([&] { return bob.told.size() >= 2; }));
  pass();
  EXPECT_TRUE(bob.told[1].elements.at(0).content);
  EXPECT_EQ(lab.state_of(kFire, kBob), "FETCHED");
}

TEST_F(GmsSubscriptionsLife, OneThatRanOutWhileTheGmsWasDownIsEndedAtTheStart) {
  ASSERT_EQ(subscribe(bob, kBob, {collection_of(kBob)}, 120), 200);
  lab.advance(121);
  lab.restart();
  EXPECT_TRUE(until([&] { return bob.ended(); }));
  EXPECT_TRUE(until([&] { return lab.subscriptions().size() == 0; }));
}

}  // namespace
}  // namespace regroup::test
