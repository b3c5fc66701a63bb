// SPDX-License-Identifier: Apache-2.0
// Who may ask the GMS what over HTTP, and what the answers show: identity (TS 24.482 annex A), group
// documents (TS 24.481 6.3, 7.2; RFC 4825), key documents rendered per reader (7.7).
#include "app/gms/front.hpp"

#include <gmock/gmock.h>

#include "app/gms/gms_lab.hpp"

namespace regroup::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// ---- identity

TEST(GmsFrontIdentity, NoIdentityIs403AndABadTokenIs401) {
  GmsLab lab;
  lab.create(kFire, {kAnn});
  const auto status = [&](const std::string& token) {
    return lab.ask(GmsLab::request("GET", GmsLab::group_path(kFire), token)).status;
  };
  EXPECT_EQ(status(lab.token(kAnn)), 200u);
  EXPECT_EQ(status(""), 403u);
  EXPECT_EQ(status("not.a.token"), 401u);
  std::string forged = lab.token(kAnn);
  forged[forged.rfind('.') + 5] ^= 1;
  EXPECT_EQ(status(forged), 401u);

  const std::string old = lab.token(kAnn, {kGroupScope}, 600);
  lab.advance(600 + 29);
  EXPECT_EQ(status(old), 200u) << "within the leeway";
  lab.advance(2);
  const auto expired = lab.ask(GmsLab::request("GET", GmsLab::group_path(kFire), old));
  EXPECT_EQ(expired.status, 401u);
  EXPECT_THAT(std::string(expired.headers.find("WWW-Authenticate").value_or("")), HasSubstr("invalid_token"));
}

TEST(GmsFrontIdentity, ATokenWithoutTheScopeIs403AndSaysWhichError) {
  GmsLab lab;
  lab.create(kFire, {kAnn});
  const auto refused = lab.ask(GmsLab::request("GET", GmsLab::group_path(kFire),
                                               lab.token(kAnn, {"3gpp:mc:ptt_key_management_service"})));
  EXPECT_EQ(refused.status, 403u);
  EXPECT_THAT(std::string(refused.headers.find("WWW-Authenticate").value_or("")),
              HasSubstr("insufficient_scope"));
}

// The mere presence of the header is refused, whatever else the request holds (PR-11).
TEST(GmsFrontIdentity, AnAssertedIdentityOnTheListenerOfUesIsRefused) {
  GmsLab lab;
  lab.create(kFire, {kAnn});
  for (const bool with_token : {false, true})
    for (const std::string& asserted : {kAnn, kGmsB}) {
      http::Request forged =
          GmsLab::request("GET", GmsLab::group_path(kFire), with_token ? lab.token(kAnn) : "");
      forged.headers.add("x-3gpp-asserted-identity", "\"" + asserted + "\"");
      forged.peer.certificate.presented = true;
      forged.peer.certificate.uris = {asserted};
      EXPECT_EQ(lab.ask(forged).status, 403u) << asserted << with_token;
    }
}

TEST(GmsFrontIdentity, TheTrustedListenerTakesAnAssertedIdentityOnlyFromItsCertificate) {
  GmsLab lab;
  lab.create(kFire, {kAnn});
  const auto status = [&](const std::string& certified, const std::string& asserted) {
    return lab.ask(GmsLab::peer_request("GET", GmsLab::group_path(kFire), certified, asserted)).status;
  };
  EXPECT_EQ(status(kAnn, kAnn), 200u);
  EXPECT_EQ(status(kGmsB, kAnn), 403u) << "a partner that pretends to be a member";
  EXPECT_EQ(status("", kAnn), 403u);
  EXPECT_EQ(status(kAnn, "sip:ann@ALPHA.example"), 403u) << "identities are octets";

  http::Request bare = GmsLab::peer_request("GET", GmsLab::group_path(kFire), kAnn, kAnn);
  bare.headers.set("X-3GPP-Asserted-Identity", "<" + kAnn + ">");
  EXPECT_EQ(lab.ask(bare).status, 200u) << "angle brackets and no quotes are read too";
  bare.headers.add("X-3GPP-Asserted-Identity", "\"" + kAnn + "\"");
  EXPECT_EQ(lab.ask(bare).status, 403u) << "two of them";
  bare.headers.remove("X-3GPP-Asserted-Identity");
  EXPECT_EQ(lab.ask(bare).status, 403u) << "the certificate alone is no identity";
}

