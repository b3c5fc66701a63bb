// SPDX-License-Identifier: Apache-2.0
// A KMS whose store is sealed by a key in a token: every verb and the server open it, and `kms seal` changes
// what a store is sealed with while others use it.
#include <thread>

#include "app/cli/kms_keep.hpp"
#include "app/kms/directory.hpp"
#include "app/kms/verbs.hpp"
#include "base/text.hpp"
#include "crypto/soft_token.hpp"
#include "storage/sqlite_store.hpp"

namespace regroup::app::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

#define SKIP_WITHOUT_SOFTHSM()                                                  \
  if (!crypto::token_keys_are_built()) GTEST_SKIP() << "built without PKCS#11"; \
  if (test::soft_module().empty()) GTEST_SKIP() << "SoftHSM is not installed"

// What both kinds of test do with a token; `Base` makes directories and processes.
template <class Base>
class WithToken : public Base {
 protected:
  [[nodiscard]] TokenOptions all_of_token(const std::string& key = "store") const {
    return {test::soft_module(), "kms", key, tokens.pin_file()};
  }
  int init_with(const TokenOptions& token, const std::string& passphrase_file = {}) {
    KmsInitOptions options;
    options.directory = this->path("kms");
    options.kms_uri = "kms.mcx.example";
    options.passphrase_file = passphrase_file;
    options.token = token;
    options.json = true;
    return run_kms_init(options, this->fresh(this->out), this->fresh(this->err));
  }
  int list(const StoreKey& key = {}) {
    KmsListOptions options;
    options.directory = this->path("kms");
    options.passphrase_file = key.passphrase_file;
    options.token = key.token;
    options.json = true;
    return run_kms_list(options, this->fresh(this->out), this->fresh(this->err));
  }
  int seal(const StoreKey& next, const StoreKey& present = {}) {
    KmsSealOptions options;
    options.directory = this->path("kms");
    options.present = present;
    options.next = next;
    options.json = true;
    return run_kms_seal(options, this->fresh(this->out), this->fresh(this->err));
  }
  int keep(int (*run)(const KmsBackupOptions&, std::ostream&, std::ostream&), const std::string& directory,
           const StoreKey& key = {}, bool json = true) {
    KmsBackupOptions options;
    options.directory = this->path(directory);
    options.file = this->path("kms.backup");
    options.passphrase_file = key.passphrase_file;
    options.token = key.token;
    options.json = json;
    return run(options, this->fresh(this->out), this->fresh(this->err));
  }
  int add_protected_by_token(const std::string& identity, const std::string& file) {
    KmsAddIdentityOptions options;
    options.directory = this->path("kms");
    options.identity = identity;
    options.transport_keys_out = this->path(file);
    options.json = true;
    return run_kms_add_identity(options, this->fresh(this->out), this->fresh(this->err));
  }
  void expect_nowhere(const std::string& secret) const {
    for (const auto& entry : fs::recursive_directory_iterator(this->path("kms"))) {
      EXPECT_EQ(content_of(entry.path()).find(secret), std::string::npos) << entry.path();
    }
    EXPECT_THAT(this->out.str() + this->err.str(), Not(HasSubstr(secret)));
  }

  test::SoftTokens tokens{this->root.path};
};

using KmsInToken = WithToken<KmsVerbs>;
using KmsServeInToken = WithToken<KmsServe>;

