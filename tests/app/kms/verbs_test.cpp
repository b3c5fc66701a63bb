// SPDX-License-Identifier: Apache-2.0
// regroup kms init, add-identity, import-certificate, certificate and serve as an operator meets them; serve
// in a process of its own, over TLS on a free port of the loopback.
#include "app/kms/verbs.hpp"

#include "app/cli/kms_keep.hpp"
#include "app/http_call.hpp"
#include "http/server.hpp"

namespace regroup::app::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(KmsVerbs, InitMakesAKmsOnce) {
  ASSERT_EQ(init("kms", "kms.mcx.example"), 0) << err.str();
  const auto said = nlohmann::json::parse(out.str());
  EXPECT_EQ(said["kms_uri"], "kms.mcx.example");
  EXPECT_EQ(said["period"], 2592000);
  EXPECT_EQ(said["domains"], nlohmann::json::array({"mcx.example"}));
  ASSERT_EQ(certificate("kms"), 0);
  const std::string before = out.str();
  EXPECT_EQ(init("kms", "kms.mcx.example"), 3) << "never twice";
  EXPECT_THAT(err.str(), HasSubstr("master secrets"));
  ASSERT_EQ(certificate("kms"), 0);
  EXPECT_EQ(out.str(), before);
}

TEST_F(KmsVerbs, APathOfAnyOctetsIsNoReasonToEndBadly) {
  ASSERT_EQ(init("z\xff", "kms.odd.example"), 0) << err.str();
  EXPECT_TRUE(nlohmann::json::parse(out.str(), nullptr, false).is_object()) << out.str();
}

TEST_F(KmsVerbs, InitNamesTheArgumentThatIsWrong) {
  EXPECT_EQ(init("kms", ""), 2);
  EXPECT_THAT(err.str(), HasSubstr("--kms-uri"));
  EXPECT_EQ(init("kms", "kms with spaces"), 2);
  const KmsInitOptions bad_period{.directory = path("kms"),
                                  .kms_uri = "k",
                                  .period = 10,
                                  .offset = 10,
                                  .domains = {},
                                  .issuer = {},
                                  .passphrase_file = path("pass")};
  EXPECT_EQ(run_kms_init(bad_period, out, fresh(err)), 2);
  EXPECT_THAT(err.str(), HasSubstr("UserKeyOffset"));
  write("open", "secret\n", 0644);
  const KmsInitOptions open_file{
      .directory = path("kms"), .kms_uri = "k", .domains = {}, .issuer = {}, .passphrase_file = path("open")};
  EXPECT_NE(run_kms_init(open_file, out, fresh(err)), 0);
  EXPECT_THAT(err.str(), HasSubstr(path("open")));
  EXPECT_FALSE(std::filesystem::exists(path("kms"))) << "nothing half-made";
}

TEST_F(KmsVerbs, AddIdentityRefusesDoublesReservedNamesAndAnotherPassphrase) {
  ASSERT_EQ(init("kms", "kms.mcx.example"), 0);
  EXPECT_EQ(add(kBob), 0) << err.str();
  EXPECT_EQ(add("SIP:bob@MCX.example"), 3);
  EXPECT_EQ(add("sip:ops.group@mcx.example"), 3);
  EXPECT_THAT(err.str(), HasSubstr("--server"));
  EXPECT_EQ(add("sip:ops.group@mcx.example", true), 0);
  EXPECT_EQ(nlohmann::json::parse(out.str())["identities"], 2);
  EXPECT_EQ(add("sip:b\xC3\xB6@mcx.example"), 2);
  EXPECT_EQ(add(""), 2);
  EXPECT_EQ(add("bob"), 2);
  EXPECT_THAT(err.str(), HasSubstr("'bob' is not a URI"));
  EXPECT_THAT(err.str(), HasSubstr("sip:bob@mcx.example"));
  EXPECT_THAT(err.str(), Not(HasSubstr("server")));
  write("pass", "another passphrase\n", 0600);
  EXPECT_EQ(add("sip:carol@mcx.example"), 3);
  EXPECT_THAT(err.str(), Not(HasSubstr("another passphrase")));
}