// PR-11: who creates shows a token; "*" means every token with the scope and never a certificate.
TEST(GmsFrontIdentity, AServerWithACertificateWritesNoGroup) {
  GmsLab lab;
  lab.create(kFire, {kAnn});
  lab.loop().run([&] { lab.settings.creators = {"*"}; });
  const std::size_t before = lab.commits();
  const auto put = [&](const std::string& who, const std::string& group) {
    return lab
        .ask(GmsLab::peer_request("PUT", lab.creation_path(), who, who, xcap::mime::kGroup,
                                  GmsLab::group_text(group, {kAnn})))
        .status;
  };
  EXPECT_EQ(put(kGmsB, "sip:planted@alpha.example"), 403u);
  EXPECT_EQ(put(kDispatch, kFire), 403u);
  EXPECT_EQ(lab.ask(GmsLab::peer_request("DELETE", GmsLab::group_path(kFire), kAnn, kAnn)).status, 403u);
  EXPECT_EQ(lab.commits(), before);
  EXPECT_EQ(lab.put(kMallory, GmsLab::group_text("sip:own@alpha.example", {kAnn})).status, 201u);
}

// What the server asks before it reads a body.
TEST(GmsFrontIdentity, AHeadAloneIsRefusedAsTheWholeRequestWouldBe) {
  GmsLab lab;
  const auto refusal = [&](const http::Request& request) {
    const auto refused = lab.front().refusal(request);
    return refused ? refused->status : 0u;
  };
  EXPECT_EQ(refusal(GmsLab::request("PUT", lab.creation_path(), "")), 403u);
  EXPECT_EQ(refusal(GmsLab::request("PUT", lab.creation_path(), "nonsense")), 401u);
  EXPECT_EQ(refusal(GmsLab::request("PUT", lab.creation_path(), lab.token(kMallory))), 0u);
  EXPECT_EQ(refusal(GmsLab::peer_request("POST", lab.creation_path(), kGmsB, kGmsC)), 403u);
  EXPECT_EQ(refusal(GmsLab::peer_request("POST", lab.creation_path(), kGmsB, kGmsB)), 0u);
  http::Request admin = GmsLab::peer_request("GET", "", kGmsB, kGmsB);
  admin.peer.listener = "admin";
  EXPECT_EQ(refusal(admin), 403u) << "a partner is no operator";
}

TEST(GmsFrontIdentity, ABearerTokenWinsOverAnAssertedIdentity) {
  GmsLab lab;
  lab.create(kFire, {kAnn});
  http::Request both = GmsLab::peer_request("GET", GmsLab::group_path(kFire), kAnn, kAnn);
  both.headers.add("Authorization", "Bearer " + lab.token(kMallory));
  EXPECT_EQ(lab.ask(both).status, 404u);
  both.headers.set("Authorization", "Bearer nonsense");
  EXPECT_EQ(lab.ask(both).status, 401u) << "a bad token is not saved by the certificate";
}

// ---- group creation and change

TEST(GmsFrontGroups, APutCreatesTheGroupKeysEveryMemberAndAnswers201WithAnETag) {
  GmsLab lab;
  const auto created = lab.put(kDispatch, GmsLab::group_text(kFire, {kAnn, kBob}));
  EXPECT_EQ(created.status, 201u);
  EXPECT_EQ(lab.keys(), 1u) << "a document without protection elements asks for protection";
  EXPECT_EQ(lab.state_of(kFire, kAnn), "PREPARED");
  EXPECT_EQ(lab.state_of(kFire, kBob), "PREPARED");
  EXPECT_EQ(lab.state_of(kFire, kDispatch), "") << "not a member";
  EXPECT_NE(etag_in(created), "");
  EXPECT_EQ(etag_in(created), etag_in(lab.get(kDispatch, GmsLab::group_path(kFire))));
}

