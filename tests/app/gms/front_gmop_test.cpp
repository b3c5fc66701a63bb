// SPDX-License-Identifier: Apache-2.0
// GMOP over HTTP (TS 24.481 7.3): regroup and tear-down by a client, and the partner's side of C3, C9 and
// tear-down (TS 23.179 10.6.2.2, TS 33.179 7.3.5.3) with payloads that a real primary made.
#include <gmock/gmock.h>

#include "app/gms/gms_lab.hpp"

namespace regroup::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// ---- by a client

class GmsFrontGmop : public testing::Test {
 protected:
  GmsFrontGmop() {
    lab.create(kFire, {kAnn, kBob});
    lab.create(kRescue, {kBob, kCarol});
  }
  xcap::GmopResponse regroup(const std::string& id, const std::vector<std::string>& groups,
                             const std::string& who = kDispatch) {
    return gmop_in(lab.gmop(who, regroup_request(id, groups)));
  }
  xcap::GmopResponse teardown(const std::string& id, const std::string& temporary,
                              const std::string& who = kDispatch) {
    return gmop_in(lab.gmop(who, xcap::RegroupTeardown{id, temporary, {}}, temporary));
  }
  std::string text(const std::string& who, const std::string& path) {
    return std::string(lab.get(who, path).body.text());
  }
  GmsLab lab;
};

TEST_F(GmsFrontGmop, ARegroupKeysAllMembersThroughTheirConstituents) {
  xcap::RegroupCreation request = regroup_request("req-00000001", {kFire, kRescue});
  request.regrouped.requestor = kMallory;
  const auto answer = gmop_in(lab.gmop(kDispatch, request));
  ASSERT_TRUE(answer.accepted) << answer.reason;
  EXPECT_EQ(answer.id, "req-00000001");
  EXPECT_EQ(answer.operation, xcap::RegroupCreation::kName);

  std::set<std::string> keys;
  for (const auto& [who, constituent] :
       {std::pair(kAnn, kFire), std::pair(kBob, kFire), std::pair(kCarol, kRescue)}) {
    const auto document = xcap::parse_gktp(lab.get(who, GmsLab::keys_path(constituent)).body.view()).value();
    ASSERT_EQ(document.size(), 2u) << who;
    EXPECT_EQ(document[1].temporary, answer.temporary);
    LabUe client = client_of(who, lab.clock());
    client.take(client.ue->document(constituent, payloads_in(document)));
    EXPECT_EQ(client.held(answer.temporary).size(), 1u) << who;
    keys.insert(client.held(answer.temporary)["both"]);
    EXPECT_EQ(lab.get(who, GmsLab::keys_path(answer.temporary)).status, 200u) << "its own document (PR-17)";
  }
  EXPECT_EQ(keys.size(), 1u) << "one key for all";
  const std::string seen = text(kAnn, GmsLab::group_path(kFire));
  EXPECT_THAT(seen, HasSubstr("temporary-MCPTT-group-ID=\"" + answer.temporary + "\""));
  EXPECT_THAT(seen, HasSubstr("temporary-MCPTT-group-requestor=\"" + kDispatch + "\""))
      << "the identity of the token, whatever the request says";
  EXPECT_THAT(text(kCarol, GmsLab::group_path(answer.temporary)), HasSubstr("on-network-temporary"));
  EXPECT_EQ(lab.get(kMallory, GmsLab::group_path(answer.temporary)).status, 404u);
}

TEST_F(GmsFrontGmop, TheSameIdAgainIsTheSameTemporaryGroupAndNoSecondKey) {
  const auto first = regroup("req-00000001", {kFire, kRescue});
  const std::size_t keys = lab.keys();
  EXPECT_EQ(regroup("req-00000001", {kFire, kRescue}).temporary, first.temporary);
  EXPECT_EQ(regroup("req-00000001", {kRescue, kPolice}).temporary, first.temporary)
      << "whatever the body says (PR-25)";
  lab.restart();
  EXPECT_EQ(regroup("req-00000001", {kFire, kRescue}).temporary, first.temporary) << "nor after a restart";
  EXPECT_EQ(lab.keys(), keys);
  const auto other = regroup("req-00000001", {kFire, kRescue}, kDispatchTwo);
  EXPECT_EQ(other.reason, "already-regrouped") << "an id belongs to its sender";
}

