// SPDX-License-Identifier: Apache-2.0
// The network in memory, and both sides of a subscription living on it through loss, reordering and restarts.
#include "sip/fake.hpp"

#include <deque>

#include "sip/subscription.hpp"
#include "vectors.hpp"

namespace regroup::sip {
namespace {

using namespace std::chrono_literals;

NtpTime at(const FakeNetwork& net) {
  const auto ms = static_cast<std::uint64_t>(net.now().count());
  return NtpTime::from_unix(1'700'000'000 + static_cast<std::int64_t>(ms / 1000),
                            static_cast<std::uint32_t>(ms % 1000) * 1'000'000);
}

// A server of counters: each subscriber is to learn the present number.
struct Server {
  explicit Server(FakeNetwork& network) : net(network) { boot(); }
  void boot() {
    host = net.host("gms");
    ASSERT_TRUE(host->start().ok());
    host->serve("gms", [this](Incoming in) { take(in); });
  }
  void crash() {
    host.reset();
    boot();
    for (const std::string& text : disk) ASSERT_TRUE(host->restore(parse_dialog(text).value()).ok());
    for (auto& [id, n] : notifiers) n.resume();
  }
  void take(const Incoming& in) {
    if (!in.dialog) {
      const Verdict v = judge_subscribe(in.request, {});
      if (v.refusal) return host->answer(in.transaction, *v.refusal);
      const Dialog dialog = host->accept_dialog(in.transaction).value();
      disk.push_back(write_dialog(dialog));
      notifiers.emplace(dialog.id(), Notifier::begin(dialog.id(), in.request, v.expires, at(net)));
      told[dialog.id()] = -1;
      host->answer(in.transaction, granted(v.expires));
    } else {
      const auto n = notifiers.find(*in.dialog);
      if (n == notifiers.end()) return host->answer(in.transaction, make_response(481));
      const Verdict v = n->second.refresh(in.request, at(net));
      told[*in.dialog] = -1;
      host->answer(in.transaction, v.refusal ? *v.refusal : granted(v.expires));
    }
  }
  void tick() {
    for (auto& [id, n] : notifiers) {
      n.tick(at(net));
      const bool owed = told[id] != number || n.state().phase == NotifierPhase::closing;
      if (!owed || !n.may_send(at(net))) continue;
      Request r = n.notify(at(net));
      r.content_type = "text/plain";
      r.body = to_octets(view(std::to_string(number)));
      n.sent();
      host->send(id, r, [this, id = id, sent = number](const Result<Response>& outcome) {
        notifiers.at(id).answered(outcome, at(net));
        if (outcome.ok() && outcome->success()) told[id] = sent;
      });
    }
    std::erase_if(notifiers, [this](const auto& one) {
      if (one.second.state().phase != NotifierPhase::gone) return false;
      host->forget(one.first);
      return true;
    });
  }

  FakeNetwork& net;
  std::unique_ptr<Transport> host;
  std::vector<std::string> disk;
  std::map<DialogId, Notifier> notifiers;
  std::map<DialogId, int> told;
  int number = 0;
};

struct Client {
  Client(FakeNetwork& network, Transport& host, std::string user)
      : net(network),
        transport(host),
        name(std::move(user)),
        random(std::hash<std::string>()(name)),
        subscriber(SubscriberState{}, random) {
    transport.serve(name, [this](Incoming in) {
      const auto n = subscriber.notified(in, at(net));
      if (n.content) heard = std::stoi(std::string(text_of(in.request.body)));
      transport.answer(in.transaction, n.response);
    });
  }
  void tick() {
    const Step step = subscriber.next(at(net));
    if (!step.discard.empty()) transport.forget(step.discard);
    if (step.act == Act::wait || step.act == Act::stop) return;
    const auto answered = [this](const Result<Response>& outcome) { subscriber.answered(outcome, at(net)); };
    DialogId dialog = subscriber.state().dialog;
    if (step.act == Act::open) {
      const Opening to{"sip:" + name + "@x", "", "sip:gms@x", "sip:gms", name, false};
      dialog = transport.open(to, subscriber.subscribe(step.act), answered).value();
    } else {
      transport.send(dialog, subscriber.subscribe(step.act), answered);
    }
    subscriber.sent(step.act, dialog);
  }

