// SPDX-License-Identifier: Apache-2.0
#include "sip/subscription.hpp"

#include <set>

#include "vectors.hpp"

namespace regroup::sip {
namespace {

const NtpTime kStart = NtpTime::from_unix(1'700'000'000);

Request subscribe(std::optional<std::uint32_t> expires, std::string event = "xcap-diff") {
  Request r;
  r.method = "SUBSCRIBE";
  r.event = std::move(event);
  r.expires = expires;
  return r;
}
Error lost() { return fail(Errc::transport, "", "no answer"); }

// ---- what a SUBSCRIBE is granted
// -------------------------------------------------------------------------------

TEST(JudgeSubscribeTest, GrantsWhatIsAskedWithinTheBounds) {
  const SubscribePolicy p;
  EXPECT_EQ(judge_subscribe(subscribe({}), p).expires, 3600u);
  EXPECT_EQ(judge_subscribe(subscribe(60), p).expires, 60u);
  EXPECT_EQ(judge_subscribe(subscribe(100'000), p).expires, 86'400u);
  EXPECT_EQ(judge_subscribe(subscribe(3600), p, 1200).expires, 1200u);  // the token's remaining life
  EXPECT_EQ(judge_subscribe(subscribe(0), p).expires, 0u);
  EXPECT_FALSE(judge_subscribe(subscribe(0), p, 0).refusal);  // leaving needs no valid token
  EXPECT_EQ(judge_subscribe(subscribe(3600, "xcap-diff;diff-processing=aggregate"), p).expires, 3600u);
}

TEST(JudgeSubscribeTest, RefusesOtherEventsShortTimesAndBodiesItCannotSend) {
  const SubscribePolicy p;
  for (const char* event : {"presence", "", "XCAP-DIFF", "xcap-diff.winfo"}) {
    const auto refusal = judge_subscribe(subscribe(3600, event), p).refusal;
    ASSERT_TRUE(refusal) << event;
    EXPECT_EQ(refusal->status, 489);
    EXPECT_EQ(find(refusal->headers, "Allow-Events"), "xcap-diff");
  }
  const auto brief = judge_subscribe(subscribe(59), p).refusal;
  ASSERT_TRUE(brief);
  EXPECT_EQ(brief->status, 423);
  EXPECT_EQ(find(brief->headers, "Min-Expires"), "60");
  EXPECT_EQ(judge_subscribe(subscribe(3600), p, 0).refusal->status, 403);
  Request r = subscribe(3600);
  r.accept = "application/pidf+xml, text/plain;q=0.5";
  EXPECT_EQ(judge_subscribe(r, p).refusal->status, 406);
  for (const char* accept : {"*/*", "text/plain, application/*;q=0.1", "Application/XCAP-diff+xml;x=y"}) {
    r.accept = accept;
    EXPECT_FALSE(judge_subscribe(r, p).refusal) << accept;
  }
}

// ---- server side
// -------------------------------------------------------------------------------------------

struct NotifierTest : testing::Test {
  Notifier notifier =
      Notifier::begin("d", subscribe(3600, "xcap-diff;id=7;diff-processing=aggregate"), 3600, kStart);
  NtpTime now = kStart;
  void exchange(Result<Response> outcome) {
    ASSERT_TRUE(notifier.may_send(now));
    notifier.sent();
    notifier.answered(outcome, now);
  }
};

TEST_F(NotifierTest, SendsNoSecondNotifyBeforeTheAnswerToTheFirst) {
  EXPECT_TRUE(notifier.may_send(now));
  notifier.sent();
  EXPECT_FALSE(notifier.may_send(now));
  notifier.answered(make_response(200), now);
  EXPECT_TRUE(notifier.may_send(now));
  EXPECT_EQ(notifier.state().phase, NotifierPhase::active);
}

TEST_F(NotifierTest, NamesEventIdAndTheRemainingLife) {
  const Request r = notifier.notify(now.plus(60));
  EXPECT_EQ(r.method, "NOTIFY");
  EXPECT_EQ(r.event, "xcap-diff;id=7");
  EXPECT_EQ(r.subscription_state, "active;expires=3540");
}

TEST_F(NotifierTest, EndsWithOneTerminatedNotifyWhenItsTimeIsOver) {
  notifier.tick(now.plus(3599));
  EXPECT_EQ(notifier.state().phase, NotifierPhase::active);
  now = now.plus(3600);
  notifier.tick(now);
  EXPECT_EQ(notifier.state().phase, NotifierPhase::closing);
  EXPECT_EQ(notifier.notify(now).subscription_state, "terminated;reason=timeout");
  exchange(make_response(200));
  EXPECT_EQ(notifier.state().phase, NotifierPhase::gone);
  EXPECT_FALSE(notifier.may_send(now));
}

TEST_F(NotifierTest, ARefreshProlongsAndExpires0Ends) {
  EXPECT_EQ(notifier.refresh(subscribe(600, "xcap-diff;id=7"), now.plus(1800)).expires, 600u);
  EXPECT_EQ(notifier.notify(now.plus(1800)).subscription_state, "active;expires=600");
  EXPECT_FALSE(notifier.refresh(subscribe(0, "xcap-diff;id=7"), now.plus(1900)).refusal);
  EXPECT_EQ(notifier.notify(now.plus(1900)).subscription_state, "terminated;reason=timeout");
  EXPECT_EQ(notifier.refresh(subscribe(600, "xcap-diff;id=7"), now.plus(1901)).refusal->status, 481);
}

TEST_F(NotifierTest, ARefusedRefreshChangesNothing) {
  const NotifierState before = notifier.state();
  EXPECT_EQ(notifier.refresh(subscribe(5, "xcap-diff;id=7"), now).refusal->status, 423);
  EXPECT_EQ(notifier.refresh(subscribe(600, "xcap-diff;id=8"), now).refusal->status, 489);
  EXPECT_EQ(notifier.state(), before);
}

TEST_F(NotifierTest, ARefreshAfterTheEndIsTooLate) {
  EXPECT_EQ(notifier.refresh(subscribe(600, "xcap-diff;id=7"), now.plus(3600)).refusal->status, 481);
}

// RFC 5057 section 5: these leave no subscription at the peer; others may pass.
TEST_F(NotifierTest, An481EndsTheSubscription) {
  const Notifier fresh = notifier;
  for (const int status : {481, 404, 405, 410, 416, 480, 482, 483, 484, 485, 489, 501, 604}) {
    notifier = fresh;
    exchange(make_response(status));
    EXPECT_EQ(notifier.state().phase, NotifierPhase::gone) << status;
  }
  for (const int status : {408, 500, 503}) {
    notifier = fresh;
    exchange(make_response(status));
    EXPECT_EQ(notifier.state().phase, NotifierPhase::active) << status;
  }
}

TEST_F(NotifierTest, TheThirdFailureInARowEndsItAndASuccessStartsAnew) {
  exchange(lost());
  EXPECT_FALSE(notifier.may_send(now));
  now = now.plus(1);
  exchange(make_response(500));
  now = now.plus(2);
  exchange(make_response(200));
  EXPECT_EQ(notifier.state().failures, 0u);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(notifier.state().phase, NotifierPhase::active);
    exchange(lost());
    now = now.plus(i);
  }
  EXPECT_EQ(notifier.state().phase, NotifierPhase::gone);
}

TEST_F(NotifierTest, RetryAfterIsObeyed) {
  exchange(make_response(503, {{"Retry-After", "30 (soon)"}}));
  EXPECT_FALSE(notifier.may_send(now.plus(29)));
  EXPECT_TRUE(notifier.may_send(now.plus(30)));
}

TEST_F(NotifierTest, ClosingWhileANotifyIsOutStillSendsTheLastOne) {
  notifier.sent();
  notifier.close("deactivated");
  EXPECT_FALSE(notifier.may_send(now));
  notifier.answered(make_response(200), now);
  EXPECT_EQ(notifier.state().phase, NotifierPhase::closing);
  EXPECT_EQ(notifier.notify(now).subscription_state, "terminated;reason=deactivated");
  exchange(lost());  // the last one is not repeated
  EXPECT_EQ(notifier.state().phase, NotifierPhase::gone);
}

TEST_F(NotifierTest, AfterARestartTheOutstandingNotifyMayBeSentAgain) {
  notifier.sent();
  Notifier restored(notifier.state());
  EXPECT_FALSE(restored.may_send(now));
  restored.resume();
  EXPECT_TRUE(restored.may_send(now));
  notifier.answered(make_response(200), now);
  notifier.close("noresource");
  notifier.sent();
  Notifier closed(notifier.state());
  closed.resume();
  EXPECT_EQ(closed.state().phase, NotifierPhase::gone);
}

TEST(NotifierBeginTest, Expires0IsASingleLook) {
  const Notifier once = Notifier::begin("d", subscribe(0), 0, kStart);
  EXPECT_EQ(once.notify(kStart).subscription_state, "terminated;reason=timeout");
}

// ---- client side
// -------------------------------------------------------------------------------------------

struct SubscriberTest : testing::Test {
  test::SeededRandom random{11};
  Subscriber subscriber{{}, random};
  NtpTime now = kStart;

  Act act() { return subscriber.next(now).act; }
  void answer(Result<Response> outcome) { subscriber.answered(outcome, now); }
  void open(std::uint32_t expires = 3600) {
    ASSERT_EQ(act(), Act::open);
    subscriber.sent(Act::open, "d1");
    answer(granted(expires));
    ASSERT_EQ(subscriber.state().phase, SubscriberPhase::active);
  }
  Subscriber::Notified note(std::string state, std::string dialog = "d1") {
    Incoming in;
    in.dialog = std::move(dialog);
    in.request.method = "NOTIFY";
    in.request.event = "xcap-diff";
    in.request.subscription_state = std::move(state);
    return subscriber.notified(in, now);
  }
};

TEST_F(SubscriberTest, RefreshesAtHalfOfTheGrantedLife) {
  open(1200);
  EXPECT_EQ(act(), Act::wait);
  EXPECT_EQ(subscriber.next(now).wake_at, now.plus(600));
  now = now.plus(599);
  EXPECT_EQ(act(), Act::wait);
  now = now.plus(1);
  EXPECT_EQ(act(), Act::refresh);
  const Request r = subscriber.subscribe(Act::refresh);
  EXPECT_EQ(r.method, "SUBSCRIBE");
  EXPECT_EQ(r.event, "xcap-diff");
  EXPECT_EQ(r.accept, "application/xcap-diff+xml");
  EXPECT_EQ(r.expires, 3600u);
  subscriber.sent(Act::refresh, "d1");
  EXPECT_EQ(act(), Act::wait);  // never two at once
  answer(granted(1200));
  EXPECT_EQ(subscriber.next(now).wake_at, now.plus(600));
}

TEST_F(SubscriberTest, AChangedSetIsSubscribedInTheSameDialog) {
  open();
  subscriber.change();
  EXPECT_EQ(act(), Act::change);
  subscriber.sent(Act::change, "d1");
  subscriber.change();  // again, while the first is out
  EXPECT_EQ(act(), Act::wait);
  answer(granted(3600));
  EXPECT_EQ(act(), Act::change);
  subscriber.sent(Act::change, "d1");
  answer(granted(3600));
  EXPECT_EQ(act(), Act::wait);
}

TEST_F(SubscriberTest, AChangeThatFailedIsStillOwed) {
  open();
  subscriber.change();
  subscriber.sent(Act::change, "d1");
  answer(make_response(503, {{"Retry-After", "20"}}));
  now = now.plus(19);
  EXPECT_EQ(act(), Act::wait);
  now = now.plus(1);
  EXPECT_EQ(act(), Act::change);
}

TEST_F(SubscriberTest, ANotifyBeforeTheAnswerIsAccepted) {
  ASSERT_EQ(act(), Act::open);
  subscriber.sent(Act::open, "d1");
  const auto n = note("active;expires=100");
  EXPECT_EQ(n.response.status, 200);
  EXPECT_TRUE(n.content);
  EXPECT_EQ(subscriber.state().phase, SubscriberPhase::active);
  EXPECT_EQ(act(), Act::wait);
  answer(granted(3600));
  EXPECT_EQ(subscriber.next(now).wake_at, now.plus(1800));
}

TEST_F(SubscriberTest, NotifiesThatAreNotOursAreRefused) {
  EXPECT_EQ(note("active").response.status, 481);
  open();
  EXPECT_EQ(note("active", "other").response.status, 481);
  EXPECT_EQ(note("").response.status, 400);
  Incoming in;
  in.dialog = "d1";
  in.request.event = "presence";
  in.request.subscription_state = "active";
  EXPECT_EQ(subscriber.notified(in, now).response.status, 489);
  in.dialog.reset();
  EXPECT_EQ(subscriber.notified(in, now).response.status, 481);
}

TEST_F(SubscriberTest, ANotifyShortensTheLifeAndNeverProlongsIt) {
  open(1200);
  note("active;expires=99999");
  EXPECT_EQ(subscriber.state().expires_at, now.plus(1200));
  note("active;expires=100");
  EXPECT_EQ(subscriber.next(now).wake_at, now.plus(50));
  note("active;expires=99999999999999999999");
  EXPECT_EQ(subscriber.state().expires_at, now.plus(100));
}

TEST_F(SubscriberTest, A403FetchesANewTokenOnceAndThenBacksOff) {
  ASSERT_EQ(act(), Act::open);
  subscriber.sent(Act::open, "d1");
  answer(make_response(403));
  EXPECT_EQ(act(), Act::fetch_token);
  EXPECT_EQ(act(), Act::wait);  // asked once
  subscriber.token_fetched(true, now);
  EXPECT_EQ(act(), Act::open);
  subscriber.sent(Act::open, "d2");
  answer(make_response(403));
  EXPECT_EQ(act(), Act::wait);
  now = now.plus(2);
  ASSERT_EQ(act(), Act::open);
  subscriber.sent(Act::open, "d3");
  answer(granted(3600));
  EXPECT_EQ(subscriber.state().failures, 0u);
  EXPECT_FALSE(subscriber.state().token_renewed);  // the next 403 may ask again
}

TEST_F(SubscriberTest, A403ToARefreshSendsTheNewTokenInTheSameDialog) {
  open(1200);
  now = now.plus(600);
  ASSERT_EQ(act(), Act::refresh);
  subscriber.sent(Act::refresh, "d1");
  answer(make_response(403));
  EXPECT_EQ(act(), Act::fetch_token);
  subscriber.token_fetched(true, now);
  EXPECT_EQ(act(), Act::change);  // with body: the token is in it
  EXPECT_EQ(subscriber.state().dialog, "d1");
}

TEST_F(SubscriberTest, ATokenThatCannotBeFetchedIsAskedForAgainLater) {
  ASSERT_EQ(act(), Act::open);
  subscriber.sent(Act::open, "d1");
  answer(make_response(403));
  ASSERT_EQ(act(), Act::fetch_token);
  subscriber.token_fetched(false, now);
  EXPECT_EQ(act(), Act::wait);
  now = now.plus(2);
  ASSERT_EQ(act(), Act::open);
  subscriber.sent(Act::open, "d2");
  answer(make_response(403));
  EXPECT_EQ(act(), Act::fetch_token);
}

TEST_F(SubscriberTest, A423IsObeyed) {
  SubscriberState brief;
  brief.wish = 30;
  Subscriber s(brief, random);
  ASSERT_EQ(s.next(now).act, Act::open);
  s.sent(Act::open, "d1");
  s.answered(make_response(423, {{"Min-Expires", "60"}}), now);
  EXPECT_EQ(s.next(now).act, Act::open);
  EXPECT_EQ(s.subscribe(Act::open).expires, 60u);
  s.sent(Act::open, "d2");
  s.answered(make_response(423, {{"Min-Expires", "60"}}), now);  // contradicts itself: no loop
  EXPECT_EQ(s.next(now).act, Act::wait);
}

TEST_F(SubscriberTest, A481OpensANewDialogAtOnceAndASecondOneAfterAWait) {
  open(1200);
  now = now.plus(600);
  subscriber.sent(Act::refresh, "d1");
  answer(make_response(481));
  const Step step = subscriber.next(now);
  EXPECT_EQ(step.act, Act::open);
  EXPECT_EQ(step.discard, "d1");
  subscriber.sent(Act::open, "d2");
  answer(make_response(481));
  EXPECT_EQ(act(), Act::wait);
}

TEST_F(SubscriberTest, BackOffGrowsFrom1SecondTo5MinutesWithJitter) {
  std::set<std::uint32_t> fractions;
  for (std::uint32_t failure = 1; failure <= 12; ++failure) {
    ASSERT_EQ(act(), Act::open);
    subscriber.sent(Act::open, "d");
    answer(lost());
    const NtpTime wake = subscriber.next(now).wake_at;
    const std::int64_t most = std::min<std::int64_t>(std::int64_t{1} << std::min(failure, 10u), 300);
    EXPECT_GE(wake, now.plus(std::max<std::int64_t>(most / 2, 1)));
    EXPECT_LE(wake, now.plus(most + 1));
    fractions.insert(wake.fraction - now.fraction);
    now = wake;
  }
  EXPECT_GT(fractions.size(), 8u);
}

TEST_F(SubscriberTest, AnUnansweredSubscriptionRunsOutAndIsOpenedAnew) {
  open(1200);
  now = now.plus(600);
  subscriber.sent(Act::refresh, "d1");
  answer(make_response(500));  // the subscription still stands
  EXPECT_EQ(subscriber.state().phase, SubscriberPhase::active);
  EXPECT_EQ(note("active").response.status, 200);
  now = now.plus(600);
  const Step step = subscriber.next(now);
  EXPECT_EQ(step.act, Act::open);
  EXPECT_EQ(step.discard, "d1");
}

TEST_F(SubscriberTest, TerminatedByTheServerMeansANewDialogAsItsReasonSays) {
  open();
  EXPECT_TRUE(note("terminated;reason=deactivated").content);
  const Step step = subscriber.next(now);
  EXPECT_EQ(step.act, Act::open);
  EXPECT_EQ(step.discard, "d1");
  subscriber.sent(Act::open, "d1");
  answer(granted(3600));
  note("terminated;reason=probation;retry-after=40");
  now = now.plus(39);
  EXPECT_EQ(act(), Act::wait);
  now = now.plus(30);
  EXPECT_EQ(act(), Act::open);
  subscriber.sent(Act::open, "d1");
  answer(granted(3600));
  note("terminated;reason=rejected");
  EXPECT_EQ(act(), Act::fetch_token);
}

TEST_F(SubscriberTest, ATerminationThatCrossesARefreshIsNotRevivedByItsAnswer) {
  open(1200);
  now = now.plus(600);
  subscriber.sent(Act::refresh, "d1");
  note("terminated;reason=timeout");
  answer(granted(1200));
  EXPECT_EQ(subscriber.state().phase, SubscriberPhase::idle);
  EXPECT_EQ(act(), Act::open);
}

TEST_F(SubscriberTest, LeavingWaitsForTheLastNotify) {
  open();
  subscriber.leave();
  ASSERT_EQ(act(), Act::leave);
  EXPECT_EQ(subscriber.subscribe(Act::leave).expires, 0u);
  subscriber.sent(Act::leave, "d1");
  answer(granted(0));
  EXPECT_EQ(act(), Act::wait);
  EXPECT_EQ(note("terminated;reason=timeout").response.status, 200);
  const Step step = subscriber.next(now);
  EXPECT_EQ(step.act, Act::stop);
  EXPECT_EQ(step.discard, "d1");
}

TEST_F(SubscriberTest, LeavingEndsWithoutTheLastNotifyToo) {
  open();
  subscriber.leave();
  ASSERT_EQ(act(), Act::leave);
  subscriber.sent(Act::leave, "d1");
  answer(granted(0));
  now = now.plus(5);
  EXPECT_EQ(act(), Act::stop);
  Subscriber never({}, random);
  never.leave();
  EXPECT_EQ(never.next(now).act, Act::stop);
}

TEST_F(SubscriberTest, LeavingWhileARequestIsOutFollowsItsAnswer) {
  ASSERT_EQ(act(), Act::open);
  subscriber.sent(Act::open, "d1");
  subscriber.leave();
  EXPECT_EQ(act(), Act::wait);
  answer(granted(3600));
  EXPECT_EQ(act(), Act::leave);
}

TEST_F(SubscriberTest, AServerThatGrantsNothingIsNotAskedInALoop) {
  ASSERT_EQ(act(), Act::open);
  subscriber.sent(Act::open, "d1");
  answer(granted(0));
  EXPECT_EQ(act(), Act::wait);
}

TEST_F(SubscriberTest, AfterARestartTheOutstandingRequestIsRepeated) {
  open();
  subscriber.change();
  subscriber.sent(Act::change, "d1");
  Subscriber restored(subscriber.state(), random);
  EXPECT_EQ(restored.next(now).act, Act::wait);
  restored.resume();
  EXPECT_EQ(restored.next(now).act, Act::change);
}

}  // namespace
}  // namespace regroup::sip
