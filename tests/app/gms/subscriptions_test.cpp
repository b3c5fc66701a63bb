// SPDX-License-Identifier: Apache-2.0
// What a subscriber is told (TS 24.481 6.3.13, RFC 5874, RFC 5875; PR-26) and who is refused (PR-31).
#include "app/gms/subscriptions.hpp"

#include "app/gms/subscription_lab.hpp"

namespace regroup::test {
namespace {

// ---- what a subscriber is told

TEST_F(GmsSubscriptions, ASubscriberIsToldTheFullStateAtOnce) {
  const std::string group = GmsLab::group_path(kFire), keys = GmsLab::keys_path(kFire);
  EXPECT_EQ(subscribe(bob, kBob, {collection_of(kBob), group, keys}), 200);
  EXPECT_EQ(bob.response->value().expires, 3600u);
  ASSERT_EQ(bob.told.size(), 1u);
  EXPECT_THAT(bob.notified[0].subscription_state, testing::StartsWith("active;expires=3600"));
  EXPECT_EQ(bob.notified[0].content_type, xcap::mime::kXcapDiff);
  EXPECT_EQ(bob.told[0].root, lab.root);
  ASSERT_EQ(bob.told[0].documents.size(), 3u);
  for (const xcap::DocumentDiff& one : bob.told[0].documents) EXPECT_EQ(one.previous_etag, "");
  const std::string key_etag = etag_in(lab.get(kBob, keys));
  EXPECT_EQ(bob.told[0].documents[0].sel, collection_of(kBob) + http::percent_encode(kFire));
  EXPECT_EQ(bob.told[0].documents[0].new_etag, key_etag);
  EXPECT_EQ(bob.told[0].documents[1].new_etag, etag_in(lab.get(kBob, group)));
  EXPECT_EQ(bob.told[0].documents[2].new_etag, key_etag) << "the ETag that HTTP gives this reader";
  EXPECT_TRUE(present(kBob));
  EXPECT_FALSE(present(kAnn));
}

TEST_F(GmsSubscriptions, SelIsTheSubscribedStringToTheLetter) {
  const std::vector<std::string> spellings{
      "org.openmobilealliance.groups/global/byGroupID/"
      "sip%3Afire%40alpha.example",
      "org.openmobilealliance.groups/global/byGroupID/sip:fire@alpha.example",
      "org.openmobilealliance.groups/global/byGroupID/"
      "sip%3afire%40alpha.example",
      lab.root + "org.3gpp.MCPTT-GKTP/global/byGroupID/sip:fire@alpha.example",
      "org.3gpp.MCPTT-GKTP/global/byGroupID/sip%3Afire@alpha.example/~~/GKTPs/"
      "GMK-GKTPs"};
  ASSERT_EQ(subscribe(bob, kBob, spellings), 200);
  std::vector<std::string> seen;
  for (const auto& one : bob.told.at(0).documents) seen.push_back(one.sel);
  for (const auto& one : bob.told.at(0).elements) seen.push_back(one.sel);
  EXPECT_EQ(seen, spellings);
}

TEST_F(GmsSubscriptions, AnElementSubscriptionCarriesThePayloadInTheNotify) {
  ASSERT_EQ(subscribe(bob, kBob, {part_of(kFire)}), 200);
  ASSERT_EQ(bob.told.size(), 1u);
  ASSERT_EQ(bob.told[0].elements.size(), 1u);
  const auto carried = xcap::read_gktp(*bob.told[0].elements[0].content).value();
  ASSERT_EQ(carried.size(), 1u);
  LabUe client = client_of(kBob, lab.clock());
  client.take(client.ue->document(kFire, payloads_in(carried), ue::Ue::Part::gmk));
  EXPECT_EQ(client.held(kFire).size(), 1u);
  const auto ledger = lab.ledger(kFire);
  for (const auto& row : ledger["rows"])
    if (row["member"] == kBob) {
      EXPECT_EQ(row["state"], "FETCHED");
      EXPECT_EQ(row["via"], "notify");
    } else {
      EXPECT_EQ(row["state"], "PREPARED");
    }
  EXPECT_EQ(std::string(text_of(bob.notified[0].body)).find("ann"), std::string::npos);
}

TEST_F(GmsSubscriptions, ADocumentSubscriptionAloneMarksTheMemberNotified) {
  ASSERT_EQ(subscribe(bob, kBob, {GmsLab::keys_path(kFire)}), 200);
  EXPECT_EQ(lab.state_of(kFire, kBob), "NOTIFIED") << "told, but the payload is not proven to be there";
  ASSERT_EQ(lab.get(kBob, GmsLab::keys_path(kFire)).status, 200u);
  EXPECT_EQ(lab.state_of(kFire, kBob), "FETCHED");
}

// PR-26: the collection brings groups the member never heard of, and takes away those it has lost.
TEST_F(GmsSubscriptions, TheCollectionTellsOfNewGroupsRekeysAndLoss) {
  ASSERT_EQ(subscribe(bob, kBob, {collection_of(kBob)}), 200);
  const std::string fire = collection_of(kBob) + http::percent_encode(kFire),
                    rescue = collection_of(kBob) + http::percent_encode(kRescue);
  lab.create(kRescue, {kBob, kCarol});
  pass();
  ASSERT_EQ(bob.told.size(), 2u);
  ASSERT_EQ(bob.told[1].documents.size(), 1u);
  EXPECT_EQ(bob.told[1].documents[0].sel, rescue);
  EXPECT_EQ(bob.told[1].documents[0].previous_etag, "");

  lab.create(kFire, {kBob});  // Ann leaves: a new key
  pass();
  ASSERT_EQ(bob.told.size(), 3u);
  ASSERT_EQ(bob.told[2].documents.size(), 1u);
  EXPECT_EQ(bob.told[2].documents[0].sel, fire);
  EXPECT_EQ(bob.told[2].documents[0].previous_etag, bob.told[0].documents[0].new_etag);
  EXPECT_EQ(bob.told[2].documents[0].new_etag, etag_in(lab.get(kBob, GmsLab::keys_path(kFire))));

  lab.create(kFire, {kAnn});  // Bob leaves
  pass();
  ASSERT_EQ(bob.told.size(), 4u);
  ASSERT_EQ(bob.told[3].documents.size(), 1u);
  EXPECT_EQ(bob.told[3].documents[0].sel, fire);
  EXPECT_EQ(bob.told[3].documents[0].new_etag, "");
  EXPECT_NE(bob.told[3].documents[0].previous_etag, "");
}

// The selector of a part keeps pointing at the current key, and says when it is gone (RFC 5874 4.4).
TEST_F(GmsSubscriptions, AnElementSubscriptionFollowsARekeyAndTheEnd) {
  ASSERT_EQ(subscribe(bob, kBob, {part_of(kFire)}), 200);
  lab.create(kFire, {kBob});
  pass();
  ASSERT_EQ(bob.told.size(), 2u);
  ASSERT_EQ(bob.told[1].elements.size(), 1u);
  const auto before = xcap::read_gktp(*bob.told[0].elements[0].content).value(),
             after = xcap::read_gktp(*bob.told[1].elements[0].content).value();
  EXPECT_NE(before[0].message, after[0].message);
  EXPECT_EQ(after[0].id, kBob);
  lab.create(kFire, {kAnn});
  pass();
  ASSERT_EQ(bob.told.size(), 3u);
  ASSERT_EQ(bob.told[2].elements.size(), 1u);
  EXPECT_FALSE(bob.told[2].elements[0].content);
  EXPECT_EQ(bob.told[2].elements[0].sel, part_of(kFire));
}

TEST_F(GmsSubscriptions, AReGroupArrivesInTheConstituentAndLeavesAgain) {
  lab.create(kRescue, {kBob});
  ASSERT_EQ(subscribe(bob, kBob, {GmsLab::group_path(kFire), part_of(kFire)}), 200);
  const auto answer = gmop_in(lab.gmop(kDispatch, regroup_request("req-00000001", {kFire, kRescue})));
  pass();
  ASSERT_EQ(bob.told.size(), 2u);
  ASSERT_EQ(bob.told[1].documents.size(), 1u);
  const auto carried = xcap::read_gktp(*bob.told[1].elements.at(0).content).value();
  ASSERT_EQ(carried.size(), 2u);
  EXPECT_EQ(carried[1].temporary, answer.temporary);
  const xcap::RegroupTeardown down{"req-00000002", answer.temporary, {}};
  ASSERT_TRUE(gmop_in(lab.gmop(kDispatch, down)).accepted);
  pass();
  ASSERT_EQ(bob.told.size(), 3u);
  EXPECT_EQ(bob.told[2].documents.at(0).new_etag, bob.told[0].documents.at(0).new_etag);
  EXPECT_EQ(*bob.told[2].elements.at(0).content, *bob.told[0].elements.at(0).content);
}

// ---- who is refused

TEST_F(GmsSubscriptions, ANonMembersSubscriptionShowsNothing) {
  EXPECT_EQ(subscribe(mallory, kMallory, {GmsLab::group_path(kFire)}), 403);
  EXPECT_EQ(subscribe(mallory, kMallory, {collection_of(kBob)}), 403) << "another's collection";
  EXPECT_EQ(subscribe(mallory, kMallory, {"org.openmobilealliance.groups/global/byGroupID/"}), 403);
  EXPECT_EQ(subscribe(mallory, kMallory, {"https://elsewhere.example/xcap-root/x"}), 403);
  EXPECT_EQ(subscriptions(), 0u);
  const std::vector<std::string> hidden{GmsLab::keys_path(kFire), part_of(kFire),
                                        GmsLab::keys_path("sip:none@alpha.example")};
  EXPECT_EQ(subscribe(mallory, kMallory, hidden), 200) << "a group not his is like one that does not exist";
  ASSERT_EQ(mallory.told.size(), 1u);
  EXPECT_TRUE(mallory.told[0].documents.empty());
  EXPECT_TRUE(mallory.told[0].elements.empty());
  lab.create(kFire, {kBob});
  pass(5);
  EXPECT_EQ(mallory.told.size(), 1u);
  const std::vector<std::string> mixed{GmsLab::group_path(kFire), collection_of(kMallory)};
  EXPECT_EQ(subscribe(mallory, kMallory, mixed), 200) << "what is not permitted is left out silently";
  EXPECT_TRUE(mallory.told.back().documents.empty());
}

TEST_F(GmsSubscriptions, SubscribeWithoutAGoodTokenOrFormIsRefusedByItsStatus) {
  const std::vector<std::string> uris{collection_of(kBob)};
  const auto open = [&](sip::Request request, const std::string& uri = kGmsA) {
    lab.loop().run([&] { bob.open(std::move(request), uri); });
    pass();
    return bob.status();
  };
  const std::string token = lab.token(kBob);
  EXPECT_EQ(open(Phone::request("", uris, 3600)), 403) << "no token";
  EXPECT_EQ(open(Phone::request("nonsense", uris, 3600)), 403);
  EXPECT_EQ(open(Phone::request(lab.token(kBob, {"3gpp:mc:ptt_key_management_service"}), uris, 3600)), 403);
  const std::string old = lab.token(kBob, {kGroupScope}, 60);
  lab.advance(120);
  EXPECT_EQ(open(Phone::request(old, uris, 3600)), 403) << "expired";
  EXPECT_EQ(open(Phone::request(token, uris, 3600), "sip:other@alpha.example"), 404);
  EXPECT_EQ(open(Phone::request(token, uris, 30)), 423);
  EXPECT_EQ(sip::find(bob.response->value().headers, "Min-Expires"), "60");
  sip::Request other = Phone::request(token, uris, 3600);
  other.event = "presence";
  EXPECT_EQ(open(other), 489);
  EXPECT_EQ(sip::find(bob.response->value().headers, "Allow-Events"), "xcap-diff");
  sip::Request bare = Phone::request("", {}, 3600);
  EXPECT_EQ(open(bare), 415);
  sip::Request broken = Phone::request(token, uris, 3600);
  broken.body.resize(broken.body.size() / 2);
  EXPECT_EQ(open(broken), 400);
  EXPECT_EQ(open(Phone::request(token, std::vector<std::string>(), 3600)), 403) << "nothing to watch";
  std::vector<std::string> many;
  for (int i = 0; i <= 2000; ++i) many.push_back("a/global/" + std::to_string(i));
  EXPECT_EQ(open(Phone::request(token, many, 3600)), 413);
  lab.loop().run([&] { lab.judging = false; });
  EXPECT_EQ(open(Phone::request(token, uris, 3600)), 503) << "the fault is not the token's";
  EXPECT_EQ(subscriptions(), 0u);
  EXPECT_TRUE(bob.notified.empty());
}

}  // namespace
}  // namespace regroup::test