TEST_F(KmsInToken, OpensForEveryVerbWithWhatInitWasGiven) {
  SKIP_WITHOUT_SOFTHSM();
  ASSERT_EQ(init_with(all_of_token()), 0) << err.str();
  EXPECT_EQ(nlohmann::json::parse(out.str())["sealed_with"], "token");
  EXPECT_FALSE(fs::exists(path("kms/passphrase-file")));
  EXPECT_EQ(content_of(path("kms/token-files")), test::soft_module() + "\n" + tokens.pin_file() + "\n");
  ASSERT_EQ(add_with({}, kBob), 0) << err.str();
  ASSERT_EQ(list(), 0) << err.str();
  EXPECT_THAT(out.str(), HasSubstr(kBob));
  expect_nowhere(test::kSoftPin);
  EXPECT_EQ(init_with(all_of_token()), 3) << "never twice";
  EXPECT_EQ(list({path("pass")}), 2) << "it has no passphrase";
  EXPECT_THAT(err.str(), HasSubstr("the key store in the token kms"));

  fs::rename(tokens.pin_file(), path("moved.pin"));
  EXPECT_EQ(list(), 2);
  EXPECT_THAT(err.str(), HasSubstr("PIN file"));
  TokenOptions moved;
  moved.pin_file = path("moved.pin");
  EXPECT_EQ(list({{}, moved}), 0) << err.str();
  fs::remove(path("kms/token-files"));
  EXPECT_EQ(list(), 2);
  EXPECT_THAT(err.str(), HasSubstr("--pkcs11-module"));
  moved.module = test::soft_module();
  EXPECT_EQ(list({{}, moved}), 0) << err.str();
}

TEST_F(KmsInToken, ShowsNothingOfItsStore) {
  SKIP_WITHOUT_SOFTHSM();
  ASSERT_EQ(init_with(all_of_token()), 0) << err.str();
  ASSERT_EQ(add_protected_by_token("sip:ann@mcx.example", "ann-trk.json"), 0) << err.str();
  const auto keys = read_transport_key_file(path("ann-trk.json"));
  ASSERT_TRUE(keys.ok());
  expect_nowhere(std::string(text_of(keys->trk.expose())));
  expect_nowhere(hex(keys->trk.expose()));
}

TEST_F(KmsInToken, InitNamesWhatIsMissingAndMakesNothing) {
  SKIP_WITHOUT_SOFTHSM();
  EXPECT_EQ(init_with({}), 2);
  EXPECT_THAT(err.str(), HasSubstr("--passphrase-file"));
  EXPECT_EQ(init_with(all_of_token(), path("pass")), 2) << "one of the two";
  for (std::string TokenOptions::*part :
       {&TokenOptions::module, &TokenOptions::token, &TokenOptions::key, &TokenOptions::pin_file}) {
    TokenOptions token = all_of_token();
    (token.*part).clear();
    EXPECT_EQ(init_with(token), 2);
    EXPECT_THAT(err.str(), HasSubstr(" is missing"));
  }
  TokenOptions token = all_of_token();
  token.module = path("missing.so");
  EXPECT_EQ(init_with(token), 2);
  token = all_of_token();
  token.token = "absent";
  EXPECT_EQ(init_with(token), 1);
  tokens.write("pin", "pin-471109\n", 0600);
  EXPECT_EQ(init_with(all_of_token()), 3);
  EXPECT_THAT(err.str(), Not(HasSubstr("471109")));
  EXPECT_FALSE(fs::exists(path("kms"))) << "nothing half-made";
}

