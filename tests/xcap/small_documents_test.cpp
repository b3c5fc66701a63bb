// SPDX-License-Identifier: Apache-2.0
// The documents around a subscription: xcap-diff, resource-lists, mcptt-info, xcap-error, key receipts,
// xcap-caps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "data.hpp"
#include "xcap/capabilities.hpp"
#include "xcap/gktp_document.hpp"
#include "xcap/key_receipt.hpp"
#include "xcap/mcptt_info.hpp"
#include "xcap/resource_lists.hpp"
#include "xcap/xcap_diff.hpp"
#include "xcap/xcap_error.hpp"

namespace regroup::xcap {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

void expect_same(const std::string& written, const std::string& example) {
  const auto a = xml::parse(written), b = xml::parse(example);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_TRUE(xml::equivalent(a.value(), b.value())) << written;
}

TEST(XcapDiff, ReadsAndWritesTheExampleOfTheSpecification) {
  const auto diff = parse_xcap_diff(view(data("xcap-diff.xml")));
  ASSERT_TRUE(diff.ok()) << diff.error().text();
  EXPECT_EQ(diff->root, "https://gms.mcx.example/xcap-root/");
  EXPECT_THAT(
      diff->documents,
      ElementsAre(
          DocumentDiff{"org.openmobilealliance.groups/global/byGroupID/sip%3Afire-1%40mcx.example", "a1",
                       "b7"},
          DocumentDiff{"org.3gpp.MCPTT-GKTP/global/byGroupID/sip%3Afire-1%40mcx.example", "c0", "c1"}));
  expect_same(write_xcap_diff(diff.value()), data("xcap-diff.xml"));
}

TEST(XcapDiff, RepeatsTheSubscribedStringToTheLetter) {
  for (const char* sel : {"org.3gpp.MCPTT-GKTP/global/byGroupID/sip:g7@mcx.example",
                          "a/global/b%2f/~~/GKTPs/GKTP[@id=\"sip:a&b@x\"]", "a/users/sip%3Ab%40x/",
                          "a/global/x/~~/e[@n='1<2']  "}) {
    const XcapDiff diff{"https://x/", {{sel, "", "e1"}, {sel, "e1", ""}}, {{sel, std::nullopt}}};
    EXPECT_EQ(parse_xcap_diff(view(write_xcap_diff(diff))).value(), diff) << sel;
  }
}

TEST(XcapDiff, CarriesAnElementWithItsOwnNamespace) {
  const GktpPayload payload{"sip:bob@mcx.example", {0x01, 0x1a}, "", GktpParent::gmk, {}};
  const xml::Element gktp = gktp_element({&payload, 1}).children[0].children[0];
  const XcapDiff diff{"https://x/", {}, {{"a/~~/GKTPs/GMK-GKTPs/GKTP", gktp}}};
  const std::string text = write_xcap_diff(diff);
  EXPECT_THAT(
      text,
      HasSubstr(
          "<GKTP xmlns=\"urn:3gpp:ns:mcpttGKTP:1.0\" id=\"sip:bob@mcx.example\">011A</GKTP></element>"));
  const auto again = parse_xcap_diff(view(text));
  ASSERT_TRUE(again.ok()) << again.error().text();
  ASSERT_TRUE(again->elements[0].content.has_value());
  EXPECT_EQ(read_gktp(*again->elements[0].content).value()[0], payload);
}

TEST(XcapDiff, SaysThatAnElementIsGone) {
  const XcapDiff diff{"https://x/", {}, {{"a/~~/b", std::nullopt}}};
  EXPECT_THAT(write_xcap_diff(diff), HasSubstr("exists=\"0\""));
  EXPECT_EQ(parse_xcap_diff(view(write_xcap_diff(diff))).value(), diff);
}

TEST(XcapDiff, SkipsExtensionsAndKeepsPatches) {
  const auto diff =
      parse_xcap_diff(view("<d:xcap-diff xmlns:d=\"urn:ietf:params:xml:ns:xcap-diff\" "
                           "xcap-root=\"https://x/\"><d:attribute sel=\"a\">v</d:attribute>"
                           "<other xmlns=\"urn:o\"/><d:document sel=\"a\" previous-etag=\"1\" "
                           "new-etag=\"2\"><d:remove sel=\"*/b\"/></d:document>"
                           "</d:xcap-diff>"));
  ASSERT_TRUE(diff.ok()) << diff.error().text();
  ASSERT_EQ(diff->documents.size(), 1u);
  ASSERT_EQ(diff->documents[0].patches.size(), 1u);
  EXPECT_EQ(diff->documents[0].patches[0].name, "remove");
}

TEST(XcapDiff, RefusesWhatItCannotUse) {
  const auto bad = [](const std::string& inside, const std::string& root = " xcap-root=\"https://x/\"") {
    return "<xcap-diff xmlns=\"urn:ietf:params:xml:ns:xcap-diff\"" + root + ">" + inside + "</xcap-diff>";
  };
  for (const std::string& text :
       {bad("", ""), bad("<document new-etag=\"1\"/>"), bad("<document sel=\"a\"/>"),
        bad("<element sel=\"a\"/>"), bad("<element sel=\"a\"><b/><c/></element>")})
    EXPECT_FALSE(parse_xcap_diff(view(text)).ok()) << text;
  for (const std::string& text : hostile_documents("xcap-diff"))
    EXPECT_FALSE(parse_xcap_diff(view(text)).ok()) << text.substr(0, 80);
  survives_damage(data("xcap-diff.xml"),
                  [](const std::string& text) { (void)parse_xcap_diff(view(text)).ok(); });
}

TEST(ResourceLists, ReadsAndWritesTheExampleOfTheSpecification) {
  const auto uris = parse_resource_lists(view(data("resource-lists.xml")));
  ASSERT_TRUE(uris.ok()) << uris.error().text();
  EXPECT_THAT(
      uris.value(),
      ElementsAre("org.3gpp.MCPTT-GKTP/users/sip%3Abob%40mcx.example/",
                  "org.openmobilealliance.groups/global/byGroupID/sip%3Afire-1%40mcx.example",
                  "org.3gpp.MCPTT-GKTP/global/byGroupID/sip%3Afire-1%40mcx.example/~~/GKTPs/GMK-GKTPs"));
  expect_same(write_resource_lists(uris.value()), data("resource-lists.xml"));
}

TEST(ResourceLists, ReadsNestedListsOnceEachAndRefusesTooMany) {
  const std::string open =
      "<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\"><list name=\"n\">";
  const auto nested = parse_resource_lists(
      view(open + "<entry uri=\"a\"/><list><entry uri=\"b\"><display-name>B</display-name></entry>"
                  "</list><entry uri=\"a\"/></list><list><entry uri=\"c\"/></list></resource-lists>"));
  ASSERT_TRUE(nested.ok()) << nested.error().text();
  EXPECT_THAT(nested.value(), ElementsAre("a", "b", "c"));
  const auto of = [&](int count) {
    std::string text = open;
    for (int i = 0; i < count; ++i) text += "<entry uri=\"" + std::to_string(i) + "\"/>";
    return text + "</list></resource-lists>";
  };
  EXPECT_TRUE(parse_resource_lists(view(of(2000))).ok());
  EXPECT_EQ(parse_resource_lists(view(of(2001))).error().code, Errc::limit);
  EXPECT_EQ(
      parse_resource_lists(view(open + std::string(65536, ' ') + "</list></resource-lists>")).error().code,
      Errc::limit);
  EXPECT_FALSE(parse_resource_lists(view(open + "<entry/></list></resource-lists>")).ok());
  for (const std::string& text : hostile_documents("resource-lists"))
    EXPECT_FALSE(parse_resource_lists(view(text)).ok());
  survives_damage(data("resource-lists.xml"),
                  [](const std::string& text) { (void)parse_resource_lists(view(text)).ok(); });
}

TEST(McpttInfo, ReadsAndWritesTheExampleOfTheSpecification) {
  const auto info = parse_mcptt_info(view(data("mcptt-info.xml")));
  ASSERT_TRUE(info.ok()) << info.error().text();
  EXPECT_EQ(text_of(info->access_token.expose()), "(token)");
  EXPECT_FALSE(info->token_encrypted);
  expect_same(write_mcptt_info(info.value()), data("mcptt-info.xml"));
}

TEST(McpttInfo, MatchesLocalNamesAndRecognisesEncryptedTokens) {
  const auto other = parse_mcptt_info(
      view("<x:mcpttinfo xmlns:x=\"urn:other\"><x:mcptt-Params><x:future/><x:mcptt-access-token> abc "
           "</x:mcptt-access-token>"
           "<x:mcptt-request-uri "
           "type=\"Normal\"><x:mcpttURI>sip:a@x</x:mcpttURI></x:mcptt-request-uri></x:mcptt-Params></"
           "x:mcpttinfo>"));
  ASSERT_TRUE(other.ok()) << other.error().text();
  EXPECT_EQ(text_of(other->access_token.expose()), "abc");
  EXPECT_EQ(other->request_uri, "sip:a@x");
  const auto encrypted = parse_mcptt_info(view(replaced(data("mcptt-info.xml"), "Normal", "Encrypted")));
  ASSERT_TRUE(encrypted.ok());
  EXPECT_TRUE(encrypted->token_encrypted);
  EXPECT_TRUE(encrypted->access_token.empty());
  for (const std::string& text : hostile_documents("mcpttinfo"))
    EXPECT_FALSE(parse_mcptt_info(view(text)).ok()) << text.substr(0, 80);
}

TEST(XcapError, ReadsAndWritesTheExampleOfTheSpecification) {
  const auto error = XcapError::parse(view(data("xcap-error.xml")));
  ASSERT_TRUE(error.ok()) << error.error().text();
  EXPECT_EQ(error->kind, ErrorKind::uniqueness_failure);
  EXPECT_EQ(error.value(), group_id_refused("", {"sip:grp-7f31@mcx.example"}));
  EXPECT_EQ(error->status(), 409);
  expect_same(error->write(), data("xcap-error.xml"));
}

TEST(XcapError, EveryKindReadsBackWithItsStatus) {
  for (int i = 0; i <= static_cast<int>(ErrorKind::not_utf8); ++i) {
    XcapError error{static_cast<ErrorKind>(i), "why & how", {}};
    if (error.kind == ErrorKind::no_parent) error.ancestor = "https://x/a";
    EXPECT_EQ(XcapError::parse(view(error.write())).value(), error) << name_of(error.kind);
    EXPECT_EQ(error.status(), 409);
  }
  EXPECT_EQ((XcapError{ErrorKind::not_found, "", {}}.status()), 404);
  EXPECT_EQ((XcapError{ErrorKind::bad_selector, "", {}}.status()), 400);
  EXPECT_EQ((XcapError{ErrorKind::bad_selector, "", {}}.write()), "");
  for (const std::string& text : hostile_documents("xcap-error"))
    EXPECT_FALSE(XcapError::parse(view(text)).ok());
}

TEST(KeyReceipt, ReadsAndWritesTheExampleOfTheSpecification) {
  const auto receipts = parse_key_receipt(view(data("key-receipt.xml")));
  ASSERT_TRUE(receipts.ok()) << receipts.error().text();
  ASSERT_EQ(receipts->size(), 1u);
  EXPECT_EQ(receipts.value()[0].result, ReceiptResult::installed);
  EXPECT_EQ(receipts.value()[0].gmk_id, 0x0A1B2C3Du);
  EXPECT_EQ(hex(receipts.value()[0].message).substr(0, 8), "6ec1a4f4");
  EXPECT_EQ(receipts.value()[0].group, "sip:tmp-0042@mcx.example");
  expect_same(write_key_receipt(receipts.value()), data("key-receipt.xml"));
}

TEST(KeyReceipt, CarriesAGmkIdExactlyWhenItCanBeKnown) {
  for (int i = 0; i <= static_cast<int>(ReceiptResult::not_authorised); ++i) {
    Receipt receipt;
    receipt.result = static_cast<ReceiptResult>(i);
    receipt.group = "sip:g%40;a@X";
    if (knows_gmk_id(receipt.result)) receipt.gmk_id = 1u;
    EXPECT_EQ(parse_key_receipt(view(write_key_receipt({&receipt, 1}))).value(),
              std::vector<Receipt>{receipt})
        << name_of(receipt.result);
  }
  EXPECT_TRUE(knows_gmk_id(ReceiptResult::wrong_group));
  EXPECT_FALSE(knows_gmk_id(ReceiptResult::bad_signature));
  EXPECT_FALSE(parse_key_receipt(view(replaced(data("key-receipt.xml"), "gmk-id=\"0A1B2C3D\"", ""))).ok());
  EXPECT_FALSE(
      parse_key_receipt(view(replaced(data("key-receipt.xml"), "\"installed\"", "\"undecryptable\""))).ok());
}

// Its age is judged before anything is decapsulated.
TEST(KeyReceipt, AnExpiredMessageMayBeReportedWithoutItsGmkId) {
  Receipt receipt;
  receipt.result = ReceiptResult::expired;
  receipt.group = "sip:g@x";
  EXPECT_EQ(parse_key_receipt(view(write_key_receipt({&receipt, 1}))).value(), std::vector<Receipt>{receipt});
}

TEST(KeyReceipt, RefusesWhatItCannotUse) {
  for (const auto& [from, to] : {std::pair<const char*, const char*>{"\"installed\"", "\"happy\""},
                                 {"6ec1", "6ec"},
                                 {"0A1B2C3D", "0A1B"},
                                 {"sip:tmp-0042@mcx.example", ""}})
    EXPECT_FALSE(parse_key_receipt(view(replaced(data("key-receipt.xml"), from, to))).ok()) << to;
  EXPECT_FALSE(parse_key_receipt(view("<key-receipt xmlns=\"urn:regroup:key-receipt:1\"/>")).ok());
  for (const std::string& text : hostile_documents("key-receipt"))
    EXPECT_FALSE(parse_key_receipt(view(text)).ok());
  survives_damage(data("key-receipt.xml"),
                  [](const std::string& text) { (void)parse_key_receipt(view(text)).ok(); });
}

TEST(Capabilities, NameTheApplicationUsages) {
  EXPECT_THAT(write_capabilities(), HasSubstr("<auid>org.openmobilealliance.groups</auid>"));
  EXPECT_THAT(write_capabilities(), HasSubstr("<auid>org.3gpp.MCPTT-GKTP</auid>"));
}

}  // namespace
}  // namespace regroup::xcap
