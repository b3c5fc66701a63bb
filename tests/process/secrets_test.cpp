// SPDX-License-Identifier: Apache-2.0
// What a reader of the disk, of the logs and of the process table learns of a running system: no key, no
// token, no passphrase.
#include <gmock/gmock.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "app/kms/client.hpp"
#include "app/kms/directory.hpp"
#include "app/kms/transport_file.hpp"
#include "app/sealed_store.hpp"
#include "base/text.hpp"
#include "crypto/random.hpp"
#include "gktp/open.hpp"
#include "kms/domain_alpha.hpp"
#include "kmsxml/documents.hpp"
#include "process/traces.hpp"
#include "process/two_systems.hpp"

namespace regroup::process {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string first_line(const std::string& path) {
  const std::string text = contents(path);
  return text.substr(0, text.find('\n'));
}

class Secrets : public TwoSystems {
 protected:
  // A copy of a live database as an operator makes it.
  static void back_up(const std::string& database, const std::string& copy) {
    ASSERT_TRUE(std::filesystem::exists(database)) << database;
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open_v2(database.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    const std::string sql = "VACUUM INTO '" + copy + "'";
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
    ASSERT_EQ(chmod(copy.c_str(), 0600), 0);
  }
  // The key sets that a GMS or a client really uses: SSK and PVT are others with each fetch, so they are read
  // from a backup of its own store, which proves besides that the backup is worth something. PVT is public.
  static void know_key_sets(System& system, const std::string& store, const std::string& purpose,
                            Traces& traces) {
    const std::string copy = system.file(store + ".backup");
    back_up(system.file(store), copy);
    ASSERT_FALSE(HasFatalFailure());
    crypto::SystemRandom random;
    auto opened = app::SealedStore::open_file(copy, purpose, system.file(purpose + ".pass"), random);
    ASSERT_TRUE(opened.ok()) << opened.error().text();
    app::KmsAnswers answers;
    const auto loaded = opened->load({"kms"}, [&](const Record& record) {
      app::take_record(record, answers);
      return Result<void>();
    });
    ASSERT_TRUE(loaded.ok()) << loaded.error().text();
    const auto sets = kmsxml::find_key_sets(answers.keyprov.expose());
    ASSERT_TRUE(sets.ok()) << sets.error().text();
    for (const kmsxml::KmsKeySet& set : *sets) {
      const std::string whose = " of " + set.user_uri + " in period " + std::to_string(set.key_period_no);
      traces.look_for("SSK" + whose, set.user_signing_key_ssk.expose());
      traces.look_for("RSK" + whose, set.user_decrypt_key.expose().subspan(1));  // without the 04 of a point
    }
  }
  // The GMKs of a group, opened as the first user of the system opens them.
  static void know_group_keys(System& system, const std::string& group, Traces& traces) {
    const std::string& user = system.users.front();
    const auto answers = app::fetch_keys(system.kms_access(user), user);
    ASSERT_TRUE(answers.ok()) << answers.error().text();
    const NtpTime now = SystemClock().now();
    const auto keys = app::read_keys(*answers, user, system.kms_uri, now);
    ASSERT_TRUE(keys.ok()) << keys.error().text();
    gktp::Reception with{mcx::McpttId::parse(user).value(), mcx::KmsUri::parse(system.kms_uri).value(),
                         keys->domains, keys->key_sets};
    with.authorised_initiators = {mcx::McpttId::parse(system.gms_uri).value()};
    with.group = group;
    with.now = now;
    const json known = ledger(system, group);
    for (const json& row : known["rows"]) {
      if (row.value("member", "") != user) continue;
      const auto message = from_base64(row.value("message", ""));
      ASSERT_TRUE(message.ok());
      const auto verified = gktp::verify(*message, with);
      ASSERT_TRUE(verified.ok()) << verified.error().text();
      const auto opened = gktp::open(*verified, with);
      ASSERT_TRUE(opened.ok()) << opened.error().text();
      traces.look_for("GMK " + row.value("key", ""), opened->material.key.expose());
    }
  }
  // z and KSAK: whoever has them has every key of the domain. In no file but sealed in the store.
  static void know_master_secrets(System& system, Traces& traces) {
    const SecretOctets passphrase = crypto::read_passphrase_file(system.file("kms.pass")).value();
    crypto::SystemRandom random;
    auto store = app::SealedStore::open_shared(app::kms_store_file(system.file("kms")), "kms",
                                               passphrase.expose(), random);
    ASSERT_TRUE(store.ok()) << store.error().text();
    test::DomainRecord domain;
    const auto loaded = store->load({"domain"}, [&](const Record& record) -> Result<void> {
      domain = TRY(decode_record<test::DomainRecord>(record.value.expose(), record.kind));
      return {};
    });
    ASSERT_TRUE(loaded.ok()) << loaded.error().text();
    traces.look_for("z of " + system.kms_uri, domain.z.expose());
    traces.look_for("KSAK of " + system.kms_uri, domain.ksak.expose());
  }
  // TrK and InK stand in the file that was written once, and sealed in the state of the KMS.
  static void know_transport_keys(System& system, const std::string& identity, Traces& traces) {
    if (!system.signs) return;
    const auto keys = app::read_transport_key_file(system.transport_keys_of(identity));
    ASSERT_TRUE(keys.ok()) << keys.error().text();
    traces.look_for("TrK of " + identity, keys->trk.expose(), "-trk.json");
    traces.look_for("InK of " + identity, keys->ink.expose(), "-trk.json");
  }
  static void know_tokens_and_passphrases(System& system, Traces& traces) {
    for (const auto& entry : std::filesystem::directory_iterator(system.directory)) {
      const std::string path = entry.path().string(), secret = first_line(path);
      if (entry.path().extension() == ".jwt")  // the signature is what makes it a credential
        traces.look_for("token " + path, view(secret.substr(secret.rfind('.') + 1)), ".jwt");
      if (entry.path().extension() == ".pass") traces.look_for("passphrase " + path, view(secret), ".pass");
    }
  }
  static Traces know_everything(const std::string& temporary) {
    Traces traces;
    for (System* system : lab().systems) {
      for (const std::string& user : system->users) {
        know_key_sets(*system, app::demo::stem(user) + ".ring", "ue", traces);
        know_transport_keys(*system, user, traces);
      }
      know_transport_keys(*system, system->gms_uri, traces);
      know_key_sets(*system, "gms.sqlite", "gms", traces);
      know_group_keys(*system, system == &alpha() ? fire() : police(), traces);
      know_group_keys(*system, temporary, traces);
      know_master_secrets(*system, traces);
      know_tokens_and_passphrases(*system, traces);
    }
    return traces;
  }
  static void expect_no_trace(const Traces& traces) {
    EXPECT_THAT(traces.below(lab().directory()), IsEmpty());
    EXPECT_THAT(traces.in(lab().printed()), IsEmpty());
    for (System* system : lab().systems) {
      EXPECT_THAT(traces.of(system->kms->pid()), IsEmpty());
      EXPECT_THAT(traces.of(system->gms->pid()), IsEmpty());
      for (const auto& client : system->clients) EXPECT_THAT(traces.of(client->pid()), IsEmpty());
    }
  }
};

TEST_F(Secrets, OfARunningSystemAreInNoFileNoLogNoArgumentAndNoEnvironment) {
  const Ending formed = regroup("secrets-at-rest", "gmk", "one");
  ASSERT_EQ(formed.code, 0) << formed.err;
  const std::string temporary = formed.answer.value("temporary", "");
  expect_everybody(temporary, 2, "INSTALLED");
  const Traces traces = know_everything(temporary);
  // 2 systems: key sets of 3 identities with 2 keys each, 3 group keys, z and KSAK, 6 tokens, 3 passphrases,
  // at the least.
  ASSERT_GE(traces.count(), 2U * (3 * 2 + 3 + 2 + 6 + 3));

  for (System* system : lab().systems) {
    EXPECT_TRUE(std::filesystem::exists(system->file("gms.sqlite-wal")));
    EXPECT_TRUE(std::filesystem::exists(system->file("gms.sqlite.backup")));
    EXPECT_THAT(contents(system->file("kms.log")), HasSubstr("/keyprov"));  // there is a log to look into
  }
  expect_no_trace(traces);

  ASSERT_EQ(teardown(temporary).code, 0);
  expect_everybody(temporary, 2, "WITHDRAWN");
  expect_no_trace(traces);
}

// The search of the test above finds what it is for: each form, wherever a program could leave it.
TEST_F(Secrets, PlantedInAFileOrAProcessAreFound) {
  Octets secret(16);
  for (std::size_t i = 0; i < secret.size(); ++i) secret[i] = static_cast<std::uint8_t>(i * 37 + 11);
  Traces traces;
  traces.look_for("planted", secret, ".home");
  ASSERT_THAT(traces.below(lab().directory()), IsEmpty());

  const std::string place = alpha().file("planted.tmp");
  const auto plant = [&](const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << std::string(5000, 'x') << text << std::string(5000, 'y');
  };
  for (const Form& form : forms_of(secret)) {
    plant(place, form.text);
    EXPECT_THAT(traces.below(lab().directory()), testing::Contains(place + ": " + form.name + " of planted"));
  }
  for (std::size_t before = 0; before < 3; ++before) {  // inside a larger text that is encoded as a whole
    Octets larger(before + 30, 0xa5);
    larger.insert(larger.end(), secret.begin(), secret.end());
    larger.insert(larger.end(), 40, 0x5a);
    plant(place, base64(larger));
    EXPECT_THAT(traces.below(lab().directory()), Not(IsEmpty())) << before;
  }
  std::filesystem::remove(place);
  plant(alpha().file("right.home"), hex(secret));
  EXPECT_THAT(traces.below(lab().directory()), IsEmpty());
  std::filesystem::remove(alpha().file("right.home"));

  const std::string variable = "PLANTED=" + hex(secret);
  const pid_t child = fork();
  if (child == 0) {
    const char* const arguments[] = {"sleep", "60", nullptr};
    const char* const environment[] = {variable.c_str(), nullptr};
    execve("/bin/sleep", const_cast<char* const*>(arguments), const_cast<char* const*>(environment));
    _exit(127);
  }
  const std::string path = "/proc/" + std::to_string(child) + "/environ";
  EXPECT_TRUE(wait_until([&] { return !traces.of(child).empty(); }, seconds(10))) << path;
  EXPECT_THAT(traces.of(child), testing::ElementsAre(path + ": hex of planted"));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace regroup::process