TEST_F(GmsFrontGmop, RefusalsAreAnsweredAndChangeNothing) {
  const std::size_t keys = lab.keys();
  EXPECT_EQ(regroup("req-00000001", {kFire, kRescue}, kAnn).reason, "not-authorised");
  EXPECT_EQ(regroup("req-00000002", {kFire, kFire}).reason, "policy");
  EXPECT_EQ(regroup("req-00000003", {kFire, "sip:none@alpha.example"}).reason, "unknown-group");
  EXPECT_EQ(regroup("req-00000004", {kFire, "sip:x@elsewhere.example"}).reason, "not-trusted");
  EXPECT_EQ(lab.keys(), keys);
  const auto temporary = regroup("req-00000005", {kFire, kRescue}).temporary;
  lab.create("sip:third@alpha.example", {kAnn});
  EXPECT_EQ(regroup("req-00000006", {temporary, "sip:third@alpha.example"}).reason, "temporary-group");
  EXPECT_EQ(regroup("req-00000007", {kFire, "sip:third@alpha.example"}).reason, "already-regrouped");
}

TEST_F(GmsFrontGmop, WhatIsNoOperationOfAClientGetsItsHttpStatus) {
  const auto status = [&](const std::string& body, std::string_view type = xcap::mime::kGmop) {
    return lab.ask(GmsLab::request("POST", GmsLab::group_path(kFire), lab.token(kDispatch), type, body))
        .status;
  };
  const std::string head = "<document xmlns=\"urn:3gpp:ns:mcpttGMOP:1.0\"><request>",
                    tail = "</request></document>";
  EXPECT_EQ(status(head + "<sing/>" + tail), 501u);
  EXPECT_EQ(status(head + tail), 400u);
  EXPECT_EQ(status(head + "<group-regroup-creation id=\"req-00000001\"/>" + tail), 400u) << "no groups";
  EXPECT_EQ(status(xcap::write_gmop(xcap::GmopRequest(regroup_request("short", {kFire, kRescue})))), 400u);
  EXPECT_EQ(status(head + "<sing/>" + tail, "text/xml"), 415u);
  EXPECT_EQ(
      status(head + "<get-excluding-memberlist/>" + tail, "Application/vnd.3gpp.gmop+XML; charset=utf-8"),
      200u);
  xcap::RegroupNotification c9;
  c9.id = "rg-0000000000000001";
  c9.regrouped = regroup_request("x", {kFire, kRescue}).regrouped;
  c9.regrouped.temporary = "sip:tmp-1@beta.example";
  EXPECT_EQ(status(xcap::write_gmop(xcap::GmopRequest(c9))), 501u) << "C9 is a server's";
}

TEST_F(GmsFrontGmop, ATeardownWithdrawsTheKeyAndLeavesTheConstituentsAsTheyWere) {
  const std::string fire = etag_in(lab.get(kBob, GmsLab::keys_path(kFire))),
                    group = etag_in(lab.get(kBob, GmsLab::group_path(kFire)));
  const std::string temporary = regroup("req-00000001", {kFire, kRescue}).temporary;
  EXPECT_EQ(teardown("req-00000002", temporary, kAnn).reason, "not-authorised");
  EXPECT_NE(etag_in(lab.get(kBob, GmsLab::keys_path(kFire))), fire);

  EXPECT_TRUE(teardown("req-00000003", temporary).accepted);
  EXPECT_EQ(etag_in(lab.get(kBob, GmsLab::keys_path(kFire))), fire);
  EXPECT_EQ(etag_in(lab.get(kBob, GmsLab::group_path(kFire))), group);
  EXPECT_EQ(lab.get(kBob, GmsLab::keys_path(temporary)).status, 404u);
  EXPECT_EQ(lab.get(kBob, GmsLab::group_path(temporary)).status, 404u);
  EXPECT_EQ(lab.ledger(temporary)["keys"][0]["withdrawn"], true);
  EXPECT_TRUE(teardown("req-00000004", temporary).accepted) << "again: the same success";
  EXPECT_TRUE(regroup("req-00000005", {kFire, kRescue}).accepted) << "and the groups are free";
}

TEST_F(GmsFrontGmop, DeleteOfTheTemporaryDocumentIsATeardown) {
  const std::string temporary = regroup("req-00000001", {kFire, kRescue}).temporary;
  const auto erase = [&](const std::string& who) {
    return lab.ask(GmsLab::request("DELETE", GmsLab::group_path(temporary), lab.token(who))).status;
  };
  EXPECT_EQ(erase(kMallory), 404u);
  EXPECT_EQ(erase(kBob), 403u);
  EXPECT_EQ(erase(kDispatch), 200u);
  EXPECT_EQ(lab.get(kBob, GmsLab::group_path(temporary)).status, 404u);
  EXPECT_EQ(erase(kDispatch), 404u);
}

