// SPDX-License-Identifier: Apache-2.0
#include "xcap/gktp_document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data.hpp"

namespace regroup::xcap {
namespace {

using testing::HasSubstr;
using testing::Not;

const Octets kMessage{0x01, 0x1a, 0x05, 0x01};
const std::string kTemporary = "sip:tmp-0042@mcx.example";

std::string document(const std::string& inside) {
  return "<GKTPs xmlns=\"urn:3gpp:ns:mcpttGKTP:1.0\">" + inside + "</GKTPs>";
}

TEST(GktpDocument, ReadsTheExampleOfTheSpecification) {
  const auto payloads = parse_gktp(view(data("gktp.xml")));
  ASSERT_TRUE(payloads.ok()) << payloads.error().text();
  const std::string bob = "sip:bob@mcx.example";
  const std::vector<GktpPayload> wanted{{bob, kMessage, "", GktpParent::gmk, {}},
                                        {bob, kMessage, kTemporary, GktpParent::gmk, {}},
                                        {bob, kMessage, "", GktpParent::mkfc, {}}};
  EXPECT_EQ(payloads.value(), wanted);
}

TEST(GktpDocument, WritesTheExampleOfTheSpecification) {
  const auto payloads = parse_gktp(view(data("gktp.xml")));
  const auto written = xml::parse(write_gktp(payloads.value()));
  const auto example = xml::parse(data("gktp.xml"));
  ASSERT_TRUE(written.ok() && example.ok());
  EXPECT_TRUE(xml::equivalent(written.value(), example.value())) << write_gktp(payloads.value());
}

TEST(GktpDocument, RoundTripsBlocksParentsAndActivationTimes) {
  const std::vector<GktpPayload> payloads{
      {"sip:a@x", {1}, "", GktpParent::gmk, NtpTime::from_unix(1'800'000'000)},
      {"sip:a@x;kid=0A1B2C3D", {2}, "", GktpParent::gmk, {}},
      {"sip:a@x", {3}, "sip:t1@x", GktpParent::gmk, {}},
      {"sip:a@x;kid=00000001", {4}, "sip:t1@x", GktpParent::gmk, {}},
      {"sip:a@x", {5}, "sip:t2%40;x@X.Example", GktpParent::gmk, {}},
      {"sip:a@x", {6}, "sip:t1@x", GktpParent::mkfc, {}},
  };
  EXPECT_EQ(parse_gktp(view(write_gktp(payloads))).value(), payloads);
  EXPECT_THAT(write_gktp(payloads), HasSubstr("activationtime=\"2027-01-15T08:00:00Z\""));
  EXPECT_THAT(write_gktp(std::span(payloads).subspan(1, 1)), Not(HasSubstr("MKFC")));
  EXPECT_TRUE(parse_gktp(view(write_gktp({}))).value().empty());
}

TEST(GktpDocument, ReadsHexInBothCasesAndWithWhiteSpace) {
  const auto payloads =
      parse_gktp(view(document("<GMK-GKTPs><GKTP id=\"a\">\n 01 1a\t0501 </GKTP></GMK-GKTPs>")));
  ASSERT_TRUE(payloads.ok()) << payloads.error().text();
  EXPECT_EQ(payloads.value()[0].message, kMessage);
}

TEST(GktpDocument, RefusesWhatIsNotHexBinary) {
  for (const char* text : {"011", "0g", "", "ARoFAQ==", "01<b/>1a", "0x01"})
    EXPECT_FALSE(
        parse_gktp(view(document("<GMK-GKTPs><GKTP id=\"a\">" + std::string(text) + "</GKTP></GMK-GKTPs>")))
            .ok())
        << text;
  EXPECT_FALSE(parse_gktp(view(document("<GMK-GKTPs><GKTP id=\"a\">" + std::string(2 * 65537, '0') +
                                        "</GKTP></GMK-GKTPs>")))
                   .ok());
  EXPECT_FALSE(parse_gktp(view(document("<GMK-GKTPs><on-network-regrouped-GKTPs/></GMK-GKTPs>"))).ok());
  EXPECT_FALSE(
      parse_gktp(view(document("<GMK-GKTPs><GKTP id=\"a\" activationtime=\"soon\">01</GKTP></GMK-GKTPs>")))
          .ok());
}

TEST(GktpDocument, SkipsWhatItDoesNotKnow) {
  const auto payloads =
      parse_gktp(view(document("<future/><GMK-GKTPs x=\"1\"><GKTP id=\"a\" new=\"2\">01</GKTP><f:GKTP "
                               "xmlns:f=\"urn:f\">zz</f:GKTP></GMK-GKTPs>")));
  ASSERT_TRUE(payloads.ok());
  EXPECT_EQ(payloads.value().size(), 1u);
}

TEST(GktpDocument, ReadsThePartsThatTravelInsideANotification) {
  const auto whole = xml::parse(data("gktp.xml"));
  const xml::Element& gmk = whole->children[0];
  EXPECT_EQ(read_gktp(gmk).value().size(), 2u);
  EXPECT_EQ(read_gktp(whole->children[1]).value()[0].parent, GktpParent::mkfc);
  EXPECT_EQ(read_gktp(gmk.children[1]).value()[0].temporary, kTemporary);
  EXPECT_EQ(read_gktp(gmk.children[0], GktpParent::mkfc).value()[0].parent, GktpParent::mkfc);
  EXPECT_FALSE(read_gktp(xml::Element("urn:other", "GMK-GKTPs")).ok());
}

TEST(GktpDocument, RefusesHostileXml) {
  for (const std::string& text : hostile_documents("GKTPs"))
    EXPECT_FALSE(parse_gktp(view(text)).ok()) << text.substr(0, 80);
  survives_damage(data("gktp.xml"), [](const std::string& text) { (void)parse_gktp(view(text)).ok(); });
}

}  // namespace
}  // namespace regroup::xcap
