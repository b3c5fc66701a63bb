// SPDX-License-Identifier: Apache-2.0
#include "sip/message.hpp"

#include "sip/transport.hpp"
#include "vectors.hpp"

namespace regroup::sip {
namespace {

TEST(MessageTest, TakesHeaderValuesApartAtTheirParameters) {
  const Parameterised p = split_parameters(" active ; expires=3540;Reason=\"a;\\\"b\";flag");
  EXPECT_EQ(p.value, "active");
  EXPECT_EQ(p.parameter("Expires"), "3540");
  EXPECT_EQ(p.parameter("reason"), "a;\"b");
  EXPECT_EQ(p.parameter("flag"), "");
  EXPECT_EQ(p.parameter("nothing"), std::nullopt);
}

TEST(MessageTest, FindsTheUriAndTheTagOfAnAddress) {
  EXPECT_EQ(uri_in("\"A < B\" <sip:a@b;x=y>;tag=1"), "sip:a@b;x=y");
  EXPECT_EQ(tag_in("\"A;tag=9\" <sip:a@b;tag=8>;tag=1"), "1");
  EXPECT_EQ(uri_in("sip:a@b;tag=1"), "sip:a@b");  // RFC 3261 20: without <> the parameters are the header's
  EXPECT_EQ(tag_in("sip:a@b;tag=1"), "1");
  EXPECT_EQ(tag_in("<sip:a@b;tag=8>"), "");
  EXPECT_EQ(uri_in("<sip:a@b"), "");
  EXPECT_EQ(uri_in("\"open <sip:a@b>"), "\"open <sip:a@b>");
}

TEST(MessageTest, FindsTheUserPart) {
  EXPECT_EQ(user_of("sip:bob-1@host:5060;transport=tcp"), "bob-1");
  EXPECT_EQ(user_of("SIPS:a%40b:secret@host"), "a@b");
  EXPECT_EQ(user_of("sip:host"), "");
  EXPECT_EQ(user_of("tel:+4912"), "");
  EXPECT_EQ(user_of("sip:a%4@host"), "a%4");
}

TEST(MessageTest, NothingWithAControlCharacterIsSendable) {
  Request good;
  good.method = "NOTIFY";
  good.request_uri = "sip:a@b";
  EXPECT_TRUE(check_sendable(good).ok());
  const auto refused = [&](auto change) {
    Request bad = good;
    change(bad);
    return !check_sendable(bad).ok();
  };
  EXPECT_TRUE(refused([](Request& r) { r.method = "NOT IFY"; }));
  EXPECT_TRUE(refused([](Request& r) { r.request_uri = "sip:a@b\r\nX: y"; }));
  EXPECT_TRUE(refused([](Request& r) { r.request_uri = ""; }));
  for (std::string Request::*field :
       {&Request::from, &Request::to, &Request::call_id, &Request::contact, &Request::event, &Request::accept,
        &Request::subscription_state, &Request::p_asserted_service, &Request::content_type})
    EXPECT_TRUE(refused([&](Request& r) { r.*field = "x\ny"; }));
  EXPECT_TRUE(refused([](Request& r) { r.others = {{"X", std::string("a\0b", 3)}}; }));
  EXPECT_TRUE(refused([](Request& r) { r.others = {{"X:", "a"}}; }));
  EXPECT_TRUE(refused([](Request& r) { r.body = {1}; }));  // no Content-Type
}

Dialog sample() {
  Dialog d;
  d.call_id = "c-1";
  d.local_tag = "l";
  d.remote_tag = "r";
  d.local_uri = "sip:gms@mcx.example";
  d.remote_uri = "tel:+49 30";
  d.remote_target = "sip:bob@192.0.2.7:5060;transport=tcp";
  d.local_contact = "sip:gms@192.0.2.10:5060;transport=tcp";
  d.route_set = {"sip:p2@192.0.2.2;lr", "sip:p1@192.0.2.1"};
  d.next_hop = "sip:192.0.2.1";
  d.local_cseq = 7;
  d.remote_cseq = 2147483647;
  d.confirmed = true;
  return d;
}

TEST(DialogTest, IsReadAsItWasWritten) {
  EXPECT_EQ(parse_dialog(write_dialog(sample())).value(), sample());
  Dialog young = sample();
  young.remote_tag.clear();
  young.next_hop.clear();
  young.route_set.clear();
  young.confirmed = false;
  EXPECT_EQ(parse_dialog(write_dialog(young)).value(), young);
}

TEST(DialogTest, ABrokenRecordIsRefused) {
  const std::string good = write_dialog(sample());
  EXPECT_EQ(parse_dialog("regroup-dialog-2\n").error().code, Errc::unsupported);
  EXPECT_EQ(parse_dialog("").error().code, Errc::malformed);
  EXPECT_EQ(parse_dialog(good + "nonsense\n").error().code, Errc::malformed);
  EXPECT_EQ(parse_dialog(good + "local-cseq 2147483648\n").error().code, Errc::malformed);
  EXPECT_EQ(parse_dialog(good + "local-cseq 1x\n").error().code, Errc::malformed);
  EXPECT_EQ(parse_dialog(good + "next-hop a\rb\n").error().code, Errc::malformed);
  EXPECT_EQ(parse_dialog(good + std::string(20000, 'x') + " y\n").error().code, Errc::limit);
  std::string routes = good;
  for (int i = 0; i < 20; ++i) routes += "route sip:x\n";
  EXPECT_EQ(parse_dialog(routes).error().code, Errc::limit);
  const std::size_t line = good.find("local-tag");
  EXPECT_EQ(parse_dialog(std::string(good).erase(line, good.find('\n', line) + 1 - line)).error().code,
            Errc::malformed);
}

}  // namespace
}  // namespace regroup::sip