TEST_F(GmsFrontGmop, AServerThatIsNoPartnerIsRefused) {
  const std::string body =
      xcap::write_gmop(xcap::GmopRequest(regroup_request("rg-00000001", {kFire, kPolice})));
  const std::size_t before = lab.commits();
  const auto status = [&](const std::string& certified, const std::string& asserted) {
    return lab
        .ask(GmsLab::peer_request("POST", GmsLab::group_path(kFire), certified, asserted, xcap::mime::kGmop,
                                  body))
        .status;
  };
  EXPECT_EQ(status("sip:gms@delta.example", "sip:gms@delta.example"), 403u) << "unknown";
  EXPECT_EQ(status("sip:gms@delta.example", kGmsB), 403u) << "pretends to be a partner";
  EXPECT_EQ(status(kDispatch, kDispatch), 403u) << "a dispatcher's identity without a token";
  EXPECT_EQ(lab.commits(), before);
  EXPECT_EQ(status(kGmsB, kGmsB), 200u);
}

TEST_F(GmsFrontGmop, WithoutAnOwnKeySetWhatNeedsAKeyIsAnswered503AndReadsAreServed) {
  const std::string temporary = regroup("req-00000001", {kFire, kRescue}).temporary;
  lab.loop().run([&] { lab.keyed = false; });
  const std::size_t before = lab.commits();
  const auto refused = lab.gmop(kDispatch, regroup_request("req-00000002", {kFire, kRescue}));
  EXPECT_EQ(refused.status, 503u);
  EXPECT_TRUE(refused.headers.contains("Retry-After"));
  EXPECT_EQ(lab.gmop(kDispatch, xcap::RegroupTeardown{"down-0001", temporary, {}}, temporary).status, 503u);
  const std::string c3 =
      xcap::write_gmop(xcap::GmopRequest(regroup_request("rg-00000001", {kFire, kPolice})));
  EXPECT_EQ(
      lab.ask(GmsLab::peer_request("POST", GmsLab::group_path(kFire), kGmsB, kGmsB, xcap::mime::kGmop, c3))
          .status,
      503u);
  EXPECT_EQ(lab.ask(GmsLab::request("DELETE", GmsLab::group_path(temporary), lab.token(kDispatch))).status,
            503u);
  EXPECT_EQ(lab.commits(), before);
  EXPECT_EQ(lab.ask(GmsLab::request("POST", GmsLab::group_path(kFire), "", xcap::mime::kGmop, c3)).status,
            403u)
      << "nobody learns it without a token";
  EXPECT_EQ(lab.get(kBob, GmsLab::keys_path(kFire)).status, 200u);
  EXPECT_EQ(lab.gmop(kDispatch, xcap::GetExcludingMemberlist{}).status, 200u);
}

// ---- between systems

// Both ends of the leg between the primary (alpha) and the partner (beta). What alpha wants to send is kept
// here and POSTed by hand.
class GmsFrontPartner : public testing::Test {
 protected:
  GmsFrontPartner() {
    alpha.create(kFire, {kAnn, kBob});
    beta.create(kPolice, {kQuinn});
    auto& core = alpha.core();
    core.ask_partner = [this](const gms::AskPartner& effect) { asks.push_back(effect); };
    core.notify_partner = [this](const gms::NotifyPartner& effect) { notifications.push_back(effect); };
    core.tear_down_partner = [this](const gms::TearDownPartner& effect) { teardowns.push_back(effect); };
  }
  ~GmsFrontPartner() override {
    alpha.stop();
    beta.stop();
  }

