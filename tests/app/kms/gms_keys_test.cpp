// SPDX-License-Identifier: Apache-2.0
// The key material of a GMS over time: at the start, without its KMS, across a roll-over, and against a KMS
// that is another one than before.
#include "app/gms/keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "app/kms/kms_lab.hpp"
#include "kmsxml/data.hpp"
#include "storage/memory_store.hpp"
#include "xcap/names.hpp"

namespace regroup::app {
namespace {

using test::kAlphaNow;
using test::kGms;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

// Set by the test, read by the thread that fetches.
struct SharedClock final : Clock {
  std::atomic<std::int64_t> seconds{kAlphaNow.seconds};
  [[nodiscard]] NtpTime now() const override { return {seconds, 0}; }
};

// The store of a GMS; what is committed stays when the GMS comes back.
class Disk {
 public:
  Disk() : disk_(std::make_unique<storage::MemoryStore>()) {
    crypto::SystemRandom random;
    const auto vault = crypto::Vault::make(view("lab"), random, crypto::kVaultLeastLog2N);
    EXPECT_TRUE(
        disk_->commit(storage::Write::put(storage::kHeaderKind, "vault", vault.header().write())).ok());
    store.emplace(SealedStore::open(std::move(disk_), view("lab"), random_).value());
  }
  std::optional<SealedStore> store;

 private:
  std::unique_ptr<storage::MemoryStore> disk_;
  crypto::SystemRandom random_;
};

class GmsKeysTest : public testing::Test {
 protected:
  GmsKeysTest() {
    config.domain.gms_uri = test::id(kGms);
    config.kms.uri = "kms.alpha.example";
  }
  // The three answers of our KMS as of the clock.
  [[nodiscard]] KmsAnswers answers() const {
    const std::string token =
        lab.issuer.token({.mcptt_id = kGms, .scopes = {test::kScopeRel14}}, clock.now()).value();
    const auto ask = [&](const char* resource) {
      return SecretOctets(lab.ask(test::KmsLab::request(resource, token), clock.now()).response.body.view());
    };
    return {ask("/init"), ask("/keyprov"), ask("/certcache")};
  }
  [[nodiscard]] GmsKeys::Fetch from_kms() const {
    return [this](const std::stop_token&) -> Result<KmsAnswers> {
      if (out_of_reach) return fail(Errc::transport, "", "nobody answers");
      return answers();
    };
  }
  [[nodiscard]] static GmsKeys::Fetch failing(Errc code) {
    return [code](const std::stop_token&) -> Result<KmsAnswers> { return fail(code, "", "no"); };
  }
  [[nodiscard]] Say say() {
    return [this](const std::string& line) {
      const std::lock_guard lock(mutex);
      said += line + "\n";
    };
  }
  [[nodiscard]] std::string log() {
    const std::lock_guard lock(mutex);
    return said;
  }
  [[nodiscard]] static std::vector<std::int64_t> periods(const GmsKeys& keys) {
    std::vector<std::int64_t> out;
    for (const mcx::KeySet& one : keys.key_sets()) out.push_back(one.period_no());
    std::sort(out.begin(), out.end());
    return out;
  }
  // Runs `keys` in the background until `done` holds on the loop; false after a minute.
  template <class Done>
  bool follow_until(GmsKeys& keys, Done done) {
    Loop loop;
    keys.follow(loop, [this](const Writes& writes) { ASSERT_TRUE(disk.store->commit(writes).ok()); });
    bool reached = false;
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (!reached && std::chrono::steady_clock::now() < deadline) {
      loop.run([&] { reached = done(); });
      std::this_thread::yield();
    }
    keys.stop();
    loop.stop();
    return reached;
  }