TEST_F(KmsVerbs, AnIdentityOfAnotherDomainIsAddedWithAWarning) {
  ASSERT_EQ(init("kms", "kms.mcx.example"), 0);
  for (const char* own : {kBob, "sip:ann@fire.mcx.example", "tel:+15551234"}) {
    EXPECT_EQ(add(own), 0) << err.str();
    EXPECT_EQ(err.str(), "") << own;
  }
  for (const char* foreign : {"sip:bob@mcx.exmaple", "sip:bob@notmcx.example"}) {
    EXPECT_EQ(add(foreign), 0) << "a gateway may be meant";
    EXPECT_THAT(err.str(), HasSubstr("regroup kms add-identity: warning: URI: "));
    EXPECT_THAT(err.str(), HasSubstr("this KMS serves mcx.example"));
    EXPECT_THAT(err.str(), HasSubstr("[kms_of]"));
  }
}

TEST_F(KmsVerbs, ListsEachIdentityWithItsKind) {
  const auto list = [&](bool json) {
    return run_kms_list({.directory = path("kms"), .passphrase_file = {}, .json = json}, fresh(out),
                        fresh(err));
  };
  EXPECT_EQ(list(true), 2) << "no KMS is there";
  EXPECT_EQ(refusal()["code"], "usage");
  ASSERT_EQ(init("kms", "kms.mcx.example"), 0);
  EXPECT_EQ(list(false), 0) << err.str();
  EXPECT_EQ(out.str(), "");
  ASSERT_EQ(add(kServer, true), 0);
  ASSERT_EQ(add(kBob), 0);
  EXPECT_EQ(list(false), 0) << err.str();
  EXPECT_EQ(out.str(), "user sip:bob@mcx.example\nserver sip:gms@mcx.example\n");
  EXPECT_EQ(list(true), 0) << err.str();
  const auto said = nlohmann::json::parse(out.str());
  EXPECT_EQ(said["identities"].size(), 2u);
  EXPECT_EQ(
      said["identities"][0],
      (nlohmann::json{{"identity", kBob}, {"kind", "user"}, {"policy", "plain"}, {"standing", "active"}}));
  EXPECT_EQ(said["identities"][1]["kind"], "server");
  write("pass", "another passphrase\n", 0600);
  EXPECT_EQ(list(false), 3);
}

TEST_F(KmsVerbs, ImportTakesAPartnersCertificateAndShowsItsDigest) {
  ASSERT_EQ(init("kms", "kms.mcx.example"), 0);
  ASSERT_EQ(init("partner", "kms.partner.example"), 0);
  ASSERT_EQ(certificate("partner"), 0);
  const std::string digest = err.str().substr(8, 64);
  write("partner.xml", out.str(), 0644);
  ASSERT_EQ(import("partner.xml"), 0) << err.str();
  const auto said = nlohmann::json::parse(out.str());
  EXPECT_EQ(said["imported"], nlohmann::json::array({"kms.partner.example"}));
  EXPECT_EQ(said["cache_num"], 2);
  EXPECT_EQ(said["sha256"], digest) << "both operators read the same number";
  ASSERT_EQ(import("partner.xml"), 0);
  EXPECT_EQ(nlohmann::json::parse(out.str())["changed"], false);
  ASSERT_EQ(certificate("kms"), 0);
  write("own.xml", out.str(), 0644);
  EXPECT_EQ(import("own.xml"), 3) << "one's own";
  for (const char* text : {"<KmsCertificate/>", "no XML at all", "<!DOCTYPE x><x/>"}) {
    write("broken.xml", text, 0644);
    EXPECT_EQ(import("broken.xml"), 3) << text;
  }
  EXPECT_EQ(import("missing.xml"), 2);
}

