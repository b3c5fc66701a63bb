// SPDX-License-Identifier: Apache-2.0
// Requests and answers over real TLS on loopback.
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "lab.hpp"

namespace regroup::http {
namespace {

using namespace std::chrono_literals;

TEST(RoundTrip, CarriesMethodUndecodedTargetHeadersAndBody) {
  const auto server = serve([](Request request, Responder respond) {
    Response response = make_response(201, "application/xml", text_of(request.body));
    response.headers.add("X-Target", request.target);
    response.headers.add("X-Method", request.method);
    response.headers.add("X-Asked", std::string(request.headers.find("x-ASKED").value_or("")));
    respond(std::move(response));
  });
  const auto client = must(Client::make(trusting()));
  ClientRequest request = get(*server, "/keyprov/sip%3Abob%40x/a%2fb?x=%20");
  request.method = "POST";
  request.headers.add("X-Asked", "yes");
  request.body = to_octets(view("<a/>"));
  const auto answer = client->call(std::move(request));
  ASSERT_TRUE(answer.ok()) << answer.error().text();
  EXPECT_EQ(answer->status, 201u);
  EXPECT_EQ(answer->body.text(), "<a/>");
  EXPECT_EQ(answer->headers.find("content-type"), "application/xml");
  EXPECT_EQ(answer->headers.find("X-Target"), "/keyprov/sip%3Abob%40x/a%2fb?x=%20");
  EXPECT_EQ(answer->headers.find("X-Method"), "POST");
  EXPECT_EQ(answer->headers.find("X-Asked"), "yes");
  EXPECT_EQ(answer->headers.find("Content-Length"), "4");
}

TEST(RoundTrip, KeepsTheConnectionForTheNextRequest) {
  const auto server = serve([](Request request, Responder respond) {
    respond(make_response(200, "text/plain", request.peer.address));
  });
  const auto client = must(Client::make(trusting()));
  const std::string first(must(client->call(get(*server, "/"))).body.text());
  const std::string second(must(client->call(get(*server, "/"))).body.text());
  EXPECT_EQ(first, second);
  EXPECT_NE(first, "unknown");
}

TEST(RoundTrip, AKeptConnectionIsNotUsedForAnotherRequiredName) {
  const auto server = serve([](Request request, Responder respond) {
    respond(make_response(200, "text/plain", request.peer.address));
  });
  const auto client = must(Client::make(trusting()));
  ASSERT_TRUE(client->call(get(*server, "/")).ok());
  ClientRequest other = get(*server, "/");
  other.required_san = "sip:gms@beta.example";
  EXPECT_FALSE(client->call(std::move(other)).ok());
}

TEST(RoundTrip, ASecondServerOnTheSamePortIsReachedAfterTheFirstHasGone) {
  auto server = serve(echo);
  const auto client = must(Client::make(trusting()));
  ASSERT_TRUE(client->call(get(*server, "/first")).ok());
  ServerOptions again;
  again.listeners = {listener()};
  again.listeners[0].address = "127.0.0.1:" + std::to_string(server->port("ue"));
  server->stop();
  const auto successor = serve(again, echo);
  const auto answer = client->call(get(*successor, "/second"));
  ASSERT_TRUE(answer.ok()) << answer.error().text();
  EXPECT_EQ(answer->body.text(), "GET /second ue ");
}

TEST(RoundTrip, HeadTellsTheLengthAndSendsNoBody) {
  const auto server =
      serve([](Request, Responder respond) { respond(make_response(200, "text/plain", "twelve octets")); });
  const auto client = must(Client::make(trusting()));
  for (int i = 0; i < 2; ++i) {
    ClientRequest request = get(*server, "/");
    request.method = "HEAD";
    const auto answer = client->call(std::move(request));
    ASSERT_TRUE(answer.ok()) << answer.error().text();
    EXPECT_EQ(answer->headers.find("Content-Length"), "13");
    EXPECT_TRUE(answer->body.empty());
  }
}

TEST(RoundTrip, AnAnswerMayComeLaterFromAnotherThread) {
  std::promise<Responder> waiting;
  const auto server = serve([&](Request, Responder respond) { waiting.set_value(std::move(respond)); });
  const auto client = must(Client::make(trusting()));
  std::promise<Result<Response>> answered;
  client->call(get(*server, "/"), 20s,
               [&](Result<Response> result) { answered.set_value(std::move(result)); });
  std::thread elsewhere([&] { waiting.get_future().get().send(make_response(200, "text/plain", "later")); });
  const auto answer = answered.get_future().get();
  elsewhere.join();
  ASSERT_TRUE(answer.ok()) << answer.error().text();
  EXPECT_EQ(answer->body.text(), "later");
}

TEST(RoundTrip, OneConnectionWaitingForItsAnswerDoesNotHoldUpOthers) {
  std::mutex mutex;
  std::optional<Responder> parked;
  const auto server = serve([&](Request request, Responder respond) {
    if (request.target != "/slow") return respond(make_response(200, "text/plain", "quick"));
    const std::lock_guard lock(mutex);
    parked.emplace(std::move(respond));
  });
  const auto client = must(Client::make(trusting()));
  std::promise<Result<Response>> slow;
  client->call(get(*server, "/slow"), 20s,
               [&](Result<Response> result) { slow.set_value(std::move(result)); });
  EXPECT_EQ(must(client->call(get(*server, "/quick"))).body.text(), "quick");
  for (bool there = false; !there;) {
    EXPECT_TRUE(client->call(get(*server, "/poll")).ok());
    const std::lock_guard lock(mutex);
    there = parked.has_value();
  }
  parked->send(make_response(204));
  EXPECT_EQ(must(slow.get_future().get()).status, 204u);
}

TEST(RoundTrip, AResponderDroppedUnansweredBecomes500) {
  const auto server = serve([](Request, Responder) {});
  const auto client = must(Client::make(trusting()));
  EXPECT_EQ(must(client->call(get(*server, "/"))).status, 500u);
}

TEST(RoundTrip, AHandlerThatThrowsBecomes500AndIsReported) {
  std::promise<std::string> fault;
  ServerOptions options;
  options.listeners = {listener()};
  options.on_fault = [&](const Error& error) { fault.set_value(error.text()); };
  const auto server = serve(options, [](Request, Responder) { throw std::runtime_error("no luck"); });
  const auto client = must(Client::make(trusting()));
  EXPECT_EQ(must(client->call(get(*server, "/"))).status, 500u);
  EXPECT_NE(fault.get_future().get().find("no luck"), std::string::npos);
}

TEST(RoundTrip, AnAnswerAfterTheDeadlineIs503AndTheLateOneIsDropped) {
  std::promise<Responder> waiting;
  ServerOptions options;
  options.listeners = {listener()};
  options.answer_deadline = 50ms;
  int count = 0;
  const auto server = serve(options, [&](Request, Responder respond) {
    if (++count == 1) return waiting.set_value(std::move(respond));
    respond(make_response(200, "text/plain", "second"));
  });
  const auto client = must(Client::make(trusting()));
  EXPECT_EQ(must(client->call(get(*server, "/"))).status, 503u);
  waiting.get_future().get().send(make_response(200, "text/plain", "too late"));
  EXPECT_EQ(must(client->call(get(*server, "/"))).body.text(), "second");
}

TEST(RoundTrip, TwoListenersTellWhichOneWasUsed) {
  ServerOptions options;
  options.listeners = {listener("ue"), mutual_listener(ClientCertificate::required, "trusted")};
  const auto server = serve(options, echo);
  EXPECT_NE(server->port("ue"), server->port("trusted"));
  EXPECT_EQ(server->port("admin"), 0);
  EXPECT_EQ(server->origin("ue"), "https://127.0.0.1:" + std::to_string(server->port("ue")));
  const auto client = must(Client::make(with_certificate(lab().client)));
  EXPECT_EQ(must(client->call(get(*server, "/", "ue"))).body.text(), "GET / ue ");
  EXPECT_EQ(must(client->call(get(*server, "/", "trusted"))).body.text(), "GET / trusted ");
}

TEST(RoundTrip, ManyClientsInParallelEachGetTheirOwnAnswer) {
  ServerOptions options;
  options.listeners = {listener()};
  options.threads = 2;
  const auto server = serve(options, echo);
  const auto client = must(Client::make(trusting()));
  constexpr int kRequests = 120;
  std::mutex mutex;
  std::condition_variable changed;
  int left = kRequests;
  int good = 0;
  for (int i = 0; i < kRequests; ++i) {
    ClientRequest request = get(*server, "/" + std::to_string(i));
    request.method = "POST";
    request.body = Octets(1000, static_cast<std::uint8_t>('a' + i % 26));
    const std::string expected = "POST /" + std::to_string(i) + " ue " + std::string(text_of(request.body));
    client->call(std::move(request), 60s, [&, expected](Result<Response> result) {
      const std::lock_guard lock(mutex);
      good += result.ok() && result->body.text() == expected;
      if (--left == 0) changed.notify_one();
    });
  }
  std::unique_lock lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, 60s, [&] { return left == 0; }));
  EXPECT_EQ(good, kRequests);
}

