// SPDX-License-Identifier: Apache-2.0
#include "app/cli/open.hpp"

#include <gmock/gmock.h>

#include <sstream>

#include "app/key_documents.hpp"

namespace regroup::app::cli {
namespace {

using nlohmann::json;
using test::Folder;
using test::unhex;
using testing::HasSubstr;

// Vendors' domains and the worked example as KMS documents.
class OpenVerb : public testing::Test {
 protected:
  struct Ending {
    int code;
    std::string out, err;
    [[nodiscard]] json report() const { return json::parse(out); }
  };
  static Ending run(const OpenOptions& options, const std::string& input) {
    std::istringstream in(input);
    std::ostringstream out, err;
    const int code = run_open(options, in, out, err);
    return {code, out.str(), err.str()};
  }

  std::string vendor_certificate(const json& domain) {
    kmsxml::KmsCertificate out;
    out.kms_uri = domain.at("kms");
    out.user_key_period = domain.at("period");
    out.user_key_offset = domain.at("offset");
    out.pub_enc_key = unhex(domain.at("Z"));
    out.pub_auth_key = unhex(domain.at("KPAK"));
    return folder_.put("certificate.xml", kmsxml::write(out));
  }
  std::string vendor_keys(const json& domain, const std::string& who) {
    for (const json& user : domain.at("users")) {
      if (user.at("uri") != who) continue;
      kmsxml::KmsKeySet out;
      out.kms_uri = domain.at("kms");
      out.user_uri = who;
      out.user_id = unhex(user.at("uid"));
      out.key_period_no = domain.at("number");
      out.user_decrypt_key = SecretOctets(unhex(user.at("rsk")));
      out.user_signing_key_ssk = SecretOctets(unhex(user.at("ssk")));
      out.user_pub_token_pvt = unhex(user.at("pvt"));
      return folder_.put("keys.xml", text_of(kmsxml::write(out).expose()));
    }
    return {};
  }
  OpenOptions vendor(const json& domain, const json& message) {
    OpenOptions out;
    out.certificate_files = {vendor_certificate(domain)};
    out.key_set_files = {vendor_keys(domain, message.at("responder"))};
    out.file = "-";
    out.json = true;
    return out;
  }