TEST_F(KmsVerbs, AddIdentityAndImportKnowThePassphraseFileThatInitWasGiven) {
  ASSERT_EQ(init("kms", "kms.mcx.example"), 0);
  EXPECT_EQ(add_with("", kBob), 0) << err.str();
  EXPECT_EQ(add_with("", kServer, true), 0) << err.str();
  ASSERT_EQ(init("partner", "kms.partner.example"), 0);
  ASSERT_EQ(certificate("partner"), 0);
  write("partner.xml", out.str(), 0644);
  EXPECT_EQ(
      run_kms_import_certificate(
          {.directory = path("kms"), .file = path("partner.xml"), .passphrase_file = {}}, out, fresh(err)),
      0)
      << err.str();
  EXPECT_EQ(content_of(path("kms/passphrase-file")), path("pass") + "\n") << "its name";
  struct stat about {};
  ASSERT_EQ(::stat(path("kms/passphrase-file").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
}

TEST_F(KmsVerbs, InitRemembersTheAbsoluteNameOfARelativePassphraseFile) {
  const std::string before = std::filesystem::current_path();
  std::filesystem::current_path(root.path);
  const int made = run_kms_init({.directory = path("kms"),
                                 .kms_uri = "kms.mcx.example",
                                 .domains = {},
                                 .issuer = {},
                                 .passphrase_file = "./pass"},
                                out, err);
  std::filesystem::current_path(before);
  ASSERT_EQ(made, 0) << err.str();
  EXPECT_EQ(add_with("", kBob), 0) << err.str();
}

TEST_F(KmsVerbs, APassphraseFileThatIsGoneOrUnknownIsNamedWithTheCure) {
  ASSERT_EQ(init("kms", "kms.mcx.example"), 0);
  std::filesystem::rename(path("pass"), path("moved"));
  EXPECT_EQ(add_with("", kBob), 2);
  EXPECT_THAT(err.str(), HasSubstr(path("pass")));
  EXPECT_THAT(err.str(), HasSubstr("is gone"));
  EXPECT_THAT(err.str(), HasSubstr("--passphrase-file"));
  EXPECT_EQ(add_with(path("moved"), kBob), 0) << "a named one wins";
  std::filesystem::remove(path("kms/passphrase-file"));
  EXPECT_EQ(add_with("", "sip:carol@mcx.example"), 2);
  EXPECT_THAT(err.str(), HasSubstr("--passphrase-file"));
  write("kms/passphrase-file", path("moved") + "\n", 0644);
  EXPECT_EQ(add_with("", "sip:carol@mcx.example"), 2) << "others could have sent us elsewhere";
  EXPECT_THAT(err.str(), HasSubstr("chmod 600"));
}

TEST_F(KmsVerbs, WithJsonEveryRefusalIsAnObject) {
  EXPECT_EQ(init("kms", ""), 2);
  EXPECT_EQ(refusal()["code"], "usage");
  for (const char* member : {"code", "clause", "detail", "cure"})
    EXPECT_TRUE(refusal()[member].is_string()) << member;
  EXPECT_EQ(refusal().size(), 4u);
  EXPECT_EQ(add(kBob), 2) << "no KMS is there";
  EXPECT_EQ(refusal()["code"], "usage");
  EXPECT_THAT(refusal()["cure"].get<std::string>(), HasSubstr("--dir"));
  ASSERT_EQ(init("kms", "kms.mcx.example"), 0);
  EXPECT_EQ(add("sip:ops.group@mcx.example"), 3);
  EXPECT_THAT(refusal()["detail"].get<std::string>() + refusal()["cure"].get<std::string>(),
              HasSubstr("--server"));
  EXPECT_EQ(import("missing.xml"), 2);
  EXPECT_THAT(refusal()["detail"].get<std::string>(), HasSubstr("missing.xml"));
  EXPECT_EQ(run_kms_certificate({.directory = path("nowhere"), .json = true}, fresh(out), fresh(err)), 2);
  EXPECT_EQ(refusal()["code"], "usage");
  EXPECT_EQ(run_kms_certificate({.directory = path("nowhere")}, fresh(out), fresh(err)), 2);
  EXPECT_EQ(out.str(), "") << "not without it";
}

TEST_F(KmsVerbs, AddIdentityWritesTransportKeysOnceAndPrintsNone) {
  ASSERT_EQ(init("kms", "kms.mcx.example"), 0);
  ASSERT_EQ(add_protected(kBob, "bob-trk.json"), 0) << err.str();
  const auto keys = read_transport_key_file(path("bob-trk.json"));
  ASSERT_TRUE(keys.ok()) << keys.error().text();
  EXPECT_EQ(keys->trk_id, "tk.0001.bob@mcx.example");
  EXPECT_EQ(keys->ink_id, "ink.0001.bob@mcx.example");
  EXPECT_EQ(nlohmann::json::parse(out.str())["policy"], "wrap+sign");
  for (const std::string& said : {out.str(), err.str(), content_of(path("kms/kms.sqlite"))}) {
    EXPECT_THAT(said, Not(HasSubstr(hex(keys->trk.expose()))));
    EXPECT_THAT(said, Not(HasSubstr(hex(keys->ink.expose()))));
  }
  EXPECT_EQ(content_of(path("kms/kms.sqlite")).find(text_of(keys->trk.expose())), std::string::npos);
  struct stat about {};
  ASSERT_EQ(::stat(path("bob-trk.json").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);

  EXPECT_EQ(add_protected(kBob, "again.json"), 3) << "it has transport keys";
  EXPECT_FALSE(std::filesystem::exists(path("again.json")));
  EXPECT_EQ(add_protected("sip:carol@mcx.example", "bob-trk.json"), 3) << "never over a file";
  EXPECT_EQ(add("sip:carol@mcx.example"), 0) << "and nothing was stored of that";
  EXPECT_EQ(add_protected("sip:carol@mcx.example", "carol-trk.json", "wrap"), 0) << "later, for one without";
  EXPECT_EQ(add_protected("sip:dora@mcx.example", "nowhere/x.json"), 2);
  EXPECT_EQ(add("sip:dora@mcx.example"), 0);
  EXPECT_EQ(run_kms_list({.directory = path("kms"), .passphrase_file = path("pass")}, fresh(out), fresh(err)),
            0);
  EXPECT_EQ(
      out.str(),
      "user sip:bob@mcx.example wrap+sign\nuser sip:carol@mcx.example wrap\nuser sip:dora@mcx.example\n");
}

TEST_F(KmsVerbs, AddIdentityNamesWrongProtection) {
  ASSERT_EQ(init("kms", "kms.mcx.example"), 0);
  EXPECT_EQ(add_protected(kBob, "x.json", "sign"), 2);
  EXPECT_THAT(refusal()["cure"].get<std::string>(), HasSubstr("wrap+sign"));
  EXPECT_EQ(add_protected(kBob, "x.json", "wrap", "w4"), 2);
  EXPECT_THAT(refusal()["cure"].get<std::string>(), HasSubstr("w3"));
  EXPECT_EQ(add_protected(kBob, "", "wrap"), 2);
  EXPECT_THAT(refusal()["cure"].get<std::string>(), HasSubstr("--transport-keys-out"));
  EXPECT_EQ(add_protected(kBob, "", "", "w1"), 2);
  EXPECT_FALSE(std::filesystem::exists(path("x.json")));
  EXPECT_EQ(add_protected(kBob, "x.json", "wrap+sign", "w1"), 0) << err.str();
}

TEST_F(KmsServe, HandsOutTheSameKeysAfterARestartAndFollowsTheDirectory) {
  std::string url = start(options());
  ASSERT_NE(url, "") << content_of(path("log"));
  const auto first = keys(url, kBob, "bob.jwt");
  ASSERT_TRUE(first.ok()) << first.error().text() << content_of(path("log"));
  ASSERT_EQ(first->key_sets.size(), 2u);
  EXPECT_EQ(first->domains.all().size(), 1u);

  // An administrator adds a user and a partner while it runs.
  ASSERT_EQ(add("sip:carol@mcx.example"), 0);
  token("carol.jwt", "sip:carol@mcx.example");
  ASSERT_EQ(init("partner", "kms.partner.example"), 0);
  ASSERT_EQ(certificate("partner"), 0);
  write("partner.xml", out.str(), 0644);
  ASSERT_EQ(import("partner.xml"), 0);
  const auto carol = keys(url, "sip:carol@mcx.example", "carol.jwt");
  ASSERT_TRUE(carol.ok()) << carol.error().text();
  EXPECT_EQ(carol->domains.all().size(), 2u);
  EXPECT_EQ(stop(), 0);

  url = start(options());
  ASSERT_NE(url, "") << content_of(path("log"));
  const auto again = keys(url, kBob, "bob.jwt");
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_TRUE(
      ct_equal(again->key_sets[0].rsk().octets().expose(), first->key_sets[0].rsk().octets().expose()));
  EXPECT_EQ(again->domains.all()[0].z.octets(), first->domains.all()[0].z.octets());
  EXPECT_EQ(again->domains.all().size(), 2u);
  EXPECT_EQ(ended(SIGINT), 0);
}

TEST_F(KmsServe, KeepsTransportKeysOverARestartAndTakesNewOnesWhileItRuns) {
  ASSERT_EQ(add_protected("sip:dora@mcx.example", "dora-trk.json"), 0);
  token("dora.jwt", "sip:dora@mcx.example");
  std::string url = start(options());
  ASSERT_NE(url, "") << content_of(path("log"));
  const auto first = keys(url, "sip:dora@mcx.example", "dora.jwt", {}, "dora-trk.json");
  ASSERT_TRUE(first.ok()) << first.error().text() << content_of(path("log"));
  const auto unsigned_one = keys(url, "sip:dora@mcx.example", "dora.jwt");
  ASSERT_FALSE(unsigned_one.ok());
  EXPECT_THAT(unsigned_one.error().text(), HasSubstr("signs its answers"));
  EXPECT_TRUE(keys(url, kBob, "bob.jwt").ok()) << "without transport keys plain";
  ASSERT_EQ(add_protected(kBob, "bob-trk.json"), 0);
  EXPECT_TRUE(keys(url, kBob, "bob.jwt", {}, "bob-trk.json").ok());
  EXPECT_FALSE(keys(url, kBob, "bob.jwt").ok()) << "from now on";
  EXPECT_EQ(stop(), 0);
  EXPECT_THAT(content_of(path("log")), HasSubstr("403 bad_signature (not signed)"));

  url = start(options());
  ASSERT_NE(url, "") << content_of(path("log"));
  for (const auto& [who, token_name, file] : {std::tuple{"sip:dora@mcx.example", "dora.jwt", "dora-trk.json"},
                                              std::tuple{kBob, "bob.jwt", "bob-trk.json"}}) {
    const auto again = keys(url, who, token_name, {}, file);
    EXPECT_TRUE(again.ok()) << again.error().text();
  }
  EXPECT_EQ(stop(), 0);
}

TEST_F(KmsServe, ARollOverOfTransportKeysIsThereAfterARestartOfBoth) {
  ASSERT_EQ(add_protected(kBob, "bob-trk.json"), 0);
  std::string url = start(options());
  ASSERT_NE(url, "") << content_of(path("log"));
  KmsTransportKeysOptions roll;
  roll.directory = path("kms");
  roll.json = true;
  ASSERT_EQ(run_kms_transport_keys_roll(roll, fresh(out), fresh(err)), 0) << err.str();
  EXPECT_EQ(nlohmann::json::parse(out.str())["offered"], nlohmann::json::array({kBob}));
  KmsAccess access = protected_access(url, "bob.jwt", "bob-trk.json");
  const auto visit = [&](KmsAccess& with) {
    const auto answers = fetch_keys(with, kBob);
    ASSERT_TRUE(answers.ok()) << answers.error().text() << content_of(path("log"));
    if (!answers->transport.empty()) stored = answers->transport.duplicate();
    ASSERT_TRUE(use_stored(with, *answers).ok());
  };
  visit(access);
  visit(access);
  EXPECT_EQ(access.transport_keys->keys().size(), 1U);
  EXPECT_EQ(access.transport_keys->keys()[0].trk_id, "tk.0002.bob@mcx.example");
  EXPECT_EQ(stop(), 0);
  EXPECT_THAT(content_of(path("kms/audit.log")), HasSubstr("\"event\":\"transport-keys-taken-over\""));

  url = start(options());
  ASSERT_NE(url, "");
  KmsAccess again = protected_access(url, "bob.jwt", "bob-trk.json");
  EXPECT_FALSE(fetch_keys(again, kBob).ok()) << "the file alone is of yesterday";
  ASSERT_TRUE(again.transport_keys->take(stored.expose()).ok());
  visit(again);
  roll.identities = {kBob};
  roll.out_file = path("bob-new.json");
  ASSERT_EQ(run_kms_transport_keys_replace(roll, fresh(out), fresh(err)), 0) << err.str();
  EXPECT_FALSE(fetch_keys(again, kBob).ok()) << "lost ones are refused from now on";
  KmsAccess replaced = protected_access(url, "bob.jwt", "bob-new.json");
  ASSERT_TRUE(replaced.transport_keys->take(stored.expose()).ok());
  visit(replaced);
  EXPECT_EQ(stop(), 0);
}

TEST_F(KmsServe, TheSuspendedAndTheRevokedGetNothingFromTheNextRequestOn) {
  const std::string url = start(options());
  ASSERT_NE(url, "") << content_of(path("log"));
  const auto standing = [&](kms::Standing to, std::vector<std::string> who, int code) {
    KmsIdentityOptions with;
    with.directory = path("kms");
    with.identities = std::move(who);
    with.json = true;
    EXPECT_EQ(run_kms_identity_standing(with, to, fresh(out), fresh(err)), code) << err.str();
  };
  standing(kms::Standing::suspended, {kBob, "sip:nobody@mcx.example"}, 3);
  EXPECT_TRUE(keys(url, kBob, "bob.jwt").ok()) << "all or none";
  standing(kms::Standing::suspended, {kBob}, 0);
  EXPECT_FALSE(keys(url, kBob, "bob.jwt").ok());
  standing(kms::Standing::active, {kBob}, 0);
  EXPECT_TRUE(keys(url, kBob, "bob.jwt").ok());
  standing(kms::Standing::revoked, {kBob}, 0);
  const auto revoked = keys(url, kBob, "bob.jwt");
  ASSERT_TRUE(revoked.ok()) << revoked.error().text();
  EXPECT_TRUE(revoked->revoked && revoked->key_sets.empty());
  standing(kms::Standing::active, {kBob}, 3);
  EXPECT_EQ(add(kBob), 3) << "for good";
  EXPECT_EQ(stop(), 0);
  for (const char* act : {"identity-suspend", "identity-resume", "identity-revoke"})
    EXPECT_THAT(content_of(path("kms/audit.log")), HasSubstr(act));
}

TEST_F(KmsServe, ServesAServerIdentityOnlyToItsOwnClientCertificate) {
  const std::string url = start(options());
  ASSERT_NE(url, "") << content_of(path("log"));
  EXPECT_TRUE(keys(url, kServer, "gms.jwt", gms_files).ok());
  const auto bare = keys(url, kServer, "gms.jwt");
  ASSERT_FALSE(bare.ok());
  EXPECT_THAT(bare.error().text(), HasSubstr("identity_not_allowed"));
  EXPECT_FALSE(
      keys(url, kServer, "gms.jwt", ca.issue({.name = "other", .uris = {"sip:other@mcx.example"}}).value())
          .ok());
  EXPECT_EQ(stop(), 0);
}

TEST_F(KmsServe, LogsEachRequestWithoutATokenOrAKey) {
  const std::string url = start(options());
  ASSERT_NE(url, "") << content_of(path("log"));
  const auto got = keys(url, kBob, "bob.jwt");
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(stop(), 0);
  const std::string log = content_of(path("log"));
  EXPECT_THAT(log, HasSubstr(std::string(kBob) + " /keymanagement/identity/v1/keyprov 200 ok"));
  EXPECT_THAT(log, Not(HasSubstr(content_of(path("bob.jwt")).substr(0, 30))));
  EXPECT_THAT(log, Not(HasSubstr(hex_upper(got->key_sets[0].rsk().octets().expose()).substr(2, 40))));
  EXPECT_THAT(log, Not(HasSubstr("correct horse")));
}

TEST_F(KmsServe, GivesNoKeysWhileItCannotSeeWhoIsRevoked) {
  const std::string url = start(options());  // with the passphrase file of now, whatever the directory says
  ASSERT_NE(url, "") << content_of(path("log"));
  ASSERT_TRUE(keys(url, kBob, "bob.jwt").ok());
  write("next.pass", "another passphrase that is long\n", 0600);
  KmsSealOptions seal;
  seal.directory = path("kms");
  seal.next.passphrase_file = path("next.pass");
  ASSERT_EQ(run_kms_seal(seal, fresh(out), fresh(err)), 0) << err.str();
  const auto refused = keys(url, kBob, "bob.jwt");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::transport) << "stored keys go on serving";
  EXPECT_EQ(stop(), 0);
  EXPECT_THAT(content_of(path("log")), HasSubstr("/keyprov 503 overloaded ("));
}

TEST_F(KmsServe, CanBeWatchedAndWritesItsLogAsObjects) {
  KmsServeOptions with = options();
  with.watch = "127.0.0.1:0";
  with.json_log = true;
  const std::string url = start(with);
  ASSERT_NE(url, "") << content_of(path("log"));
  const std::string log = content_of(path("log"));
  const std::size_t at = log.find("watch me at ");
  ASSERT_NE(at, std::string::npos) << log;
  const std::string watch = log.substr(at + 12, log.find('"', at) - at - 12);
  const auto get = [&](const std::string& path_of) {
    http::ClientOptions client;
    client.ca_file = ca.certificate_file();
    http::ClientRequest request;
    request.method = "GET";
    request.url = watch + path_of;
    auto response =
        call_until_stopped(*http::Client::make(client).value(), request, std::chrono::seconds(20), {});
    EXPECT_TRUE(response.ok()) << response.error().text();
    return std::to_string(response->status) + " " + std::string(text_of(response->body.view()));
  };
  ASSERT_TRUE(keys(url, kBob, "bob.jwt").ok());
  EXPECT_EQ(get("/ready"), "200 ready\n");
  EXPECT_THAT(get("/metrics"),
              HasSubstr("regroup_kms_requests_total{resource=\"keyprov\",status=\"200\"} 1"));
  EXPECT_THAT(get("/keymanagement/identity/v1/init"), testing::StartsWith("404"));
  EXPECT_EQ(stop(), 0);
  std::istringstream lines(content_of(path("log")));
  std::size_t requests = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto object = nlohmann::json::parse(line, nullptr, false);
    ASSERT_TRUE(object.is_object()) << line;
    requests += object["event"] == "request" && object["identity"] == kBob && object["status"] == 200;
  }
  EXPECT_EQ(requests, 3U);
}

TEST_F(KmsServe, AFileThatIsNoneIsNamedWithItsOptionAndCure) {
  write("none", "no such thing\n", 0600);
  const std::pair<std::string KmsServeOptions::*, const char*> files[] = {
      {&KmsServeOptions::tls_cert, "--tls-cert: certificate file "},
      {&KmsServeOptions::tls_key, "--tls-key: key file "},
      {&KmsServeOptions::client_ca, "--client-ca: CA file "},
      {&KmsServeOptions::jwks, "--jwks: JWKS file "}};
  for (const auto& [option, said] : files) {
    KmsServeOptions with = options();
    with.*option = path("none");
    std::filesystem::remove(path("log"));
    EXPECT_EQ(start(with), "") << said;
    EXPECT_EQ(ended(), 2) << said;
    EXPECT_THAT(content_of(path("log")), HasSubstr(said + path("none")));
    EXPECT_THAT(content_of(path("log")), HasSubstr("; ")) << "a cure";
  }
}

// The issuer is a process too: this one must stay without threads, since it forks the KMS.
TEST_F(KmsServe, TakesTokenKeysFromTheUrlOfTheIssuer) {
  int port_pipe[2];
  ASSERT_EQ(::pipe(port_pipe), 0);
  const pid_t idms = ::fork();
  if (idms == 0) {
    http::ListenerOptions listener;
    listener.name = "idms";
    listener.address = "127.0.0.1:0";
    listener.certificate_file = server_files.certificate;
    listener.key_file = server_files.key;
    http::Server server({.listeners = {listener}}, [this](http::Request, http::Responder respond) {
      respond(http::make_response(200, "application/json", http::Body(content_of(issuer.jwks_file()))));
    });
    const std::uint16_t port = server.start().ok() ? server.port("idms") : 0;
    (void)!::write(port_pipe[1], &port, sizeof port);
    for (;;) ::pause();
  }
  std::uint16_t port = 0;
  EXPECT_EQ(::read(port_pipe[0], &port, sizeof port), static_cast<ssize_t>(sizeof port));
  KmsServeOptions with = options();
  with.jwks = "https://127.0.0.1:" + std::to_string(port) + "/jwks";
  with.jwks_ca = ca.certificate_file();
  const std::string url = start(with);
  EXPECT_NE(url, "") << content_of(path("log"));
  EXPECT_TRUE(keys(url, kBob, "bob.jwt").ok());
  EXPECT_EQ(stop(), 0);
  ::kill(idms, SIGKILL);
  ::waitpid(idms, nullptr, 0);
  for (const int end : port_pipe) ::close(end);
}

TEST_F(KmsServe, TokenKeysThatCannotBeFetchedStopTheStartAndAreNamedWithTheirOption) {
  const auto ends = [&](const std::string& jwks, const std::string& jwks_ca, int code, const char* says) {
    KmsServeOptions with = options();
    with.jwks = jwks;
    with.jwks_ca = jwks_ca;
    std::filesystem::remove(path("log"));
    EXPECT_EQ(start(with), "") << says;
    EXPECT_EQ(ended(), code) << says;
    EXPECT_THAT(content_of(path("log")), AllOf(HasSubstr(says), HasSubstr("; "))) << "a cure";
  };
  write("none", "no such thing\n", 0600);
  ends("https://127.0.0.1:1/jwks", ca.certificate_file(), 1,
       "--jwks: token keys of https://127.0.0.1:1/jwks");
  ends("http://127.0.0.1:1/jwks", {}, 2, "--jwks: 'http://127.0.0.1:1/jwks' is not https");
  ends("https://127.0.0.1:1/jwks", path("none"), 2, "--jwks-ca: CA file ");
  ends(issuer.jwks_file(), ca.certificate_file(), 2, "--jwks: a CA is named");
}

TEST_F(KmsServe, RefusesToStartOnWorldReadableSecretsOrWithoutThem) {
  const auto refuses = [&](const KmsServeOptions& with, const char* names) {
    std::filesystem::remove(path("log"));
    EXPECT_EQ(start(with), "") << names;
    EXPECT_NE(ended(), 0) << names;
    EXPECT_THAT(content_of(path("log")), HasSubstr(names));
  };
  ::chmod(path("kms/kms.sqlite").c_str(), 0644);
  refuses(options(), "chmod 600");
  ::chmod(path("kms/kms.sqlite").c_str(), 0600);
  ::chmod(server_files.key.c_str(), 0644);
  refuses(options(), "kms-key.pem");
  ::chmod(server_files.key.c_str(), 0600);
  ::chmod(path("pass").c_str(), 0640);
  refuses(options(), "pass");
  write("pass", "another passphrase\n", 0600);
  refuses(options(), "passphrase");
  KmsServeOptions elsewhere = options();
  elsewhere.directory = path("nowhere");
  refuses(elsewhere, "regroup kms init");
  EXPECT_FALSE(std::filesystem::exists(path("nowhere"))) << "a missing KMS is never made by a start";
}

TEST_F(KmsServe, WithJsonPrintsItsReadyLineAndItsRefusalAsObjects) {
  KmsServeOptions with = options();
  with.json = true;
  with.passphrase_file.clear();  // as init was given it
  start(with);
  const auto said = nlohmann::json::parse(printed, nullptr, false);
  ASSERT_TRUE(said.is_object()) << printed << content_of(path("log"));
  const std::string url = said["ready"];
  EXPECT_TRUE(keys(url, kBob, "bob.jwt").ok());
  EXPECT_EQ(stop(), 0);
  with.issuer.clear();
  start(with);
  EXPECT_EQ(nlohmann::json::parse(printed)["error"]["code"], "usage");
  EXPECT_EQ(ended(), 2);
}

TEST_F(KmsServe, LetsTheOperatorChooseWhatServersMustShow) {
  KmsServeOptions with = options();
  with.server_auth = "mtls";
  std::string url = start(with);
  ASSERT_NE(url, "") << content_of(path("log"));
  EXPECT_TRUE(keys(url, kServer, "", gms_files).ok()) << "the certificate is enough";
  EXPECT_FALSE(keys(url, kServer, "gms.jwt").ok());
  EXPECT_FALSE(keys(url, kBob, "").ok()) << "not for users";
  EXPECT_EQ(stop(), 0);
  with.server_auth = "token";
  url = start(with);
  ASSERT_NE(url, "") << content_of(path("log"));
  EXPECT_TRUE(keys(url, kServer, "gms.jwt").ok());
  EXPECT_EQ(stop(), 0);
  EXPECT_THAT(content_of(path("log")), HasSubstr("warning"));
}

TEST_F(KmsServe, RefusesAServerAuthThatCannotWork) {
  KmsServeOptions with = options();
  with.server_auth = "certificate";
  EXPECT_EQ(start(with), "");
  EXPECT_EQ(ended(), 2);
  EXPECT_THAT(content_of(path("log")), HasSubstr("mtls+token, mtls or token"));
  with.client_ca.clear();
  for (const char* needs_ca : {"mtls", "mtls+token"}) {
    with.server_auth = needs_ca;
    std::filesystem::remove(path("log"));
    EXPECT_EQ(start(with), "");
    EXPECT_EQ(ended(), 2);
    EXPECT_THAT(content_of(path("log")), HasSubstr("--client-ca"));
  }
}

TEST_F(KmsServe, DoesNotSendATokenThatOthersCouldHaveRead) {
  const std::string url = start(options());
  ASSERT_NE(url, "") << content_of(path("log"));
  ::chmod(path("bob.jwt").c_str(), 0644);
  const auto refused = keys(url, kBob, "bob.jwt");
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().text(), HasSubstr("chmod 600"));
  EXPECT_EQ(stop(), 0);
}

}  // namespace
}  // namespace regroup::app::cli
