// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kmsxml/data.hpp"
#include "kmsxml/documents.hpp"
#include "xml/element.hpp"

namespace regroup::kmsxml {
namespace {

using test::kms_document;

// The examples follow the Rel-14+ schema, so what we write must be the same document, element order included.
void expect_same(const std::string& document, std::string_view written) {
  const auto expected = xml::parse(document).value();
  const auto made = xml::parse(written);
  ASSERT_TRUE(made.ok()) << made.error().text();
  EXPECT_TRUE(xml::equivalent(expected, *made)) << document << "\n" << written;
}

TEST(KmsXmlWrite, RepeatsEveryWorkedPlainResponse) {
  for (const char* name : {"init.xml", "keyprov.xml", "certcache.xml", "cert_unknown.xml"}) {
    const std::string document = kms_document(name);
    const auto parsed = parse_response(view(document));
    ASSERT_TRUE(parsed.ok()) << name;
    for (const Layout layout : {Layout::compact, Layout::indented})
      expect_same(document, text_of(write(*parsed, layout).expose()));
  }
}

TEST(KmsXmlWrite, RepeatsTheWorkedWrappedResponse) {
  xml::Element outer = xml::parse(kms_document("keyprov_wrapped_signed.xml")).value();
  xml::Element inner = std::move(outer.children[0]);
  inner.declared = outer.declared;
  inner.tail.clear();
  const std::string document = xml::write(inner);
  const auto parsed = parse_response(view(document));
  ASSERT_TRUE(parsed.ok()) << parsed.error().text();
  expect_same(test::replaced(document, "<UserDecryptKey", "<Revoked>false</Revoked><UserDecryptKey"),
              text_of(write(*parsed).expose()));
}

TEST(KmsXmlWrite, RepeatsTheWorkedRequest) {
  const std::string document = kms_document("request.xml");
  expect_same(document, write(parse_request(view(document)).value()));
}

TEST(KmsXmlWrite, GivesEachKeyElementItsTypeBecauseTheSchemaMakesItAbstract) {
  const auto sets = find_key_sets(view(kms_document("keyprov.xml"))).value();
  const SecretOctets written = write(sets[0]);
  const auto root = xml::parse(written.expose()).value();
  for (const char* name : {"UserDecryptKey", "UserSigningKeySSK", "UserPubTokenPVT"}) {
    const xml::Element* key = root.child(kNamespace, name);
    ASSERT_TRUE(key && key->attribute("type", xml::kXsiNamespace)) << name;
    EXPECT_EQ(*key->attribute("type", xml::kXsiNamespace), "KeyContentType");
  }
  EXPECT_EQ(find_key_sets(written.expose())->at(0).key_period_no, 1536);
}

TEST(KmsXmlWrite, EscapesWhatComesFromOutside) {
  KmsResponse response{.user_uri = "sip:<a>&\"@x",
                       .kms_uri = "k",
                       .client_req_url = "https://k/",
                       .content = KmsError{400, "bad_request: <&>"}};
  const SecretOctets written = write(response);
  const auto again = parse_response(written.expose());
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_EQ(again->user_uri, response.user_uri);
  EXPECT_EQ(std::get<KmsError>(again->content).message, "bad_request: <&>");
}

TEST(KmsXmlWrite, WritesABareCertificateThatIsFoundAgain) {
  const auto root = find_certificates(view(kms_document("init.xml"))).value();
  const std::string written = write(root[0]);
  EXPECT_THAT(written, testing::HasSubstr("\n  <KmsUri>kms.alpha.example</KmsUri>\n"));
  EXPECT_EQ(find_certificates(view(written))->at(0).pub_enc_key, root[0].pub_enc_key);
}

}  // namespace
}  // namespace regroup::kmsxml
