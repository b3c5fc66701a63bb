// SPDX-License-Identifier: Apache-2.0
// Hostile and odd requests written octet by octet (after the categories of RFC 4475), over a real socket.
#include "lab.hpp"

namespace regroup::sip {
namespace {

using namespace lab;

// Replaces one line of a good request, found by its beginning; an empty replacement drops it.
struct Change {
  std::string line;
  std::string with;
};

std::string request(const std::vector<Change>& changes, std::string_view body = "") {
  std::vector<std::string> lines = {"SUBSCRIBE sip:gms@mcx.example SIP/2.0",
                                    "Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK-torture;rport",
                                    "Max-Forwards: 70",
                                    "From: <sip:bob@mcx.example>;tag=f1",
                                    "To: <sip:gms@mcx.example>",
                                    "Call-ID: torture-1",
                                    "CSeq: 1 SUBSCRIBE",
                                    "Contact: <sip:bob@127.0.0.1:9;transport=tcp>",
                                    "Event: xcap-diff",
                                    "Expires: 60",
                                    "Content-Type: text/plain",
                                    "Content-Length: " + std::to_string(body.size())};
  std::string out;
  for (const std::string& line : lines) {
    std::string text = line;
    for (const Change& change : changes)
      if (line.rfind(change.line, 0) == 0) text = change.with;
    if (!text.empty()) out += text + "\r\n";
  }
  return out + "\r\n" + std::string(body);
}

struct Case {
  const char* name;
  std::vector<Change> changes;
  const char* status;  // what the answer starts with; "" = the connection closes or stays silent
};

class TortureTest : public testing::TestWithParam<Case> {};

// One server for each case: the handler accepts everything, so a 200 means that the request came through.
struct Server {
  Server() : station(5) {
    station.transport->serve("gms", [this](Incoming in) {
      seen.put(in.request);
      if (!in.dialog) static_cast<void>(station.transport->accept_dialog(in.transaction));
      station.transport->answer(in.transaction, make_response(200));
    });
  }
  Mailbox<Request> seen;
  Station station;
};

TEST_P(TortureTest, IsAnsweredAsItShould) {
  Server server;
  Wire wire(server.station.port());
  ASSERT_TRUE(wire.connected());
  wire.say(request(GetParam().changes));
  const std::string heard = wire.hear("\r\n\r\n", 3s);
  EXPECT_EQ(heard.substr(0, std::string("SIP/2.0 nnn").size()), GetParam().status) << heard;
  // Whatever happened, the next well-formed request on a new connection is served.
  Wire again(server.station.port());
  again.say(request(
      {{"Call-ID", "Call-ID: good"}, {"Via", "Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK-good;rport"}}));
  EXPECT_THAT(again.hear("\r\n\r\n"), testing::StartsWith("SIP/2.0 200"));
}

INSTANTIATE_TEST_SUITE_P(
    Rfc4475, TortureTest,
    testing::Values(
        Case{"Good", {}, "SIP/2.0 200"},
        Case{"NegativeContentLength", {{"Content-Length", "Content-Length: -1"}}, "SIP/2.0 400"},
        Case{"CseqBeyond32Bits", {{"CSeq", "CSeq: 36893488147419103232 SUBSCRIBE"}}, "SIP/2.0 400"},
        Case{"CseqNotBelow2To31", {{"CSeq", "CSeq: 2147483648 SUBSCRIBE"}}, "SIP/2.0 400"},
        Case{"HighestCseq", {{"CSeq", "CSeq: 2147483647 SUBSCRIBE"}}, "SIP/2.0 200"},
        Case{"LongCallId", {{"Call-ID", "Call-ID: " + std::string(256, 'a')}}, "SIP/2.0 400"},
        Case{"LongestCallId", {{"Call-ID", "Call-ID: " + std::string(255, 'a')}}, "SIP/2.0 200"},
        Case{"LongTo", {{"To", "To: <sip:" + std::string(1024, 'a') + "@mcx.example>"}}, "SIP/2.0 400"},
        Case{"CseqMethodMismatch", {{"CSeq", "CSeq: 1 INVITE"}}, "SIP/2.0 400"},
        Case{"UnterminatedQuote", {{"From", "From: \"bob <sip:bob@mcx.example>;tag=f1"}}, "SIP/2.0 400"},
        Case{"AngleBracketedRequestUri",
             {{"SUBSCRIBE", "SUBSCRIBE <sip:gms@mcx.example> SIP/2.0"}},
             "SIP/2.0 400"},
        Case{"NoFrom", {{"From", ""}}, "SIP/2.0 400"}, Case{"NoTo", {{"To", ""}}, "SIP/2.0 400"},
        Case{"NoCallId", {{"Call-ID", ""}}, "SIP/2.0 400"},
        Case{"TwoCallIds", {{"Call-ID", "Call-ID: one\r\nCall-ID: two"}}, "SIP/2.0 400"},
        Case{"WrongVersion", {{"SUBSCRIBE", "SUBSCRIBE sip:gms@mcx.example SIP/7.0"}}, "SIP/2.0 505"},
        Case{"UnknownMethod",
             {{"SUBSCRIBE", "NEWMETHOD sip:gms@mcx.example SIP/2.0"}, {"CSeq", "CSeq: 1 NEWMETHOD"}},
             "SIP/2.0 501"},
        Case{"MethodNotAllowed",
             {{"SUBSCRIBE", "BYE sip:gms@mcx.example SIP/2.0"}, {"CSeq", "CSeq: 1 BYE"}},
             "SIP/2.0 405"},
        Case{"RequireUnknown", {{"Expires", "Expires: 60\r\nRequire: nothingSupportsThis"}}, "SIP/2.0 420"},
        Case{"UnknownScheme", {{"SUBSCRIBE", "SUBSCRIBE nobody:gms@mcx.example SIP/2.0"}}, "SIP/2.0 416"},
        Case{"TelScheme", {{"SUBSCRIBE", "SUBSCRIBE tel:+49123 SIP/2.0"}}, "SIP/2.0 416"},
        Case{"ContentEncoding", {{"Expires", "Content-Encoding: gzip"}}, "SIP/2.0 415"},
        Case{"UnknownDialog", {{"To", "To: <sip:gms@mcx.example>;tag=not-ours"}}, "SIP/2.0 481"},
        Case{"UnknownUser", {{"SUBSCRIBE", "SUBSCRIBE sip:nobody@mcx.example SIP/2.0"}}, "SIP/2.0 404"},
        Case{"CompactAndFolded",
             {{"From", "f:\r\n <sip:bob@mcx.example>;\r\n\ttag=f1"}, {"Event", "o: xcap-diff"}},
             "SIP/2.0 200"},
        Case{"EscapedNulInUser", {{"From", "From: <sip:null-%00-null@mcx.example>;tag=f1"}}, "SIP/2.0 200"}),
    [](const testing::TestParamInfo<Case>& one) { return one.param.name; });

TEST(WireTest, HeadersComeOverAsTheyWereSent) {
  Server server;
  Wire wire(server.station.port());
  wire.say(request({{"From", "f: \"Bob; B.\"\r\n <sip:bob@mcx.example;x=y>;\r\n\ttag=f1"},
                    {"Event", "o: xcap-diff;\r\n diff-processing=aggregate"},
                    {"Expires",
                     "Accept: application/xcap-diff+xml\r\nAccept: text/plain, text/html\r\n"
                     "Record-Route: <sip:p2@192.0.2.2;lr>, <sip:p1@192.0.2.1;lr>\r\n"
                     "P-Asserted-Service: urn:urn-7:3gpp-service.ims.icsi.mcptt\r\nX-Odd:  a  b "
                     "\r\nX-Folded: one\r\n two\r\nX-Empty:"}},
                   "body"));
  const std::string heard = wire.hear("\r\n\r\n");
  EXPECT_THAT(heard, testing::StartsWith("SIP/2.0 200"));
  EXPECT_THAT(heard, testing::HasSubstr("Record-Route: <sip:p2@192.0.2.2;lr>"));  // RFC 3261 12.1.1
  EXPECT_THAT(heard, testing::HasSubstr("<sip:p1@192.0.2.1;lr>"));
  EXPECT_THAT(heard,
              testing::HasSubstr("Contact: <sip:gms@127.0.0.1:" + std::to_string(server.station.port())));
  const auto seen = server.seen.take();
  ASSERT_TRUE(seen);
  EXPECT_EQ(uri_in(seen->from), "sip:bob@mcx.example;x=y");
  EXPECT_EQ(tag_in(seen->from), "f1");
  EXPECT_EQ(split_parameters(seen->event).value, "xcap-diff");
  EXPECT_EQ(split_parameters(seen->event).parameter("diff-processing"), "aggregate");
  EXPECT_EQ(seen->accept, "application/xcap-diff+xml, text/plain, text/html");
  EXPECT_EQ(seen->expires, std::nullopt);
  EXPECT_EQ(seen->p_asserted_service, "urn:urn-7:3gpp-service.ims.icsi.mcptt");
  EXPECT_EQ(find(seen->others, "X-Odd"), "a  b");
  EXPECT_THAT(std::string(find(seen->others, "X-Folded")), testing::MatchesRegex("one +two"));
  std::string routes;
  for (const Header& h : seen->others)
    if (same_token(h.name, "Record-Route")) routes += "[" + h.value + "]";
  EXPECT_THAT(routes, testing::HasSubstr("p2@192.0.2.2"));
  EXPECT_THAT(routes, testing::HasSubstr("p1@192.0.2.1"));
  EXPECT_EQ(text_of(seen->body), "body");
}

TEST(WireTest, AProxyThatRecordsItsRouteGetsTheRequestsInTheDialog) {
  // The peer's target is unreachable; only the recorded route leads to it.
  Silent proxy;
  Station gms(5);
  Mailbox<Dialog> made;
  gms.transport->serve("gms", [&](Incoming in) {
    made.put(gms.transport->accept_dialog(in.transaction).value());
    gms.transport->answer(in.transaction, make_response(200));
  });
  Wire wire(gms.port());
  wire.say(request({{"Contact", "Contact: <sip:bob@far.example>"},
                    {"Expires", "Record-Route: <sip:127.0.0.1:" + std::to_string(proxy.port()) +
                                    ";transport=tcp;lr>, <sip:p1@192.0.2.1;lr>"}}));
  const auto dialog = made.take();
  ASSERT_TRUE(dialog);
  Answers answers;
  gms.transport->send(dialog->id(), notify("<x/>"), into(answers));
  Wire at_proxy(proxy.accept_one(), true);
  const std::string heard = at_proxy.hear("<x/>");
  EXPECT_THAT(heard, testing::StartsWith("NOTIFY sip:bob@far.example SIP/2.0\r\n"));
  EXPECT_THAT(heard, testing::HasSubstr("Route: <sip:127.0.0.1:" + std::to_string(proxy.port()) +
                                        ";transport=tcp;lr>"));
  EXPECT_LT(heard.find(";transport=tcp;lr>"), heard.find("<sip:p1@192.0.2.1;lr>"));
  EXPECT_THAT(heard, testing::HasSubstr("Content-Length: 4\r\n"));
  EXPECT_THAT(heard, testing::HasSubstr("Max-Forwards: 70\r\n"));
  gms.transport->stop();
}

TEST(WireTest, ACseqThatDoesNotGrowIsRefused) {
  Server server;
  Wire wire(server.station.port());
  wire.say(request({}));
  const std::string first = wire.hear("\r\n\r\n");
  ASSERT_THAT(first, testing::StartsWith("SIP/2.0 200"));
  const std::size_t at = first.find("To: ");
  const std::string to = first.substr(at, first.find("\r\n", at) - at);
  const auto in_dialog = [&](int cseq, const std::string& branch) {
    wire.say(request({{"To", to},
                      {"CSeq", "CSeq: " + std::to_string(cseq) + " SUBSCRIBE"},
                      {"Via", "Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK-" + branch + ";rport"}}));
    return wire.hear("\r\n\r\n").substr(0, 11);
  };
  EXPECT_EQ(in_dialog(1, "a"), "SIP/2.0 500");
  EXPECT_EQ(in_dialog(5, "b"), "SIP/2.0 200");
  EXPECT_EQ(in_dialog(4, "c"), "SIP/2.0 500");
}

TEST(WireTest, ARequestInTheDialogReachesItsHandlerWhateverItsRequestUriSays) {
  Server server;
  Wire wire(server.station.port());
  wire.say(request({}));
  const std::string first = wire.hear("\r\n\r\n");
  const std::size_t at = first.find("To: ");
  wire.say(request({{"To", first.substr(at, first.find("\r\n", at) - at)},
                    {"CSeq", "CSeq: 2 SUBSCRIBE"},
                    {"SUBSCRIBE", "SUBSCRIBE sip:192.0.2.10:5060 SIP/2.0"},
                    {"Via", "Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK-x;rport"}}));
  EXPECT_THAT(wire.hear("\r\n\r\n"), testing::StartsWith("SIP/2.0 200"));
}

TEST(WireTest, ARequestInTheDialogWithAnotherFromTagIsUnknown) {
  Server server;
  Wire wire(server.station.port());
  wire.say(request({}));
  const std::string first = wire.hear("\r\n\r\n");
  const std::size_t at = first.find("To: ");
  wire.say(request({{"To", first.substr(at, first.find("\r\n", at) - at)},
                    {"CSeq", "CSeq: 2 SUBSCRIBE"},
                    {"From", "From: <sip:bob@mcx.example>;tag=f2"},
                    {"Via", "Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK-x;rport"}}));
  EXPECT_THAT(wire.hear("\r\n\r\n"), testing::StartsWith("SIP/2.0 481"));
}

TEST(WireTest, ASubscribeWithoutContactMakesNoDialog) {
  Station gms(5);
  Mailbox<Result<Dialog>> made;
  gms.transport->serve("", [&](Incoming in) {
    made.put(gms.transport->accept_dialog(in.transaction));
    gms.transport->answer(in.transaction, make_response(400));
  });
  Wire wire(gms.port());
  wire.say(request({{"Contact", ""}}));
  const auto outcome = made.take();
  ASSERT_TRUE(outcome && !outcome->ok());
  EXPECT_EQ(outcome->error().code, Errc::malformed);
  EXPECT_THAT(wire.hear("\r\n\r\n"), testing::StartsWith("SIP/2.0 400"));
}

TEST(WireTest, ARequestThatNobodyAnswersGets500AtTheGuard) {
  SofiaOptions options;
  options.answer_within = 200ms;
  Station gms(5, options);
  gms.transport->serve("gms", [](Incoming) {});
  Wire wire(gms.port());
  wire.say(request({}));
  EXPECT_THAT(wire.hear("\r\n\r\n"), testing::StartsWith("SIP/2.0 500"));
}

TEST(WireTest, OctetsThatAreNoSipDoNotStopTheServer) {
  Server server;
  test::SeededRandom random(42);
  for (int round = 0; round < 60; ++round) {
    Wire wire(server.station.port());
    Octets junk(200);
    random.fill(junk);
    std::string text = round % 3 == 0 ? std::string(text_of(junk)) : request({}, "0123456789");
    if (round % 3 == 1) text.resize(text.size() * static_cast<std::size_t>(round) / 60);  // cut
    if (round % 3 == 2)
      for (int i = 0; i < 12; ++i)
        text[random.octets<1>()[0] % text.size()] = static_cast<char>(junk[static_cast<std::size_t>(i)]);
    wire.say(text);
  }
  Wire wire(server.station.port());
  wire.say(request({{"Call-ID", "Call-ID: fine"}}));
  EXPECT_THAT(wire.hear("\r\n\r\n"), testing::StartsWith("SIP/2.0 200")) << "seed 42";
}

}  // namespace
}  // namespace regroup::sip
