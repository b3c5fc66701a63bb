// SPDX-License-Identifier: Apache-2.0
// What we sign, another implementation of XML Signature verifies, and what it signs, we do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/text.hpp"
#include "crypto/hash/sha256.hpp"
#include "kmsxml/data.hpp"
#include "kmsxml/signature.hpp"

namespace regroup::kmsxml {
namespace {

using test::kms_document;
using test::replaced;

class Xmlsec : public testing::Test {
 protected:
  void SetUp() override {
#ifndef REGROUP_XMLSEC
    GTEST_SKIP() << "no xmlsec1 here";
#endif
    std::string name = (std::filesystem::temp_directory_path() / "regroup-xmlsec-XXXXXX").string();
    directory = mkdtemp(name.data());
    put("key", std::string(text_of(key)));
  }
  void TearDown() override {
    if (!directory.empty()) std::filesystem::remove_all(directory);
  }
  void put(const std::string& name, const std::string& text) const {
    std::ofstream(directory + "/" + name, std::ios::binary) << text;
  }
  [[nodiscard]] std::string get(const std::string& name) const {
    std::ifstream file(directory + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // Its exit code.
  [[nodiscard]] int run(const std::string& arguments) const {
#ifdef REGROUP_XMLSEC
    const std::string d = directory + "/";
    return std::system((std::string(REGROUP_XMLSEC) + " " + arguments + " > " + d + "said 2>&1").c_str());
#else
    return static_cast<int>(arguments.size());
#endif
  }
  [[nodiscard]] bool verifies(const std::string& document, const std::string& element) const {
    put("document.xml", document);
    return run("--verify --hmackey:" + key_name + " " + directory + "/key --id-attr:Id " + element + " " +
               directory + "/document.xml") == 0;
  }
  [[nodiscard]] SigningKey signing_key() const {
    return {.name = key_name,
            .sha256 = [](OctetsView octets) { return crypto::sha256(octets); },
            .hmac_sha256 = [this](OctetsView octets) { return crypto::hmac_sha256(key, octets); }};
  }

  const std::string key_name = "ink.0007.user.001@alpha.example";
  const Octets key = from_hex("349ffc302baeb35f4c027a5bc7700652c0c4492a11a1c67a1fa783475a44477a").value();
  std::string directory;
};

TEST_F(Xmlsec, VerifiesWhatWeSign) {
  KmsRequest request = open_request(view(kms_document("signed_request.xml")), signing_key()).value();
  request.device_id = "<&\"' \xC3\xA9 >";
  const std::string written = sign(request, signing_key()).value();
  EXPECT_TRUE(verifies(written, "KmsRequest")) << get("said") << written;
  EXPECT_FALSE(
      verifies(replaced(written, "user.001@alpha.example</UserUri>", "user.002@alpha.example</UserUri>"),
               "KmsRequest"));

  const auto response = open_response(view(kms_document("keyprov_wrapped_signed.xml")), signing_key());
  ASSERT_TRUE(response.ok());
  const SecretOctets answer = sign(*response, signing_key()).value();
  EXPECT_TRUE(verifies(std::string(text_of(answer.expose())), "KmsResponse")) << get("said");
}

TEST_F(Xmlsec, SignsWhatWeVerify) {
  // The worked request as a template, in each canonical form that we take, with what canonicalisation has to
  // change.
  std::string document = kms_document("signed_request.xml");
  document = replaced(document, "<KmsUri>", "<!-- c --><?p i?><KmsUri   xml:lang='en'  >");
  document =
      replaced(document, "</KmsRequest>", "<x:y xmlns:x=\"urn:x\" b='&lt;' a=\"&#13;\"/></KmsRequest>");
  const std::string inclusive = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
  for (const std::string& form :
       {inclusive, inclusive + "#WithComments", std::string("http://www.w3.org/2001/10/xml-exc-c14n#")}) {
    put("template.xml",
        replaced(document, "CanonicalizationMethod Algorithm=\"" + inclusive + "\"/>",
                 "CanonicalizationMethod Algorithm=\"" + form + "\"/><!-- in SignedInfo -->"));
    ASSERT_EQ(
        run("--sign --hmackey:" + key_name + " " + directory + "/key --id-attr:Id KmsRequest --output " +
            directory + "/signed.xml " + directory + "/template.xml"),
        0)
        << get("said");
    const auto opened = open_request(view(get("signed.xml")), signing_key(), Profile::all_forms());
    EXPECT_TRUE(opened.ok()) << form << opened.error().text() << get("signed.xml");
  }
}

TEST_F(Xmlsec, SignsTheOuterElementAsWeVerifyIt) {
  std::string document =
      replaced(kms_document("signed_request.xml"), "<SignedKmsRequest ", "<SignedKmsRequest Id=\"o\" ");
  document =
      replaced(document, "\"#q2\">",
               "\"#o\"><ds:Transforms><ds:Transform "
               "Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/></ds:Transforms>");
  put("template.xml", document);
  ASSERT_EQ(
      run("--sign --hmackey:" + key_name + " " + directory + "/key --id-attr:Id SignedKmsRequest --output " +
          directory + "/signed.xml " + directory + "/template.xml"),
      0)
      << get("said");
  const auto opened = open_request(view(get("signed.xml")), signing_key(), Profile::all_forms());
  EXPECT_TRUE(opened.ok()) << opened.error().text();
}

}  // namespace
}  // namespace regroup::kmsxml
