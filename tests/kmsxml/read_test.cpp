// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "kmsxml/data.hpp"
#include "kmsxml/documents.hpp"

namespace regroup::kmsxml {
namespace {

using test::kms_document;
using test::replaced;
using test::replaced_everywhere;
using testing::HasSubstr;

const Profile kForms = Profile::all_forms();

Result<KmsResponse> response(const std::string& document, const Profile& profile = {}) {
  return parse_response(view(document), profile);
}
Result<KmsKeyProv> keyprov(const std::string& document, const Profile& profile = {}) {
  KmsResponse parsed = TRY(response(document, profile));
  return std::get<KmsKeyProv>(std::move(parsed.content));
}
Result<KmsCertificate> certificate(const std::string& document, const Profile& profile = {}) {
  return TRY(find_certificates(view(document), profile))[0];
}

// The text of the first element of that name, tags included.
std::string element_text(const std::string& document, const std::string& name) {
  const std::size_t start = document.find("<" + name);
  const std::string close = "</" + name + ">";
  return document.substr(start, document.find(close, start) + close.size() - start);
}

constexpr const char* kSsk = "1F45A30FD8A58BC014194DF774A33E73EBC37D1E1ACE3F26582C0AD2ED4AA27F";

TEST(KmsXmlRequest, ReadsTheWorkedExample) {
  const auto request = parse_request(view(kms_document("request.xml")));
  ASSERT_TRUE(request.ok()) << request.error().text();
  EXPECT_EQ(request->id, "q1");
  EXPECT_EQ(request->user_uri, "sip:user.001@alpha.example");
  EXPECT_EQ(request->kms_uri, "kms.alpha.example");
  EXPECT_EQ(date_time(request->time), "2026-03-02T09:30:00Z");
  EXPECT_EQ(request->client_id, "regroup-ue");
  EXPECT_EQ(request->client_req_url, "https://kms.alpha.example/keymanagement/identity/v1/init");
}

TEST(KmsXmlRequest, OfASignedOneIsNotReadWithoutItsKey) {
  const auto request = parse_request(view(kms_document("signed_request.xml")));
  ASSERT_FALSE(request.ok());
  EXPECT_EQ(request.error().code, Errc::unsupported);
  EXPECT_THAT(request.error().text(), HasSubstr("transport keys"));
}

TEST(KmsXmlRequest, NamesAMissingFieldAndAFieldThatStandsTwice) {
  const std::string document = kms_document("request.xml");
  const auto missing = parse_request(view(replaced(document, element_text(document, "KmsUri"), "")));
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error().text(), HasSubstr("KmsRequest/KmsUri: is missing"));
  const auto twice =
      parse_request(view(replaced(document, "<Time>", "<UserUri>sip:other@alpha.example</UserUri><Time>")));
  ASSERT_FALSE(twice.ok());
  EXPECT_THAT(twice.error().text(), HasSubstr("UserUri: stands twice"));
  EXPECT_FALSE(parse_request(view(kms_document("init.xml"))).ok()) << "a response is not a request";
}

TEST(KmsXmlResponse, ReadsTheCertificateOfInit) {
  const auto parsed = response(kms_document("init.xml"));
  ASSERT_TRUE(parsed.ok()) << parsed.error().text();
  EXPECT_EQ(parsed->user_uri, "sip:user.001@alpha.example");
  const KmsCertificate& root = std::get<KmsInit>(parsed->content).certificate;
  EXPECT_EQ(root.role, Role::root);
  EXPECT_EQ(root.kms_uri, "kms.alpha.example");
  EXPECT_EQ(root.cert_uri, "cert1.kms.alpha.example");
  EXPECT_EQ(date_time(*root.valid_from), "2026-01-01T00:00:00Z");
  EXPECT_FALSE(root.revoked);
  EXPECT_EQ(root.user_key_period, 2592000);
  EXPECT_EQ(root.user_key_offset, 0);
  EXPECT_EQ(hex(OctetsView(root.pub_enc_key).first(5)), "0416b68610");
  EXPECT_EQ(root.pub_enc_key.size(), 257u);
  EXPECT_EQ(hex(OctetsView(root.pub_auth_key).first(5)), "04019860cf");
  EXPECT_EQ(root.domains, std::vector<std::string>{"alpha.example"});
}

TEST(KmsXmlResponse, ReadsBothKeySetsOfKeyprov) {
  const auto provided = keyprov(kms_document("keyprov.xml"));
  ASSERT_TRUE(provided.ok()) << provided.error().text();
  ASSERT_EQ(provided->key_sets.size(), 2u);
  const KmsKeySet& set = provided->key_sets[0];
  EXPECT_EQ(set.key_period_no, 1536);
  EXPECT_EQ(provided->key_sets[1].key_period_no, 1537);
  EXPECT_EQ(hex(set.user_id), "72db45f98d6287bf2acec5599eb27afb0bff0337423ba3a36639ea3a6408314a");
  EXPECT_EQ(hex_upper(set.user_signing_key_ssk.expose()), kSsk);
  EXPECT_EQ(set.user_decrypt_key.size(), 257u);
  EXPECT_EQ(set.user_pub_token_pvt.size(), 65u);
  EXPECT_EQ(date_time(*set.valid_to), "2026-03-30T23:59:59Z");
}

TEST(KmsXmlResponse, ReadsTheCacheAndTheError) {
  const auto cache = response(kms_document("certcache.xml"));
  ASSERT_TRUE(cache.ok()) << cache.error().text();
  EXPECT_EQ(std::get<KmsCertCache>(cache->content).cache_num, 7);
  EXPECT_EQ(std::get<KmsCertCache>(cache->content).certificates[0].role, Role::external);
  EXPECT_EQ(std::get<KmsCertCache>(cache->content).certificates[0].user_key_offset, 259200);
  const auto error = response(kms_document("cert_unknown.xml"));
  ASSERT_TRUE(error.ok()) << error.error().text();
  EXPECT_EQ(std::get<KmsError>(error->content).code, 404);
  EXPECT_THAT(std::get<KmsError>(error->content).message, HasSubstr("unknown_kms"));
}

const std::string kDeclared =
    " xmlns=\"urn:3gpp:ns:mcsecKMSInterface:1.0\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";

// The message inside the signed worked example, as a document of its own.
std::string wrapped_answer() {
  return replaced(element_text(kms_document("keyprov_wrapped_signed.xml"), "KmsResponse"), "<KmsResponse",
                  "<KmsResponse" + kDeclared);
}

TEST(KmsXmlResponse, OfASignedOneIsNotReadWithoutItsKey) {
  const auto signed_one = response(kms_document("keyprov_wrapped_signed.xml"));
  ASSERT_FALSE(signed_one.ok());
  EXPECT_EQ(signed_one.error().code, Errc::unsupported);
  EXPECT_THAT(signed_one.error().text(), HasSubstr("SignedKmsResponse"));
}

TEST(KmsXmlWrapped, ReadsWrappedKeysAndNewTransportKeysAsTheyStand) {
  const auto provided = keyprov(wrapped_answer());
  ASSERT_TRUE(provided.ok()) << provided.error().text();
  ASSERT_EQ(provided->key_sets.size(), 1u);
  const KmsKeySet& set = provided->key_sets[0];
  ASSERT_TRUE(set.wrapped);
  EXPECT_TRUE(set.user_decrypt_key.empty() && set.user_signing_key_ssk.empty() &&
              set.user_pub_token_pvt.empty());
  EXPECT_EQ(set.wrapped->user_decrypt_key.key_name, "tk.0007.user.001@alpha.example");
  EXPECT_EQ(set.wrapped->user_decrypt_key.cipher.size(), 272u);
  EXPECT_EQ(set.wrapped->user_signing_key_ssk.cipher.size(), 40u);
  EXPECT_EQ(set.wrapped->user_pub_token_pvt.cipher.size(), 80u);
  ASSERT_EQ(provided->new_transport_keys.size(), 1u);
  EXPECT_EQ(provided->new_transport_keys[0].carried_key_name, "tk.0008.user.001@alpha.example");
  ASSERT_EQ(provided->new_integrity_keys.size(), 1u);
  EXPECT_EQ(provided->new_integrity_keys[0].carried_key_name, "ink.0008.user.001@alpha.example");

  const auto alone = find_key_sets(view(wrapped_answer()));
  ASSERT_FALSE(alone.ok()) << "open and seal hold no transport keys";
  EXPECT_EQ(alone.error().code, Errc::unsupported);
  EXPECT_THAT(alone.error().text(), HasSubstr("UserDecryptKey"));
}

TEST(KmsXmlWrapped, TakesHexOfAnExpectedSizeElseBase64) {
  const std::string document = wrapped_answer();
  const std::string base64_text = element_text(document, "xenc:CipherValue");  // of the RSK
  const Octets cipher = keyprov(document)->key_sets[0].wrapped->user_decrypt_key.cipher;
  const auto with = [&](const std::string& text) {
    return keyprov(replaced(document, base64_text, "<xenc:CipherValue>" + text + "</xenc:CipherValue>"),
                   kForms);
  };
  for (const std::string& text : {hex(cipher), hex_upper(cipher), "\n " + hex(cipher) + "\n"})
    EXPECT_EQ(with(text)->key_sets[0].wrapped->user_decrypt_key.cipher, cipher) << "trap T-10";
  EXPECT_EQ(with(std::string(64, 'a'))->key_sets[0].wrapped->user_decrypt_key.cipher.size(), 48u)
      << "hex of no expected size is base64";
  EXPECT_FALSE(with("").ok());
  EXPECT_FALSE(with("====").ok());
  EXPECT_FALSE(with(base64(Octets(23, 1))).ok());
  EXPECT_FALSE(with(base64(Octets(271, 1))).ok()) << "no whole blocks";
  EXPECT_FALSE(with(base64(Octets(2048, 1))).ok());
}

TEST(KmsXmlWrapped, RefusesEveryOtherFormByName) {
  const std::string document = wrapped_answer();
  const auto refused = [&](const std::string& from, const std::string& to, const std::string& named) {
    const auto answer = keyprov(replaced(document, from, to));
    ASSERT_FALSE(answer.ok()) << to;
    EXPECT_THAT(answer.error().text(), HasSubstr(named));
  };
  refused("xmlenc#kw-aes256", "xmlenc#kw-aes128", "only kw-aes256");
  refused("xsi:type=\"EncKeyContentType\"", "xsi:type=\"KeyContentType\"", "xsi:type");
  refused("<ds:KeyName>tk.0007.user.001@alpha.example</ds:KeyName>", "<ds:KeyName> </ds:KeyName>", "KeyName");
  refused("<ds:KeyName>tk.0007.user.001@alpha.example</ds:KeyName>",
          "<ds:RetrievalMethod URI=\"http://evil.example/k\"/>", "KeyInfo");
  refused("<xenc:CipherValue>", "<xenc:CipherReference URI=\"file:///etc/passwd\"/><xenc:CipherValue>",
          "CipherData");
  refused("</xenc:CipherValue>", "</xenc:CipherValue><xenc:CipherReference URI=\"file:///etc/passwd\"/>",
          "CipherData");
  refused("<xenc:CipherData>", "<xenc:EncryptionProperties/><xenc:CipherData>", "EncryptionProperties");
  refused("<xenc:EncryptedKey ", "<xenc:EncryptedKey Type=\"urn:x\" ", "@Type");
  const std::string ssk = element_text(document, "UserSigningKeySSK");
  refused(ssk, "<UserSigningKeySSK>" + std::string(kSsk) + "</UserSigningKeySSK>", "UserSigningKeySSK");
  EXPECT_TRUE(keyprov(replaced(document, "<xenc:EncryptedKey ",
                               "<xenc:EncryptedKey Type=\"http://www.w3.org/2001/04/xmlenc#EncryptedKey\" "))
                  .ok());
  EXPECT_TRUE(keyprov(replaced(document, " xsi:type=\"EncKeyContentType\"", ""), kForms).ok()) << "trap T-6";
}

TEST(KmsXmlTolerance, TakesAnyOrderAnyPrefixAndTheRel13Placeholder) {
  const std::string document = kms_document("keyprov.xml");
  const std::string user = element_text(document, "UserUri");
  EXPECT_TRUE(keyprov(replaced(replaced(document, user, ""), "<Time>", user + "<Time>"), kForms).ok());
  EXPECT_TRUE(keyprov(replaced(document, "urn:3gpp:ns:mcsecKMSInterface:1.0", "TOBEDEFINED"), kForms).ok());
  const auto vendor =
      keyprov(replaced(document, "urn:3gpp:ns:mcsecKMSInterface:1.0", "http://vendor.example/kms"));
  ASSERT_FALSE(vendor.ok());
  EXPECT_THAT(vendor.error().text(), HasSubstr("http://vendor.example/kms"));
  const std::string foreign =
      replaced(document, "urn:3gpp:ns:mcsecKMSInterface:1.0", "http://vendor.example/kms");
  Profile vendors;
  ASSERT_TRUE(vendors.allow("namespace:http://vendor.example/kms").ok());
  EXPECT_TRUE(parse_response(view(foreign), vendors).ok());
  std::string prefixed =
      replaced_everywhere(replaced_everywhere(document, "</", "</k:"), "xmlns=", "xmlns:k=");
  for (const char* start : {"Kms", "User", "Time", "Client", "Cert", "Issuer", "Valid", "Key", "Revoked"})
    prefixed = replaced_everywhere(prefixed, std::string("<") + start, std::string("<k:") + start);
  prefixed = replaced_everywhere(prefixed, "\"KeyContentType\"", "\"k:KeyContentType\"");
  const auto parsed = keyprov(prefixed);
  EXPECT_TRUE(parsed.ok()) << parsed.error().text();
}

TEST(KmsXmlTolerance, TakesForeignElementsAndAttributesWithoutLookingAtThem) {
  const std::string document = kms_document("init.xml");
  EXPECT_TRUE(
      response(replaced(document, "<Time>", "<x:UserUri xmlns:x=\"urn:x\">sip:other@x</x:UserUri><Time>"))
          .ok());
  EXPECT_TRUE(response(replaced(document, "<KmsInit Version=\"1.0.0\">",
                                "<KmsInit Version=\"9\" xmlns:x=\"urn:x\" x:y=\"1\">"))
                  .ok());
}

TEST(KmsXmlTolerance, TakesKeysInEitherCaseWithSpacesOrInBase64) {
  const std::string document = kms_document("keyprov.xml");
  const std::string ssk_hex = hex(OctetsView(from_hex(kSsk).value()));
  for (const std::string& form :
       {ssk_hex, "\n   " + ssk_hex.substr(0, 20) + "\n   " + ssk_hex.substr(20) + "\n",
        base64(from_hex(kSsk).value()), "0000" + ssk_hex}) {
    const auto provided = keyprov(replaced(document, kSsk, form), kForms);
    ASSERT_TRUE(provided.ok()) << form << provided.error().text();
    EXPECT_EQ(hex_upper(provided->key_sets[0].user_signing_key_ssk.expose()), kSsk) << form;
  }
  const auto shorter = keyprov(replaced(document, kSsk, "0102"), kForms);
  ASSERT_TRUE(shorter.ok());
  EXPECT_EQ(hex(shorter->key_sets[0].user_signing_key_ssk.expose()), std::string(60, '0') + "0102");
}

TEST(KmsXmlTolerance, TakesKeysWithoutATypeButNotWithAWrongOne) {
  const std::string document = kms_document("keyprov.xml");
  EXPECT_TRUE(keyprov(replaced_everywhere(document, " xsi:type=\"KeyContentType\"", ""), kForms).ok());
  EXPECT_FALSE(keyprov(replaced(document, "\"KeyContentType\"", "\"EncKeyContentType\"")).ok());
  EXPECT_FALSE(keyprov(replaced(document, "\"KeyContentType\"", "\"se:KeyContentType\"")).ok())
      << "unbound prefix";
}

TEST(KmsXmlTolerance, TakesUserIdInHexOrBase64AndIgnoresAnythingElse) {
  const std::string document = kms_document("keyprov.xml");
  const std::string id = "cttF+Y1ih78qzsVZnrJ6+wv/AzdCO6OjZjnqOmQIMUo=";
  const auto as_hex = keyprov(
      replaced(document, id, "72DB45F98D6287bf2acec5599eb27afb0bff0337423ba3a36639ea3a6408314a"), kForms);
  EXPECT_EQ(base64(as_hex->key_sets[0].user_id), id);
  EXPECT_TRUE(
      keyprov(replaced(document, id, "sip:user.001@alpha.example"), kForms)->key_sets[0].user_id.empty());
}

TEST(KmsXmlTolerance, TakesBothSpellingsOfTheUidFormatAndDatesWithZones) {
  const std::string document = kms_document("init.xml");
  EXPECT_TRUE(certificate(replaced_everywhere(document, "UserIdFormat", "UserIDFormat")).ok());
  EXPECT_EQ(date_time(*certificate(replaced(document, "2026-01-01T00:00:00Z", "2026-01-01T02:00:00.5+02:00"))
                           ->valid_from),
            "2026-01-01T00:00:00Z");
  EXPECT_EQ(date_time(*certificate(replaced(document, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00"), kForms)
                           ->valid_from),
            "2026-01-01T00:00:00Z");
}

TEST(KmsXmlRefusal, NamesTheFieldOfEachBadValue) {
  const std::string init = kms_document("init.xml");
  const std::string keys = kms_document("keyprov.xml");
  const struct {
    std::string document;
    const char* names;
  } cases[] = {
      {replaced(init, "<UserIdFormat>2<", "<UserIdFormat>1<"), "UserIdFormat"},
      {replaced(init, "<ParameterSet>1<", "<ParameterSet>2<"), "ParameterSet"},
      {replaced(init, ">2592000<", ">0<"), "UserKeyPeriod"},
      {replaced(init, ">2592000<", ">-1<"), "UserKeyPeriod"},
      {replaced(init, ">2592000<", ">9223372036854775808<"), "UserKeyPeriod"},
      {replaced(init, ">2592000<", "> 30 days<"), "UserKeyPeriod"},
      {replaced(init, "<UserKeyOffset>0<", "<UserKeyOffset>2592000<"), "UserKeyOffset"},
      {replaced(init, "<PubEncKey>04", "<PubEncKey>"), "PubEncKey"},
      {replaced(init, "<PubAuthKey>04", "<PubAuthKey>0404"), "PubAuthKey"},
      {replaced(init, "<PubAuthKey>04", "<PubAuthKey>*"), "PubAuthKey"},
      {replaced(init, "<Revoked>false<", "<Revoked>maybe<"), "Revoked"},
      {replaced(init, "2026-01-01T00:00:00Z", "2029-01-01T00:00:00Z"), "ValidTo"},
      {replaced(init, "2026-01-01T00:00:00Z", "yesterday"), "ValidFrom"},
      {replaced(init, "Role=\"Root\"", "Role=\"root\""), "@Role"},
      {replaced(keys, ">1536<", ">-1<"), "KeyPeriodNo"},
      {replaced(keys, ">04818142", ">818142"), "UserPubTokenPVT"},
      {replaced(keys, ">04818142", ">xx818142"), "UserPubTokenPVT"},
      {replaced(keys, kSsk, std::string("01") + kSsk), "UserSigningKeySSK"},
      {replaced(keys, kSsk, ""), "UserSigningKeySSK"},
      {replaced(keys, kSsk, std::string(66, '0') + kSsk), "UserSigningKeySSK"},
      {replaced(keys, "<UserUri>sip:user.001@alpha.example</UserUri>\n        <UserID>", "<UserID>"),
       "KmsKeySet/UserUri"},
      {replaced(init, "2026-03-02T09:30:01Z", "2026-03-02 09:30"), "KmsResponse/Time"},
  };
  for (const auto& one : cases) {
    const auto parsed = response(one.document);
    ASSERT_FALSE(parsed.ok()) << one.names;
    EXPECT_THAT(parsed.error().text(), HasSubstr(one.names));
    EXPECT_THAT(parsed.error().text(), testing::Not(HasSubstr(kSsk))) << "no key in an error";
    EXPECT_THAT(parsed.error().clause, HasSubstr("TS 33.180 D."));
    EXPECT_NE(parsed.error().cure, "") << one.names;
  }
}

TEST(KmsXmlRefusal, TakesOneMessageOrOneErrorAndOneCertificateInInit) {
  const std::string init = kms_document("init.xml");
  const std::string error = "<KmsError><ErrorCode>404</ErrorCode><ErrorMsg>x</ErrorMsg></KmsError>";
  EXPECT_FALSE(response(replaced(init, "<KmsMessage>", error + "<KmsMessage>")).ok());
  EXPECT_FALSE(response(replaced(init, "<KmsMessage>", "<KmsMessage><KmsKeyProv/>")).ok());
  EXPECT_FALSE(
      response(replaced(init, "</KmsInit>", element_text(init, "KmsCertificate") + "</KmsInit>")).ok());
  EXPECT_FALSE(response(replaced(init, element_text(init, "KmsCertificate"), "")).ok());
  EXPECT_TRUE(response(replaced(init, element_text(init, "KmsMessage"), "")).ok()) << "neither is readable";
}

TEST(KmsXmlRefusal, RefusesADocumentTypeDeclaration) {
  const std::string init = kms_document("init.xml");
  EXPECT_EQ(response(replaced(init, "<KmsResponse", "<!DOCTYPE KmsResponse [<!ENTITY x 'y'>]><KmsResponse"))
                .error()
                .code,
            Errc::unsupported);
}

TEST(KmsXmlFind, TakesABareElementOrAWholeResponse) {
  const std::string ns =
      " xmlns=\"urn:3gpp:ns:mcsecKMSInterface:1.0\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";
  const std::string init = kms_document("init.xml");
  const std::string bare =
      replaced(element_text(init, "KmsCertificate"), "<KmsCertificate", "<KmsCertificate" + ns);
  EXPECT_EQ(find_certificates(view(init))->size(), 1u);
  EXPECT_EQ(find_certificates(view(bare))->at(0).kms_uri, "kms.alpha.example");
  EXPECT_EQ(find_certificates(view(kms_document("certcache.xml")))->at(0).kms_uri, "kms.beta.example");
  const std::string wrapper =
      "<SignedKmsCertificate" + ns + ">" + element_text(init, "KmsCertificate") +
      "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/></SignedKmsCertificate>";
  EXPECT_EQ(find_certificates(view(wrapper))->at(0).kms_uri, "kms.alpha.example");
  EXPECT_TRUE(response(replaced(init, element_text(init, "KmsCertificate"), wrapper)).ok());

  const std::string keys = kms_document("keyprov.xml");
  EXPECT_EQ(find_key_sets(view(keys))->size(), 2u);
  EXPECT_EQ(find_key_sets(view(replaced(element_text(keys, "KmsKeySet"), "<KmsKeySet", "<KmsKeySet" + ns)))
                ->at(0)
                .key_period_no,
            1536);
}

TEST(KmsXmlFind, SaysWhatADocumentIsInsteadOfWhatWasWanted) {
  const auto text = [](const auto& result) {
    return result.ok() ? std::string("ok") : result.error().text();
  };
  EXPECT_THAT(text(find_certificates(view(kms_document("keyprov.xml")))),
              HasSubstr("holds no KmsCertificate"));
  EXPECT_THAT(text(find_key_sets(view(kms_document("init.xml")))), HasSubstr("holds no KmsKeySet"));
  EXPECT_THAT(text(find_key_sets(view(kms_document("cert_unknown.xml")))), HasSubstr("KmsError 404"));
  EXPECT_THAT(text(find_key_sets(view(kms_document("request.xml")))), HasSubstr("KmsRequest"));
  const std::string init = kms_document("init.xml");
  const std::string bare = replaced(element_text(init, "KmsCertificate"), "<KmsCertificate",
                                    "<KmsCertificate xmlns=\"urn:3gpp:ns:mcsecKMSInterface:1.0\"");
  const auto certificate_as_keys = find_key_sets(view(bare));
  EXPECT_THAT(text(certificate_as_keys), HasSubstr("is a KmsCertificate, not a KmsKeySet"));
  EXPECT_THAT(text(certificate_as_keys), HasSubstr("/keyprov"));
  EXPECT_THAT(text(find_certificates(view(kms_document("request.xml")))), HasSubstr("/init"));
}

}  // namespace
}  // namespace regroup::kmsxml
