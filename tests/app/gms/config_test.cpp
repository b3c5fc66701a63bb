// SPDX-License-Identifier: Apache-2.0
// gms.toml: what it says arrives, and what it says wrongly is refused with file, line and key, so that no
// misspelt setting silently keeps its default (docs/operations.md).
#include "app/gms/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "app/kms/kms_lab.hpp"

namespace regroup::app {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

const std::string kWhole = R"(gms_uri = "sip:gms@mcx.example"
xcap_root = "https://gms.mcx.example:8443/xcap-root/"
release_profile = "rel13"
domains = ["mcx.example", "other.example"]
store = "gms.sqlite"
kek_passphrase_file = "gms.pass"
floor_key = "gmk"
[listen]
https = { ue = "192.0.2.10:8443", trusted = "192.0.2.10:8445", admin = "127.0.0.1:8446" }
sip = ["tcp:192.0.2.10:5060"]
[tls]
cert = "gms-cert.pem"
key = "/etc/gms-key.pem"
ca = { trusted = "peers-ca.pem", kms = "kms-ca.pem" }
[kms]
uri = "kms.mcx.example"
url = "https://kms.mcx.example:8444"
policy = "plain"
token = { file = "gms.jwt" }
[token]
jwks = "jwks.json"
issuer = "https://idms.mcx.example"
audience = "regroup-gms"
scopes = ["3gpp:mc:ptt_group_management_service"]
[policy]
creators = ["sip:dispatch@mcx.example"]
max_members = 500
[times]
t_ask = 7
t_notify = 3600
t_reserve = 120
c12_wait = 0
c13_wait = 3
[kms_of]
"sip:gw@third.example" = "kms.third.example"
[[partner]]
gms_uri = "sip:gms@partner.example"
kms_uri = "kms.partner.example"
domains = ["partner.example"]
xcap_root = "https://gms.partner.example:8445/xcap-root/"
ca = "partner-ca.pem"
max_regroups = 9
[[partner]]
gms_uri = "sip:gms@second.example"
kms_uri = "kms.second.example"
domains = ["second.example"]
xcap_root = "https://gms.second.example:8445/xcap-root/"
ca = "second-ca.pem"
san = "gms.second.example"
)";

class GmsConfiguration : public testing::Test {
 protected:
  Result<GmsConfig> read(const std::string& text) {
    std::ofstream(file) << text;
    return read_gms_config(file);
  }
  static std::string with(const std::string& old, const std::string& other) {
    std::string text = kWhole;
    const std::size_t at = text.find(old);
    EXPECT_NE(at, std::string::npos) << old;
    return text.replace(at, old.size(), other);
  }
  // The whole file with the line that starts so left out.
  static std::string without(const std::string& start) {
    const std::size_t at = kWhole.find("\n" + start) + 1;
    EXPECT_NE(at, 0u) << start;
    std::string text = kWhole;
    return text.erase(at, text.find('\n', at) - at + 1);
  }
  static std::string line_of(const std::string& text, const std::string& piece) {
    const auto at = static_cast<std::ptrdiff_t>(text.find(piece));
    return std::to_string(1 + std::count(text.begin(), text.begin() + at, '\n'));
  }
  // The refusal; "" when it was read.
  std::string refusal(const std::string& text) {
    const auto config = read(text);
    if (config.ok()) return {};
    EXPECT_EQ(config.error().code, Errc::usage);
    return config.error().text();
  }

  test::TemporaryDirectory directory;
  std::string file = directory.path + "/gms.toml";
};

TEST_F(GmsConfiguration, SaysWhatTheGmsIs) {
  const auto config = read(kWhole);
  ASSERT_TRUE(config.ok()) << config.error().text();
  const gms::Settings& domain = config->domain;
  EXPECT_EQ(domain.gms_uri.text(), "sip:gms@mcx.example");
  EXPECT_THAT(domain.domains, ElementsAre("mcx.example", "other.example"));
  EXPECT_THAT(domain.creators, ElementsAre("sip:dispatch@mcx.example"));
  EXPECT_EQ(domain.floor_key, gms::FloorKey::gmk);
  EXPECT_EQ(domain.max_members, 500u);
  EXPECT_EQ(domain.t_ask, 7);
  EXPECT_EQ(domain.t_notify, 3600);
  EXPECT_EQ(domain.t_reserve, 120);
  EXPECT_EQ(domain.c12_wait, 0);
  EXPECT_EQ(domain.c13_wait, 3);
  EXPECT_EQ(config->listen_ue, "192.0.2.10:8443");
  EXPECT_EQ(config->listen_trusted, "192.0.2.10:8445");
  EXPECT_EQ(config->listen_admin, "127.0.0.1:8446");
  EXPECT_THAT(config->listen_sip, ElementsAre("tcp:192.0.2.10:5060"));
  EXPECT_EQ(config->kms.uri, "kms.mcx.example");
  EXPECT_EQ(config->kms.url, "https://kms.mcx.example:8444");
  EXPECT_EQ(config->issuer, "https://idms.mcx.example");
  EXPECT_EQ(config->audience, "regroup-gms");
  EXPECT_THAT(config->scopes, ElementsAre("3gpp:mc:ptt_group_management_service"));
  EXPECT_THAT(config->kms_of, ElementsAre(Pair("sip:gw@third.example", "kms.third.example")));
}

