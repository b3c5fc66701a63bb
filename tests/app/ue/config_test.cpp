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

TEST(UeConfigFile, TheTokenComesFromAFileOrACommand) {
  const auto command = read(with_line(example(), "file", "command = \"cat /run/token\""));
  ASSERT_TRUE(command.ok()) << command.error().text();
  EXPECT_EQ(command->kms.token_command, "cat /run/token");
  EXPECT_EQ(command->kms.token_file, "");
  expect_refused("file", "endpoint = \"https://idms.mcx.example/token\"", "token.endpoint", "command");
  expect_refused("file", "client_id = \"bob\"", "token.client_id", "command");
  const auto none = read(with_line(example(), "file", ""));
  ASSERT_FALSE(none.ok());
  expect_config_error(none.error(), "ue.toml", line_of(example(), "[token]"), "token.file", "command");
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

TEST(UeConfigFile, EveryWrongValueIsNamedWithItsPlaceClauseAndCure) {
  expect_refused("mcptt_id", "mcptt_id = \"bob\"", "mcptt_id", "sip:bob@mcx.example");
  expect_refused("gms_uri", "gms_uri = \"sip:\"", "gms_uri", "sip:");
  expect_refused("group_creation_xui", "group_creation_xui = \"x y\"", "group_creation_xui", "");
  expect_refused("gms_authorised", "gms_authorised = [\"sip:a@b\", \"c\"]", "gms_authorised", "sip:");
  expect_refused("group_creation_xui", "tolerate = [\"accept\"]", "tolerate", "accept_ssv32");
  expect_refused("xcap_root", "xcap_root = \"https://gms.mcx.example\"", "xcap_root", "xcap-root/");
  expect_refused("group_creation_xui", "http_proxy = \"proxy:80\"", "http_proxy", "http_proxy = \"\"");
  expect_refused("url", "url = \"http://kms.mcx.example\"", "kms.url", "https://HOST:PORT");
  expect_refused("policy", "policy = \"wrap\"", "kms.policy", "policy = \"plain\"");
  expect_refused("route", "route = \"192.0.2.10:5060\"", "sip.route", "transport=tcp");
  expect_refused("contact", "contact = \"192.0.2.77\"", "sip.contact", "HOST:PORT");
}

}  // namespace
}  // namespace regroup::app
