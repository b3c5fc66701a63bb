// SPDX-License-Identifier: Apache-2.0
// Tokens of a real OpenID provider, Glewlwyd (tests/app/kms/glewlwyd), at our KMS, which fetches its keys.
#include <fcntl.h>

#include "app/kms/verbs.hpp"

namespace regroup::app::cli {
namespace {

using testing::HasSubstr;

constexpr const char* kScript = REGROUP_TEST_DIR "/app/kms/glewlwyd";

class OpenIdProvider : public KmsServe {
 protected:
  ~OpenIdProvider() override {
    if (provider <= 0) return;
    ::kill(provider, SIGTERM);  // its trap ends the server
    ::waitpid(provider, nullptr, 0);
  }
  // Its base URL, empty when it did not come up.
  std::string provide() {
    const LabFiles tls = ca.issue({.name = "idp", .dns = {}, .addresses = {"127.0.0.1"}}).value();
    const std::string directory = path("idp"), log = path("idp.log");
    std::filesystem::create_directory(directory);
    provider = ::fork();
    if (provider == 0) {
      const int to = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      ::dup2(to, 1);
      ::dup2(to, 2);
      ::execl("/bin/bash", "bash", kScript, directory.c_str(), issuer.url().c_str(), tls.certificate.c_str(),
              tls.key.c_str(), nullptr);
      ::_exit(127);
    }
    while (!std::filesystem::exists(directory + "/ready")) {
      if (::waitpid(provider, nullptr, WNOHANG) == provider) provider = 0;
      if (provider == 0) return {};
      ::usleep(20000);
    }
    std::string url = content_of(directory + "/ready");
    url.pop_back();
    return url;
  }
  // bob's access token by his password (RFC 6749 4.3).
  void log_in(const std::string& url) const {
    const std::string command = "curl -sf --cacert " + ca.certificate_file() + " -u radio:radio-secret " +
                                url +
                                "/token -d grant_type=password -d username=bob -d password=bob-password "
                                "--data-urlencode scope=3gpp:mc:ptt_key_management_service -o " +
                                path("answer.json");
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    write("idp.jwt", nlohmann::json::parse(content_of(path("answer.json")))["access_token"], 0600);
  }

  pid_t provider = 0;
};

TEST_F(OpenIdProvider, ItsTokensOpenTheKmsForTheIdentityInThemAlone) {
  const std::string url = provide();
  ASSERT_NE(url, "") << content_of(path("idp.log"));
  ASSERT_NO_FATAL_FAILURE(log_in(url));
  KmsServeOptions with = options();
  with.jwks = url + "/jwks";
  with.jwks_ca = ca.certificate_file();
  with.audience = "3gpp:mc:ptt_key_management_service";  // Glewlwyd names the scope
  const std::string kms = start(with);
  ASSERT_NE(kms, "") << content_of(path("log"));
  const auto bob = keys(kms, kBob, "idp.jwt");
  ASSERT_TRUE(bob.ok()) << bob.error().text();
  EXPECT_EQ(bob->key_sets.size(), 2U);
  const auto other = keys(kms, "sip:ann@mcx.example", "idp.jwt");
  ASSERT_FALSE(other.ok());
  EXPECT_THAT(other.error().text(), HasSubstr("UserUri is not the identity of the token"));
  EXPECT_FALSE(keys(kms, kBob, "bob.jwt").ok()) << "of another issuer's keys, under the same name";
  EXPECT_EQ(stop(), 0);
  EXPECT_THAT(content_of(path("log")), HasSubstr("/keyprov 200 ok"));
}

}  // namespace
}  // namespace regroup::app::cli