TEST(GmsFrontGroups, TheSamePutAgainIsAReplacementWithoutANewKey) {
  GmsLab lab;
  lab.create(kFire, {kAnn, kBob});
  const auto before = lab.ledger(kFire)["keys"];
  const auto again = lab.put(kDispatch, GmsLab::group_text(kFire, {kAnn, kBob}));
  EXPECT_EQ(again.status, 200u);
  EXPECT_EQ(lab.ledger(kFire)["keys"], before);
  const auto by_id = lab.ask(GmsLab::request("PUT", GmsLab::group_path(kFire), lab.token(kDispatch),
                                             xcap::mime::kGroup, GmsLab::group_text(kFire, {kAnn, kBob})));
  EXPECT_EQ(by_id.status, 200u) << "both addresses name one document";
}

TEST(GmsFrontGroups, WithBothFlagsFalseThereIsNoKey) {
  GmsLab lab;
  const std::string off =
      "<mcpttgi:protect-media>false</mcpttgi:protect-media>"
      "<mcpttgi:protect-floor-control-signalling>false</"
      "mcpttgi:protect-floor-control-signalling>";
  EXPECT_EQ(lab.put(kDispatch, GmsLab::group_text(kFire, {kAnn}, off)).status, 201u);
  EXPECT_EQ(lab.keys(), 0u);
  EXPECT_EQ(lab.get(kAnn, GmsLab::keys_path(kFire)).status, 404u);
}

TEST(GmsFrontGroups, AMemberWhoLeavesCausesANewKeyAndSeesNothingAnyMore) {
  GmsLab lab;
  lab.create(kFire, {kAnn, kBob});
  const std::string before = etag_in(lab.get(kBob, GmsLab::keys_path(kFire)));
  ASSERT_EQ(lab.get(kAnn, GmsLab::keys_path(kFire)).status, 200u);
  lab.create(kFire, {kBob, kCarol});
  EXPECT_EQ(lab.get(kAnn, GmsLab::keys_path(kFire)).status, 404u);
  EXPECT_EQ(lab.get(kAnn, GmsLab::group_path(kFire)).status, 404u);
  EXPECT_NE(etag_in(lab.get(kBob, GmsLab::keys_path(kFire))), before);
  EXPECT_EQ(lab.get(kCarol, GmsLab::keys_path(kFire)).status, 200u);
}

TEST(GmsFrontGroups, WhoIsNotACreatorMayNotPut) {
  GmsLab lab;
  const std::size_t before = lab.commits();
  EXPECT_EQ(lab.put(kAnn, GmsLab::group_text(kFire, {kAnn})).status, 403u);
  const std::string own = std::string(xcap::auid::kGroups) + "/users/" + http::percent_encode(kAnn) + "/g";
  EXPECT_EQ(lab.ask(GmsLab::request("PUT", own, lab.token(kAnn), xcap::mime::kGroup,
                                    GmsLab::group_text(kFire, {kAnn})))
                .status,
            403u);
  EXPECT_EQ(lab.ask(GmsLab::request("PUT", own, lab.token(kDispatch), xcap::mime::kGroup,
                                    GmsLab::group_text(kFire, {kAnn})))
                .status,
            403u)
      << "below another's XUI";
  EXPECT_EQ(lab.commits(), before);
}