  test::KmsLab lab;
  SharedClock clock;
  GmsConfig config;
  Disk disk;
  std::atomic<bool> out_of_reach = false;
  std::mutex mutex;
  std::string said;
  const NtpTime next_period = parse_date_time("2026-03-31T00:00:10Z").value();
};

TEST_F(GmsKeysTest, AreFetchedStoredAndUsed) {
  GmsKeys keys(config, clock, say(), from_kms());
  ASSERT_TRUE(keys.start(*disk.store).ok());
  EXPECT_TRUE(keys.ready());
  EXPECT_THAT(periods(keys), ElementsAre(1536, 1537));
  EXPECT_EQ(keys.domains().all().size(), 2u);

  GmsKeys again(config, clock, say(), failing(Errc::transport));
  ASSERT_TRUE(again.start(*disk.store).ok());
  EXPECT_THAT(periods(again), ElementsAre(1536, 1537));
  EXPECT_THAT(log(), HasSubstr("stored keys"));
}

TEST_F(GmsKeysTest, WithoutTheKmsTheGmsStartsAndGetsThemInTheBackground) {
  out_of_reach = true;
  GmsKeys keys(config, clock, say(), from_kms(), {1ms, 60ms});
  ASSERT_TRUE(keys.start(*disk.store).ok());
  EXPECT_FALSE(keys.ready());
  EXPECT_THAT(log(), HasSubstr("503"));
  int asked = 0;
  EXPECT_TRUE(follow_until(keys, [&] {
    if (++asked == 20) out_of_reach = false;
    return keys.ready();
  }));
  EXPECT_THAT(periods(keys), ElementsAre(1536, 1537));
  GmsKeys again(config, clock, say(), failing(Errc::transport));
  ASSERT_TRUE(again.start(*disk.store).ok());
  EXPECT_TRUE(again.ready()) << "they were stored";
}

TEST_F(GmsKeysTest, OnlyAnUnreachableKmsLetsTheStoredOnesDo) {
  ASSERT_TRUE(GmsKeys(config, clock, say(), from_kms()).start(*disk.store).ok());
  for (const Errc code : {Errc::not_authorised, Errc::usage, Errc::conflict, Errc::malformed}) {
    const auto refused = GmsKeys(config, clock, say(), failing(code)).start(*disk.store);
    ASSERT_FALSE(refused.ok()) << name_of(code);
    EXPECT_EQ(refused.error().code, code);
  }
}

TEST_F(GmsKeysTest, AnotherKmsUnderThePinnedNameIsRefusedAtTheStartAndInTheBackground) {
  ASSERT_TRUE(GmsKeys(config, clock, say(), from_kms()).start(*disk.store).ok());
  std::atomic<int> asked = 0;
  const auto impostor = [&](const std::stop_token&) -> Result<KmsAnswers> {
    ++asked;
    KmsAnswers made = answers();
    const std::string init(text_of(made.init.expose()));
    made.init = SecretOctets(view(test::replaced(init, "<UserKeyPeriod>2592000", "<UserKeyPeriod>2592001")));
    return made;
  };
  const auto refused = GmsKeys(config, clock, say(), impostor).start(*disk.store);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::conflict);