  http::Response post(const xcap::GmopRequest& operation, const std::string& from = kGmsA) {
    return beta.ask(GmsLab::peer_request("POST", GmsLab::group_path(kPolice), from, from, xcap::mime::kGmop,
                                         xcap::write_gmop(operation)));
  }
  // C1 at alpha, as far as it goes without the partner.
  void begin() {
    const http::Request request = GmsLab::request(
        "POST", GmsLab::group_path(kFire), alpha.token(kDispatch), xcap::mime::kGmop,
        xcap::write_gmop(xcap::GmopRequest(regroup_request("req-00000001", {kFire, kPolice}))));
    alpha.loop().run(
        [&] { alpha.front().handle(request, [this](http::Response got) { c13.emplace(std::move(got)); }); });
    ASSERT_EQ(asks.size(), 1u);
  }
  xcap::RegroupCreation c3() {
    xcap::RegroupCreation out = app::creation_of(asks.at(0).request, kGmsA);
    out.between_servers = true;
    return out;
  }
  // C5: alpha makes the key and wants to send C9.
  void accept() {
    const std::string id = asks.at(0).request.id;
    gms::Answer yes;
    yes.accepted = true;
    alpha.loop().run(
        [&] { alpha.core().carry_out(flow::partner_answered(alpha.core().gms(), kGmsB, id, yes)); });
    ASSERT_EQ(notifications.size(), 1u);
  }
  xcap::RegroupNotification c9() { return app::notification_for(notifications.at(0).notification, kGmsB); }

  GmsLab alpha, beta{"beta.example"};
  std::vector<gms::AskPartner> asks;
  std::vector<gms::NotifyPartner> notifications;
  std::vector<gms::TearDownPartner> teardowns;
  std::optional<http::Response> c13;
};

TEST_F(GmsFrontPartner, TheWholeLegEndsInOneKeyUnderThePartnersSignature) {
  begin();
  EXPECT_TRUE(gmop_in(post(c3())).accepted);
  EXPECT_TRUE(gmop_in(post(c3())).accepted) << "repeated";
  accept();
  const auto c12 = gmop_in(post(c9()));
  ASSERT_TRUE(c12.accepted) << c12.reason;
  EXPECT_EQ(c12.seq, 1u);
  EXPECT_FALSE(c12.members_keyed) << "how many of us hold it is nobody's business by default (PR-28)";
  const auto again = gmop_in(post(c9()));
  EXPECT_TRUE(again.accepted);
  EXPECT_FALSE(c13) << "the requester waits for the partner";
  alpha.loop().run([&] {
    alpha.core().carry_out(flow::partner_acknowledged(
        alpha.core().gms(), kGmsB, c9().id, 1,
        app::answer_of(c12, xcap::RegroupNotification::kName, c9().id, 1).value()));
  });
  ASSERT_TRUE(c13);
  const std::string temporary = gmop_in(*c13).temporary;
  EXPECT_EQ(beta.ledger(temporary)["keys"].size(), 1u) << "and no second key";
  EXPECT_EQ(beta.ledger(temporary)["keys"][0]["gmk_id"], alpha.ledger(temporary)["keys"][0]["gmk_id"]);

  const auto document = xcap::parse_gktp(beta.get(kQuinn, GmsLab::keys_path(kPolice)).body.view()).value();
  LabUe quinn = client_of(kQuinn, beta.clock(), kGmsB);
  quinn.take(quinn.ue->document(kPolice, payloads_in(document)));
  LabUe ann = client_of(kAnn, alpha.clock(), kGmsA);
  ann.take(ann.ue->document(
      kFire, payloads_in(xcap::parse_gktp(alpha.get(kAnn, GmsLab::keys_path(kFire)).body.view()).value())));
  EXPECT_EQ(quinn.held(temporary), ann.held(temporary));
  EXPECT_EQ(quinn.held(temporary).size(), 1u);

  LabUe curious = client_of(kQuinn, beta.clock(), kGmsA);
  curious.take(curious.ue->document(kPolice, payloads_in(c9().payloads)));
  EXPECT_TRUE(curious.held(temporary).empty()) << "the payload made for the GMS is not its member's";
}

TEST_F(GmsFrontPartner, APartnerThatMayLearnsHowManyHoldTheKey) {
  beta.loop().run([&] {
    for (gms::PartnerSettings& one : beta.settings.partners) one.tell_members_keyed = true;
  });
  begin();
  accept();
  EXPECT_EQ(gmop_in(post(c9())).members_keyed, 0u) << "quinn has not come for it yet";
}

TEST_F(GmsFrontPartner, ThePrimaryHidesWhoAskedAndBothHideTheirMembers) {
  begin();
  ASSERT_TRUE(gmop_in(post(c3())).accepted);
  accept();
  const std::string sent =
      xcap::write_gmop(xcap::GmopRequest(c3())) + xcap::write_gmop(xcap::GmopRequest(c9()));
  const auto answer = post(c9());
  const std::string got(answer.body.text());
  for (const std::string& name : {kDispatch, kAnn, kBob, kQuinn}) {
    EXPECT_THAT(sent, Not(HasSubstr(name)));
    EXPECT_THAT(got, Not(HasSubstr(name)));
  }
}