// PR-13: what only a GMS writes.
TEST(GmsFrontGroups, AClientThatWritesOnNetworkRegroupedGets409) {
  GmsLab lab;
  lab.create(kFire, {kAnn});
  const std::size_t before = lab.commits();
  const std::string regrouped =
      "<mcpttgi:on-network-regrouped "
      "temporary-MCPTT-group-ID=\"sip:tmp-1@alpha.example\" "
      "temporary-MCPTT-group-requestor=\"sip:dispatch@alpha.example\"><mcpttgi:"
      "constituent-MCPTT-group-IDs>"
      "<mcpttgi:constituent-MCPTT-group-ID>sip:fire@alpha.example</"
      "mcpttgi:constituent-MCPTT-group-ID>"
      "</mcpttgi:constituent-MCPTT-group-IDs></mcpttgi:on-network-regrouped>";
  const std::string temporary =
      "<mcpttgi:on-network-temporary><mcpttgi:constituent-MCPTT-group-IDs/></"
      "mcpttgi:on-network-temporary>";
  for (const std::string& group : {kFire, kRescue})
    for (const std::string& extra : {regrouped, temporary}) {
      const auto refused = lab.put(kDispatch, GmsLab::group_text(group, {kAnn}, extra));
      EXPECT_EQ(refused.status, 409u);
      EXPECT_THAT(std::string(refused.body.text()), HasSubstr("constraint-failure"));
    }
  EXPECT_EQ(lab.commits(), before);
}

TEST(GmsFrontGroups, ATakenOrForeignOrMissingGroupIdIs409WithAnAlternativeThatIsAccepted) {
  GmsLab lab;
  lab.create(kFire, {kAnn});
  for (const std::string& wish : {kFire, kPolice, std::string()}) {
    const auto refused = lab.put(kDispatchTwo, GmsLab::group_text(wish, {kBob}));
    ASSERT_EQ(refused.status, 409u) << wish;
    EXPECT_EQ(refused.headers.find("Content-Type"), xcap::mime::kXcapError);
    const auto error = xcap::XcapError::parse(refused.body.view()).value();
    EXPECT_EQ(error.kind, xcap::ErrorKind::uniqueness_failure);
    EXPECT_EQ(error.field, xcap::kGroupUriField);
    ASSERT_EQ(error.alternatives.size(), 1u);
    EXPECT_EQ(lab.put(kDispatchTwo, GmsLab::group_text(error.alternatives[0], {kBob})).status, 201u);
  }
  EXPECT_EQ(lab.get(kBob, GmsLab::group_path(kFire)).status, 404u) << "the first group is as it was";
}

// An alternative group ID cures only a bad group ID: otherwise the client would try on with new groups.
TEST(GmsFrontGroups, A409ForAnotherReasonOffersNoOtherGroupId) {
  GmsLab lab;
  lab.create(kFire, {kAnn});
  lab.create(kRescue, {kBob});
  const auto member = lab.put(kDispatch, GmsLab::group_text("sip:new@alpha.example", {"sip:b\xC3\xB6@x"}));
  EXPECT_EQ(member.status, 409u);
  EXPECT_THAT(std::string(member.body.text()), HasSubstr("constraint-failure"));

  lab.settings.max_members = 2;
  const auto many = lab.put(kDispatch, GmsLab::group_text("sip:new@alpha.example", {kAnn, kBob, kCarol}));
  EXPECT_EQ(many.status, 409u);
  EXPECT_THAT(std::string(many.body.text()), HasSubstr("constraint-failure"));
  EXPECT_EQ(lab.get(kDispatch, GmsLab::group_path("sip:new@alpha.example")).status, 404u);

  ASSERT_TRUE(gmop_in(lab.gmop(kDispatch, regroup_request("req-00000001", {kFire, kRescue}))).accepted);
  std::string text(lab.get(kDispatch, GmsLab::group_path(kFire)).body.text());
  const auto unchanged = lab.put(kDispatch, text);
  EXPECT_EQ(unchanged.status, 200u) << "what the GMS wrote may be sent back: " << unchanged.body.text();
  text.replace(text.find(kAnn), kAnn.size(), kCarol);
  const auto regrouped = lab.put(kDispatch, text);
  EXPECT_EQ(regrouped.status, 409u);
  EXPECT_THAT(std::string(regrouped.body.text()), HasSubstr("constraint-failure"));
}

TEST(GmsFrontGroups, AnotherCreatorMayReadAGroupButNotReplaceIt) {
  GmsLab lab;
  lab.create(kFire, {kAnn});
  EXPECT_EQ(lab.get(kDispatchTwo, GmsLab::group_path(kFire)).status, 200u);
  const auto refused = lab.ask(GmsLab::request("PUT", GmsLab::group_path(kFire), lab.token(kDispatchTwo),
                                               xcap::mime::kGroup, GmsLab::group_text(kFire, {kMallory})));
  EXPECT_EQ(refused.status, 403u);
  EXPECT_EQ(lab.get(kMallory, GmsLab::group_path(kFire)).status, 404u);
}