TEST_F(GmsConfiguration, FileNamesAreRelativeToTheFile) {
  const auto config = read(kWhole);
  ASSERT_TRUE(config.ok()) << config.error().text();
  EXPECT_EQ(config->store_file, directory.path + "/gms.sqlite");
  EXPECT_EQ(config->passphrase_file, directory.path + "/gms.pass");
  EXPECT_EQ(config->certificate_file, directory.path + "/gms-cert.pem");
  EXPECT_EQ(config->key_file, "/etc/gms-key.pem");
  EXPECT_EQ(config->kms.certificate_file, config->certificate_file) << "one certificate for both";
  EXPECT_EQ(config->kms.token_file, directory.path + "/gms.jwt");
  EXPECT_EQ(config->trusted_ca_file, directory.path + "/peers-ca.pem");
  EXPECT_EQ(config->jwks_file, directory.path + "/jwks.json");
  EXPECT_EQ(config->partners.at(0).ca_file, directory.path + "/partner-ca.pem");
}

TEST_F(GmsConfiguration, NamesEachPartnerOnceForTheFlowsAndOnceForTheLink) {
  const auto config = read(kWhole);
  ASSERT_TRUE(config.ok()) << config.error().text();
  ASSERT_EQ(config->partners.size(), 2u);
  ASSERT_EQ(config->domain.partners.size(), 2u);
  EXPECT_EQ(config->partners[0].gms_uri, "sip:gms@partner.example");
  EXPECT_EQ(config->partners[0].kms_uri, "kms.partner.example");
  EXPECT_EQ(config->partners[0].san, "sip:gms@partner.example") << "by default its own URI";
  EXPECT_EQ(config->partners[1].san, "gms.second.example");
  EXPECT_EQ(config->domain.partners[0].gms_uri.text(), "sip:gms@partner.example");
  EXPECT_THAT(config->domain.partners[0].domains, ElementsAre("partner.example"));
  EXPECT_EQ(config->domain.partners[0].max_regroups, 9u);
  EXPECT_EQ(config->domain.partners[1].max_regroups, 50u);
}

TEST_F(GmsConfiguration, WhatIsLeftOutHasItsDefault) {
  std::string text = kWhole.substr(0, kWhole.find("[times]"));
  for (const char* gone : {"release_profile = \"rel13\"\n", "floor_key = \"gmk\"\n", "policy = \"plain\"\n",
                           "audience = \"regroup-gms\"\n", "max_members = 500\n",
                           "scopes = [\"3gpp:mc:ptt_group_management_service\"]\n"})
    text.erase(text.find(gone), std::string(gone).size());
  const auto config = read(text);
  ASSERT_TRUE(config.ok()) << config.error().text();
  EXPECT_EQ(config->domain.floor_key, gms::FloorKey::none);
  EXPECT_EQ(config->domain.max_members, 3000u);
  EXPECT_EQ(config->domain.t_ask, 10);
  EXPECT_EQ(config->domain.t_notify, 86400);
  EXPECT_EQ(config->domain.t_reserve, 600);
  EXPECT_EQ(config->domain.c12_wait, 5);
  EXPECT_EQ(config->domain.c13_wait, 10);
  EXPECT_THAT(config->scopes,
              ElementsAre("3gpp:mc:ptt_group_management_service", "3gpp:mcptt:group_management_server"));
  EXPECT_TRUE(config->partners.empty());
}