TEST_F(KmsInToken, IsSealedThereAndBackWithTheSameKeys) {
  SKIP_WITHOUT_SOFTHSM();
  ASSERT_EQ(init("kms", "kms.mcx.example"), 0) << err.str();
  ASSERT_EQ(add(kBob), 0);
  const std::string before = content_of(path("kms/certificate.xml"));
  const auto fingerprint = [&](const StoreKey& key) -> std::string {
    const auto opened = open_kms(path("kms"), key);
    if (!opened.ok()) return opened.error().text();
    crypto::SystemRandom random;
    const auto keys =
        opened->kms.provision(kBob, opened->kms.usual_periods(NtpTime::from_unix(1'800'000'000)),
                              NtpTime::from_unix(1'800'000'000), random);
    return keys.ok() ? hex(keys.value()[0].rsk.expose()) : keys.error().text();
  };
  const std::string rsk = fingerprint({});

  ASSERT_EQ(seal({{}, all_of_token()}), 0) << err.str();
  EXPECT_EQ(nlohmann::json::parse(out.str())["before"], "a passphrase");
  EXPECT_EQ(fingerprint({}), rsk);
  EXPECT_FALSE(fs::exists(path("kms/passphrase-file")));
  EXPECT_EQ(list({path("pass")}), 2) << "the old passphrase opens nothing";
  EXPECT_THAT(content_of(path("kms/audit.log")),
              HasSubstr("\"sealed_with\":\"the key store in the token kms\""));

  ASSERT_EQ(seal({{}, all_of_token("second")}), 0) << "to another key of the token: " << err.str();
  EXPECT_EQ(fingerprint({}), rsk);

  write("new.pass", "another passphrase\n", 0600);
  ASSERT_EQ(seal({path("new.pass")}), 0) << err.str();
  EXPECT_EQ(fingerprint({}), rsk);
  EXPECT_EQ(list({path("pass")}), 3) << "nor does the first one come back";
  EXPECT_EQ(list({{}, all_of_token()}), 2);
  EXPECT_FALSE(fs::exists(path("kms/token-files")));
  write("third.pass", "a third passphrase\n", 0600);
  ASSERT_EQ(seal({path("third.pass")}), 0) << err.str();
  EXPECT_EQ(fingerprint({}), rsk);
  EXPECT_EQ(list({path("new.pass")}), 3);
  EXPECT_EQ(content_of(path("kms/certificate.xml")), before);
  for (const char* left : {"passphrase-file.new", "token-files.new"})
    EXPECT_FALSE(fs::exists(path(std::string("kms/") + left)));
}

TEST_F(KmsInToken, AStoreThatWasSealedAnewHoldsNothingUnderTheOldKey) {
  SKIP_WITHOUT_SOFTHSM();
  ASSERT_EQ(init("kms", "kms.mcx.example"), 0);
  ASSERT_EQ(add_protected("sip:ann@mcx.example", "ann-trk.json"), 0);
  ASSERT_EQ(keep(run_kms_backup, "kms"), 0);
  ASSERT_EQ(seal({{}, all_of_token()}), 0) << err.str();
  // The header of before, put back by one who still has it and the passphrase.
  const auto header_in = [](const std::string& file) {
    storage::SqliteOptions options;
    options.path = file;
    options.purpose = "kms";
    options.create = false;
    options.shared = true;
    return storage::open_sqlite(options).value();
  };
  const Octets old = header_in(path("kms.backup"))->get(storage::kHeaderKind, "vault").value().value();
  ASSERT_TRUE(header_in(path("kms/kms.sqlite"))
                  ->commit(storage::Write::put(storage::kHeaderKind, "vault", old))
                  .ok());
  const auto opened = open_kms(path("kms"), {path("pass")});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Errc::undecryptable);
}

TEST_F(KmsInToken, ASealThatIsCutOffLeavesOneTruth) {
  SKIP_WITHOUT_SOFTHSM();
  ASSERT_EQ(init("kms", "kms.mcx.example"), 0);
  ASSERT_EQ(add(kBob), 0);
  write("new.pass", "another passphrase\n", 0600);
  crypto::SystemRandom random;
  const auto next_of = [&](int step) -> StoreKey {
    return step % 3 == 0 ? StoreKey{{}, all_of_token()} : StoreKey{path(step % 3 == 1 ? "new.pass" : "pass")};
  };
  for (int step = 0; step < 6; ++step) {
    const StoreKey next = next_of(step);
    {  // ended before the store changed
      OpenedKms opened = open_kms(path("kms"), {}, KmsAccessMode::changing).value();
      ASSERT_TRUE(
          remember_next_store_key(path("kms"), next, make_vault(next, random).value().header_octets()).ok());
    }
    ASSERT_EQ(list(), 0) << step << err.str();
    {  // ended when the store had changed
      OpenedKms opened = open_kms(path("kms"), {}, KmsAccessMode::changing).value();
      crypto::Vault vault = make_vault(next, random).value();
      ASSERT_TRUE(remember_next_store_key(path("kms"), next, vault.header_octets()).ok());
      ASSERT_TRUE(opened.store.reseal(kms::kKinds, std::move(vault)).ok());
    }
    ASSERT_EQ(list(), 0) << step << err.str();
    ASSERT_EQ(seal(next), 0) << step << err.str();
  }
}

TEST_F(KmsInToken, AKillLeavesAStoreThatOpens) {
  SKIP_WITHOUT_SOFTHSM();
  ASSERT_EQ(init("kms", "kms.mcx.example"), 0);
  for (int i = 0; i < 50; ++i) ASSERT_EQ(add("sip:user" + std::to_string(i) + "@mcx.example"), 0);
  for (const StoreKey& key : {StoreKey{{}, all_of_token()}, StoreKey{path("pass")}}) ASSERT_EQ(seal(key), 0);
  const fs::path token = tokens.folder(), kept = path("kept");
  fs::copy(token, kept, fs::copy_options::recursive);
  for (int delay = 20; delay <= 600; delay += 90) {
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child == 0) {
      for (int step = 0;; ++step)
        if (seal(step % 2 == 0 ? StoreKey{{}, all_of_token()} : StoreKey{path("pass")}) != 0) ::_exit(1);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(delay));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << status;
    // A token outlives its readers; SoftHSM writes its files anew at each login and can lose them.
    fs::remove_all(token);
    fs::copy(kept, token, fs::copy_options::recursive);
    ASSERT_EQ(list(), 0) << delay << " ms: " << err.str();
    EXPECT_EQ(nlohmann::json::parse(out.str())["identities"].size(), 50U);
  }
}

TEST_F(KmsInToken, ABackupSaysThatItTakesTheTokenAndComesBackWithIt) {
  SKIP_WITHOUT_SOFTHSM();
  ASSERT_EQ(init_with(all_of_token()), 0) << err.str();
  ASSERT_EQ(add_with({}, kBob), 0);
  ASSERT_EQ(keep(run_kms_backup, "kms"), 0) << err.str();
  const auto made = nlohmann::json::parse(out.str());
  EXPECT_EQ(made["sealed_with"], "token");
  fs::remove(path("kms.backup"));
  ASSERT_EQ(keep(run_kms_backup, "kms", {}, false), 0);
  EXPECT_THAT(out.str(), HasSubstr("the key store in the token kms"));
  EXPECT_THAT(out.str(), Not(HasSubstr("passphrase elsewhere")));

  EXPECT_EQ(keep(run_kms_restore, "again", {path("pass")}), 2);
  EXPECT_THAT(err.str(), HasSubstr("not a passphrase"));
  EXPECT_EQ(keep(run_kms_restore, "again"), 2) << "what opens it must be named";
  EXPECT_FALSE(fs::exists(path("again/kms.sqlite")));
  TokenOptions token;
  token.module = test::soft_module();
  token.pin_file = tokens.pin_file();
  ASSERT_EQ(keep(run_kms_restore, "again", {{}, token}), 0) << err.str();
  EXPECT_EQ(nlohmann::json::parse(out.str())["sha256"], made["sha256"]);
  EXPECT_EQ(nlohmann::json::parse(out.str())["identities"], 1);
  EXPECT_TRUE(open_kms(path("again"), {}).ok());
}

TEST_F(KmsInToken, SplitRefusesAKmsWithoutAPassphrase) {
  SKIP_WITHOUT_SOFTHSM();
  KmsSplitOptions split;
  split.directory = path("kms");
  split.passphrase_file = path("pass");
  split.out_directory = path("shares");
  ASSERT_EQ(init_with(all_of_token()), 0) << err.str();
  EXPECT_EQ(run_kms_split(split, fresh(out), fresh(err)), 2);
  EXPECT_THAT(err.str(), HasSubstr("not a passphrase"));
  ASSERT_EQ(seal({path("pass")}), 0) << err.str();
  write("other", "another passphrase\n", 0600);
  split.passphrase_file = path("other");
  EXPECT_EQ(run_kms_split(split, fresh(out), fresh(err)), 3) << "shares of a wrong one would be no use";
  EXPECT_FALSE(fs::exists(path("shares")));
  split.passphrase_file = path("pass");
  EXPECT_EQ(run_kms_split(split, fresh(out), fresh(err)), 0) << err.str();
}

TEST_F(KmsInToken, AServerThatCannotOpenTheStoreAnyMoreChangesNothing) {
  SKIP_WITHOUT_SOFTHSM();
  ASSERT_EQ(init("kms", "kms.mcx.example"), 0);
  ASSERT_EQ(add(kBob), 0);
  const StoreKey key{path("pass")};  // named, not remembered
  LiveKms server(path("kms"), open_kms(path("kms"), key).value(), key);
  const auto change = [](kms::Kms& kms) {
    return kms.registry().add(mcx::McpttId::parse("sip:ann@mcx.example").value(), false);
  };
  ASSERT_EQ(seal({{}, all_of_token()}), 0) << err.str();
  EXPECT_EQ(server.refresh().error().code, Errc::usage);
  EXPECT_FALSE(server.refresh().value()) << "told once";
  EXPECT_TRUE(server.kms().registry().find(kBob)) << "what it had is in force";
  EXPECT_EQ(server.change(change).error().code, Errc::conflict);
  EXPECT_FALSE(server.kms().registry().find("sip:ann@mcx.example"));
  ASSERT_EQ(list(), 0) << "no value of another key is in the store: " << err.str();

  LiveKms follower(path("kms"), open_kms(path("kms"), {}).value());
  ASSERT_EQ(seal({path("pass")}), 0) << err.str();
  ASSERT_TRUE(follower.change(change).ok());
  ASSERT_EQ(list(), 0) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("sip:ann@mcx.example"));
}

TEST_F(KmsServeInToken, ServesAndFollowsASealWhileItRuns) {
  SKIP_WITHOUT_SOFTHSM();
  ASSERT_EQ(seal({{}, all_of_token()}), 0) << err.str();
  KmsServeOptions remembered = options();
  remembered.passphrase_file.clear();
  const std::string url = start(remembered);
  ASSERT_FALSE(url.empty()) << content_of(path("log"));
  EXPECT_TRUE(keys(url, kBob, "bob.jwt").ok());
  ASSERT_EQ(seal({path("pass")}), 0) << err.str();
  ASSERT_EQ(add_with({}, "sip:carol@mcx.example"), 0) << err.str();
  token("carol.jwt", "sip:carol@mcx.example");
  const auto carol = keys(url, "sip:carol@mcx.example", "carol.jwt");
  EXPECT_TRUE(carol.ok()) << carol.error().text();
  EXPECT_EQ(stop(), 0);
  EXPECT_THAT(content_of(path("log")), HasSubstr("took over the changed directory"));
  EXPECT_THAT(content_of(path("log")), Not(HasSubstr(test::kSoftPin)));
}

TEST_F(KmsServeInToken, DoesNotStartUnderAWrongPin) {
  SKIP_WITHOUT_SOFTHSM();
  ASSERT_EQ(seal({{}, all_of_token()}), 0) << err.str();
  tokens.write("pin", "pin-471109\n", 0600);
  KmsServeOptions remembered = options();
  remembered.passphrase_file.clear();
  EXPECT_EQ(start(remembered), "");
  EXPECT_EQ(ended(), 3);
  EXPECT_THAT(content_of(path("log")), HasSubstr("is not the one of the token kms"));
  EXPECT_THAT(content_of(path("log")), Not(HasSubstr("471109")));
}

}  // namespace
}  // namespace regroup::app::cli
