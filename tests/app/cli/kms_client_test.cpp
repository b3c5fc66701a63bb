// SPDX-License-Identifier: Apache-2.0
// `regroup kms-client` against our KMS and against one that does things otherwise.
#include "app/cli/kms_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/kms/kms_lab.hpp"
#include "app/kms/protection.hpp"
#include "app/kms/transport_file.hpp"
#include "kmsxml/data.hpp"

namespace regroup::app::cli {
namespace {

using test::kAlphaNow;
using test::kUser;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class KmsClientVerbs : public testing::Test {
 protected:
  KmsClientVerbs() {
    options.kms_url = "https://kms.alpha.example:8444";
    options.identity = kUser;
    options.token_file = lab.directory.path + "/user.jwt";
    std::ofstream(options.token_file) << lab.token(kUser) << "\n";
    ::chmod(options.token_file.c_str(), 0600);
  }
  using Change = std::function<void(const std::string& resource, std::string& body)>;
  int run(KmsClientVerb verb, const Change& change = {}) {
    out.str("");
    err.str("");
    asked.clear();
    const KmsCall call = [&](http::ClientRequest request) -> Result<http::Response> {
      const std::string url = request.url;
      asked.push_back(url.substr(url.find("/v1/") + 3));
      http::Response response = TRY(lab.carry(std::move(request)));
      if (!change || response.status != 200) return response;
      std::string body(response.body.text());
      change(asked.back(), body);
      response.body = http::Body(body);
      return response;
    };
    return run_kms_client(verb, options, out, err, call, clock);
  }
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(out.str()); }
  void protect(kms::Wrapping wrapping = kms::Wrapping::w3) {
    lab.protect(true, wrapping);
    options.transport_keys_file = lab.directory.path + "/trk.json";
    ASSERT_TRUE(write_transport_key_file(options.transport_keys_file, test::worked_keys()).ok());
  }
  // A KMS of Rel-13 habits: hex UserID, no types, KmsUri first.
  static void rel13(const std::string& resource, std::string& body) {
    const std::string user = "<UserUri>" + std::string(kUser) + "</UserUri>",
                      kms = "<KmsUri>kms.alpha.example</KmsUri>";
    body = test::replaced(body, user + kms, kms + user);
    if (resource.rfind("/keyprov", 0) != 0) return;
    body = test::replaced_everywhere(body, " xsi:type=\"KeyContentType\"", "");
    for (std::size_t at = 0; (at = body.find("<UserID>", at)) != std::string::npos; at += 8) {
      const std::size_t start = at + 8, size = body.find('<', start) - start;
      body.replace(start, size, hex(from_base64(body.substr(start, size)).value()));
    }
  }

  test::KmsLab lab;
  FixedClock clock{kAlphaNow};
  KmsClientOptions options;
  std::ostringstream out, err;
  std::vector<std::string> asked;
};

TEST_F(KmsClientVerbs, CheckSaysWhatOurKmsGivesAndNeverAKey) {
  ASSERT_EQ(run(KmsClientVerb::check), 0) << err.str();
  EXPECT_EQ(asked, (std::vector<std::string>{"/init", "/keyprov", "/certcache", "/cert/kms.alpha.example"}));
  EXPECT_THAT(
      out.str(),
      AllOf(HasSubstr("kms.alpha.example, cert1.kms.alpha.example, period 2592000 s, offset 0 s, valid"),
            HasSubstr("period 1536, 2026-03-01T00:00:00Z to 2026-03-31T00:00:00Z, present"),
            HasSubstr("period 1537"), HasSubstr("kms.beta.example"),
            HasSubstr("keys plain, not signed, Rel-14"), HasSubstr("tolerated  "), HasSubstr("nothing")));
  const auto sets = kmsxml::parse_response(lab.ask("/keyprov", lab.token(kUser)).response.body.view());
  const auto& rsk = std::get<kmsxml::KmsKeyProv>(sets->content).key_sets[0].user_decrypt_key;
  EXPECT_THAT(out.str(), Not(HasSubstr(hex_upper(rsk.expose()).substr(0, 40))));
  options.json = true;
  ASSERT_EQ(run(KmsClientVerb::check), 0);
  EXPECT_EQ(json()["certificate"]["period"], 2592000);
  EXPECT_EQ(json()["certificate"]["standing"], "valid");
  EXPECT_EQ(json()["key_sets"][0]["state"], "present");
  EXPECT_EQ(json()["key_sets"][1]["state"], "next");
  EXPECT_EQ(json()["answers"][1]["keys"], "plain");
  EXPECT_EQ(json()["cert_resource"], true);
  EXPECT_TRUE(json()["tolerated"].empty());
}

TEST_F(KmsClientVerbs, CheckNamesWrapAndSignature) {
  protect();
  ASSERT_EQ(run(KmsClientVerb::check), 0) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("keys wrapped W3, signed"));
  lab.kms.transport_keys() = {};
  for (const auto& [wrapping, name] :
       {std::pair{kms::Wrapping::w1, "W1"}, std::pair{kms::Wrapping::w2, "W2"}}) {
    lab.kms.transport_keys() = {};
    lab.protect(true, wrapping);
    ASSERT_EQ(run(KmsClientVerb::keyprov), 0) << err.str();
    EXPECT_THAT(out.str(), HasSubstr("keys wrapped " + std::string(name) + ", signed"));
  }
}