TEST(GmsFrontGroups, PreconditionsOfAPutAreKept) {
  GmsLab lab;
  const auto put = [&](const std::string& group, const std::string& header, const std::string& value) {
    http::Request request = GmsLab::request("PUT", lab.creation_path(), lab.token(kDispatch),
                                            xcap::mime::kGroup, GmsLab::group_text(group, {kAnn, kBob}));
    request.headers.add(header, value);
    return lab.ask(request).status;
  };
  EXPECT_EQ(put(kFire, "If-Match", "\"0123456789ab\""), 412u) << "there is no such document";
  lab.create(kFire, {kAnn});
  const std::string etag = "\"" + etag_in(lab.get(kDispatch, GmsLab::group_path(kFire))) + "\"";
  EXPECT_EQ(put(kFire, "If-Match", "\"0123456789ab\""), 412u);
  EXPECT_EQ(put(kFire, "If-None-Match", "*"), 412u);
  EXPECT_EQ(lab.state_of(kFire, kBob), "") << "nothing changed";
  EXPECT_EQ(put(kFire, "If-Match", etag), 200u);
  EXPECT_EQ(put(kFire, "If-Match", etag), 412u) << "it is another document now";
  EXPECT_EQ(put(kFire, "If-Match", "*"), 200u);
  EXPECT_EQ(put(kRescue, "If-None-Match", "*"), 201u);
}

TEST(GmsFrontGroups, AddressesTypesAndMethodsThatDoNotFitAreRefusedByTheirStatus) {
  GmsLab lab;
  lab.create(kFire, {kAnn});
  const std::string token = lab.token(kDispatch), text = GmsLab::group_text(kRescue, {kAnn});
  const auto status = [&](const std::string& method, const std::string& resource, std::string_view type) {
    return lab.ask(GmsLab::request(method, resource, token, type, text)).status;
  };
  EXPECT_EQ(status("PUT", GmsLab::group_path(kRescue), xcap::mime::kGroup), 405u)
      << "a group is not created by its ID";
  EXPECT_EQ(status("PUT", lab.creation_path(), "text/xml"), 415u);
  EXPECT_EQ(status("PUT", GmsLab::group_path(kFire), xcap::mime::kGroup), 405u)
      << "the address names another group than the document";
  EXPECT_EQ(status("DELETE", GmsLab::group_path(kFire), ""), 405u);
  EXPECT_EQ(status("GET", "org.openmobilealliance.groups/global/byName/x", ""), 404u);
  EXPECT_EQ(status("GET", "unknown.auid/global/byGroupID/x", ""), 404u);
  EXPECT_EQ(status("GET", "", ""), 404u);
  EXPECT_EQ(status("GET", "org.openmobilealliance.groups/global/byGroupID/%zz", ""), 400u);
  EXPECT_EQ(status("GET", "org.openmobilealliance.groups/global/byGroup/sip:fire@alpha.example", ""), 200u)
      << "raw, and by the older name";
  http::Request elsewhere = GmsLab::request("GET", "", token);
  elsewhere.target = "/other/org.openmobilealliance.groups/global/byGroupID/x";
  EXPECT_EQ(lab.ask(elsewhere).status, 404u);
}

TEST(GmsFrontGroups, GroupIdsWithEscapesParametersAndCapitalsAreOneOctetString) {
  GmsLab lab;
  for (const std::string& id : {std::string("sip:f%20x@alpha.example"),
                                std::string("sip:f@alpha.example;a=b"), std::string("sip:F@ALPHA.example")}) {
    ASSERT_EQ(lab.put(kDispatch, GmsLab::group_text(id, {kAnn})).status, 201u) << id;
    EXPECT_EQ(lab.get(kAnn, GmsLab::group_path(id)).status, 200u) << id;
    EXPECT_EQ(lab.get(kAnn, GmsLab::keys_path(id)).status, 200u) << id;
  }
  EXPECT_EQ(lab.get(kAnn, GmsLab::group_path("sip:f x@alpha.example")).status, 404u) << "decoded once";
}

