// SPDX-License-Identifier: Apache-2.0
// Peers that are slow, too large or make no sense: each is answered or dropped in bounded time, and the next
// one is served.
#include <atomic>
#include <random>

#include "lab.hpp"
#include "raw_peer.hpp"

namespace regroup::http {
namespace {

using namespace std::chrono_literals;

class HostilePeer : public testing::Test {
 protected:
  HostilePeer() {
    ServerOptions options;
    options.listeners = {listener()};
    options.listeners[0].body_limit = 1000;
    options.header_limit = 2048;
    options.idle_timeout = 400ms;
    server_ = serve(options, [this](Request request, Responder respond) {
      ++handled_;
      last_ = request.headers;
      echo(std::move(request), std::move(respond));
    });
  }
  // Status line of the answer to these octets ("" if there is none).
  std::string answer_to(const std::string& octets) {
    RawPeer peer(server_->port("ue"));
    EXPECT_TRUE(peer.shake_hands());
    EXPECT_TRUE(peer.say(octets));
    const std::string all = peer.hear_out();
    whole_ = all;
    return all.substr(0, all.find("\r\n"));
  }
  void expect_still_serving() { EXPECT_TRUE(must(Client::make(trusting()))->call(get(*server_, "/")).ok()); }

  std::atomic<int> handled_ = 0;
  Headers last_;
  std::string whole_;
  std::unique_ptr<Server> server_;
};

TEST_F(HostilePeer, UnreadableRequestsAreAnswered400AndReachNoHandler) {
  const std::vector<std::string> bad{
      "\r\n\r\nnonsense\r\n\r\n",
      "GET / HTTP/7.0\r\nHost: x\r\n\r\n",
      "GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /a%zz HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET relative HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
      "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  };
  for (const std::string& octets : bad) EXPECT_EQ(answer_to(octets), "HTTP/1.1 400 Bad Request") << octets;
  EXPECT_EQ(handled_, 0);
  expect_still_serving();
}

TEST_F(HostilePeer, OtherMethodsAreAnswered405WithAllow) {
  for (const std::string method : {"TRACE", "OPTIONS", "PATCH", "BREW", "get"}) {
    EXPECT_EQ(answer_to(method + " / HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 405 Method Not Allowed");
    EXPECT_NE(whole_.find("Allow: GET, HEAD, PUT, POST, DELETE\r\n"), std::string::npos);
  }
  EXPECT_EQ(handled_, 0);
}

TEST_F(HostilePeer, AListenerMayTakeFewerMethods) {
  ServerOptions options;
  options.listeners = {listener()};
  options.listeners[0].methods = {"POST"};
  const auto server = serve(options, echo);
  const auto answer = must(must(Client::make(trusting()))->call(get(*server, "/")));
  EXPECT_EQ(answer.status, 405u);
  EXPECT_EQ(answer.headers.find("Allow"), "POST");
}

TEST_F(HostilePeer, ABodyOverTheLimitIs413WhetherAnnouncedOrChunked) {
  EXPECT_EQ(answer_to("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n"),
            "HTTP/1.1 413 Content Too Large");
  EXPECT_EQ(answer_to("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                      std::string(1001, 'x') + "\r\n0\r\n\r\n"),
            "HTTP/1.1 413 Content Too Large");
  EXPECT_EQ(handled_, 0);
  EXPECT_TRUE(answer_to("PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n" +
                        std::string(1000, 'x'))
                  .starts_with("HTTP/1.1 200"));
}

// Whoever is refused by the head is told so at once and sends no body: neither announced, nor chunked, nor
// after 100 Continue.
TEST_F(HostilePeer, ARequestThatTheHeadDisqualifiesIsRefusedBeforeItsBody) {
  std::atomic<int> asked = 0;
  ServerOptions options;
  options.listeners = {listener()};
  options.admit = [&](const Request& head) -> std::optional<Response> {
    ++asked;
    if (head.headers.find("Authorization")) return std::nullopt;
    Response refused = make_response(401);
    refused.headers.add("WWW-Authenticate", "Bearer");
    return refused;
  };
  const auto server = serve(options, echo);
  for (const char* body : {"Content-Length: 1000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n3e9\r\n",
                           "Expect: 100-continue\r\nContent-Length: 10\r\n\r\n"}) {
    RawPeer peer(server->port("ue"));
    ASSERT_TRUE(peer.shake_hands());
    ASSERT_TRUE(peer.say(std::string("PUT / HTTP/1.1\r\nHost: x\r\n") + body));
    const std::string heard = peer.hear_out();
    EXPECT_TRUE(heard.starts_with("HTTP/1.1 401 ")) << body << heard;
    EXPECT_NE(heard.find("WWW-Authenticate: Bearer\r\n"), std::string::npos);
  }
  EXPECT_EQ(asked, 3);
  const auto client = must(Client::make(trusting()));
  EXPECT_EQ(must(client->call(get(*server, "/"))).status, 200u) << "without a body the handler decides";
  EXPECT_EQ(asked, 3);
}

TEST_F(HostilePeer, A413ReachesAPeerThatHasAlreadySentAMegabyte) {
  ClientRequest request = get(*server_, "/");
  request.method = "PUT";
  request.body = Octets(std::size_t{1} << 20, 'x');
  const auto answer = must(Client::make(trusting()))->call(std::move(request));
  ASSERT_TRUE(answer.ok()) << answer.error().text();
  EXPECT_EQ(answer->status, 413u);
}

TEST_F(HostilePeer, AHeadOverTheLimitIs431) {
  EXPECT_EQ(answer_to("GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + std::string(3000, 'x') + "\r\n\r\n"),
            "HTTP/1.1 431 Request Header Fields Too Large");
  EXPECT_EQ(handled_, 0);
}

TEST_F(HostilePeer, APeerThatSendsAnOctetNowAndThenIsDroppedWhenItsTimeIsOver) {
  RawPeer peer(server_->port("ue"));
  ASSERT_TRUE(peer.shake_hands());
  ASSERT_TRUE(peer.say("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "));
  const auto start = std::chrono::steady_clock::now();
  bool open = true;
  while (open && std::chrono::steady_clock::now() - start < 20s) {
    open = peer.say("x");
    std::this_thread::sleep_for(20ms);  // the misbehaviour itself, not a wait for a result
  }
  EXPECT_FALSE(open);
  EXPECT_EQ(handled_, 0);
  expect_still_serving();
}

TEST_F(HostilePeer, ASilentPeerIsDroppedBeforeDuringAndAfterTheHandshake) {
  RawPeer silent(server_->port("ue"));
  RawPeer greeted(server_->port("ue"));
  RawPeer half_body(server_->port("ue"));
  ASSERT_TRUE(silent.connected());
  ASSERT_TRUE(greeted.shake_hands());
  ASSERT_TRUE(half_body.shake_hands());
  ASSERT_TRUE(half_body.say("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"));
  EXPECT_EQ(silent.hear_out(), "");
  EXPECT_EQ(greeted.hear_out(), "");
  EXPECT_EQ(half_body.hear_out(), "");
  EXPECT_EQ(handled_, 0);
}

TEST_F(HostilePeer, RequestsInOneSegmentAreAnsweredInOrder) {
  RawPeer peer(server_->port("ue"));
  ASSERT_TRUE(peer.shake_hands());
  ASSERT_TRUE(
      peer.say("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPUT /2 HTTP/1.1\r\nHost: x\r\nContent-Length: "
               "2\r\n\r\nhiGET /3 HTTP/1.1\r\nHost: "
               "x\r\nConnection: close\r\n\r\n"));
  const std::string all = peer.hear_out();
  const std::size_t one = all.find("GET /1 ue ");
  const std::size_t two = all.find("PUT /2 ue hi");
  const std::size_t three = all.find("GET /3 ue ");
  EXPECT_LT(one, two);
  EXPECT_LT(two, three);
  EXPECT_NE(three, std::string::npos);
}

TEST_F(HostilePeer, APeerThatAsksBeforeItSendsTheBodyIsToldToContinue) {
  RawPeer peer(server_->port("ue"));
  ASSERT_TRUE(peer.shake_hands());
  ASSERT_TRUE(peer.say(
      "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n"));
  EXPECT_EQ(peer.hear_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(peer.say("hi"));
  EXPECT_NE(peer.hear_out().find("PUT / ue hi"), std::string::npos);
}

TEST_F(HostilePeer, TrailersOfAChunkedBodyAreNotHeaders) {
  EXPECT_TRUE(
      answer_to(
          "PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTrailer: X-3GPP-Asserted-Identity\r\n"
          "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-3GPP-Asserted-Identity: sip:gms@x\r\n\r\n")
          .starts_with("HTTP/1.1 200"));
  EXPECT_EQ(handled_, 1);
  EXPECT_FALSE(last_.contains("X-3GPP-Asserted-Identity"));
}

TEST_F(HostilePeer, TheAbsoluteFormArrivesAsPathAndQuery) {
  EXPECT_TRUE(
      answer_to("GET https://gms.alpha.example/a%2Fb?q HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
          .starts_with("HTTP/1.1 200"));
  EXPECT_NE(whole_.find("GET /a%2Fb?q ue"), std::string::npos);
}

TEST_F(HostilePeer, RandomOctetsWithAndWithoutTlsNeverStopTheServer) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string honest =
      "PUT /a/b?c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
  for (int i = 0; i < 40; ++i) {
    std::string octets = honest;
    for (unsigned edits = random() % 8 + 1; edits > 0; --edits)
      octets[random() % octets.size()] = static_cast<char>(random() % 256);
    RawPeer peer(server_->port("ue"));
    if (i % 4 != 0) {
      ASSERT_TRUE(peer.shake_hands());
    }
    ASSERT_TRUE(peer.say(octets));
    const std::string answer = peer.hear_out();
    EXPECT_TRUE(i % 4 == 0 || answer.empty() || answer.starts_with("HTTP/1.1 ")) << answer;
  }
  expect_still_serving();
}

}  // namespace
}  // namespace regroup::http
