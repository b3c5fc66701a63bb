// SPDX-License-Identifier: Apache-2.0
#include <deque>
#include <thread>
#include "lab.hpp"
#include "sip/multipart.hpp"

namespace regroup::sip {
namespace {

using namespace lab;

// A GMS and a UE with a dialog between them.
struct Pair {
  explicit Pair(SofiaOptions server = {}) : gms(1, std::move(server)), ue(2) {
    gms.transport->serve("gms", into(at_gms));
    ue.transport->serve("bob-1", into(at_ue));
  }
  // SUBSCRIBE -> 200; the dialog at the server's side.
  Dialog subscribe_now() {
    const Result<DialogId> opened = ue.transport->open(opening(gms, "bob-1"), subscribe(), into(ue_answers));
    EXPECT_TRUE(opened.ok());
    ue_dialog = *opened;
    const auto incoming = at_gms.take();
    EXPECT_TRUE(incoming.has_value());
    const Result<Dialog> made = gms.transport->accept_dialog(incoming->transaction);
    EXPECT_TRUE(made.ok());
    Response ok = make_response(200);
    ok.expires = 3600;
    gms.transport->answer(incoming->transaction, ok);
    const auto outcome = ue_answers.take();
    EXPECT_TRUE(outcome && outcome->ok() && (*outcome)->status == 200);
    return *made;
  }
  Requests at_gms, at_ue;
  Answers gms_answers, ue_answers;
  DialogId ue_dialog;
  Station gms, ue;  // last: they stop before the boxes go
};

TEST(SofiaTest, CarriesASubscribeWithMultipartBodyAndItsNotify) {
  Pair p;
  test::SeededRandom random(7);
  const Octets binary{0, 1, 2, 0xff, '\r', '\n', '-', '-', 0};
  const Multipart body =
      write_multipart({{"application/vnd.3gpp.mcptt-info+xml", {}, to_octets(view("<mcpttinfo/>"))},
                       {"application/resource-lists+xml", {}, to_octets(view("<resource-lists/>"))},
                       {"application/mikey", {}, binary}},
                      random)
          .value();
  Request request = subscribe(body.body, body.content_type);
  request.others.push_back({"P-Preferred-Service", "urn:urn-7:3gpp-service.ims.icsi.mcptt"});
  request.contact = ";+g.3gpp.mcptt";
  ASSERT_TRUE(p.ue.transport->open(opening(p.gms, "bob-1"), request, into(p.ue_answers)).ok());

  const auto in = p.at_gms.take();
  ASSERT_TRUE(in);
  EXPECT_FALSE(in->dialog);
  EXPECT_EQ(in->request.method, "SUBSCRIBE");
  EXPECT_EQ(in->request.request_uri, "sip:gms@mcx.example");  // whatever the next hop is
  EXPECT_EQ(in->request.event, "xcap-diff");
  EXPECT_EQ(in->request.expires, 3600u);
  EXPECT_EQ(in->request.accept, "application/xcap-diff+xml");
  EXPECT_EQ(in->request.p_asserted_service, "urn:urn-7:3gpp-service.ims.icsi.mcptt");
  EXPECT_EQ(find(in->request.others, "p-preferred-service"), "urn:urn-7:3gpp-service.ims.icsi.mcptt");
  EXPECT_EQ(uri_in(in->request.from), "sip:bob-1@mcx.example");
  EXPECT_THAT(in->request.contact, testing::HasSubstr("+g.3gpp.mcptt"));
  const auto parts = parse_multipart(in->request.content_type, in->request.body);
  ASSERT_TRUE(parts.ok()) << parts.error().text();
  ASSERT_EQ(parts->size(), 3u);
  EXPECT_EQ(parts->at(2).body, binary);

  const Result<Dialog> made = p.gms.transport->accept_dialog(in->transaction);
  ASSERT_TRUE(made.ok()) << made.error().text();
  Response ok = make_response(200, {{"Supported", "eventlist"}});
  ok.expires = 3540;
  p.gms.transport->answer(in->transaction, ok);
  const auto answer = p.ue_answers.take();
  ASSERT_TRUE(answer && answer->ok());
  EXPECT_EQ((*answer)->status, 200);
  EXPECT_EQ((*answer)->expires, 3540u);
  EXPECT_EQ(find((*answer)->headers, "Supported"), "eventlist");
  EXPECT_EQ(tag_in((*answer)->to), made->local_tag);
  EXPECT_EQ(uri_in((*answer)->contact), "sip:gms@" + p.gms.address().substr(4));

  p.gms.transport->send(made->id(), notify("<xcap-diff/>"), into(p.gms_answers));
  const auto note = p.at_ue.take();
  ASSERT_TRUE(note);
  EXPECT_EQ(note->request.method, "NOTIFY");
  EXPECT_EQ(note->request.subscription_state, "active;expires=3540");
  EXPECT_EQ(text_of(note->request.body), "<xcap-diff/>");
  EXPECT_EQ(user_of(note->request.request_uri), "bob-1");
  p.ue.transport->answer(note->transaction, make_response(200));
  const auto acknowledged = p.gms_answers.take();
  ASSERT_TRUE(acknowledged && acknowledged->ok()) << acknowledged->error().text();
  EXPECT_EQ((*acknowledged)->status, 200);
}

TEST(SofiaTest, BothSidesSendInOneDialog) {
  Pair p;
  const Dialog at_server = p.subscribe_now();
  for (int round = 0; round < 3; ++round) {
    p.gms.transport->send(at_server.id(), notify("x"), into(p.gms_answers));
    auto note = p.at_ue.take();
    ASSERT_TRUE(note && note->dialog);
    EXPECT_EQ(*note->dialog, p.ue_dialog);
    p.ue.transport->answer(note->transaction, make_response(200));
    ASSERT_TRUE(p.gms_answers.take()->ok());

    p.ue.transport->send(p.ue_dialog, subscribe(), into(p.ue_answers));
    auto refresh = p.at_gms.take();
    ASSERT_TRUE(refresh && refresh->dialog);
    EXPECT_EQ(*refresh->dialog, at_server.id());
    p.gms.transport->answer(refresh->transaction, make_response(200));
    const auto answer = p.ue_answers.take();
    ASSERT_TRUE(answer && answer->ok());
    EXPECT_EQ((*answer)->status, 200);
  }
}

// RFC 3261 12.2.2: who knows the tags of a dialog but is refused moves neither its CSeq nor its target.
TEST(SofiaTest, ARefusedRequestInADialogLeavesItAsItWas) {
  Pair p;
  const Dialog at_server = p.subscribe_now();
  Dialog thief = p.ue.transport->dialog(p.ue_dialog).value();
  thief.local_contact = "sip:thief@192.0.2.66;transport=tcp";
  thief.local_cseq = 1'000'000;
  ASSERT_TRUE(p.ue.transport->restore(thief).ok());
  for (const int status : {403, 200}) {
    p.ue.transport->send(p.ue_dialog, subscribe(), into(p.ue_answers));
    const auto in = p.at_gms.take();
    ASSERT_TRUE(in && in->dialog);
    const Dialog before = p.gms.transport->dialog(at_server.id()).value();
    EXPECT_EQ(before.remote_target, at_server.remote_target) << "not before it is accepted";
    p.gms.transport->answer(in->transaction, make_response(status));
    EXPECT_EQ(p.ue_answers.take()->value().status, status);
    const Dialog after = p.gms.transport->dialog(at_server.id()).value();
    EXPECT_EQ(after.remote_target, status == 200 ? thief.local_contact : at_server.remote_target);
    EXPECT_EQ(after.remote_cseq > 1'000'000, status == 200);
  }
}

TEST(SofiaTest, OfTwoRequestsThatWaitTheOlderOneIsNotAcceptedAfterTheNewer) {
  Pair p;
  static_cast<void>(p.subscribe_now());
  p.ue.transport->send(p.ue_dialog, subscribe(), into(p.ue_answers));
  p.ue.transport->send(p.ue_dialog, subscribe(), into(p.ue_answers));
  const auto older = p.at_gms.take(), newer = p.at_gms.take();
  ASSERT_TRUE(older && newer && older->request.cseq < newer->request.cseq);
  EXPECT_TRUE(p.gms.transport->accept_dialog(newer->transaction).ok());
  EXPECT_FALSE(p.gms.transport->accept_dialog(older->transaction).ok());
  p.gms.transport->answer(newer->transaction, make_response(200));
  p.gms.transport->answer(older->transaction, make_response(500));
  EXPECT_TRUE(p.ue_answers.take() && p.ue_answers.take());
}

TEST(SofiaTest, WhatARefreshTeachesCanBeStoredBeforeItIsAnswered) {
  Pair p;
  const Dialog at_server = p.subscribe_now();
  p.ue.transport->send(p.ue_dialog, subscribe(), into(p.ue_answers));
  const auto in = p.at_gms.take();
  ASSERT_TRUE(in && in->dialog);
  const auto accepted = p.gms.transport->accept_dialog(in->transaction);
  ASSERT_TRUE(accepted.ok()) << accepted.error().text();
  EXPECT_GT(accepted->remote_cseq, at_server.remote_cseq);
  EXPECT_EQ(accepted->local_tag, at_server.local_tag);
  p.gms.transport->answer(in->transaction, make_response(200));
  EXPECT_EQ(p.ue_answers.take()->value().status, 200);
}

TEST(SofiaTest, ANotifyBeforeThe2xxFindsTheDialog) {
  Pair p;
  ASSERT_TRUE(p.ue.transport->open(opening(p.gms, "bob-1"), subscribe(), into(p.ue_answers)).ok());
  const auto in = p.at_gms.take();
  ASSERT_TRUE(in);
  const Dialog made = p.gms.transport->accept_dialog(in->transaction).value();
  p.gms.transport->send(made.id(), notify("early"), into(p.gms_answers));
  const auto note = p.at_ue.take();
  ASSERT_TRUE(note);
  EXPECT_EQ(p.ue_answers.waiting(), 0u);
  p.ue.transport->answer(note->transaction, make_response(200));
  p.gms.transport->answer(in->transaction, make_response(200));
  EXPECT_EQ(p.ue_answers.take()->value().status, 200);
  EXPECT_EQ(p.gms_answers.take()->value().status, 200);
}

TEST(SofiaTest, ARequestInAForgottenDialogGets481) {
  Pair p;
  const Dialog at_server = p.subscribe_now();
  p.ue.transport->forget(p.ue_dialog);
  p.gms.transport->send(at_server.id(), notify("x"), into(p.gms_answers));
  EXPECT_EQ(p.gms_answers.take()->value().status, 481);
  EXPECT_EQ(p.at_ue.waiting(), 0u);
}

TEST(SofiaTest, ARefusedSubscribeLeavesNoDialog) {
  Pair p;
  const DialogId id = p.ue.transport->open(opening(p.gms, "bob-1"), subscribe(), into(p.ue_answers)).value();
  const auto in = p.at_gms.take();
  const Dialog made = p.gms.transport->accept_dialog(in->transaction).value();
  p.gms.transport->answer(in->transaction, make_response(403));
  EXPECT_EQ(p.ue_answers.take()->value().status, 403);
  EXPECT_FALSE(p.ue.transport->dialog(id));
  EXPECT_FALSE(p.gms.transport->dialog(made.id()));
}

TEST(SofiaTest, AnUnknownUserGets404) {
  Pair p;
  Opening to = opening(p.gms, "bob-1");
  to.request_uri = "sip:nobody@mcx.example";
  ASSERT_TRUE(p.ue.transport->open(to, subscribe(), into(p.ue_answers)).ok());
  EXPECT_EQ(p.ue_answers.take()->value().status, 404);
}

TEST(SofiaTest, ARestartedServerGoesOnInItsStoredDialogs) {
  SofiaOptions options;
  auto before = std::make_unique<Pair>();
  Station& ue = before->ue;
  std::string stored = write_dialog(before->subscribe_now());
  // More requests after the record was stored: the restored one must not repeat their CSeq.
  const DialogId id = parse_dialog(stored)->id();
  for (int i = 0; i < 3; ++i) {
    before->gms.transport->send(id, notify("before"), into(before->gms_answers));
    ue.transport->answer(before->at_ue.take()->transaction, make_response(200));
    ASSERT_TRUE(before->gms_answers.take()->ok());
  }
  options.listen = {"tcp:127.0.0.1:" + std::to_string(before->gms.port())};
  before->gms.transport->stop();

  Requests at_gms;
  Answers answers;
  Station after(9, options);
  after.transport->serve("gms", into(at_gms));
  ASSERT_TRUE(after.transport->restore(parse_dialog(stored).value()).ok());
  after.transport->send(id, notify("after"), into(answers));
  const auto note = before->at_ue.take();
  ASSERT_TRUE(note);
  EXPECT_EQ(text_of(note->request.body), "after");
  ue.transport->answer(note->transaction, make_response(200));
  EXPECT_EQ(answers.take()->value().status, 200);

  ue.transport->send(before->ue_dialog, subscribe(), into(before->ue_answers));
  const auto refresh = at_gms.take();
  ASSERT_TRUE(refresh && refresh->dialog);
  EXPECT_EQ(*refresh->dialog, id);
  after.transport->answer(refresh->transaction, make_response(200));
  EXPECT_EQ(before->ue_answers.take()->value().status, 200);
  after.transport->stop();
}

TEST(SofiaTest, APeerThatIsGoneIsATransportErrorAtOnce) {
  Pair p;
  const Dialog at_server = p.subscribe_now();
  p.ue.transport->stop();
  const auto begin = std::chrono::steady_clock::now();
  p.gms.transport->send(at_server.id(), notify("x"), into(p.gms_answers), 5000ms);
  const auto outcome = p.gms_answers.take();
  ASSERT_TRUE(outcome);
  ASSERT_FALSE(outcome->ok());
  EXPECT_EQ(outcome->error().code, Errc::transport);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

TEST(SofiaTest, APeerThatNeverAnswersIsATransportErrorAtTheDeadline) {
  Silent peer;
  Station ue(3);
  Answers answers;
  Opening to = {"sip:bob@mcx.example", "", "sip:gms@mcx.example", peer.uri(), "bob", false};
  const auto begin = std::chrono::steady_clock::now();
  const DialogId id = ue.transport->open(to, subscribe(), into(answers), 300ms).value();
  const auto outcome = answers.take();
  ASSERT_TRUE(outcome && !outcome->ok());
  EXPECT_EQ(outcome->error().code, Errc::transport);
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(took, 300ms);
  EXPECT_LT(took, 5s);
  EXPECT_FALSE(ue.transport->dialog(id));
}

TEST(SofiaTest, RequestsBeyondTheWindowWaitAndThenGo) {
  SofiaOptions small;
  small.window = 2;
  Pair p(small);
  const Dialog at_server = p.subscribe_now();
  for (int i = 0; i < 10; ++i)
    p.gms.transport->send(at_server.id(), notify("n" + std::to_string(i)), into(p.gms_answers));
  for (int i = 0; i < 10; ++i) {
    const auto note = p.at_ue.take();
    ASSERT_TRUE(note);
    EXPECT_EQ(text_of(note->request.body), "n" + std::to_string(i));
    EXPECT_LE(p.at_ue.waiting(), 1u);
    p.ue.transport->answer(note->transaction, make_response(200));
  }
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(p.gms_answers.take()->ok());
}

TEST(SofiaTest, TooManyWaitingRequestsAreRefusedAndTheOthersEndAtTheirDeadline) {
  Silent peer;
  SofiaOptions tiny;
  tiny.window = 1;
  tiny.waiting = 2;
  Station ue(3, tiny);
  Answers answers;
  const Opening to = {"sip:bob@mcx.example", "", "sip:gms@mcx.example", peer.uri(), "bob", false};
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(ue.transport->open(to, subscribe(), into(answers), 400ms).ok());
  std::size_t refused = 0, lost = 0;
  for (int i = 0; i < 5; ++i) {
    const auto outcome = answers.take();
    ASSERT_TRUE(outcome && !outcome->ok());
    refused += outcome->error().code == Errc::limit;
    lost += outcome->error().code == Errc::transport;
  }
  EXPECT_EQ(refused, 2u);
  EXPECT_EQ(lost, 3u);
}

TEST(SofiaTest, StopsCleanlyWithRequestsOpenInBothDirections) {
  Silent nobody;
  Pair p;
  const Dialog at_server = p.subscribe_now();
  p.ue.transport->send(p.ue_dialog, subscribe(), into(p.ue_answers));
  ASSERT_TRUE(p.at_gms.take());  // arrived and never answered
  Answers stuck;
  Opening to = opening(p.gms, "bob-1");
  to.next_hop = nobody.uri();
  ASSERT_TRUE(p.gms.transport->open(to, subscribe(), into(stuck)).ok());
  const auto begin = std::chrono::steady_clock::now();
  p.gms.transport->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
  const auto outcome = stuck.take(0ms);  // before stop() returned
  ASSERT_TRUE(outcome && !outcome->ok());
  EXPECT_EQ(outcome->error().code, Errc::transport);
  const auto told = p.ue_answers.take();  // the peer is not left waiting
  ASSERT_TRUE(told);
  EXPECT_TRUE(!told->ok() || (*told)->status == 503);
  p.gms.transport->send(at_server.id(), notify("late"), into(p.gms_answers));
  const auto late = p.gms_answers.take(0ms);
  ASSERT_TRUE(late && !late->ok());
}

TEST(SofiaTest, CallbacksGoThroughThePostGiven) {
  std::mutex lock;
  std::deque<std::function<void()>> posted;
  std::condition_variable changed;
  SofiaOptions options;
  options.post = [&](std::function<void()> work) {
    const std::lock_guard guard(lock);
    posted.push_back(std::move(work));
    changed.notify_all();
  };
  Station gms(1, options), ue(2);
  std::thread::id ran_on;
  gms.transport->serve("gms", [&](Incoming in) {
    ran_on = std::this_thread::get_id();
    gms.transport->answer(in.transaction, make_response(489, {{"Allow-Events", "xcap-diff"}}));
  });
  Answers answers;
  ASSERT_TRUE(ue.transport->open(opening(gms, "bob"), subscribe(), into(answers)).ok());
  std::unique_lock guard(lock);
  ASSERT_TRUE(changed.wait_for(guard, 20s, [&] { return !posted.empty(); }));
  const auto work = std::move(posted.front());
  guard.unlock();
  work();
  EXPECT_EQ(ran_on, std::this_thread::get_id());
  const auto answer = answers.take();
  EXPECT_EQ(answer->value().status, 489);
  EXPECT_EQ(find(answer->value().headers, "Allow-Events"), "xcap-diff");
}

TEST(SofiaTest, AHundredDialogsOfOneTransportRunInParallelWithoutMixing) {
  constexpr int kUsers = 100;
  Requests at_gms;
  Answers at_gms_answers;
  Station gms(1), ues(2);
  gms.transport->serve("gms", into(at_gms));
  std::vector<Requests> inbox(kUsers);
  std::vector<Answers> answers(kUsers);
  std::map<std::string, int> by_user;
  for (int i = 0; i < kUsers; ++i) {
    const std::string user = "ue-" + std::to_string(i);
    by_user[user] = i;
    ues.transport->serve(user, into(inbox[static_cast<std::size_t>(i)]));
    ASSERT_TRUE(
        ues.transport->open(opening(gms, user), subscribe(), into(answers[static_cast<std::size_t>(i)]))
            .ok());
  }
  for (int i = 0; i < kUsers; ++i) {
    const auto in = at_gms.take();
    ASSERT_TRUE(in);
    const Dialog dialog = gms.transport->accept_dialog(in->transaction).value();
    gms.transport->answer(in->transaction, make_response(200));
    gms.transport->send(dialog.id(), notify(user_of(uri_in(in->request.contact))), into(at_gms_answers));
  }
  for (const auto& [user, i] : by_user) {
    const auto note = inbox[static_cast<std::size_t>(i)].take();
    ASSERT_TRUE(note) << user;
    EXPECT_EQ(text_of(note->request.body), user);
    ues.transport->answer(note->transaction, make_response(200));
    EXPECT_EQ(answers[static_cast<std::size_t>(i)].take()->value().status, 200);
  }
  for (int i = 0; i < kUsers; ++i) EXPECT_TRUE(at_gms_answers.take()->ok());
  gms.transport->stop();
  ues.transport->stop();
}

TEST(SofiaTest, Port0PicksAFreePortThatStandsInTheContact) {
  Station a(1), b(2);
  EXPECT_NE(a.port(), 0);
  EXPECT_NE(a.port(), b.port());
  EXPECT_EQ(a.transport->contact("bob 1"),
            "sip:bob%201@127.0.0.1:" + std::to_string(a.port()) + ";transport=tcp");
  EXPECT_EQ(user_of(a.transport->contact("bob 1")), "bob 1");
}

TEST(SofiaTest, ATakenPortIsAnErrorWithItsAddress) {
  Silent taken;
  test::SeededRandom random(1);
  SofiaOptions options;
  options.listen = {"tcp:127.0.0.1:" + std::to_string(taken.port())};
  const auto transport = make_sofia(options, random);
  const Result<void> started = transport->start();
  ASSERT_FALSE(started.ok());
  EXPECT_THAT(started.error().text(), testing::HasSubstr(options.listen[0]));
}

TEST(SofiaTest, WrongListenAddressesAreUsageErrors) {
  test::SeededRandom random(1);
  for (const char* wrong : {"udp:127.0.0.1:5060", "127.0.0.1:5060", "", "tls:127.0.0.1:0"}) {
    SofiaOptions options;
    options.listen = {wrong};
    const Result<void> started = make_sofia(options, random)->start();
    ASSERT_FALSE(started.ok()) << wrong;
    EXPECT_EQ(started.error().code, Errc::usage) << wrong;
  }
}

TEST(SofiaTest, AHeaderThatWouldSmuggleAnotherOneIsNotSent) {
  Pair p;
  Request request = subscribe();
  request.event = "xcap-diff\r\nP-Asserted-Identity: <sip:chief@mcx.example>";
  EXPECT_FALSE(p.ue.transport->open(opening(p.gms, "bob-1"), request, into(p.ue_answers)).ok());
  Request odd = subscribe();
  odd.others.push_back({"X-Note: a\r\nEvil", "1"});
  EXPECT_FALSE(p.ue.transport->open(opening(p.gms, "bob-1"), odd, into(p.ue_answers)).ok());
}

TEST(SofiaTest, ASubscribeBodyOver64KiBGets413AndAMebibyteOfNotifyPasses) {
  Pair p;
  ASSERT_TRUE(p.ue.transport
                  ->open(opening(p.gms, "bob-1"), subscribe(Octets(64 * 1024 + 1, 'x'), "text/plain"),
                         into(p.ue_answers))
                  .ok());
  EXPECT_EQ(p.ue_answers.take()->value().status, 413);
  const Dialog at_server = p.subscribe_now();
  p.gms.transport->send(at_server.id(), notify(std::string(1024 * 1024, 'y')), into(p.gms_answers));
  const auto note = p.at_ue.take();
  ASSERT_TRUE(note);
  EXPECT_EQ(note->request.body.size(), 1024u * 1024);
  p.ue.transport->answer(note->transaction, make_response(200));
  EXPECT_EQ(p.gms_answers.take()->value().status, 200);
  p.gms.transport->send(at_server.id(), notify(std::string(1024 * 1024 + 1, 'y')), into(p.gms_answers));
  EXPECT_EQ(p.gms_answers.take()->value().status, 413);
}

TEST(SofiaTest, AMessageFarOverTheLimitIsNotTakenAndTheNextOneIs) {
  Pair p;
  const Dialog at_server = p.subscribe_now();
  p.gms.transport->send(at_server.id(), notify(std::string(8 * 1024 * 1024, 'y')), into(p.gms_answers),
                        5000ms);
  const auto outcome = p.gms_answers.take();
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(!outcome->ok() || (*outcome)->status == 413);
  EXPECT_EQ(p.at_ue.waiting(), 0u);
  p.gms.transport->send(at_server.id(), notify("small"), into(p.gms_answers));
  const auto note = p.at_ue.take();
  ASSERT_TRUE(note);
  p.ue.transport->answer(note->transaction, make_response(200));
  EXPECT_EQ(p.gms_answers.take()->value().status, 200);
}

}  // namespace
}  // namespace regroup::sip