// ---- reading

TEST(GmsFrontGroups, AGroupDoesNotExistForWhoIsNeitherMemberNorCreator) {
  GmsLab lab;
  lab.create(kFire, {kAnn});
  const auto hidden = lab.get(kMallory, GmsLab::group_path(kFire));
  const auto none = lab.get(kMallory, GmsLab::group_path("sip:none@alpha.example"));
  EXPECT_EQ(hidden.status, 404u);
  EXPECT_EQ(none.status, 404u);
  EXPECT_EQ(hidden.body.text(), none.body.text());
  EXPECT_EQ(hidden.headers.size(), none.headers.size());
  EXPECT_EQ(lab.ask(GmsLab::request("HEAD", GmsLab::group_path(kFire), lab.token(kMallory))).status, 404u);
  EXPECT_EQ(lab.ask(GmsLab::request("DELETE", GmsLab::group_path(kFire), lab.token(kMallory))).status, 404u);
}

TEST(GmsFrontGroups, TheMemberListIsShownOnlyWithPermission) {
  GmsLab lab;
  lab.create(kFire, {kAnn, kBob});
  EXPECT_THAT(std::string(lab.get(kDispatch, GmsLab::group_path(kFire)).body.text()), HasSubstr("<list"));
  const std::string seen(lab.get(kAnn, GmsLab::group_path(kFire)).body.text());
  EXPECT_THAT(seen, Not(HasSubstr("<list>")));
  EXPECT_THAT(seen, Not(HasSubstr(kBob)));

  std::string open = GmsLab::group_text(kRescue, {kAnn, kBob});
  open.insert(open.find("</cp:actions>"),
              "<mcpttgi:on-network-allow-getting-member-list>true"
              "</mcpttgi:on-network-allow-getting-member-list>");
  ASSERT_EQ(lab.put(kDispatch, open).status, 201u);
  EXPECT_THAT(std::string(lab.get(kAnn, GmsLab::group_path(kRescue)).body.text()), HasSubstr(kBob));
  const auto without = lab.gmop(kAnn, xcap::GetExcludingMemberlist{}, kRescue);
  EXPECT_EQ(without.status, 200u);
  EXPECT_EQ(without.headers.find("Content-Type"), xcap::mime::kGroup);
  EXPECT_THAT(std::string(without.body.text()), Not(HasSubstr(kBob))) << "TS 24.481 6.3.16";
  EXPECT_EQ(lab.gmop(kMallory, xcap::GetExcludingMemberlist{}, kRescue).status, 404u);
}

// Between systems only what a shared regroup needs (PR-22).
TEST(GmsFrontGroups, APartnerReadsOnlyTheGroupsItSharesARegroupWith) {
  GmsLab lab("beta.example");
  lab.create(kPolice, {kQuinn});
  const auto read = [&] {
    return lab.ask(GmsLab::peer_request("GET", GmsLab::group_path(kPolice), kGmsA, kGmsA));
  };
  EXPECT_EQ(read().status, 404u);
  xcap::RegroupCreation ask = regroup_request("rg-0000000000000001", {kFire, kPolice});
  ask.between_servers = true;
  ASSERT_TRUE(
      gmop_in(lab.ask(GmsLab::peer_request("POST", GmsLab::group_path(kPolice), kGmsA, kGmsA,
                                           xcap::mime::kGmop, xcap::write_gmop(xcap::GmopRequest(ask)))))
          .accepted);
  EXPECT_EQ(read().status, 200u);
  EXPECT_THAT(std::string(read().body.text()), Not(HasSubstr(kQuinn)));
  EXPECT_EQ(lab.ask(GmsLab::peer_request("GET", GmsLab::group_path(kPolice), kGmsC, kGmsC)).status, 404u)
      << "another partner";
}

}  // namespace
}  // namespace regroup::test
