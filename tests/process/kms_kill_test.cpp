// SPDX-License-Identifier: Apache-2.0
// SIGKILL of a KMS and of its administrators' commands at random moments under load. After a restart it is
// the KMS of before: the same RSKs, a cache number that did not go back, an audit log that is whole and has
// every answer that anybody received. Whoever holds a transport key file, or what came after it, gets keys;
// each identity that is listed is whole.
#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <iostream>
#include <thread>

#include "app/kms/client.hpp"
#include "app/kms/documents.hpp"
#include "app/kms/transport_file.hpp"
#include "base/text.hpp"
#include "crypto/hash/sha256.hpp"
#include "crypto/random.hpp"
#include "http/client.hpp"
#include "kms/audit.hpp"
#include "kmsxml/documents.hpp"
#include "process/kms_process.hpp"

namespace regroup::process {
namespace {

constexpr const char* kPlain = "sip:plain@mcx.example";
constexpr const char* kToggled = "sip:toggled@mcx.example";  // suspended and resumed
const std::vector<std::string> kProtected = {"sip:first@mcx.example", "sip:second@mcx.example"};

// An administrative command, and what is so once it has ended well.
struct Command {
  std::vector<std::string> verb;
  std::string adds = {};  // identity
  std::string file = {};  // its transport keys; empty: none
  bool toggles = false;
};

// A KMS, its clients, and what they know. The clients live through all samples.
class World {
 public:
  World() {
    for (const char* one : {kPlain, kToggled}) command({.verb = {"add-identity", one}, .adds = one});
    for (const std::string& one : kProtected) command(add_protected(one));
    kms.serve({"--rate", "0"});
  }

  // ---- commands
  Command add_protected(const std::string& identity) const {
    const std::string file = kms.file(app::demo::stem(identity) + "-trk.json");
    return {.verb = {"add-identity", identity, "--transport-keys-out", file}, .adds = identity, .file = file};
  }
  Command draw_command(std::mt19937& draw) {
    const std::string newcomer = "sip:new" + std::to_string(++drawn_) + "@mcx.example";
    switch (draw() % 6) {
      case 0:
        return {.verb = {"add-identity", newcomer}, .adds = newcomer};
      case 1:
      case 2:
        return add_protected(newcomer);
      case 3:
        return {.verb = {"identity", suspended ? "resume" : "suspend", kToggled}, .toggles = true};
      case 4:
        return {.verb = {"external", "import", partner()}};
      default:
        return {.verb = {"transport-keys", "roll"}};
    }
  }
  // The certificate of another KMS, each time another one.
  std::string partner() {
    crypto::SystemRandom random;
    const std::string uri = "kms.partner" + std::to_string(++drawn_) + ".example";
    const auto made = kms::Kms::make({.kms_uri = mcx::KmsUri::parse(uri).value()}, random).value();
    std::ofstream(kms.file(uri)) << kmsxml::write(
        app::document_of(made.registry().own(), kmsxml::Role::root));
    return kms.file(uri);
  }
  void command(const Command& one) {
    const Ending ending = kms.run(one.verb);
    EXPECT_EQ(ending.code, 0) << one.verb[0] << ": " << ending.err;
    done(one, ending.answer);
  }
  void done(const Command& one, const json& said) {
    if (said.is_object()) promised = std::max(promised, said.value("cache_num", std::int64_t{0}));
    if (!one.adds.empty()) know(one.adds, one.file);
    if (one.toggles) suspended = !suspended;
  }
  void know(const std::string& identity, const std::string& file) {
    accesses.emplace(identity, kms.access(identity, file));
    fresh.push_back(identity);
  }