// PR-40: the payload must be signed by the very server that the connection belongs to.
TEST_F(GmsFrontPartner, AC9WhoseInitiatorIsNotTheTlsPeerIsRejected) {
  begin();
  accept();
  const std::size_t groups = beta.on_loop([&] { return beta.core().gms().state().groups.size(); });
  EXPECT_FALSE(gmop_in(post(c9(), kGmsC)).accepted) << "a temporary group of another system";
  xcap::RegroupNotification stolen = c9();
  stolen.id = "rg-stolen-payload";
  stolen.regrouped.temporary = "sip:tmp-1@gamma.example";
  const auto answer = gmop_in(post(stolen, kGmsC));
  EXPECT_FALSE(answer.accepted);
  EXPECT_EQ(answer.reason, "bad-signature");
  EXPECT_EQ(beta.on_loop([&] { return beta.core().gms().state().groups.size(); }), groups);
  EXPECT_EQ(beta.ledger(c9().regrouped.temporary)["keys"].size(), 0u);
  EXPECT_EQ(beta.ledger(stolen.regrouped.temporary)["keys"].size(), 0u);
  EXPECT_THAT(beta.on_loop([&] { return beta.log; }), testing::Contains(HasSubstr("C9 of " + kGmsC)));
  EXPECT_TRUE(gmop_in(post(c9())).accepted) << "the true primary is not disturbed";
}

// A deviation of the partner's product: refused by default, let through and counted where it is named.
TEST_F(GmsFrontPartner, AToleranceThatAC9NeedsIsNamedInTheLogAndCounted) {
  begin();
  accept();
  xcap::RegroupNotification odd = c9();
  mikey::Unsigned content = mikey::parse(odd.payloads.at(0).message).value();
  content.hdr.prf = 0;
  const mcx::KeySet signer = world().alpha.provision(kGmsA, beta.now());
  crypto::SystemRandom random;
  Octets message = mikey::write_to_sign(content);
  append(message, crypto::eccsi::sign(signer.signing(), message, random));
  odd.payloads.at(0).message = message;
  const auto log = [&] { return beta.on_loop([&] { return beta.log; }); };
  EXPECT_FALSE(gmop_in(post(odd)).accepted);
  EXPECT_THAT(log(), Not(testing::Contains(HasSubstr("tolerated"))));
  beta.loop().run([&] { beta.settings.tolerances.allow(gktp::Tolerance::accept_prf_other); });
  ++odd.seq;
  EXPECT_TRUE(gmop_in(post(odd)).accepted);
  EXPECT_THAT(log(), testing::Contains("tolerated accept_prf_other of " + kGmsA + ", time 1"));
}

// Whatever is wrong with a payload, the peer learns the same; the reason stays in the log.
TEST_F(GmsFrontPartner, EveryDamageOfAPayloadGetsOneAnswer) {
  begin();
  accept();
  const Octets good = c9().payloads.at(0).message;
  std::vector<std::pair<std::string, Octets>> damaged;
  const auto flip = [&](const std::string& name, std::size_t at) {
    damaged.emplace_back(name, good);
    damaged.back().second.at(at) ^= 1;
  };
  flip("the last octet of the signature", good.size() - 1);
  flip("the CSB ID", 7);
  flip("T", 24);
  for (std::size_t at = 40; at + 200 < good.size(); at += 37) flip("octet " + std::to_string(at), at);
  damaged.emplace_back("cut short", Octets(good.begin(), good.end() - 1));
  damaged.emplace_back("longer", good);
  damaged.back().second.push_back(0);
  damaged.emplace_back("the header alone", Octets{0x01, 0x1a, 0x05, 0x01});
  const auto quinns = xcap::parse_gktp(beta.get(kQuinn, GmsLab::keys_path(kPolice)).body.view()).value();
  damaged.emplace_back("for another receiver", quinns.at(0).message);

  const std::size_t keys = beta.keys();
  std::set<std::string> answers;
  unsigned number = 0;
  for (const auto& [name, message] : damaged) {
    xcap::RegroupNotification bad = c9();
    bad.id = "rg-damaged-" + std::to_string(++number);
    bad.payloads[0].message = message;
    const auto response = post(bad);
    const auto answer = gmop_in(response);
    EXPECT_FALSE(answer.accepted) << name;
    if (answer.reason == "bad-signature") {
      // Only where IDRi itself was hit: then another than the TLS peer is named.
      EXPECT_THAT(name, testing::StartsWith("octet ")) << name;
    } else {
      EXPECT_EQ(answer.reason, "key-undecryptable") << name;
    }
    std::string shape(response.body.text());
    shape.replace(shape.find(bad.id), bad.id.size(), "ID");
    answers.insert(shape);
  }
  EXPECT_LE(answers.size(), 2u) << "no detail beyond the reason";
  EXPECT_EQ(beta.keys(), keys);
  EXPECT_TRUE(gmop_in(post(c9())).accepted);
}