TEST_F(GmsConfiguration, AnUnknownKeyIsAnErrorWithFileAndLine) {
  const std::pair<const char*, const char*> places[] = {
      {"floor_key =", ""},       {"sip = [", "listen."},         {"cert =", "tls."},
      {"url = ", "kms."},        {"jwks =", "token."},           {"creators =", "policy."},
      {"t_reserve =", "times."}, {"max_regroups =", "partner."}, {"san =", "partner."}};
  for (const auto& [before, table] : places) {
    const std::string text = with(before, "unheard_of = 1\n" + std::string(before));
    const std::string said = refusal(text);
    EXPECT_THAT(said, HasSubstr(file + ":" + line_of(text, "unheard_of") + ": "));
    EXPECT_THAT(said, HasSubstr(std::string(table) + "unheard_of"));
  }
  for (const char* inline_table : {"https = {", "ca = {", "token = {"}) {
    const std::string text = with(inline_table, std::string(inline_table) + " unheard_of = 1,");
    EXPECT_THAT(refusal(text), HasSubstr(file + ":" + line_of(text, "unheard_of") + ": ")) << inline_table;
  }
  const std::string table = kWhole + "[unheard_of]\nx = 1\n";
  EXPECT_THAT(refusal(table), HasSubstr(file + ":" + line_of(table, "[unheard_of]") + ": "));
  EXPECT_THAT(refusal(with("gms_uri", "gms_url")), HasSubstr("gms_ur")) << "a misspelt one";
}

TEST_F(GmsConfiguration, AMissingKeyIsNamed) {
  for (const char* key : {"xcap_root =", "domains =", "store =", "kek_passphrase_file =", "https =", "sip =",
                          "cert =", "key =", "ca =", "uri =", "url =", "jwks =", "issuer =", "kms_uri ="}) {
    const std::string name = std::string(key).substr(0, std::string(key).find(' '));
    const std::string said = refusal(without(key));
    EXPECT_THAT(said, HasSubstr(file)) << key;
    const std::string inner = name == "https" ? "ue" : name == "ca" ? "kms" : name;
    EXPECT_THAT(said, AnyOf(HasSubstr(name), HasSubstr(inner))) << key;
  }
}

TEST_F(GmsConfiguration, AWrongValueIsRefusedWithItsLine) {
  const auto refuses = [&](const std::string& old, const std::string& other) {
    const std::string text = with(old, other);
    const std::string key = other.substr(0, other.find(' '));
    const std::string said = refusal(text);
    EXPECT_THAT(said, HasSubstr(file + ":" + line_of(text, other))) << other;
    EXPECT_THAT(said, HasSubstr(key)) << other;
  };
  refuses("floor_key = \"gmk\"", "floor_key = \"maybe\"");
  refuses("floor_key = \"gmk\"", "floor_key = 3");
  refuses("release_profile = \"rel13\"", "release_profile = \"rel18\"");
  refuses("policy = \"plain\"", "policy = \"wrap+sign\"");
  refuses("t_ask = 7", "t_ask = 0");
  refuses("t_ask = 7", "t_ask = 301");
  refuses("t_ask = 7", "t_ask = \"7\"");
  refuses("max_members = 500", "max_members = 0");
  refuses("creators = [", "creators = \"*\" #");
  refuses("gms_uri = \"sip:gms@mcx.example\"", "gms_uri = \"sip: gms@mcx.example\"");
  refuses("xcap_root = \"https://gms.mcx.example:8443/xcap-root/\"",
          "xcap_root = \"http://gms.mcx.example:8443/xcap-root/\"");
  refuses("xcap_root = \"https://gms.mcx.example:8443/xcap-root/\"",
          "xcap_root = \"https://gms.mcx.example:8443/xcap-root\"");
}

TEST_F(GmsConfiguration, ATrustedListenerNeedsACa) {
  EXPECT_THAT(refusal(with("trusted = \"peers-ca.pem\", ", "")), HasSubstr("trusted"));
  std::string closed = with("trusted = \"peers-ca.pem\", ", "");
  const std::string open = ", trusted = \"192.0.2.10:8445\", admin = \"127.0.0.1:8446\"";
  closed.erase(closed.find(open), open.size());
  EXPECT_EQ(refusal(closed), "") << "closed, it needs none";
}

TEST_F(GmsConfiguration, WhatIsNoTomlOrNoFileIsNamed) {
  const std::string text = with("store = \"gms.sqlite\"", "store = gms.sqlite");
  EXPECT_THAT(refusal(text), HasSubstr(file + ":" + line_of(text, "store = gms")));
  const auto none = read_gms_config(directory.path + "/none.toml");
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, Errc::usage);
  EXPECT_THAT(none.error().text(), HasSubstr("none.toml"));
}

}  // namespace
}  // namespace regroup::app
