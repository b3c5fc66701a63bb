// SPDX-License-Identifier: Apache-2.0
// gms.toml: the example of the manual loads as it stands, and every wrong value is named with its place,
// clause and cure.
#include "app/gms/config.hpp"

#include "app/config_text.hpp"

namespace regroup::app {
namespace {

using test::ConfigFile;
using test::expect_config_error;
using test::line_of;
using test::with_line;

// As published, but for the one value that is not built: policy = "wrap+sign".
const std::string kExample = R"(# gms.toml
gms_uri = "sip:gms@mcx.example"
xcap_root = "https://gms.mcx.example:8443/xcap-root/"
release_profile = "rel13"
domains = ["mcx.example"]             # domain parts of the group IDs homed here
store = "gms.sqlite"
kek_passphrase_file = "gms.pass"      # or [pkcs11]; wraps every stored GMK
[listen]                              # ue: Bearer tokens only; trusted: partners and MCPTT servers
https = { ue = "192.0.2.10:8443", trusted = "192.0.2.10:8445", admin = "127.0.0.1:8446" }
sip = ["tcp:192.0.2.10:5060"]
[tls]
cert = "gms-cert.pem"                 # SAN: DNS name of xcap_root, and URI = gms_uri
key = "gms-key.pem"
ca = { trusted = "peers-ca.pem", kms = "kms-ca.pem" }
[kms]
uri = "kms.mcx.example"
url = "https://kms.mcx.example:8444"
policy = "plain"
transport_keys = "gms-trk.json"
token = { file = "gms.jwt" }          # our own, for the KMS; the client certificate is [tls] cert
[token]                               # tokens presented to us
jwks = "jwks.json"
issuer = "https://idms.mcx.example"
audience = "regroup-gms"
scopes = ["3gpp:mc:ptt_group_management_service", "3gpp:mcptt:group_management_server"]
[policy]
creators = ["sip:dispatch@mcx.example"]     # who may create, regroup, tear down; "*" = every token with the scope
mcptt_servers = ["sip:mcptt-server@mcx.example"]
[kms_of]
"sip:gw@other.example" = "kms.third.example"
[[partner]]
gms_uri = "sip:gms@partner.example"
kms_uri = "kms.partner.example"
domains = ["partner.example"]         # groups homed there
xcap_root = "https://gms.partner.example:8445/xcap-root/"   # its trusted listener
ca = "partner-ca.pem"
san = "sip:gms@partner.example"       # URI or DNS SAN expected; default gms_uri
max_regroups = 50
)";

Result<GmsConfig> read(const std::string& text) {
  const ConfigFile file("gms.toml", text);
  return read_gms_config(file.path);
}
// `line` in place of the last line that starts with `start`: the error stands there and names `key`.
void expect_refused(const std::string& start, const std::string& line, const std::string& key,
                    const std::string& cure, const std::string& text = kExample) {
  const std::string changed = with_line(text, start, line);
  const auto config = read(changed);
  ASSERT_FALSE(config.ok()) << line;
  expect_config_error(config.error(), "gms.toml", line_of(changed, line), key, cure);
}

TEST(GmsConfigFile, TheExampleOfTheManualLoads) {
  const ConfigFile file("gms.toml", kExample);
  const auto config = read_gms_config(file.path);
  ASSERT_TRUE(config.ok()) << config.error().text();
  EXPECT_EQ(config->domain.gms_uri.text(), "sip:gms@mcx.example");
  EXPECT_EQ(config->domain.mcptt_servers, std::vector<std::string>{"sip:mcptt-server@mcx.example"});
  EXPECT_EQ(config->domain.creators, std::vector<std::string>{"sip:dispatch@mcx.example"});
  EXPECT_EQ(config->listen_trusted, "192.0.2.10:8445");
  EXPECT_EQ(config->kms.token_file, file.directory.path + "/gms.jwt");
  EXPECT_EQ(config->kms.certificate_file, file.directory.path + "/gms-cert.pem");
  EXPECT_EQ(config->kms_of.front().second, "kms.third.example");
  ASSERT_EQ(config->partners.size(), 1u);
  EXPECT_EQ(config->partners[0].kms_uri, "kms.partner.example");
  EXPECT_EQ(config->domain.partners.at(0).san, "sip:gms@partner.example");
  EXPECT_EQ(config->domain.gmk_cs_id, 4);
}

TEST(GmsConfigFile, EverySettingHasAKey) {
  const auto config =
      read(with_line(kExample, "release_profile",
                     "floor_key = \"mkfc\"\ntolerate = [\"accept_ssv32\", \"accept_unix_time\"]") +
           "[keys]\ngmk_cs_id = 0\nempty_map = true\nkey_lifetime = 604800\n"
           "[times]\nt_ask = 1\nt_notify = 61\nt_reserve = 12\nc12_wait = 2\nc13_wait = 3\n"
           "answer_memory = 62\n");
  ASSERT_TRUE(config.ok()) << config.error().text();
  const gms::Settings& s = config->domain;
  EXPECT_EQ(s.floor_key, gms::FloorKey::mkfc);
  EXPECT_TRUE(s.tolerances.allows(gktp::Tolerance::accept_ssv32));
  EXPECT_TRUE(s.tolerances.allows(gktp::Tolerance::accept_unix_time));
  EXPECT_FALSE(s.tolerances.allows(gktp::Tolerance::accept_prf_other));
  EXPECT_EQ(s.gmk_cs_id, 0);
  EXPECT_TRUE(s.empty_map);
  EXPECT_EQ(s.key_lifetime, 604800);
  EXPECT_EQ(s.t_ask + s.t_notify + s.t_reserve + s.c12_wait + s.c13_wait + s.answer_memory,
            1 + 61 + 12 + 2 + 3 + 62);
  const auto limits = read(with_line(kExample, "mcptt_servers", "max_members = 7\nmax_constituents = 5"));
  ASSERT_TRUE(limits.ok()) << limits.error().text();
  EXPECT_EQ(limits->domain.max_members, 7u);
  EXPECT_EQ(limits->domain.max_constituents, 5u);
}

TEST(GmsConfigFile, WhatIsNotBuiltIsRefusedWithTheCure) {
  expect_refused("policy", "policy = \"wrap+sign\"", "kms.policy", "policy = \"plain\"");
  expect_refused("policy", "policy = \"wrap\"", "kms.policy", "policy = \"plain\"");
  expect_refused("policy", "policy = \"none\"", "kms.policy", "policy = \"plain\"");
  for (const char* profile : {"rel17", "rel18", "rel99"})
    expect_refused("release_profile", "release_profile = \"" + std::string(profile) + "\"", "release_profile",
                   "release_profile = \"rel13\"");
  expect_refused(
      "token = ",
      "token = { endpoint = \"https://idms.mcx.example/token\", client_id = \"g\", secret_file = \"s\" }",
      "kms.token.endpoint", "file = \"FILE\" or command = \"COMMAND\"");
  expect_refused("kek_passphrase_file", "pkcs11 = { module = \"p11.so\" }", "pkcs11", "kek_passphrase_file");
}

TEST(GmsConfigFile, TheTokenForTheKmsComesFromAFileOrACommandOrNot) {
  const auto command = read(with_line(kExample, "token = ", "token = { command = \"echo a.b.c\" }"));
  ASSERT_TRUE(command.ok()) << command.error().text();
  EXPECT_EQ(command->kms.token_command, "echo a.b.c");
  expect_refused("token = ", "token = { file = \"a\", command = \"b\" }", "kms.token.command", "remove one");
  expect_refused("token = ", "token = { }", "kms.token.file", "file = \"FILE\"");
  EXPECT_TRUE(read(with_line(kExample, "token = ", "")).ok()) << "the certificate may be enough";
}

TEST(GmsConfigFile, EveryWrongValueIsNamedWithItsPlaceClauseAndCure) {
  expect_refused("gms_uri = \"sip:gms@mcx", "gms_uri = \"gms@mcx.example\"", "gms_uri", "sip:");
  expect_refused("gms_uri = \"sip:gms@mcx", "gms_uri = \"sip:g ms@mcx.example\"", "gms_uri", "");
  expect_refused("xcap_root = \"https://gms.mcx", "xcap_root = \"https://gms.mcx.example/xcap-root\"",
                 "xcap_root", "https://gms.mcx.example:8443/xcap-root/");
  expect_refused("xcap_root = \"https://gms.mcx", "xcap_root = \"http://gms.mcx.example/\"", "xcap_root",
                 "https://");
  expect_refused("domains = [\"mcx", "domains = []", "domains", "domains = [\"mcx.example\"]");
  expect_refused("domains = [\"mcx", "domains = [\"sip:mcx.example\"]", "domains", "after the '@'");
  expect_refused("release_profile", "floor_key = \"kfc\"", "floor_key", "none, gmk or mkfc");
  expect_refused("release_profile", "tolerate = [\"accept_everything\"]", "tolerate", "accept_status_zero");
  expect_refused("https = ", "https = { ue = \"192.0.2.10\" }", "listen.https.ue", "HOST:PORT");
  expect_refused("https = ", "https = { ue = \"gms.example:1\" }", "listen.https.ue", "HOST:PORT");
  expect_refused("sip = ", "sip = [\"udp:192.0.2.10:5060\"]", "listen.sip", "tcp:HOST:PORT");
  expect_refused("sip = ", "sip = []", "listen.sip", "tcp:192.0.2.10:5060");
  expect_refused("ca = {", "ca = { kms = \"kms-ca.pem\" }", "tls.ca.trusted", "close those listeners");
  expect_refused("url = ", "url = \"https://kms.mcx.example:8444/keymanagement\"", "kms.url",
                 "https://HOST:PORT");
  expect_refused("uri = ", "uri = \"kms mcx\"", "kms.uri", "");
  expect_refused("creators", "creators = [\"dispatch\"]", "policy.creators", "sip:");
  expect_refused("mcptt_servers", "mcptt_servers = [\"server\"]", "policy.mcptt_servers", "sip:");
  expect_refused("mcptt_servers", "max_constituents = 1", "policy.max_constituents", "range");
  expect_refused("\"sip:gw@", "\"gw@other.example\" = \"kms.third.example\"", "kms_of.gw@other.example",
                 "sip:");
  expect_refused("kms_uri", "kms_uri = \"\"", "partner.kms_uri", "");
  expect_refused("max_regroups", "max_regroups = 0", "partner.max_regroups", "range");
  expect_refused("domains = [\"partner", "domains = [\"MCX.example\"]", "partner.domains", "one home");
  expect_refused("domains = [\"partner", "domains = []", "partner.domains", "mcx.example");
  expect_refused("gms_uri = \"sip:gms@partner", "gms_uri = \"sip:gms@mcx.example\"", "partner.gms_uri",
                 "other GMS");
  const std::string more =
      kExample + "[keys]\ngmk_cs_id = 4\nkey_lifetime = 0\n[times]\nanswer_memory = 2592000\n";
  expect_refused("gmk_cs_id", "gmk_cs_id = 256", "keys.gmk_cs_id", "range", more);
  expect_refused("key_lifetime", "key_lifetime = 5", "keys.key_lifetime", "0", more);
  expect_refused("answer_memory", "answer_memory = 3600", "times.answer_memory", "86400", more);
  expect_refused("[times]", "[timse]", "timse", "spelling", more);
}

TEST(GmsConfigFile, DomainsAreComparedInLowerCase) {
  const auto config = read(with_line(kExample, "domains = [\"mcx", "domains = [\"MCX.Example\"]"));
  ASSERT_TRUE(config.ok()) << config.error().text();
  EXPECT_EQ(config->domain.domains.front(), "mcx.example");
}

TEST(GmsConfigFile, ASecondEntryForAPartnerOrItsDomainIsRefused) {
  const std::string second =
      "[[partner]]\ngms_uri = \"sip:gms@partner.example\"\nkms_uri = \"k\"\ndomains = [\"third.example\"]\n"
      "xcap_root = \"https://g.third.example/\"\nca = \"ca.pem\"\n";
  auto twice = read(kExample + second);
  ASSERT_FALSE(twice.ok());
  EXPECT_THAT(twice.error().text(), testing::HasSubstr("partner.gms_uri"));
  const std::string third = with_line(second, "gms_uri", "gms_uri = \"sip:gms@third.example\"");
  EXPECT_TRUE(read(kExample + third).ok());
  twice = read(kExample + with_line(third, "domains", "domains = [\"partner.example\"]"));
  ASSERT_FALSE(twice.ok());
  EXPECT_THAT(twice.error().text(), testing::HasSubstr("partner.domains"));
}

}  // namespace
}  // namespace regroup::app