TEST(RoundTrip, MoreConnectionsThanAllowedWaitAndAreServedInTurn) {
  ServerOptions options;
  options.listeners = {listener()};
  options.max_connections = 1;
  const auto server = serve(options, echo);
  ClientOptions one_shot = trusting();
  one_shot.idle_connections = 0;
  const auto client = must(Client::make(one_shot));
  std::vector<std::future<Result<Response>>> answers;
  for (int i = 0; i < 4; ++i)
    answers.push_back(std::async(std::launch::async, [&] { return client->call(get(*server, "/"), 60s); }));
  for (auto& answer : answers) EXPECT_TRUE(answer.get().ok());
}

// Otherwise those that were first and are idle now would keep all others out for as long as they may be idle.
TEST(RoundTrip, IdleConnectionsDoNotKeepNewOnesOut) {
  ServerOptions options;
  options.listeners = {listener()};
  options.max_connections = 4;
  options.idle_timeout = 60s;
  const auto server = serve(options, echo);
  std::vector<std::unique_ptr<Client>> clients;  // each would keep its connection
  for (int i = 0; i < 12; ++i) {
    clients.push_back(must(Client::make(trusting())));
    const auto answer = clients.back()->call(get(*server, "/"), 20s);
    ASSERT_TRUE(answer.ok()) << i << ": " << answer.error().text();
    EXPECT_EQ(answer->status, 200u);
  }
}