TEST_F(KmsClientVerbs, CheckSaysWhichSwitchesAKmsNeedsAndCountsThem) {
  options.json = true;
  EXPECT_EQ(run(KmsClientVerb::check, rel13), 3);
  EXPECT_THAT(json()["error"]["needs"].get<std::string>(),
              AllOf(HasSubstr("--tolerate hex-uid"), HasSubstr("--tolerate no-xsi-type"),
                    HasSubstr("--tolerate element-order"), Not(HasSubstr("1970"))));
  options.tolerate = {"hex-uid", "no-xsi-type", "element-order"};
  ASSERT_EQ(run(KmsClientVerb::check, rel13), 0) << err.str();
  EXPECT_EQ(json()["tolerated"], (nlohmann::json{{"hex-uid", 2}, {"no-xsi-type", 6}, {"element-order", 3}}));
  EXPECT_EQ(json()["answers"][1]["shape"], "Rel-13");
  options.json = false;
  ASSERT_EQ(run(KmsClientVerb::check, rel13), 0);
  EXPECT_THAT(out.str(), HasSubstr("hex-uid 2, no-xsi-type 6, element-order 3"));
}

TEST_F(KmsClientVerbs, CheckAsksForTheNextPeriodWhenItWasNotGiven) {
  const auto present_only = [](const std::string& resource, std::string& body) {
    if (resource != "/keyprov") return;
    const std::size_t second = body.find("<KmsKeySet", body.find("<KmsKeySet") + 1);
    body = body.substr(0, second) + body.substr(body.find("</KmsKeyProv>"));
  };
  ASSERT_EQ(run(KmsClientVerb::check, present_only), 0) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("period 1537"));
  EXPECT_EQ(asked[3], "/keyprov/sip%3Auser.001%40alpha.example/ED758D0100000000");
}

TEST_F(KmsClientVerbs, SingleVerbsAskForOneThing) {
  ASSERT_EQ(run(KmsClientVerb::init), 0) << err.str();
  EXPECT_EQ(asked, std::vector<std::string>{"/init"});
  options.time = "2026-04-02T00:00:00Z";
  ASSERT_EQ(run(KmsClientVerb::keyprov), 0) << err.str();
  EXPECT_THAT(out.str(), AllOf(HasSubstr("period 1537"), Not(HasSubstr("period 1536"))));
  options.since = 0;
  ASSERT_EQ(run(KmsClientVerb::certcache), 0) << err.str();
  EXPECT_EQ(asked, std::vector<std::string>{"/certcache/0"});
  EXPECT_THAT(out.str(), AllOf(HasSubstr("CacheNum"), HasSubstr("kms.beta.example")));
  options.wanted = "kms.beta.example";
  ASSERT_EQ(run(KmsClientVerb::cert), 0) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("external"));
  options.wanted = "kms.gamma.example";
  EXPECT_EQ(run(KmsClientVerb::cert), 3);
  EXPECT_THAT(err.str(), HasSubstr("unknown_kms"));
}

TEST_F(KmsClientVerbs, ACacheNumberThatWentBackIsRefused) {
  options.since = 1'000'000;
  EXPECT_EQ(run(KmsClientVerb::certcache), 3);
  EXPECT_THAT(err.str(), HasSubstr("T-15"));
}

TEST_F(KmsClientVerbs, AnotherKmsThanNamedIsRefused) {
  options.kms_uri = "kms.gamma.example";
  EXPECT_EQ(run(KmsClientVerb::check), 2) << "our KMS says so itself";
  EXPECT_THAT(err.str(), HasSubstr("KmsUri"));
}

TEST_F(KmsClientVerbs, NotesWhatAnotherReaderWouldTripOver) {
  const auto constant = [](const std::string&, std::string& body) {
    const std::size_t start = body.find("<ClientReqUrl>") + 14;
    body.replace(start, body.find('<', start) - start, "https://constant.example/");
  };
  ASSERT_EQ(run(KmsClientVerb::check, constant), 0) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("T-22"));
}

TEST_F(KmsClientVerbs, OptionsThatContradictAreAMatterOfUsage) {
  const auto refused = [&](const KmsClientOptions& with, const std::string& named) {
    std::ostringstream said, told;
    EXPECT_EQ(run_kms_client(KmsClientVerb::init, with, said, told, {}, clock), 2) << named;
    EXPECT_THAT(told.str(), HasSubstr(named));
  };
  KmsClientOptions bad = options;
  refused(bad, "--ca");
  bad.kms_url = "http://kms.alpha.example";
  refused(bad, "--kms-url");
  bad = options;
  bad.identity = "bob@mcx.example";
  refused(bad, "--identity");
  bad = options;
  bad.token_command = "true";
  refused(bad, "--token-command");
  bad = options;
  bad.certificate_file = "x.pem";
  refused(bad, "--key");
  bad = options;
  bad.policy = "wrap";
  refused(bad, "--transport-keys");
  bad = options;
  bad.tolerate = {"hexuid"};
  refused(bad, "--tolerate");
}

}  // namespace
}  // namespace regroup::app::cli
