// SPDX-License-Identifier: Apache-2.0
// gms.toml: the example of the manual loads as it stands, what it says arrives, and what is wrong is named
// with its place, clause and cure, so that no misspelt setting silently keeps its default.
#include "app/gms/config.hpp"

#include "app/config_text.hpp"

namespace regroup::app {
namespace {

using test::ConfigFile;
using test::expect_config_error;
using test::line_of;
using test::with_line;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

const std::string& example() {
  static const std::string text = test::example("gms.toml");
  return text;
}
Result<GmsConfig> read(const std::string& text) {
  const ConfigFile file("gms.toml", text);
  return read_gms_config(file.path);
}
Result<GmsConfig> with(const std::string& start, const std::string& line) {
  return read(with_line(example(), start, line));
}
// `line` in place of the last line that starts with `start`: the error stands there and names `key`.
void expect_refused(const std::string& start, const std::string& line, const std::string& key,
                    const std::string& cure) {
  const std::string changed = with_line(example(), start, line);
  const auto config = read(changed);
  ASSERT_FALSE(config.ok()) << line;
  expect_config_error(config.error(), "gms.toml", line_of(changed, line), key, cure);
}

TEST(GmsConfigFile, TheExampleOfTheManualLoads) {
  const ConfigFile file("gms.toml", example());
  const auto config = read_gms_config(file.path);
  ASSERT_TRUE(config.ok()) << config.error().text();
  const gms::Settings& domain = config->domain;
  EXPECT_EQ(domain.gms_uri.text(), "sip:gms@mcx.example");
  EXPECT_THAT(domain.domains, ElementsAre("mcx.example"));
  EXPECT_THAT(domain.creators, ElementsAre("sip:dispatch@mcx.example"));
  EXPECT_THAT(domain.mcptt_servers, ElementsAre("sip:mcptt-server@mcx.example"));
  EXPECT_THAT(domain.admins, ElementsAre("sip:gms@mcx.example"));
  EXPECT_EQ(config->listen_ue, "192.0.2.10:8443");
  EXPECT_EQ(config->listen_trusted, "192.0.2.10:8445");
  EXPECT_EQ(config->listen_admin, "127.0.0.1:8446");
  EXPECT_THAT(config->listen_sip, ElementsAre("tcp:192.0.2.10:5060"));
  EXPECT_EQ(config->kms.uri, "kms.mcx.example");
  EXPECT_EQ(config->kms.url, "https://kms.mcx.example:8444");
  EXPECT_EQ(config->issuer, "https://idms.mcx.example");
  EXPECT_EQ(config->audience, "regroup-gms");
  EXPECT_THAT(config->kms_of, ElementsAre(Pair("sip:gw@other.example", "kms.third.example")));
}

TEST(GmsConfigFile, FileNamesAreRelativeToTheFile) {
  const std::string key = test::lab_file("gms-key.pem");
  const ConfigFile file("gms.toml", with_line(example(), "key = ", "key = \"" + key + "\""));
  const auto config = read_gms_config(file.path);
  ASSERT_TRUE(config.ok()) << config.error().text();
  const std::string& here = file.directory.path;
  EXPECT_EQ(config->store_file, here + "/gms.sqlite");
  EXPECT_EQ(config->passphrase_file, here + "/gms.pass");
  EXPECT_EQ(config->certificate_file, here + "/gms-cert.pem");
  EXPECT_EQ(config->key_file, key);
  EXPECT_EQ(config->kms.certificate_file, config->certificate_file) << "one certificate for both";
  EXPECT_EQ(config->kms.token_file, here + "/gms.jwt");
  EXPECT_EQ(config->trusted_ca_file, here + "/peers-ca.pem");
  EXPECT_EQ(config->jwks.where, here + "/jwks.json");
  EXPECT_EQ(config->partners.at(0).ca_file, here + "/partner-ca.pem");
}

TEST(GmsConfigFile, AFileThatIsNotThereIsNamedWithItsKeyAndLine) {
  const std::pair<const char*, const char*> files[] = {
      {"gms-cert.pem", "tls.cert"}, {"gms-key.pem", "tls.key"},  {"peers-ca.pem", "tls.ca.trusted"},
      {"kms-ca.pem", "tls.ca.kms"}, {"jwks.json", "token.jwks"}, {"partner-ca.pem", "partner.ca"}};
  for (const auto& [name, key] : files) {
    const ConfigFile file("gms.toml", example());
    const std::string path = file.directory.path + "/" + name;
    const std::size_t at = example().find(std::string("\"") + name);
    const auto line = 1 + std::count(example().begin(), example().begin() + static_cast<long>(at), '\n');
    std::filesystem::remove(path);
    auto config = read_gms_config(file.path);
    ASSERT_FALSE(config.ok()) << name;
    expect_config_error(config.error(), "gms.toml", static_cast<int>(line), key, "put the file there");
    EXPECT_THAT(config.error().detail, HasSubstr(path + " cannot be read: No such file"));
    std::filesystem::create_directory(path);
    config = read_gms_config(file.path);
    ASSERT_FALSE(config.ok()) << name;
    EXPECT_THAT(config.error().detail, HasSubstr("directory"));
  }
}

TEST(GmsConfigFile, AFileThatIsNoneIsNamedWithItsKeyLineAndCure) {
  const std::tuple<const char*, const char*, const char*> files[] = {
      {"gms-cert.pem", "tls.cert", "PEM chain"},  {"gms-key.pem", "tls.key", "private key"},
      {"peers-ca.pem", "tls.ca.trusted", "PEM"},  {"kms-ca.pem", "tls.ca.kms", "PEM"},
      {"jwks.json", "token.jwks", "JSON object"}, {"partner-ca.pem", "partner.ca", "PEM"}};
  for (const auto& [name, key, cure] : files) {
    const ConfigFile file("gms.toml", example());
    file.put(name, "no such thing\n");
    const std::size_t at = example().find(std::string("\"") + name);
    const auto line = 1 + std::count(example().begin(), example().begin() + static_cast<long>(at), '\n');
    const auto config = read_gms_config(file.path);
    ASSERT_FALSE(config.ok()) << name;
    expect_config_error(config.error(), "gms.toml", static_cast<int>(line), key, cure);
    EXPECT_THAT(config.error().detail, HasSubstr(std::string("/") + name));
  }
}

TEST(GmsConfigFile, ACertificateOfAnotherServerAndAKeyOfAnotherCertificateAreNamedWithTheirPlace) {
  const ConfigFile other("gms.toml", example());
  const test::TemporaryDirectory directory;
  const auto files =
      LabCa::make(directory.path).value().issue({"other", {}, {"sip:other@mcx.example"}}).value();
  const auto copy = [&](const std::string& from, const std::string& to) {
    std::filesystem::copy_file(from, other.directory.path + "/" + to,
                               std::filesystem::copy_options::overwrite_existing);
  };
  copy(files.key, "gms-key.pem");
  auto config = read_gms_config(other.path);
  ASSERT_FALSE(config.ok());
  expect_config_error(config.error(), "gms.toml", line_of(example(), "key = "), "tls.key", "issued for");
  copy(files.certificate, "gms-cert.pem");
  config = read_gms_config(other.path);
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().clause, "PR-39");
  expect_config_error(config.error(), "gms.toml", line_of(example(), "cert = "), "tls.cert",
                      "URI:sip:gms@mcx.example");
}

TEST(GmsConfigFile, NamesEachPartnerOnceForTheFlowsAndOnceForTheLink) {
  const std::string second =
      "[[partner]]\ngms_uri = \"sip:gms@second.example\"\nkms_uri = \"k\"\ndomains = [\"second.example\"]\n"
      "xcap_root = \"https://gms.second.example/\"\nca = \"partner-ca.pem\"\n";
  const auto config = read(with_line(example(), "san", "san = \"gms.partner.example\"") + second);
  ASSERT_TRUE(config.ok()) << config.error().text();
  ASSERT_EQ(config->partners.size(), 2u);
  ASSERT_EQ(config->domain.partners.size(), 2u);
  EXPECT_EQ(config->partners[0].gms_uri, "sip:gms@partner.example");
  EXPECT_EQ(config->partners[0].kms_uri, "kms.partner.example");
  EXPECT_EQ(config->partners[0].san, "gms.partner.example");
  EXPECT_EQ(config->partners[1].san, "sip:gms@second.example") << "by default its own URI";
  EXPECT_EQ(config->domain.partners[0].san, "gms.partner.example");
  EXPECT_EQ(config->domain.partners[0].gms_uri.text(), "sip:gms@partner.example");
  EXPECT_THAT(config->domain.partners[0].domains, ElementsAre("partner.example"));
  EXPECT_EQ(config->domain.partners[1].max_regroups, 50u);
}

TEST(GmsConfigFile, EverySettingHasAKey) {
  std::string text = example().substr(0, example().find("[keys]"));
  text = with_line(text, "floor_key",
                   "floor_key = \"mkfc\"\ntolerate = [\"accept_ssv32\", "
                   "\"accept_unix_time\"]");
  text = with_line(text, "max_members", "max_members = 7");
  text = with_line(text, "max_constituents", "max_constituents = 5");
  const auto config = read(text +
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
  EXPECT_EQ(s.t_ask, 1);
  EXPECT_EQ(s.t_notify, 61);
  EXPECT_EQ(s.t_reserve, 12);
  EXPECT_EQ(s.c12_wait, 2);
  EXPECT_EQ(s.c13_wait, 3);
  EXPECT_EQ(s.answer_memory, 62);
  EXPECT_EQ(s.max_members, 7u);
  EXPECT_EQ(s.max_constituents, 5u);
}

TEST(GmsConfigFile, TheDefaultsAreThoseOfTheExample) {
  const auto shown = read(example());
  std::string text = example();
  for (const char* gone :
       {"release_profile", "floor_key",         "policy = ", "audience",  "scopes",        "admins",
        "max_members",     "max_constituents",  "gmk_cs_id", "empty_map", "key_lifetime",  "t_ask",
        "t_notify",        "t_reserve",         "c12_wait",  "c13_wait",  "answer_memory", "san",
        "max_regroups",    "tell_members_keyed"})
    text = with_line(text, gone, "");
  const auto config = read(text);
  ASSERT_TRUE(shown.ok() && config.ok()) << config.error().text();
  const gms::Settings &s = config->domain, &e = shown->domain;
  EXPECT_EQ(s.floor_key, e.floor_key);
  EXPECT_EQ(s.max_members, e.max_members);
  EXPECT_EQ(s.max_constituents, e.max_constituents);
  EXPECT_EQ(s.gmk_cs_id, e.gmk_cs_id);
  EXPECT_EQ(s.empty_map, e.empty_map);
  EXPECT_EQ(s.key_lifetime, e.key_lifetime);
  EXPECT_EQ(s.t_ask, e.t_ask);
  EXPECT_EQ(s.t_notify, e.t_notify);
  EXPECT_EQ(s.t_reserve, e.t_reserve);
  EXPECT_EQ(s.c12_wait, e.c12_wait);
  EXPECT_EQ(s.c13_wait, e.c13_wait);
  EXPECT_EQ(s.answer_memory, e.answer_memory);
  EXPECT_EQ(s.partners.at(0).san, e.partners.at(0).san);
  EXPECT_EQ(s.partners.at(0).max_regroups, e.partners.at(0).max_regroups);
  EXPECT_EQ(s.partners.at(0).tell_members_keyed, e.partners.at(0).tell_members_keyed);
  EXPECT_FALSE(s.partners.at(0).tell_members_keyed);
  EXPECT_EQ(config->scopes, shown->scopes);
  EXPECT_TRUE(config->audience.empty());
  EXPECT_TRUE(read(text.substr(0, text.find("[kms_of]"))).ok()) << "no partner at all";
}

TEST(GmsConfigFile, TheKmsPolicyIsOneOfThreeAndNeedsItsTransportKeys) {
  const auto shown = read(example());
  ASSERT_TRUE(shown.ok()) << shown.error().text();
  EXPECT_EQ(shown->kms.policy, KmsPolicy::wrap_sign) << "as the manual shows it";
  ASSERT_TRUE(shown->kms.transport_keys);
  EXPECT_EQ(shown->kms.transport_keys->keys().back().trk_id, "tk.1");
  EXPECT_EQ(with("policy = ", "policy = \"wrap\"")->kms.policy, KmsPolicy::wrap);
  EXPECT_EQ(with("policy = ", "policy = \"plain\"")->kms.policy, KmsPolicy::plain);
  const auto plain =
      read(with_line(with_line(example(), "policy = ", ""), "transport_keys", "transport_keys = \"\""));
  ASSERT_TRUE(plain.ok()) << plain.error().text();
  EXPECT_FALSE(plain->kms.transport_keys);
  expect_refused("policy = ", "policy = \"none\"", "kms.policy", "policy = \"wrap+sign\"");
  expect_refused("transport_keys", "transport_keys = \"\"", "kms.transport_keys", "--transport-keys-out");
  const std::string without = with_line(example(), "transport_keys", "");
  const auto config = read(without);
  ASSERT_FALSE(config.ok());
  expect_config_error(config.error(), "gms.toml", line_of(without, "[kms]"), "kms.transport_keys",
                      "--transport-keys-out");
}

TEST(GmsConfigFile, ATransportKeyFileThatCannotBeUsedIsNamedWithItsPlaceAndCure) {
  const auto refused = [](const std::string& text, mode_t mode, const std::string& cure) {
    const ConfigFile file("gms.toml", example());
    std::filesystem::remove(file.directory.path + "/gms-trk.json");
    if (mode) file.put("gms-trk.json", text, mode);
    const auto config = read_gms_config(file.path);
    ASSERT_FALSE(config.ok()) << text;
    expect_config_error(config.error(), "gms.toml", line_of(example(), "transport_keys"),
                        "kms.transport_keys", cure);
    EXPECT_THAT(config.error().detail, testing::HasSubstr("gms-trk.json"));
    EXPECT_THAT(config.error().text(), testing::Not(testing::HasSubstr(std::string(64, '1'))));
  };
  refused({}, 0, "put the file there");
  refused(test::transport_key_text(), 0644, "chmod 600");
  refused(test::transport_key_text(), 0640, "chmod 600");
  refused("{}", 0600, "--transport-keys-out");
  refused(test::transport_key_text().substr(0, 40), 0600, "--transport-keys-out");
}

TEST(GmsConfigFile, WhatIsNotBuiltIsRefusedWithTheCure) {
  for (const char* profile : {"rel17", "rel18", "rel99"})
    expect_refused("release_profile", "release_profile = \"" + std::string(profile) + "\"", "release_profile",
                   "release_profile = \"rel13\"");
  expect_refused("kek_passphrase_file", "pkcs11 = { module = \"p11.so\" }", "pkcs11", "kek_passphrase_file");
}

TEST(GmsConfigFile, TheTokenForTheKmsComesFromAnEndpointWithACaOfItsOwn) {
  const std::string line =
      "token = { endpoint = \"https://idms.mcx.example/token\", client_id = \"g\", secret_file = \"s\" }";
  const auto config =
      read(with_line(with_line(example(), "token = ", line), "ca = {",
                     R"(ca = { trusted = "peers-ca.pem", kms = "kms-ca.pem", token = "idms-ca.pem" })"));
  ASSERT_TRUE(config.ok()) << config.error().text();
  ASSERT_TRUE(config->kms.token_endpoint);
  EXPECT_EQ(config->kms.token_endpoint->url(), "https://idms.mcx.example/token");
  expect_refused("token = ", line, "kms.token.endpoint", "name its CA there");
  EXPECT_THAT(with("token = ", line).error().text(), HasSubstr("tls.ca.token"));
}

TEST(GmsConfigFile, TheKeysOfTokensComeFromAnHttpsUrlToo) {
  const std::string url = "jwks = \"https://idms.mcx.example/jwks\"";
  const std::string ca = R"(ca = { trusted = "peers-ca.pem", kms = "kms-ca.pem", jwks = "idms-ca.pem" })";
  const auto bare = with("jwks = ", url);
  ASSERT_TRUE(bare.ok()) << bare.error().text();
  EXPECT_EQ(bare->jwks.where, "https://idms.mcx.example/jwks");
  EXPECT_EQ(bare->jwks.ca_file, "") << "the system's store";
  const ConfigFile file("gms.toml", with_line(with_line(example(), "jwks = ", url), "ca = {", ca));
  const auto pinned = read_gms_config(file.path);
  ASSERT_TRUE(pinned.ok()) << pinned.error().text();
  EXPECT_EQ(pinned->jwks.ca_file, file.directory.path + "/idms-ca.pem");
  expect_refused("jwks = ", "jwks = \"http://idms.mcx.example/jwks\"", "token.jwks", "https://HOST/PATH");
  const auto useless = with("ca = {", ca);
  ASSERT_FALSE(useless.ok());
  expect_config_error(useless.error(), "gms.toml", line_of(example(), "jwks = "), "token.jwks",
                      "remove jwks from tls.ca");
}

TEST(GmsConfigFile, TheTokenForTheKmsComesFromAFileOrACommandOrNot) {
  const auto command = with("token = ", "token = { command = \"echo a.b.c\" }");
  ASSERT_TRUE(command.ok()) << command.error().text();
  EXPECT_EQ(command->kms.token_command, "echo a.b.c");
  expect_refused("token = ", "token = { file = \"a\", command = \"b\" }", "kms.token.command",
                 "remove file or command");
  expect_refused("token = ", "token = { }", "kms.token.file", "file = \"FILE\"");
  EXPECT_TRUE(with("token = ", "").ok()) << "the certificate may be enough";
}

TEST(GmsConfigFile, AMisspeltKeyIsNamedWithTheRightOneAndNotReportedAsMissing) {
  expect_refused("gms_uri = \"sip:gms@mcx", "gms_urii = \"sip:gms@mcx.example\"", "gms_urii",
                 "did you mean gms_uri?");
  expect_refused("cert = ", "crt = \"gms-cert.pem\"", "tls.crt", "did you mean cert?");
  expect_refused("sip = ", "spi = [\"tcp:192.0.2.10:5060\"]", "listen.spi", "did you mean sip?");
  expect_refused("url = ", "ulr = \"https://kms.mcx.example:8444\"", "kms.ulr", "did you mean url?");
  expect_refused("jwks = ", "jwsk = \"jwks.json\"", "token.jwsk", "did you mean jwks?");
  expect_refused("creators", "creator = []", "policy.creator", "did you mean creators?");
  expect_refused("t_reserve", "reserve = 600", "times.reserve", "did you mean t_reserve?");
  expect_refused("max_regroups", "max_regruops = 50", "partner.max_regruops", "did you mean max_regroups?");
  expect_refused("[times]", "[timse]", "timse", "did you mean times?");
  expect_refused("[times]", "[unheard_of]", "unheard_of", "lists the keys");
  expect_refused("https = ", "https = { ue = \"192.0.2.10:8443\", trust = \"192.0.2.10:8445\" }",
                 "listen.https.trust", "did you mean trusted?");
  expect_refused("ca = {", "ca = { trusted = \"peers-ca.pem\", kmss = \"kms-ca.pem\" }", "tls.ca.kmss",
                 "did you mean kms?");
}

TEST(GmsConfigFile, AMissingKeyIsNamed) {
  const std::pair<const char*, const char*> keys[] = {{"gms_uri = \"sip:gms@mcx", "gms_uri"},
                                                      {"xcap_root = \"https://gms.mcx", "xcap_root"},
                                                      {"domains = [\"mcx", "domains"},
                                                      {"store", "store"},
                                                      {"kek_passphrase_file", "kek_passphrase_file"},
                                                      {"https", "listen.https.ue"},
                                                      {"sip", "listen.sip"},
                                                      {"cert", "tls.cert"},
                                                      {"key = ", "tls.key"},
                                                      {"ca = {", "tls.ca.kms"},
                                                      {"uri", "kms.uri"},
                                                      {"url", "kms.url"},
                                                      {"jwks", "token.jwks"},
                                                      {"issuer", "token.issuer"},
                                                      {"kms_uri", "partner.kms_uri"},
                                                      {"gms_uri", "partner.gms_uri"},
                                                      {"ca = \"partner", "partner.ca"}};
  for (const auto& [start, key] : keys) {
    const auto config = with(start, "");
    ASSERT_FALSE(config.ok()) << key;
    EXPECT_THAT(config.error().detail, HasSubstr(std::string(": ") + key + ": "));
  }
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
  expect_refused("floor_key", "floor_key = \"kfc\"", "floor_key", "none, gmk or mkfc");
  expect_refused("floor_key", "floor_key = 3", "floor_key", "a text");
  expect_refused("floor_key", "tolerate = [\"accept_everything\"]", "tolerate", "accept_status_zero");
  expect_refused("policy = ", "tolerate = [\"hex-uid\", \"hexuid\"]", "kms.tolerate", "namespace:URI");
  expect_refused("https = ", "https = { ue = \"192.0.2.10\" }", "listen.https.ue", "HOST:PORT");
  expect_refused("https = ", "https = { ue = \"gms.example:1\" }", "listen.https.ue", "HOST:PORT");
  expect_refused("sip = ", "sip = [\"udp:192.0.2.10:5060\"]", "listen.sip", "tcp:HOST:PORT");
  expect_refused("sip = ", "sip = []", "listen.sip", "tcp:192.0.2.10:5060");
  expect_refused("ca = {", "ca = { kms = \"kms-ca.pem\" }", "tls.ca.trusted", "close those listeners");
  expect_refused("url = ", "url = \"https://kms.mcx.example:8444/keymanagement\"", "kms.url",
                 "https://HOST:PORT");
  expect_refused("uri = ", "uri = \"kms mcx\"", "kms.uri", "");
  expect_refused("creators", "creators = [\"dispatch\"]", "policy.creators", "sip:");
  expect_refused("creators", "creators = \"*\"", "policy.creators", "creators = [");
  expect_refused("mcptt_servers", "mcptt_servers = [\"server\"]", "policy.mcptt_servers", "sip:");
  expect_refused("max_members", "max_members = 0", "policy.max_members", "range");
  expect_refused("max_constituents", "max_constituents = 1", "policy.max_constituents", "range");
  expect_refused("t_ask", "t_ask = 0", "times.t_ask", "range");
  expect_refused("t_ask", "t_ask = 301", "times.t_ask", "range");
  expect_refused("t_ask", "t_ask = \"7\"", "times.t_ask", "a whole number");
  expect_refused("\"sip:gw@", "\"gw@other.example\" = \"kms.third.example\"", "kms_of.gw@other.example",
                 "sip:");
  expect_refused("kms_uri", "kms_uri = \"\"", "partner.kms_uri", "");
  expect_refused("max_regroups", "max_regroups = 0", "partner.max_regroups", "range");
  expect_refused("domains = [\"partner", "domains = [\"MCX.example\"]", "partner.domains", "one home");
  expect_refused("domains = [\"partner", "domains = []", "partner.domains", "mcx.example");
  expect_refused("gms_uri = \"sip:gms@partner", "gms_uri = \"sip:gms@mcx.example\"", "partner.gms_uri",
                 "other GMS");
  expect_refused("gmk_cs_id", "gmk_cs_id = 256", "keys.gmk_cs_id", "range");
  expect_refused("key_lifetime", "key_lifetime = 5", "keys.key_lifetime", "0");
  expect_refused("answer_memory", "answer_memory = 3600", "times.answer_memory", "86400");
}

TEST(GmsConfigFile, OnlyAnOpenTrustedListenerNeedsACa) {
  const std::string closed = with_line(example(), "https = ", "https = { ue = \"192.0.2.10:8443\" }");
  const auto config = read(with_line(closed, "ca = {", "ca = { kms = \"kms-ca.pem\" }"));
  EXPECT_TRUE(config.ok()) << config.error().text();
}

TEST(GmsConfigFile, DomainsAreComparedInLowerCase) {
  const auto config = with("domains = [\"mcx", "domains = [\"MCX.Example\"]");
  ASSERT_TRUE(config.ok()) << config.error().text();
  EXPECT_EQ(config->domain.domains.front(), "mcx.example");
}

TEST(GmsConfigFile, ASecondEntryForAPartnerOrItsDomainIsRefused) {
  const std::string second =
      "[[partner]]\ngms_uri = \"sip:gms@partner.example\"\nkms_uri = \"k\"\ndomains = [\"third.example\"]\n"
      "xcap_root = \"https://g.third.example/\"\nca = \"partner-ca.pem\"\n";
  auto twice = read(example() + second);
  ASSERT_FALSE(twice.ok());
  EXPECT_THAT(twice.error().text(), HasSubstr("partner.gms_uri"));
  const std::string third = with_line(second, "gms_uri", "gms_uri = \"sip:gms@third.example\"");
  EXPECT_TRUE(read(example() + third).ok());
  twice = read(example() + with_line(third, "domains", "domains = [\"partner.example\"]"));
  ASSERT_FALSE(twice.ok());
  EXPECT_THAT(twice.error().text(), HasSubstr("partner.domains"));
}

TEST(GmsConfigFile, WhatIsNoTomlOrNoFileIsNamed) {
  const std::string text = with_line(example(), "store", "store = gms.sqlite");
  const auto broken = read(text);
  ASSERT_FALSE(broken.ok());
  EXPECT_THAT(broken.error().text(),
              HasSubstr("gms.toml:" + std::to_string(line_of(text, "store = gms")) + ": "));
  const auto none = read_gms_config("/nowhere/none.toml");
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, Errc::usage);
  EXPECT_THAT(none.error().text(), HasSubstr("none.toml"));
}

}  // namespace
}  // namespace regroup::app