  // ---- clients
  // What the client `identity` gets, its hashes noted; what it brings is held against what came before.
  Result<void> ask(const std::string& identity) {
    app::KmsAccess access = accesses.at(identity);
    access.url = kms.url();
    http::ClientOptions options;
    options.ca_file = access.ca_file;
    const auto client = TRY(http::Client::make(options));
    const auto call = [&](http::ClientRequest request) -> Result<http::Response> {
      http::Response response = TRY(client->call(std::move(request), seconds(60)));
      const std::lock_guard lock(mutex_);
      received.push_back(hex(crypto::sha256(response.body.view())));
      return response;
    };
    const std::int64_t before = cache_num();
    const app::KmsAnswers answers = TRY(app::fetch_keys(access, identity, call, SystemClock()));
    TRY(app::use_stored(access, answers));
    const auto cache = TRY(kmsxml::parse_response(answers.certcache.expose()));
    const std::int64_t now = std::get<kmsxml::KmsCertCache>(cache.content).cache_num.value_or(-1);
    EXPECT_GE(now, before) << "the cache number went back";
    const auto sets = TRY(kmsxml::find_key_sets(answers.keyprov.expose()));
    EXPECT_EQ(sets.size(), 2U);
    const std::lock_guard lock(mutex_);
    cache_num_ = std::max(cache_num_, now);
    for (const kmsxml::KmsKeySet& one : sets) {
      EXPECT_EQ(one.user_uri, identity);
      const auto [known, is_new] =
          rsks_.emplace(std::pair(identity, one.key_period_no), one.user_decrypt_key.duplicate());
      EXPECT_TRUE(is_new || ct_equal(known->second.expose(), one.user_decrypt_key.expose()))
          << identity << " has another RSK than before";
    }
    return {};
  }
  std::int64_t cache_num() {
    const std::lock_guard lock(mutex_);
    return cache_num_;
  }
  void expect_served(const std::string& identity) {
    const auto asked = ask(identity);
    if (identity == kToggled && suspended)
      EXPECT_EQ(asked.ok() ? Errc::internal : asked.error().code, Errc::not_authorised);
    else
      EXPECT_TRUE(asked.ok()) << identity << ": " << asked.error().text() << "\n" << kms.log();
  }

  KmsProcess kms;
  std::map<std::string, app::KmsAccess> accesses;  // of every identity whose registration was done
  std::vector<std::string> fresh;                  // of them, those not asked for since
  std::vector<std::string> received;               // SHA-256 of the answers of this sample
  std::int64_t promised = 0;                       // the highest cache number that a command told
  bool suspended = false;

 private:
  int drawn_ = 0;
  std::mutex mutex_;
  std::int64_t cache_num_ = 0;
  std::map<std::pair<std::string, std::int64_t>, SecretOctets> rsks_;
};

class KmsKill : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    if (!world_) world_ = std::make_unique<World>();
    ASSERT_FALSE(HasFailure());
  }
  void TearDown() override {
    if (HasFailure()) world_.reset();  // the next sample gets a new one
  }
  static void TearDownTestSuite() { world_.reset(); }
  static World& world() { return *world_; }

  // Clients that ask and ask until the end of this object. A refusal is none of what may happen to them.
  class Load {
   public:
    Load() {
      for (const std::string& one : {std::string(kPlain), kProtected[0], kProtected[1]})
        threads_.emplace_back([this, one] {
          while (!over_) {
            const auto asked = world().ask(one);
            if (asked.ok()) continue;
            EXPECT_EQ(asked.error().code, Errc::transport) << one << ": " << asked.error().text();
            std::this_thread::sleep_for(milliseconds(5));  // nobody is there: not in a busy loop
          }
        });
    }
    ~Load() {
      over_ = true;
      for (std::thread& one : threads_) one.join();
    }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

   private:
    std::atomic<bool> over_ = false;
    std::vector<std::thread> threads_;
  };

  // Commands one after the other until the moment comes; then the kill. What was cut off is returned.
  std::optional<Command> run_to_the_kill(std::mt19937& draw) {
    const Load load;
    const bool server = draw() % 4 != 0, both = draw() % 2 != 0;
    const auto moment = std::chrono::steady_clock::now() +
                        std::chrono::microseconds(std::uniform_int_distribution<int>(0, 1'500'000)(draw));
    for (;;) {
      const Command command = world().draw_command(draw);
      std::string said;
      const auto child = world().kms.begin(command.verb, [&](const std::string& line) { said += line; });
      std::optional<int> status;
      while (!(status = child->wait_end(0)) && std::chrono::steady_clock::now() < moment)
        std::this_thread::sleep_for(std::chrono::microseconds(500));  // the moment itself
      if (!status && server) world().kms.server().kill_now();
      if (!status && (both || !server)) {
        status = child->kill_now();
        killed_ = command.verb[0] + (server ? " and the server" : "");
        if (WIFSIGNALED(*status)) return command;  // or it was done in that very moment
      }
      if (!status) {
        killed_ = "the server during " + command.verb[0];
        status = child->wait_end(60);
      }
      EXPECT_TRUE(ended_with(status, 0)) << command.verb[0] << contents(world().kms.file("commands.log"));
      world().done(command, json::parse(said, nullptr, false));
      if (!killed_.empty()) return std::nullopt;
    }
  }