  const json file_ = test::vectors("vendor-messages.json");
  Folder folder_;
};

TEST_F(OpenVerb, OpensEveryKindOfKeyOfVendorsAndNamesIt) {
  for (const json& domain : file_.at("domains"))
    for (const json& message : domain.at("messages")) {
      const std::string kind = message.at("kind");
      SCOPED_TRACE(domain.at("name").get<std::string>() + " " + kind);
      OpenOptions options = vendor(domain, message);
      options.show_secrets = true;
      if (kind.find("legacy") != std::string::npos) options.tolerances = {"accept_clear_key_parameters"};
      if (domain.at("period") == 914544000 && kind == "GMK")
        options.tolerances = {"accept_status_zero", "accept_expiry_all_ones"};
      const Ending ending = run(options, message.at("message"));
      if (!message.at("decap_ok").get<bool>()) {
        EXPECT_EQ(ending.code, 3);
        continue;
      }
      ASSERT_EQ(ending.code, 0) << ending.err;
      const json report = ending.report();
      EXPECT_EQ(report.at("kind"), kind.substr(0, 3));
      EXPECT_EQ(report.at("key"), message.at("key"));
      EXPECT_EQ(report.at("key_id"), message.at("key_id"));
      EXPECT_EQ(report.at("csb_id"), message.at("csb_id"));
      EXPECT_EQ(report.at("tolerances_fired"), json(options.tolerances));
      EXPECT_TRUE(report.at("initiator").is_null()) << "hidden, and nobody said who it may be";
      options.initiator = message.at("initiator");
      EXPECT_EQ(run(options, message.at("message")).report().at("initiator"), message.at("initiator"));
      options.tolerances.clear();
      EXPECT_EQ(run(options, message.at("message")).code, report.at("tolerances_fired").empty() ? 0 : 3);
    }
}

TEST_F(OpenVerb, RefusesAnInitiatorThatIsNotTheHiddenOneAndShowsBothUids) {
  const json& domain = file_.at("domains").at(0);
  const json& message = domain.at("messages").at(0);
  OpenOptions options = vendor(domain, message);
  options.initiator = "sip:gms@streamwide.com";
  const Ending ending = run(options, message.at("message"));
  EXPECT_EQ(ending.code, 3);
  EXPECT_THAT(ending.err, HasSubstr("15a4d5b12856538d02d91fedbb766e6dd377b014c92e216666c8fb678608d20e"));
  EXPECT_THAT(ending.err, HasSubstr("'sip:gms@streamwide.com' has "));
}

TEST_F(OpenVerb, RefusesTheUnusableKeySetOfVendorB) {
  const json& domain = file_.at("domains").at(1);
  const json& message = domain.at("messages").at(2);
  const Ending ending = run(vendor(domain, message), message.at("message"));
  EXPECT_EQ(ending.code, 3);
  EXPECT_THAT(ending.err, HasSubstr("u2alea"));
}

TEST_F(OpenVerb, HidesTheKeyUnlessSecretsAreAskedFor) {
  const json& domain = file_.at("domains").at(0);
  const json& message = domain.at("messages").at(0);
  OpenOptions options = vendor(domain, message);
  const std::string key = message.at("key");
  for (const bool as_json : {false, true}) {
    options.json = as_json;
    options.show_secrets = false;
    const Ending closed = run(options, message.at("message"));
    EXPECT_EQ(closed.code, 0) << closed.err;
    EXPECT_EQ((closed.out + closed.err).find(key), std::string::npos);
    options.show_secrets = true;
    EXPECT_THAT(run(options, message.at("message")).out, HasSubstr(key));
  }
}

TEST_F(OpenVerb, JudgesByTheMessagesOwnTimeUnlessToldOtherwise) {
  const json& domain = file_.at("domains").at(0);
  const json& message = domain.at("messages").at(0);
  OpenOptions options = vendor(domain, message);
  EXPECT_EQ(run(options, message.at("message")).code, 0);
  options.at = "2025-10-02T23:40:00Z";  // T is 23:47:52
  Ending ending = run(options, message.at("message"));
  EXPECT_EQ(ending.code, 3);
  EXPECT_EQ(ending.report().at("error").at("code"), "not_yet_valid");
  options.at = "2025-10-02T23:43:00Z";
  EXPECT_EQ(run(options, message.at("message")).code, 0);
  options.at = "2030-01-01T00:00:00Z";
  EXPECT_EQ(run(options, message.at("message")).report().at("error").at("code"), "expired");
  options.at = "1893456000";  // Unix seconds of the same instant
  EXPECT_EQ(run(options, message.at("message")).code, 3);
  options.at = "eC898Da800000000";  // the time of T itself, as 16 hex digits of NTP-UTC
  EXPECT_EQ(run(options, message.at("message")).code, 0);
  options.at = "noon";
  EXPECT_EQ(run(options, message.at("message")).code, 2);
}

TEST_F(OpenVerb, ExplainsARefusalAndMarksItInJson) {
  const json& domain = file_.at("domains").at(0);
  const json& message = domain.at("messages").at(0);
  Octets octets = from_base64(message.at("message").get<std::string>()).value();
  octets[40] ^= 1;  // in RAND
  const Ending ending = run(vendor(domain, message), hex(octets));
  EXPECT_EQ(ending.code, 3);
  EXPECT_EQ(ending.report().at("opened"), false);
  EXPECT_EQ(ending.report().at("error").at("code"), "bad_signature");
  EXPECT_EQ(ending.report().at("error").at("mikey_error"), 0);
  EXPECT_THAT(ending.err, HasSubstr("SIGN over octets 0..571 does not verify"));
}

TEST_F(OpenVerb, NamesBothIdentitiesWhenTheKeysAreSomebodyElses) {
  const json& domain = file_.at("domains").at(0);
  const json& message = domain.at("messages").at(0);
  OpenOptions options = vendor(domain, message);
  options.key_set_files = {vendor_keys(domain, "sip:bob@streamwide.com")};
  const Ending ending = run(options, message.at("message"));
  EXPECT_EQ(ending.code, 3);
  EXPECT_THAT(ending.err, HasSubstr("'sip:bob@streamwide.com'"));
  EXPECT_THAT(ending.err, HasSubstr("b5c452309219da6a3d805615548d6c1b0f4de45a6b48fb13d9a24d857fc03dc4"));
}

TEST_F(OpenVerb, TakesDocumentsInsideAWholeKmsResponse) {
  const std::string data = std::string(REGROUP_TEST_DIR) + "/kmsxml/data/";
  const json& domain = file_.at("domains").at(0);
  OpenOptions options;
  options.certificate_files = {data + "init.xml", data + "certcache.xml"};
  options.key_set_files = {data + "keyprov.xml"};
  options.file = "-";
  const Ending ending = run(options, domain.at("messages").at(0).at("message"));
  EXPECT_EQ(ending.code, 3);
  EXPECT_THAT(ending.err, HasSubstr("sip:user.001@alpha.example"));
}

TEST_F(OpenVerb, EndsWithUsageOrRefusal) {
  const json& domain = file_.at("domains").at(0);
  const json& message = domain.at("messages").at(0);
  EXPECT_EQ(run(OpenOptions(), "").code, 2);
  OpenOptions options = vendor(domain, message);
  options.tolerances = {"accept_everything"};
  const Ending unknown = run(options, message.at("message"));
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("accept_sign_without_header"));
  options = vendor(domain, message);
  options.file = folder_.path("absent");
  EXPECT_EQ(run(options, "").code, 2);
  options = vendor(domain, message);
  options.key_set_files = {folder_.path("absent")};
  EXPECT_EQ(run(options, message.at("message")).code, 2);
  options = vendor(domain, message);
  EXPECT_EQ(run(options, "neither this nor that").code, 3);
  options.certificate_files = {folder_.put("bad.xml", "<KmsCertificate/>")};
  EXPECT_EQ(run(options, message.at("message")).code, 3);
}

TEST_F(OpenVerb, PrintsForPeopleWhatTheJsonHolds) {
  const json& domain = file_.at("domains").at(1);
  const json& message = domain.at("messages").at(0);
  OpenOptions options = vendor(domain, message);
  options.json = false;
  options.tolerances = {"accept_status_zero", "accept_expiry_all_ones"};
  const Ending ending = run(options, message.at("message"));
  ASSERT_EQ(ending.code, 0) << ending.err;
  for (const char* part :
       {"opened: GMK 06dbc5e2", "unresolved, UID c4ebd4a1", "sip:u1alea@veronica-cluster", "0c340888",
        "sip:g4.chat@veronica-cluster", "accept_status_zero", "accept_expiry_all_ones", "key period 4"})
    EXPECT_THAT(ending.out, HasSubstr(part));
}

}  // namespace
}  // namespace regroup::app::cli
