// SPDX-License-Identifier: Apache-2.0
#include "xcap/gmop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data.hpp"

namespace regroup::xcap {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <class Request>
Request parsed(const std::string& text) {
  auto out = parse_gmop_request(view(text));
  EXPECT_TRUE(out.ok()) << (out.ok() ? "" : out.error().text()) << "\n" << text;
  if (!out.ok() || !std::holds_alternative<Request>(out.value())) {
    ADD_FAILURE() << "another operation than " << Request::kName;
    return {};
  }
  return std::get<Request>(std::move(out).value());
}

std::string request(const std::string& inside) {
  return "<document xmlns=\"urn:3gpp:ns:mcpttGMOP:1.0\" xmlns:mcpttgi=\"urn:3gpp:ns:mcpttGroupInfo:1.0\" "
         "xmlns:mgktp=\"urn:3gpp:ns:mcpttGKTP:1.0\"><request>" +
         inside + "</request></document>";
}

// What is written reads as the same document as the example.
void expect_same(const std::string& written, const std::string& example) {
  const auto a = xml::parse(written), b = xml::parse(example);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_TRUE(xml::equivalent(a.value(), b.value())) << written;
}

TEST(Gmop, ReadsAndWritesTheCreationOfTheSpecification) {
  const auto one = parsed<RegroupCreation>(data("gmop-creation.xml"));
  EXPECT_EQ(one.id, "req-5d0c");
  EXPECT_FALSE(one.between_servers);
  EXPECT_EQ(one.regrouped.temporary, "");
  EXPECT_EQ(one.regrouped.requestor, "sip:dispatch@mcx.example");
  EXPECT_THAT(one.regrouped.constituents,
              ElementsAre("sip:fire-1@mcx.example", "sip:police-9@partner.example"));
  EXPECT_EQ(one.regrouped.levels.priority, 200);
  EXPECT_EQ(one.regrouped.levels.protect_media, true);
  EXPECT_EQ(one.regrouped.levels.protect_floor, std::nullopt);
  expect_same(write_gmop(GmopRequest(one)), data("gmop-creation.xml"));
}

TEST(Gmop, ReadsAndWritesTheNotificationOfTheSpecification) {
  const auto one = parsed<RegroupNotification>(data("gmop-notification.xml"));
  EXPECT_EQ(one.id, "p-0042-71c9");
  EXPECT_EQ(one.seq, 1u);
  EXPECT_EQ(one.regrouped.temporary, "sip:tmp-0042@mcx.example");
  EXPECT_EQ(one.regrouped.plan, (KeyPlan{FloorKey::gmk, Procedure::one}));
  ASSERT_EQ(one.payloads.size(), 2u);
  EXPECT_EQ(one.payloads[1].id, "sip:gms@partner.example;kid=0A1B2C3D");
  EXPECT_EQ(one.payloads[1].temporary, "sip:tmp-0042@mcx.example");
  expect_same(write_gmop(GmopRequest(one)), data("gmop-notification.xml"));
}

TEST(Gmop, ReadsAndWritesTheResponseOfTheSpecification) {
  const auto one = parse_gmop_response(view(data("gmop-response.xml")));
  ASSERT_TRUE(one.ok()) << one.error().text();
  EXPECT_EQ(one->operation, RegroupCreation::kName);
  EXPECT_EQ(one->id, "req-5d0c");
  EXPECT_TRUE(one->accepted);
  EXPECT_EQ(one->temporary, "sip:tmp-0042@mcx.example");
  EXPECT_THAT(one->constituents, ElementsAre(ConstituentState{"sip:police-9@partner.example", "pending",
                                                              "partner-unreachable"}));
  expect_same(write_gmop(one.value()), data("gmop-response.xml"));
}

TEST(Gmop, ReadsAndWritesTheRetrievalWithoutMembers) {
  (void)parsed<GetExcludingMemberlist>(data("gmop-get.xml"));
  expect_same(write_gmop(GmopRequest(GetExcludingMemberlist{})), data("gmop-get.xml"));
}

TEST(Gmop, RoundTripsEveryOperation) {
  RegroupCreation creation{
      "request-1",
      true,
      {"sip:t@x", "sip:gms@x", {"sip:a%40;b@X", "sip:c@x"}, {}, KeyPlan{FloorKey::mkfc, Procedure::two}}};
  const auto creation2 = parsed<RegroupCreation>(write_gmop(GmopRequest(creation)));
  EXPECT_TRUE(creation2.between_servers);
  EXPECT_EQ(creation2.regrouped, creation.regrouped);

  RegroupNotification notification{
      "request-1",
      7,
      {"sip:t@x", "sip:gms@x", {"sip:a@x"}, {}, {}},
      {{"sip:q@y", {1, 2, 3}, "sip:t@x", GktpParent::mkfc, {}}, {"sip:q@y", {4}, "", GktpParent::gmk, {}}}};
  const auto notification2 = parsed<RegroupNotification>(write_gmop(GmopRequest(notification)));
  EXPECT_EQ(notification2.seq, 7u);
  EXPECT_THAT(notification2.payloads, testing::UnorderedElementsAreArray(notification.payloads));

  const RegroupTeardown teardown{"request-1", "sip:t@x", {"sip:a@x"}};
  const auto teardown2 = parsed<RegroupTeardown>(write_gmop(GmopRequest(teardown)));
  EXPECT_EQ(teardown2.temporary, "sip:t@x");
  EXPECT_THAT(teardown2.constituents, ElementsAre("sip:a@x"));
  EXPECT_EQ(parsed<RegroupTeardown>(write_gmop(GmopRequest(RegroupTeardown{"request-1", "", {}}))).temporary,
            "");

  for (const RekeyCause cause :
       {RekeyCause::member_removed, RekeyCause::compromise, RekeyCause::collision, RekeyCause::period}) {
    const auto rekey =
        parsed<RegroupRekey>(write_gmop(GmopRequest(RegroupRekey{"request-1", "sip:t@x", cause})));
    EXPECT_EQ(rekey.cause, cause);
    EXPECT_EQ(rekey.temporary, "sip:t@x");
  }

  const GmopResponse response{
      "group-regroup-notification", "request-1", 3u, false, "bad-signature", "", {}, 10u, 8u};
  EXPECT_EQ(parse_gmop_response(view(write_gmop(response))).value(), response);
}

TEST(Gmop, FindsGroupsWhereAnotherSchemaMayPutThem) {
  const auto nested =
      parsed<RegroupCreation>(request("<group-regroup-creation id=\"12345678\"><f:wrapped "
                                      "xmlns:f=\"urn:f\"><group xmlns=\"urn:oma:xml:poc:list-service\">"
                                      "<list-service uri=\"sip:a@x\"/></group><group "
                                      "xmlns=\"urn:oma:xml:poc:list-service\"><list-service uri=\"sip:b@x\"/>"
                                      "</group></f:wrapped></group-regroup-creation>"));
  EXPECT_THAT(nested.regrouped.constituents, ElementsAre("sip:a@x", "sip:b@x"));
  const auto loose = parsed<RegroupCreation>(request(
      "<group-regroup-creation id=\"12345678\"><unknown/><mcpttgi:constituent-MCPTT-group-ID> sip:a@x "
      "</mcpttgi:constituent-MCPTT-group-ID></group-regroup-creation>"));
  EXPECT_THAT(loose.regrouped.constituents, ElementsAre("sip:a@x"));
  const auto plain = parsed<RegroupNotification>(replaced(
      replaced(data("gmop-notification.xml"),
               "<mgktp:on-network-regrouped-GKTPs temporary-MCPTT-group-ID=\"sip:tmp-0042@mcx.example\">",
               ""),
      "</mgktp:on-network-regrouped-GKTPs>", ""));
  EXPECT_EQ(plain.payloads.size(), 2u) << "payloads outside a block are accepted too";
}

TEST(Gmop, RefusesWithAReason) {
  const auto error = [](const std::string& text) {
    const auto out = parse_gmop_request(view(text));
    EXPECT_FALSE(out.ok()) << text;
    return out.ok() ? Error{} : out.error();
  };
  EXPECT_EQ(error(request("<dance/>")).code, Errc::unsupported) << "HTTP 501";
  EXPECT_EQ(error(request("<f:group-regroup-creation xmlns:f=\"urn:f\"/>")).code, Errc::unsupported);
  EXPECT_EQ(error(request("")).code, Errc::malformed);
  EXPECT_EQ(error(request("<get-excluding-memberlist/><get-excluding-memberlist/>")).code, Errc::malformed);
  EXPECT_EQ(error("<document xmlns=\"urn:3gpp:ns:mcpttGMOP:1.0\"><response/></document>").code,
            Errc::malformed);
  for (const std::string id : {"", "1234567", "has space", "gr\xC3\xBCn5678"})
    EXPECT_THAT(error(request("<group-regroup-teardown id=\"" + id + "\"/>")).text(), HasSubstr("id")) << id;
  EXPECT_FALSE(is_request_id(std::string(65, 'a')));
  EXPECT_TRUE(is_request_id(std::string(64, 'a')));
  EXPECT_THAT(error(request("<group-regroup-creation id=\"12345678\"/>")).text(),
              HasSubstr("names no group"));
  EXPECT_THAT(
      error(request(
                "<group-regroup-rekey id=\"12345678\" temporary-MCPTT-group-ID=\"sip:t@x\" cause=\"whim\"/>"))
          .text(),
      HasSubstr("cause"));
  EXPECT_THAT(error(request("<group-regroup-rekey id=\"12345678\" cause=\"period\"/>")).text(),
              HasSubstr("temporary-MCPTT-group-ID"));
  EXPECT_THAT(error(replaced(data("gmop-notification.xml"), "seq=\"1\"", "seq=\"0\"")).text(),
              HasSubstr("seq"));
  EXPECT_THAT(error(replaced(data("gmop-notification.xml"),
                             "temporary-MCPTT-group-ID=\"sip:tmp-0042@mcx.example\"", ""))
                  .text(),
              HasSubstr("temporary group"));
  EXPECT_FALSE(parse_gmop_response(view(replaced(data("gmop-response.xml"), "accepted", "maybe"))).ok());
}

TEST(Gmop, BoundsTheNumberOfConstituents) {
  std::string many;
  for (int i = 0; i < 1001; ++i)
    many += "<mcpttgi:constituent-MCPTT-group-ID>sip:a@x</mcpttgi:constituent-MCPTT-group-ID>";
  const auto out = parse_gmop_request(
      view(request("<group-regroup-creation id=\"12345678\">" + many + "</group-regroup-creation>")));
  ASSERT_FALSE(out.ok());
  EXPECT_EQ(out.error().code, Errc::limit);
}

TEST(Gmop, RefusesHostileXml) {
  for (const std::string& text : hostile_documents("document")) {
    EXPECT_FALSE(parse_gmop_request(view(text)).ok()) << text.substr(0, 80);
    EXPECT_FALSE(parse_gmop_response(view(text)).ok()) << text.substr(0, 80);
  }
  survives_damage(data("gmop-notification.xml"),
                  [](const std::string& text) { (void)parse_gmop_request(view(text)).ok(); });
  survives_damage(data("gmop-response.xml"),
                  [](const std::string& text) { (void)parse_gmop_response(view(text)).ok(); });
}

}  // namespace
}  // namespace regroup::xcap
