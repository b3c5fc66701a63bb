// SPDX-License-Identifier: Apache-2.0
// XML Signature of KMS messages: the worked examples of an independent tool, what we sign ourselves, and the
// known attacks on readers of signed XML.
#include "kmsxml/signature.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "crypto/hash/sha256.hpp"
#include "kmsxml/data.hpp"
#include "xml/canonical.hpp"

namespace regroup::kmsxml {
namespace {

using test::kms_document;
using test::replaced;
using testing::HasSubstr;

const std::string kInk = "349ffc302baeb35f4c027a5bc7700652c0c4492a11a1c67a1fa783475a44477a";

SigningKey key_of(const std::string& name, const std::string& digits = kInk) {
  return {.name = name,
          .sha256 = [](OctetsView octets) { return crypto::sha256(octets); },
          .hmac_sha256 =
              [digits](OctetsView octets) { return crypto::hmac_sha256(from_hex(digits).value(), octets); }};
}
SigningKey ink() { return key_of("ink.0007.user.001@alpha.example"); }

Result<KmsRequest> request(const std::string& document, const SigningKey& key = ink()) {
  return open_request(view(document), key, Profile::all_forms());
}
Result<KmsResponse> answer(const std::string& document, const SigningKey& key = ink()) {
  return open_response(view(document), key, Profile::all_forms());
}

// A document signed anew after it was changed: what a dishonest or clumsy owner of the key could send, so
// that only the rule in question can refuse it. `signed_path` is what the Reference shall cover.
std::string resigned(const std::string& document, const xml::Path& signed_path,
                     xml::Canonical form = xml::Canonical::inclusive, bool enveloped = false,
                     std::size_t signature_at = 1) {
  const auto between = [](std::string text, const std::string& tag, const std::string& value) {
    const std::size_t start = text.find("<ds:" + tag + ">") + tag.size() + 5;
    return text.replace(start, text.find("</ds:" + tag + ">", start) - start, value);
  };
  const xml::Path own{signature_at};
  const auto digested = xml::Document::parse(view(document)).value();
  std::string out = between(
      document, "DigestValue",
      base64(crypto::sha256(
          digested.canonical(signed_path, xml::Canonical::inclusive, enveloped ? &own : nullptr)->expose())));
  const auto info = xml::Document::parse(view(out)).value();
  out = between(
      out, "SignatureValue",
      base64(crypto::hmac_sha256(from_hex(kInk).value(), info.canonical({signature_at, 0}, form)->expose())
                 .expose()));
  return out;
}

void expect_refused(const std::string& document, const std::string& named) {
  const auto opened = request(document);
  ASSERT_FALSE(opened.ok()) << document;
  EXPECT_EQ(opened.error().code, Errc::bad_signature) << opened.error().text();
  EXPECT_THAT(opened.error().text(), HasSubstr(named));
  EXPECT_FALSE(opened.error().cure.empty());
}

TEST(KmsSignature, VerifiesTheWorkedExamples) {
  const auto asked = request(kms_document("signed_request.xml"));
  ASSERT_TRUE(asked.ok()) << asked.error().text();
  EXPECT_EQ(asked->id, "q2");
  EXPECT_EQ(asked->user_uri, "sip:user.001@alpha.example");
  EXPECT_EQ(asked->client_req_url, "https://kms.alpha.example/keymanagement/identity/v1/keyprov");
  const auto answered = answer(kms_document("keyprov_wrapped_signed.xml"));
  ASSERT_TRUE(answered.ok()) << answered.error().text();
  EXPECT_EQ(answered->id, "r5");
  EXPECT_EQ(std::get<KmsKeyProv>(answered->content).key_sets.size(), 1u);
}

TEST(KmsSignature, TellsSignedDocumentsFromOthers) {
  EXPECT_TRUE(is_signed(view(kms_document("signed_request.xml"))));
  EXPECT_TRUE(is_signed(view(kms_document("keyprov_wrapped_signed.xml"))));
  EXPECT_FALSE(is_signed(view(kms_document("request.xml"))));
  EXPECT_FALSE(is_signed(view(std::string("SignedKmsRequest"))));
  EXPECT_FALSE(answer(kms_document("keyprov.xml")).ok());
  EXPECT_FALSE(request(kms_document("request.xml")).ok());
  EXPECT_FALSE(request(kms_document("keyprov_wrapped_signed.xml")).ok()) << "an answer is no request";
}

TEST(KmsSignature, OfOursVerifiesAndHasTheFormOfTheExamples) {
  KmsRequest made = *request(kms_document("signed_request.xml"));
  const auto written = sign(made, ink());
  ASSERT_TRUE(written.ok()) << written.error().text();
  EXPECT_THAT(
      *written,
      HasSubstr("<SignedKmsRequest xmlns=\"urn:3gpp:ns:mcsecKMSInterface:1.0\"><KmsRequest Id=\"q2\""))
      << "no white space between them (trap T-9)";
  EXPECT_EQ(request(*written)->client_req_url, made.client_req_url);

  const auto expected = xml::parse(kms_document("signed_request.xml")).value();
  auto same = xml::parse(*written).value();
  const auto values_of = [](xml::Element root) {  // two texts that depend on white space
    root.children[1].children[0].children[2].children[1].text.clear();
    root.children[1].children[1].text.clear();
    return root;
  };
  EXPECT_TRUE(xml::equivalent(values_of(expected), values_of(same))) << *written;

  made.id = "7 is no name";
  EXPECT_FALSE(sign(made, ink()).ok());
  const auto read_back = answer(kms_document("keyprov_wrapped_signed.xml"));
  const auto rewritten = sign(*read_back, ink());
  ASSERT_TRUE(rewritten.ok());
  EXPECT_TRUE(open_response(rewritten->expose(), ink()).ok());
}

TEST(KmsSignature, RefusesEveryAlteredOctetOfWhatIsSigned) {
  for (const char* name : {"signed_request.xml", "keyprov_wrapped_signed.xml"}) {
    const std::string document = kms_document(name);
    const bool is_request = std::string(name) == "signed_request.xml";
    const std::size_t first = document.find(is_request ? "<KmsRequest" : "<KmsResponse");
    const std::size_t last = document.find("</ds:KeyName>\n    </ds:KeyInfo>\n  </ds:Signature>");
    ASSERT_NE(last, std::string::npos);
    for (std::size_t at = first; at < last; ++at) {
      std::string altered = document;
      altered[at] = static_cast<char>(altered[at] ^ 1);
      EXPECT_FALSE(is_request ? request(altered).ok() : answer(altered).ok()) << name << " at " << at;
    }
  }
}

TEST(KmsSignature, RefusesAnotherKeyAndAnotherName) {
  const std::string document = kms_document("signed_request.xml");
  std::string other = kInk;
  other.back() = other.back() == 'a' ? 'b' : 'a';
  const auto wrong_key = request(document, key_of(ink().name, other));
  ASSERT_FALSE(wrong_key.ok());
  EXPECT_EQ(wrong_key.error().code, Errc::bad_signature);
  const auto wrong_name = request(document, key_of("tk.0007.user.001@alpha.example"));
  ASSERT_FALSE(wrong_name.ok());
  EXPECT_THAT(wrong_name.error().text(), HasSubstr("KeyName"));
  // The name is not signed; the key that is used is ours whatever the message says.
  expect_refused(replaced(document, ">ink.0007.user.001", ">ink.0008.user.001"), "KeyName");
  EXPECT_TRUE(request(replaced(document, ">ink.0007.user.001@alpha.example<",
                               ">\n ink.0007.user.001@alpha.example\n<"))
                  .ok())
      << "white space around the name (33.180 Annex D)";
}

TEST(KmsSignature, TakesTheThreeCanonicalFormsAndTheOuterIdWithItsOneTransform) {
  const std::string document = kms_document("signed_request.xml");
  const std::string inclusive = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
  const auto with_form = [&](const std::string& uri, xml::Canonical form) {
    return resigned(replaced(document, inclusive, uri), {0}, form);
  };
  EXPECT_TRUE(request(resigned(document, {0})).ok());
  EXPECT_TRUE(request(with_form(inclusive + "#WithComments", xml::Canonical::inclusive_with_comments)).ok());
  EXPECT_TRUE(request(with_form("http://www.w3.org/2001/10/xml-exc-c14n#", xml::Canonical::exclusive)).ok());
  expect_refused(with_form("http://www.w3.org/2006/12/xml-c14n11", xml::Canonical::inclusive),
                 "CanonicalizationMethod");

  const std::string transform =
      "<ds:Transforms><ds:Transform "
      "Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/></ds:Transforms>";
  std::string outer = replaced(document, "<SignedKmsRequest ", "<SignedKmsRequest Id=\"outer\" ");
  outer = replaced(outer, "\"#q2\">", "\"#outer\">" + transform);
  const auto opened = request(resigned(outer, {}, xml::Canonical::inclusive, true));
  ASSERT_TRUE(opened.ok()) << opened.error().text();
  EXPECT_EQ(opened->id, "outer") << "the Id that was signed";

  // The Rel-13 example's form, which no digest can have: outer Id without the transform.
  expect_refused(resigned(replaced(outer, transform, ""), {0}), "Reference/@URI");
  // And the transform on the inner element.
  expect_refused(resigned(replaced(document, "\"#q2\">", "\"#q2\">" + transform), {0}), "Reference/@URI");
}

TEST(KmsSignature, RefusesTransformsReferencesAndAlgorithmsBesideTheOneForm) {
  const std::string document = kms_document("signed_request.xml");
  const auto with = [&](const std::string& from, const std::string& to) {
    return resigned(replaced(document, from, to), {0});
  };
  const auto transform = [](const std::string& uri) {
    return "\"#q2\"><ds:Transforms><ds:Transform Algorithm=\"" + uri + "\"/></ds:Transforms>";
  };
  for (const char* uri :
       {"http://www.w3.org/TR/1999/REC-xslt-19991116", "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "http://www.w3.org/2002/06/xmldsig-filter2", "http://www.w3.org/2000/09/xmldsig#base64",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"})
    expect_refused(with("\"#q2\">", transform(uri)), "Transform is");
  expect_refused(with("\"#q2\">", "\"#q2\"><ds:Transforms></ds:Transforms>"), "Transforms holds");
  for (const char* uri :
       {"", "#", "#nobody", "http://evil.example/x", "file:///etc/passwd", "#xpointer(/)", "q2", "xq2"})
    expect_refused(with("URI=\"#q2\"", "URI=\"" + std::string(uri) + "\""), "Reference/@URI");
  expect_refused(with(" URI=\"#q2\"", ""), "Reference/@URI");
  const std::size_t start = document.find("<ds:Reference"), end = document.find("</ds:Reference>") + 15;
  const std::string reference = document.substr(start, end - start);
  expect_refused(with(reference, reference + reference), "SignedInfo holds");
  expect_refused(replaced(document, reference, ""), "SignedInfo holds");
  expect_refused(with("xmldsig-more#hmac-sha256", "xmldsig-more#hmac-sha512"), "SignatureMethod");
  expect_refused(with("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
                      "http://www.w3.org/2000/09/xmldsig#hmac-sha1"),
                 "SignatureMethod");
  expect_refused(with("xmlenc#sha256", "xmlenc#sha512"), "DigestMethod");
  expect_refused(with("</ds:KeyName>", "</ds:KeyName><ds:X509Data/>"), "KeyInfo holds");
  expect_refused(with("</ds:KeyInfo>", "</ds:KeyInfo><ds:Object><KmsRequest/></ds:Object>"),
                 "Signature holds");
}

TEST(KmsSignature, RefusesATruncatedMac) {
  const std::string document = kms_document("signed_request.xml");
  const std::string method =
      "<ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256\"/>";
  const auto with_length = [&](const std::string& length) {
    return resigned(
        replaced(document, method,
                 replaced(method, "/>",
                          "><ds:HMACOutputLength>" + length + "</ds:HMACOutputLength></ds:SignatureMethod>")),
        {0});
  };
  EXPECT_TRUE(request(with_length("256")).ok());
  for (const char* length : {"128", "8", "0", "", "255", "257", "256.0", "-1", "4294967552"})
    expect_refused(with_length(length), "HMACOutputLength");
  const std::size_t value = document.find("<ds:SignatureValue>") + 19;
  for (const std::size_t octets : {0U, 1U, 16U, 31U, 33U}) {
    std::string cut = document;
    cut.replace(value, document.find("</ds:SignatureValue>") - value, base64(Octets(octets, 0)));
    expect_refused(cut, "SignatureValue");
  }
}

TEST(KmsSignature, RefusesMovedDoubledAndAddedElements) {
  const std::string document = kms_document("signed_request.xml");
  const std::size_t start = document.find("<KmsRequest"), end = document.find("</KmsRequest>") + 13;
  const std::string message = document.substr(start, end - start);
  const std::string forged = replaced(message, "sip:user.001@", "sip:user.002@");
  // The signed message goes elsewhere, another takes its place.
  expect_refused(replaced(document, message, forged + message), "holds something else");
  expect_refused(replaced(document, message, replaced(forged, "Id=\"q2\"", "Id=\"q3\"") + message),
                 "holds something else");
  expect_refused(replaced(document, message, replaced(forged, "Id=\"q2\"", "Id=\"q3\"")), "Reference/@URI");
  expect_refused(replaced(document, message, replaced(forged, " Id=\"q2\"", "")), "Reference/@URI");
  const std::string carrier =
      replaced(forged, "</KmsRequest>", "<x xmlns=\"urn:x\">" + message + "</x></KmsRequest>");
  expect_refused(replaced(document, message, carrier), "stands twice");
  expect_refused(replaced(document, message, replaced(carrier, " Id=\"q2\"", " Id=\"q3\"")),
                 "Reference/@URI");
  expect_refused(replaced(replaced(document, message, forged), "</ds:KeyInfo>",
                          "</ds:KeyInfo><ds:Object>" + message + "</ds:Object>"),
                 "");
  expect_refused(replaced(document, "</SignedKmsRequest>", "<x xmlns=\"urn:x\"/></SignedKmsRequest>"),
                 "holds something else");
  expect_refused(replaced(document, "</SignedKmsRequest>", "<KmsRequest/></SignedKmsRequest>"),
                 "holds something else");
  // Every spelling that another reader might take for an ID.
  for (const char* id : {"ID=\"q2\"", "id=\"q2\"", "xml:id=\"q2\"", "Id=\" q2 \""})
    expect_refused(resigned(replaced(document, "<UserUri>", "<UserUri " + std::string(id) + ">"), {0}),
                   "stands twice");
  // The signature first, a wrapper around both, no signature at all.
  const std::size_t mark = document.find("<ds:Signature "), stop = document.find("</ds:Signature>") + 15;
  const std::string signature = document.substr(mark, stop - mark);
  expect_refused(replaced(replaced(document, signature, ""), message, signature + message),
                 "holds something else");
  expect_refused(replaced(document, signature, ""), "holds something else");
}

TEST(KmsSignature, RefusesAMessageInAnotherNamespaceThanItsEnvelope) {
  const std::string document = kms_document("signed_request.xml");
  expect_refused(replaced(document, "<KmsRequest ", "<KmsRequest xmlns=\"urn:other\" "),
                 "holds something else");
  EXPECT_EQ(request(replaced(document, "urn:3gpp:ns:mcsecKMSInterface:1.0", "urn:other")).error().code,
            Errc::unsupported);
}

TEST(KmsSignature, ReadsTheMessageOnlyAfterItWasVerified) {
  // A message that breaks everywhere, signed by a stranger: the signature is what is complained of.
  const std::string document = kms_document("signed_request.xml");
  const std::string broken = replaced(document, "<Time>2026-03-02T09:30:00Z</Time>", "<Time>never</Time>");
  expect_refused(broken, "DigestValue");
  const auto owned = request(resigned(broken, {0}));
  ASSERT_FALSE(owned.ok());
  EXPECT_EQ(owned.error().code, Errc::malformed);
}

}  // namespace
}  // namespace regroup::kmsxml