  // By what the KMS now lists, the command that was cut off was done or not, and nothing in between.
  static void settle(const Command& cut, const std::map<std::string, json>& listed) {
    if (cut.toggles) world().suspended = listed.at(kToggled)["standing"] == "suspended";
    if (cut.adds.empty()) return;
    const auto found = listed.find(cut.adds);
    if (found != listed.end()) {
      ASSERT_EQ(found->second["policy"], cut.file.empty() ? "plain" : "wrap+sign") << "half written";
      ASSERT_TRUE(cut.file.empty() || app::read_transport_key_file(cut.file).ok()) << cut.file;
      return world().know(cut.adds, cut.file);
    }
    if (!cut.file.empty()) std::filesystem::remove(cut.file);  // written first; of no use without the KMS
    world().command(cut);
  }
  static std::map<std::string, json> list() {
    const Ending ending = world().kms.run({"list"});
    EXPECT_EQ(ending.code, 0) << ending.err;
    std::map<std::string, json> out;
    for (const json& one : ending.answer["identities"]) out[one["identity"]] = one;
    return out;
  }
  static void expect_listed_as_known() {
    const auto listed = list();
    for (const auto& [identity, access] : world().accesses) {
      ASSERT_TRUE(listed.count(identity)) << identity << " is lost";
      EXPECT_EQ(listed.at(identity)["policy"], access.transport_keys ? "wrap+sign" : "plain") << identity;
      const bool suspended = identity == kToggled && world().suspended;
      EXPECT_EQ(listed.at(identity)["standing"], suspended ? "suspended" : "active") << identity;
    }
    EXPECT_EQ(listed.size(), world().accesses.size());
  }
  static void expect_audited(const kms::AuditHead& before) {
    const auto head = kms::verify_audit_log(world().kms.directory(), before);
    ASSERT_TRUE(head.ok()) << head.error().text();
    const std::string log = contents(world().kms.directory() + "/audit.log");
    for (const std::string& one : world().received)
      EXPECT_NE(log.find(one), std::string::npos) << "an answer without its record";
    world().received.clear();
  }

  std::string killed_;

 private:
  static std::unique_ptr<World> world_;
};

std::unique_ptr<World> KmsKill::world_;

constexpr int kFew = 20, kAll = 200;

TEST_P(KmsKill, LeavesTheKmsOfBeforeAndNothingHalfDone) {
  std::mt19937 draw(seed() + static_cast<unsigned>(GetParam()) * 7919U);
  const auto before = kms::verify_audit_log(world().kms.directory());
  ASSERT_TRUE(before.ok()) << before.error().text();
  const std::optional<Command> cut = run_to_the_kill(draw);
  SCOPED_TRACE("REGROUP_SEED=" + std::to_string(seed()) + ", killed " + killed_);
  if (world().kms.server().wait_end(0)) world().kms.serve({"--rate", "0"});
  ASSERT_FALSE(HasFatalFailure());

  if (cut) settle(*cut, list());
  ASSERT_FALSE(HasFatalFailure());
  expect_listed_as_known();
  std::vector<std::string> asked{kPlain, kToggled, kProtected[0], kProtected[1]};
  asked.insert(asked.end(), world().fresh.begin(), world().fresh.end());
  if (GetParam() + 1 == samples(kFew, kAll))
    for (const auto& [identity, access] : world().accesses) asked.push_back(identity);
  for (const std::string& identity : asked) world().expect_served(identity);
  EXPECT_GE(world().cache_num(), world().promised) << "what a command has told is lost";
  world().fresh.clear();
  expect_audited(*before);
}

INSTANTIATE_TEST_SUITE_P(Moments, KmsKill, testing::Range(0, samples(kFew, kAll)));

}  // namespace
}  // namespace regroup::process