TEST_F(GmsFrontPartner, AC9WithoutAPayloadForAProtectedGroupIsRejected) {
  begin();
  ASSERT_TRUE(gmop_in(post(c3())).accepted);
  accept();
  xcap::RegroupNotification bare = c9();
  bare.payloads.clear();
  EXPECT_EQ(gmop_in(post(bare)).reason, "security-mismatch");
  xcap::RegroupNotification other = c9();
  other.regrouped.constituents = {kPolice, kRescue};
  other.seq = 2;
  EXPECT_EQ(gmop_in(post(other)).reason, "policy") << "other groups than agreed";
  EXPECT_TRUE(gmop_in(post(c9())).accepted);
}

TEST_F(GmsFrontPartner, AC3ForGroupsOfOthersOrUnknownGroupsIsRejected) {
  const auto ask = [&](const std::string& id, const std::vector<std::string>& groups,
                       const std::string& from = kGmsA) {
    xcap::RegroupCreation request = regroup_request(id, groups);
    request.between_servers = true;
    return gmop_in(post(request, from)).reason;
  };
  EXPECT_EQ(ask("rg-00000001", {kFire, kRescue}), "unknown-group");
  EXPECT_EQ(ask("rg-00000002", {kFire, "sip:none@beta.example"}), "unknown-group");
  EXPECT_EQ(ask("rg-00000003", {kFire, kPolice}), "");
  EXPECT_EQ(ask("rg-00000004", {"sip:x@gamma.example", kPolice}, kGmsC), "already-regrouped");
  EXPECT_EQ(asks.size(), 0u) << "a request of a partner is never forwarded";
  beta.advance(601);
  EXPECT_EQ(ask("rg-00000005", {"sip:x@gamma.example", kPolice}, kGmsC), "") << "the reservation lapsed";
}

TEST_F(GmsFrontPartner, OnlyItsPrimaryTearsDownATemporaryGroup) {
  begin();
  ASSERT_TRUE(gmop_in(post(c3())).accepted);
  accept();
  const std::string temporary = c9().regrouped.temporary;
  ASSERT_TRUE(gmop_in(post(c9())).accepted);
  EXPECT_TRUE(gmop_in(post(xcap::RegroupTeardown{"rg-elsewhere", temporary, {}}, kGmsC)).accepted);
  EXPECT_EQ(beta.get(kQuinn, GmsLab::keys_path(temporary)).status, 200u) << "without effect";
  const auto by_dispatcher =
      beta.gmop(kDispatch, xcap::RegroupTeardown{"req-00000009", temporary, {}}, temporary);
  EXPECT_EQ(gmop_in(by_dispatcher).reason, "not-authorised");

  EXPECT_TRUE(gmop_in(post(xcap::RegroupTeardown{c9().id, temporary, {}})).accepted);
  EXPECT_EQ(beta.get(kQuinn, GmsLab::keys_path(temporary)).status, 404u);
  EXPECT_EQ(beta.get(kQuinn, GmsLab::keys_path(kPolice)).status, 200u);
  EXPECT_TRUE(gmop_in(post(xcap::RegroupTeardown{c9().id, temporary, {}})).accepted) << "repeated";
}

// A partner restarted between C9 and its answer: the repeated C9 finds the key and makes no second one.
TEST_F(GmsFrontPartner, ARestartBetweenC9AndC12MakesNoSecondKey) {
  begin();
  ASSERT_TRUE(gmop_in(post(c3())).accepted);
  accept();
  ASSERT_TRUE(gmop_in(post(c9())).accepted);
  const std::string etag = etag_in(beta.get(kQuinn, GmsLab::keys_path(kPolice)));
  beta.restart();
  EXPECT_TRUE(gmop_in(post(c9())).accepted);
  EXPECT_EQ(beta.ledger(c9().regrouped.temporary)["keys"].size(), 1u);
  EXPECT_EQ(etag_in(beta.get(kQuinn, GmsLab::keys_path(kPolice))), etag) << "nor a new payload";
}

}  // namespace
}  // namespace regroup::test
