// SPDX-License-Identifier: Apache-2.0
// ue.toml: the example of the manual loads as it stands, and every wrong value is named with its place,
// clause and cure.
#include "app/ue/config.hpp"

#include "app/config_text.hpp"

namespace regroup::app {
namespace {

using test::ConfigFile;
using test::expect_config_error;
using test::line_of;
using test::with_line;

const std::string& example() {
  static const std::string text = test::example("ue.toml");
  return text;
}

Result<UeConfig> read(const std::string& text) {
  const ConfigFile file("ue.toml", text);
  return read_ue_config(file.path);
}
void expect_refused(const std::string& start, const std::string& line, const std::string& key,
                    const std::string& cure) {
  const std::string changed = with_line(example(), start, line);
  const auto config = read(changed);
  ASSERT_FALSE(config.ok()) << line;
  expect_config_error(config.error(), "ue.toml", line_of(changed, line), key, cure);
}

TEST(UeConfigFile, TheExampleOfTheManualLoads) {
  const ConfigFile file("ue.toml", example());
  const auto config = read_ue_config(file.path);
  ASSERT_TRUE(config.ok()) << config.error().text();
  EXPECT_EQ(config->domain.identity.text(), "sip:bob@mcx.example");
  ASSERT_EQ(config->domain.gms_authorised.size(), 1u);
  EXPECT_EQ(config->domain.gms_authorised[0].text(), "sip:gms@mcx.example");
  EXPECT_EQ(config->domain.kms_uri.text(), "kms.mcx.example");
  EXPECT_EQ(config->kms.token_file, file.directory.path + "/bob.jwt");
  EXPECT_EQ(config->ring_file, file.directory.path + "/bob.ring");
  EXPECT_EQ(config->sip_contact, "192.0.2.77:0");
  EXPECT_TRUE(config->receipts);
}

std::string endpoint(const std::string& more = "client_id = \"bob\"\nsecret_file = \"bob.secret\"") {
  std::string out = with_line(example(), "file", "endpoint = \"https://idms.mcx.example/token\"\n" + more);
  return with_line(
      out, "tls = ", R"(tls = { kms_ca = "kms-ca.pem", gms_ca = "gms-ca.pem", token_ca = "idms-ca.pem" })");
}

TEST(UeConfigFile, TheTokenComesFromAnEndpointWithAClientASecretAndACaOfItsOwn) {
  const auto config = read(endpoint());
  ASSERT_TRUE(config.ok()) << config.error().text();
  ASSERT_TRUE(config->kms.token_endpoint);
  EXPECT_EQ(config->kms.token_endpoint->url(), "https://idms.mcx.example/token");
  EXPECT_TRUE(config->kms.token_file.empty() && config->kms.token_command.empty());
  EXPECT_TRUE(
      read(endpoint(
               "client_id = \"bob\"\nsecret_file = \"s\"\nscope = \"3gpp:mc:ptt_key_management_service\""))
          .ok());

  const auto refused = [](const std::string& text, const std::string& line, const std::string& key,
                          const std::string& cure) {
    const auto read_config = read(text);
    ASSERT_FALSE(read_config.ok()) << text;
    expect_config_error(read_config.error(), "ue.toml", line_of(text, line), key, cure);
  };
  refused(endpoint("secret_file = \"s\""), "[token]", "token.client_id", "docs/operations.md");
  refused(endpoint("client_id = \"bob\""), "[token]", "token.secret_file", "docs/operations.md");
  refused(with_line(endpoint(), "endpoint", "endpoint = \"http://idms.mcx.example/token\""), "endpoint",
          "token.endpoint", "https://HOST/PATH");
  const std::string without_ca =
      with_line(endpoint(), "tls = ", R"(tls = { kms_ca = "kms-ca.pem", gms_ca = "gms-ca.pem" })");
  refused(without_ca, "endpoint", "token.endpoint", "name its CA there");
  EXPECT_THAT(read(without_ca).error().text(), testing::HasSubstr("tls.token_ca"));
}

TEST(UeConfigFile, TwoSourcesOfTheTokenAreOneTooManyAndBothAreNamed) {
  const auto both = [](const std::string& first, const std::string& second) {
    const auto config = read(with_line(example(), "file", first + " = \"a\"\n" + second + " = \"b\""));
    ASSERT_FALSE(config.ok()) << first << second;
    EXPECT_THAT(config.error().text(), testing::HasSubstr("token." + second + ": stands beside " + first));
    EXPECT_EQ(config.error().cure, "remove " + first + " or " + second);
  };
  both("file", "command");
  both("file", "endpoint");
  both("command", "endpoint");
}

TEST(UeConfigFile, TheProxyIsAnAddressWithItsPort) {
  const auto with_proxy = [](const std::string& value) {
    return read(with_line(example(), "http_proxy", "http_proxy = \"" + value + "\""));
  };
  EXPECT_EQ(with_proxy("")->http_proxy, "");
  EXPECT_EQ(with_proxy("proxy.mcx.example:8443")->http_proxy, "proxy.mcx.example:8443");
  EXPECT_EQ(with_proxy("https://proxy.mcx.example:8443")->http_proxy, "proxy.mcx.example:8443");
  EXPECT_EQ(with_proxy("https://[2001:db8::1]:8443/")->http_proxy, "[2001:db8::1]:8443");
  for (const std::string wrong : {"http://proxy.mcx.example:80", "proxy.mcx.example",
                                  "https://proxy.mcx.example:8443/path", "https://me@proxy.mcx.example:1"})
    expect_refused("http_proxy", "http_proxy = \"" + wrong + "\"", "http_proxy", "HOST:PORT");
}

TEST(UeConfigFile, TheTokenComesFromAFileOrACommand) {
  const auto command = read(with_line(example(), "file", "command = \"cat /run/token\""));
  ASSERT_TRUE(command.ok()) << command.error().text();
  EXPECT_EQ(command->kms.token_command, "cat /run/token");
  EXPECT_EQ(command->kms.token_file, "");
  expect_refused("file", "client_id = \"bob\"", "token.client_id", "endpoint");
  const auto none = read(with_line(example(), "file", ""));
  ASSERT_FALSE(none.ok());
  expect_config_error(none.error(), "ue.toml", line_of(example(), "[token]"), "token.file", "command");
}

TEST(UeConfigFile, ThePolicyOfTheKmsNeedsATransportKeyFile) {
  EXPECT_EQ(read(example())->kms.policy, KmsPolicy::plain);
  const auto signing =
      read(with_line(example(), "policy", "policy = \"wrap+sign\"\ntransport_keys = \"bob-trk.json\""));
  ASSERT_TRUE(signing.ok()) << signing.error().text();
  EXPECT_EQ(signing->kms.policy, KmsPolicy::wrap_sign);
  ASSERT_TRUE(signing->kms.transport_keys);
  EXPECT_EQ(signing->kms.transport_keys->keys().back().ink_id, "ink.1");
  for (const std::string policy : {"wrap", "wrap+sign"}) {
    const std::string text = with_line(example(), "policy", "policy = \"" + policy + "\"");
    const auto without = read(text);
    ASSERT_FALSE(without.ok());
    expect_config_error(without.error(), "ue.toml", line_of(text, "[kms]"), "kms.transport_keys",
                        "--transport-keys-out");
  }
}

TEST(UeConfigFile, AMisspeltKeyIsNamedWithTheRightOneAndNotReportedAsMissing) {
  expect_refused("mcptt_id", "mcptt_ID = \"sip:bob@mcx.example\"", "mcptt_ID", "did you mean mcptt_id?");
  expect_refused("route", "ruote = \"sip:192.0.2.10\"", "sip.ruote", "did you mean route?");
  expect_refused("store", "store = { rnig = \"r\", passphrase_file = \"p\" }", "store.rnig",
                 "did you mean ring?");
  expect_refused("in_notify", "in_notification = true", "keys.in_notification", "lists the keys");
}

TEST(UeConfigFile, ACaThatIsNotThereIsNamedWithItsKeyAndLine) {
  for (const std::string key : {"kms_ca", "gms_ca"}) {
    const ConfigFile file("ue.toml", example());
    std::filesystem::remove(file.directory.path + (key == "kms_ca" ? "/kms-ca.pem" : "/gms-ca.pem"));
    const auto config = read_ue_config(file.path);
    ASSERT_FALSE(config.ok()) << key;
    expect_config_error(config.error(), "ue.toml", line_of(example(), "tls = "), "tls." + key,
                        "put the file there");
  }
}

TEST(UeConfigFile, ACaThatIsNoneIsNamedWithItsKeyAndLine) {
  for (const std::string key : {"kms_ca", "gms_ca"}) {
    const ConfigFile file("ue.toml", example());
    file.put(key == "kms_ca" ? "kms-ca.pem" : "gms-ca.pem", "no such thing\n");
    const auto config = read_ue_config(file.path);
    ASSERT_FALSE(config.ok()) << key;
    expect_config_error(config.error(), "ue.toml", line_of(example(), "tls = "), "tls." + key, "PEM");
  }
}

TEST(UeConfigFile, EveryWrongValueIsNamedWithItsPlaceClauseAndCure) {
  expect_refused("mcptt_id", "mcptt_id = \"bob\"", "mcptt_id", "sip:bob@mcx.example");
  expect_refused("gms_uri", "gms_uri = \"sip:\"", "gms_uri", "sip:");
  expect_refused("group_creation_xui", "group_creation_xui = \"x y\"", "group_creation_xui", "");
  expect_refused("gms_authorised", "gms_authorised = [\"sip:a@b\", \"c\"]", "gms_authorised", "sip:");
  expect_refused("group_creation_xui", "tolerate = [\"accept\"]", "tolerate", "accept_ssv32");
  expect_refused("xcap_root", "xcap_root = \"https://gms.mcx.example\"", "xcap_root", "xcap-root/");
  expect_refused("url", "url = \"http://kms.mcx.example\"", "kms.url", "https://HOST:PORT");
  expect_refused("policy", "tolerate = [\"epoch\"]", "kms.tolerate", "epoch-1970");
  expect_refused("policy", "policy = \"none\"", "kms.policy", "policy = \"wrap+sign\"");
  expect_refused("route", "route = \"192.0.2.10:5060\"", "sip.route", "transport=tcp");
  expect_refused("contact", "contact = \"192.0.2.77\"", "sip.contact", "HOST:PORT");
}

}  // namespace
}  // namespace regroup::app