  int calls = 0;
  const GmsKeys::Fetch later = [&](const std::stop_token& stop) -> Result<KmsAnswers> {
    if (++calls == 1) return fail(Errc::transport, "", "nobody answers");
    return impostor(stop);
  };
  GmsKeys keys(config, clock, say(), later, {1ms, 60ms});
  ASSERT_TRUE(keys.start(*disk.store).ok());
  asked = 0;
  EXPECT_TRUE(
      follow_until(keys, [&] { return asked >= 2 && log().find("same CertUri") != std::string::npos; }));
  EXPECT_THAT(periods(keys), ElementsAre(1536, 1537)) << "the pinned ones stay in use";
  EXPECT_EQ(keys.domains().all().front().periods.period(), 2592000);
}

TEST_F(GmsKeysTest, AcrossARollOverThePreviousPeriodIsKeptAndTheNextOneFetched) {
  ASSERT_TRUE(GmsKeys(config, clock, say(), from_kms()).start(*disk.store).ok());
  clock.seconds = next_period.seconds;
  GmsKeys keys(config, clock, say(), from_kms(), {1ms, 60ms});
  ASSERT_TRUE(keys.start(*disk.store).ok());
  EXPECT_THAT(periods(keys), ElementsAre(1536, 1537, 1538));
  // Fetched once more in the same period, and after a restart without the KMS: still there.
  ASSERT_TRUE(GmsKeys(config, clock, say(), from_kms()).start(*disk.store).ok());
  GmsKeys restarted(config, clock, say(), failing(Errc::transport));
  ASSERT_TRUE(restarted.start(*disk.store).ok());
  EXPECT_THAT(periods(restarted), ElementsAre(1536, 1537, 1538));
}

TEST_F(GmsKeysTest, WithoutAKeySetOfThePresentPeriodTheGmsStartsAndAsksAgain) {
  ASSERT_TRUE(GmsKeys(config, clock, say(), from_kms()).start(*disk.store).ok());
  clock.seconds = parse_date_time("2026-06-15T00:00:00Z").value().seconds;  // two periods later
  out_of_reach = true;
  GmsKeys keys(config, clock, say(), from_kms(), {1ms, 60ms});
  ASSERT_TRUE(keys.start(*disk.store).ok());
  EXPECT_FALSE(keys.ready());
  out_of_reach = false;
  EXPECT_TRUE(follow_until(keys, [&] { return keys.ready(); }));
}

TEST_F(GmsKeysTest, AnEmptyAnswerKeepsTheKeysThatAreHeld) {
  GmsKeys(config, clock, say(), from_kms()).start(*disk.store).value();
  const auto nothing = [this](const std::stop_token&) -> Result<KmsAnswers> {
    KmsAnswers made = answers();
    const std::string keyprov(text_of(made.keyprov.expose()));
    const std::size_t start = keyprov.find("<KmsKeySet"), end = keyprov.find("</KmsKeyProv>");
    made.keyprov = SecretOctets(view(keyprov.substr(0, start) + keyprov.substr(end)));
    return made;
  };
  GmsKeys keys(config, clock, say(), nothing);
  ASSERT_TRUE(keys.start(*disk.store).ok());
  EXPECT_THAT(periods(keys), ElementsAre(1536, 1537));
  GmsKeys restarted(config, clock, say(), failing(Errc::transport));
  ASSERT_TRUE(restarted.start(*disk.store).ok());
  EXPECT_THAT(periods(restarted), ElementsAre(1536, 1537)) << "they are stored again";

  Disk fresh;
  GmsKeys first(config, clock, say(), nothing);
  ASSERT_TRUE(first.start(*fresh.store).ok()) << "waiting may help";
  EXPECT_FALSE(first.ready());
}

TEST_F(GmsKeysTest, AKmsIsLeftAloneAsLongAsItAsksFor) {
  GmsKeys(config, clock, say(), from_kms()).start(*disk.store).value();
  std::atomic<int> asked = 0;
  const GmsKeys::Fetch busy = [&](const std::stop_token&) -> Result<KmsAnswers> {
    ++asked;
    config.kms.asked_to_wait->store(3600);
    return fail(Errc::transport, "", "busy");
  };
  GmsKeys keys(config, clock, say(), busy, {1ms, 2ms});
  ASSERT_TRUE(keys.start(*disk.store).ok());
  // Beside it, at the same pace, one whose KMS asks for no patience: how time passes.
  GmsConfig impatient = config;
  impatient.kms.asked_to_wait = std::make_shared<std::atomic<std::int64_t>>(0);
  std::atomic<int> others = 0;
  const GmsKeys::Fetch failing_at_once = [&](const std::stop_token&) -> Result<KmsAnswers> {
    ++others;
    return fail(Errc::transport, "", "busy");
  };
  GmsKeys beside(impatient, clock, say(), failing_at_once, {1ms, 2ms});
  ASSERT_TRUE(beside.start(*disk.store).ok());
  Loop loop;
  keys.follow(loop, [](const Writes&) { FAIL(); });
  beside.follow(loop, [](const Writes&) { FAIL(); });
  while (others < 30) std::this_thread::yield();
  keys.stop();
  beside.stop();
  loop.stop();
  EXPECT_EQ(asked, 1) << "at the start";
}

TEST_F(GmsKeysTest, SayOnceWhatIsToleratedOfTheKms) {
  ASSERT_TRUE(config.kms.profile.allow("hex-uid").ok());
  GmsKeys keys(config, clock, say(), from_kms());
  ASSERT_TRUE(keys.start(*disk.store).ok());
  EXPECT_THAT(log(), HasSubstr("tolerated: hex-uid; nothing of it was needed"));
}

TEST_F(GmsKeysTest, StopEndsAFetchThatHangs) {
  out_of_reach = true;
  std::promise<void> hanging;
  int calls = 0;
  const GmsKeys::Fetch hang = [&](const std::stop_token& stop) -> Result<KmsAnswers> {
    if (++calls > 1) {
      hanging.set_value();
      while (!stop.stop_requested()) std::this_thread::yield();
    }
    return fail(Errc::transport, "", "nobody answers");
  };
  GmsKeys keys(config, clock, say(), hang, {1ms, 60ms});
  ASSERT_TRUE(keys.start(*disk.store).ok());
  Loop loop;
  keys.follow(loop, [](const Writes&) { FAIL(); });
  ASSERT_EQ(hanging.get_future().wait_for(60s), std::future_status::ready);
  keys.stop();
  loop.stop();
  EXPECT_EQ(calls, 2);
}

TEST_F(GmsKeysTest, ADomainThatCannotBeSealedToAnyMoreRaisesAnAlarmOnce) {
  ASSERT_TRUE(lab.kms.registry().revoke_certificate("kms.beta.example").value());
  kms::CertificateRecord gamma = test::external("kms.gamma.example", "gamma.example", 8);
  gamma.valid_to = kAlphaNow.plus(-1);
  ASSERT_TRUE(lab.kms.registry().import_certificate(gamma).value());
  GmsKeys keys(config, clock, say(), from_kms());
  ASSERT_TRUE(keys.start(*disk.store).ok());
  EXPECT_THAT(log(), HasSubstr("ALARM: revoked: the KMS certificate of kms.beta.example is revoked"));
  EXPECT_THAT(log(), HasSubstr("ALARM: expired: the KMS certificate of kms.gamma.example was valid until"));
  EXPECT_FALSE(keys.domains().kms_of(test::id("sip:u@beta.example"), kAlphaNow).ok())
      << "nothing is sealed to it";
  const auto expired = keys.domains().kms_of(test::id("sip:u@gamma.example"), kAlphaNow);
  ASSERT_TRUE(expired.ok());
  EXPECT_EQ((*expired)->usable_at(kAlphaNow).error().code, Errc::expired);
}

TEST_F(GmsKeysTest, APartnerOfAnotherKmsThanConfiguredStopsTheStart) {
  PartnerAccess partner;
  partner.gms_uri = "sip:gms@beta.example";
  partner.kms_uri = "kms.gamma.example";
  config.partners = {partner};
  const auto refused = GmsKeys(config, clock, say(), from_kms()).start(*disk.store);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::usage);
  config.partners[0].kms_uri = "kms.beta.example";
  EXPECT_TRUE(GmsKeys(config, clock, say(), from_kms()).start(*disk.store).ok());
}

}  // namespace
}  // namespace regroup::app