TEST(RoundTrip, StopWaitsForAnOpenRequestAndThenRefusesNewOnes) {
  std::promise<Responder> waiting;
  ServerOptions options;
  options.listeners = {listener()};
  options.drain = 20s;
  const auto server =
      serve(options, [&](Request, Responder respond) { waiting.set_value(std::move(respond)); });
  const auto client = must(Client::make(trusting()));
  std::promise<Result<Response>> answered;
  client->call(get(*server, "/"), 20s,
               [&](Result<Response> result) { answered.set_value(std::move(result)); });
  Responder respond = waiting.get_future().get();
  std::thread stopper([&] { server->stop(); });
  respond(make_response(200, "text/plain", "drained"));
  const auto answer = answered.get_future().get();
  stopper.join();
  ASSERT_TRUE(answer.ok()) << answer.error().text();
  EXPECT_EQ(answer->body.text(), "drained");
  const auto refused = client->call(get(*server, "/"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::transport);
}

TEST(RoundTrip, StopEndsARequestThatIsNeverAnsweredAndALateAnswerIsHarmless) {
  std::promise<Responder> waiting;
  ServerOptions options;
  options.listeners = {listener()};
  options.drain = 20ms;
  auto server = serve(options, [&](Request, Responder respond) { waiting.set_value(std::move(respond)); });
  const auto client = must(Client::make(trusting()));
  std::promise<Result<Response>> answered;
  client->call(get(*server, "/"), 20s,
               [&](Result<Response> result) { answered.set_value(std::move(result)); });
  Responder respond = waiting.get_future().get();
  server->stop();
  server.reset();
  respond(make_response(200));
  const auto answer = answered.get_future().get();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Errc::transport);
}

TEST(RoundTrip, AClientThatIsClosedEndsItsOpenCalls) {
  std::promise<Responder> waiting;
  const auto server = serve([&](Request, Responder respond) { waiting.set_value(std::move(respond)); });
  auto client = must(Client::make(trusting()));
  std::promise<Result<Response>> answered;
  client->call(get(*server, "/"), 20s,
               [&](Result<Response> result) { answered.set_value(std::move(result)); });
  const Responder parked = waiting.get_future().get();
  client.reset();
  const auto answer = answered.get_future().get();
  ASSERT_FALSE(answer.ok());
  EXPECT_NE(answer.error().text().find("closed"), std::string::npos);
}

TEST(RoundTrip, TheClientsDeadlineNamesHostAndStep) {
  std::promise<Responder> waiting;
  const auto server = serve([&](Request, Responder respond) { waiting.set_value(std::move(respond)); });
  const auto client = must(Client::make(trusting()));
  const auto answer = client->call(get(*server, "/"), 200ms);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Errc::transport);
  EXPECT_NE(answer.error().detail.find("gms.alpha.example: receive: no answer"), std::string::npos)
      << answer.error().text();
}

TEST(RoundTrip, RedirectsAreReturnedAndNotFollowed) {
  std::atomic<int> requests = 0;
  const auto server = serve([&](Request, Responder respond) {
    ++requests;
    Response response = make_response(307);
    response.headers.add("Location", "https://gms.alpha.example/elsewhere");
    respond(std::move(response));
  });
  const auto client = must(Client::make(trusting()));
  EXPECT_EQ(must(client->call(get(*server, "/"))).status, 307u);
  EXPECT_EQ(requests, 1);
}

TEST(RoundTrip, AnAnswerOverTheLimitIsRefusedByTheClient) {
  const auto server = serve(
      [](Request, Responder respond) { respond(make_response(200, "text/plain", std::string(5000, 'x'))); });
  ClientOptions options = trusting();
  options.response_limit = 4999;
  const auto client = must(Client::make(options));
  const auto answer = client->call(get(*server, "/"));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, Errc::limit);
}

TEST(RoundTrip, AHeaderValueCannotSmuggleASecondMessage) {
  const auto server = serve([](Request, Responder respond) {
    Response response = make_response(200, "text/plain", "body");
    response.headers.add("X-Bad", "a\r\nX-Injected: yes");
    response.headers.add("Content-Length", "1");
    respond(std::move(response));
  });
  const auto client = must(Client::make(trusting()));
  const auto answer = must(client->call(get(*server, "/")));
  EXPECT_FALSE(answer.headers.contains("X-Injected"));
  EXPECT_EQ(answer.headers.count("Content-Length"), 1u);
  EXPECT_EQ(answer.body.text(), "body");
  ClientRequest request = get(*server, "/");
  request.headers.add("Authorization", "Bearer abc\r\nX-Injected: yes");
  const auto refused = client->call(std::move(request));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::usage);
}

}  // namespace
}  // namespace regroup::http