  FakeNetwork& net;
  Transport& transport;
  std::string name;
  test::SeededRandom random;
  Subscriber subscriber;
  int heard = -1;
};

struct World {
  explicit World(std::uint64_t seed, FakeWeather weather, int clients) : net(seed, weather), server(net) {
    ues = net.host("ues");
    EXPECT_TRUE(ues->start().ok());
    for (int i = 0; i < clients; ++i) all.emplace_back(net, *ues, "ue-" + std::to_string(i));
  }
  // Runs for `span`, with timers every 200 ms.
  void run(std::chrono::milliseconds span) {
    for (const auto end = net.now() + span; net.now() < end;) {
      server.tick();
      for (Client& c : all) c.tick();
      net.advance(200ms);
    }
  }
  [[nodiscard]] bool all_heard(int number) const {
    return std::all_of(all.begin(), all.end(), [&](const Client& c) { return c.heard == number; });
  }

  FakeNetwork net;
  Server server;
  std::unique_ptr<Transport> ues;
  std::deque<Client> all;
};

TEST(FakeTest, OnAPerfectNetworkTheFlowIsSubscribe200Notify200) {
  World w(1, {}, 1);
  std::vector<std::string> seen;
  w.net.watch([&](const std::string& m) { seen.push_back(m); });
  w.run(1s);
  EXPECT_THAT(seen,
              testing::ElementsAre("SUBSCRIBE ues->gms", "200 gms->ues", "NOTIFY gms->ues", "200 ues->gms"));
  EXPECT_TRUE(w.all_heard(0));
}

TEST(FakeTest, EverySubscriberLearnsTheLastStateThroughLossReorderingAndRestarts) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    World w(seed, {.loss = 0.2, .shortest = 1ms, .longest = 900ms}, 6);
    for (int round = 1; round <= 5; ++round) {
      w.run(20s);
      w.server.number = round;
      if (round % 2) w.server.crash();
    }
    w.net.set_weather({});
    w.run(15min);  // longest back-off 5 min, refresh at half an hour at most
    w.server.number = 99;
    w.run(30min);
    EXPECT_TRUE(w.all_heard(99)) << "seed " << seed;
  }
}

TEST(FakeTest, AHostThatIsNotThereRefusesAtOnceAndASilentNetworkAtTheDeadline) {
  FakeNetwork net(5);
  const auto a = net.host("a");
  ASSERT_TRUE(a->start().ok());
  const Opening to{"sip:a@x", "", "sip:b@b", "", "a", false};
  std::optional<Result<Response>> outcome;
  Request r;
  r.method = "MESSAGE";
  a->send_alone(
      to, r, [&](Result<Response> o) { outcome = std::move(o); }, 3s);
  net.advance(10ms);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error().code, Errc::transport);
  net.set_weather({.loss = 1});
  outcome.reset();
  a->send_alone(
      to, r, [&](Result<Response> o) { outcome = std::move(o); }, 3s);
  net.advance(2900ms);
  EXPECT_FALSE(outcome);
  net.advance(200ms);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->error().code, Errc::transport);
}

TEST(FakeTest, AStoppedHostEndsItsRequestsAndHearsNothingMore) {
  FakeNetwork net(5);
  const auto a = net.host("a");
  auto b = net.host("b");
  ASSERT_TRUE(a->start().ok());
  ASSERT_TRUE(b->start().ok());
  int reached = 0, ended = 0;
  b->serve("", [&](Incoming) { ++reached; });
  Request r;
  r.method = "MESSAGE";
  const Opening to{"sip:a@x", "", "sip:b@b", "", "", false};
  a->send_alone(
      to, r, [&](const Result<Response>& o) { ended += !o.ok(); }, 8s);
  a->stop();
  EXPECT_EQ(ended, 1);
  b.reset();
  EXPECT_TRUE(net.run_until_quiet());
  EXPECT_EQ(reached, 0);
  EXPECT_EQ(ended, 1);
}

TEST(FakeTest, ARestartedHostGetsNothingThatItsFormerRunSetGoing) {
  FakeNetwork net(5, {.shortest = 100ms, .longest = 100ms});
  auto a = net.host("a");
  const auto b = net.host("b");
  ASSERT_TRUE(a->start().ok());
  ASSERT_TRUE(b->start().ok());
  b->serve("", [&](const Incoming& in) { b->answer(in.transaction, make_response(200)); });
  int answers = 0;
  const auto count = [&](const Result<Response>&) { ++answers; };
  Request r;
  r.method = "MESSAGE";
  a->send_alone({"sip:a@x", "", "sip:b@b", "", "", false}, r, count, 8s);
  a->send("no-such-dialog", r, count, 8s);  // its callback waits to be run
  net.advance(150ms);                       // the answer of the first is on its way back
  EXPECT_EQ(answers, 1);
  a->send("no-such-dialog", r, count, 8s);
  a.reset();
  EXPECT_EQ(answers, 3);  // each exactly once, before the end of stop()
  a = net.host("a");
  ASSERT_TRUE(a->start().ok());
  EXPECT_TRUE(net.run_until_quiet());
  EXPECT_EQ(answers, 3);
}

TEST(FakeTest, TheSameSeedReplaysTheSameTraffic) {
  const auto traffic = [](std::uint64_t seed) {
    World w(seed, {.loss = 0.3, .shortest = 1ms, .longest = 500ms}, 3);
    std::string seen;
    w.net.watch([&](const std::string& m) { seen += m + std::to_string(w.net.now().count()) + "\n"; });
    w.run(2min);
    return seen;
  };
  EXPECT_EQ(traffic(8), traffic(8));
  EXPECT_NE(traffic(8), traffic(9));
}

// What a request leaves behind is stored with its dialog and written back onto the wire, so it is bounded.
TEST(FakeNetwork, ARequestWithOversizedValuesIsAnswered400AndReachesNobody) {
  FakeNetwork net(1);
  const auto gms = net.host("gms"), ue = net.host("ue");
  ASSERT_TRUE(gms->start().ok() && ue->start().ok());
  int reached = 0;
  gms->serve("", [&](Incoming in) {
    ++reached;
    gms->answer(in.transaction, make_response(200));
  });
  const auto status_of = [&](const std::function<void(Request&, Opening&)>& change) {
    Opening opening;
    opening.local_uri = "sip:ann@mcx.example";
    opening.request_uri = "sip:gms@mcx.example";
    opening.next_hop = "sip:gms;transport=tcp";
    opening.contact_user = "ann";
    Request request;
    request.method = "SUBSCRIBE";
    request.event = "xcap-diff";
    change(request, opening);
    int status = 0;
    ue->send_alone(opening, request,
                   [&](const Result<Response>& outcome) { status = outcome.ok() ? outcome->status : -1; });
    net.run_until_quiet();
    return status;
  };
  EXPECT_EQ(status_of([](Request&, Opening&) {}), 200);
  EXPECT_EQ(status_of([](Request& r, Opening&) { r.event = "xcap-diff;id=" + std::string(300, 'a'); }), 400);
  EXPECT_EQ(status_of([](Request& r, Opening&) { r.contact = ";x=" + std::string(1100, 'a'); }), 400);
  EXPECT_EQ(status_of([](Request&, Opening& o) { o.local_uri = "sip:" + std::string(1100, 'a') + "@x"; }),
            400);
  EXPECT_EQ(reached, 1);
}

}  // namespace
}  // namespace regroup::sip
