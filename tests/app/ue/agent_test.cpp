// SPDX-License-Identifier: Apache-2.0
// A client as a running thing: start, subscription, documents, receipts, and everything that can go wrong
// between.
#include <sqlite3.h>

#include "app/kms/idms.hpp"
#include "app/ue/agent_lab.hpp"
#include "app/ue/agent_token.hpp"
#include "http/forwarding_proxy.hpp"

namespace regroup::app {
namespace {

using test::kAgentGroup;
using test::kAlphaNow;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::uint32_t kA = 0x0abcdef1, kB = 0x0abcdef2;
const std::string kGktpType(xcap::mime::kGktp), kGroupType(xcap::mime::kGroup);

// Records of a kind in the store, as another reader of the file sees them at this moment.
int stored(const std::string& file, const std::string& kind) {
  sqlite3* db = nullptr;
  sqlite3_stmt* count = nullptr;
  EXPECT_EQ(sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
  const std::string sql = "SELECT count(*) FROM record WHERE kind='" + kind + "'";
  EXPECT_EQ(sqlite3_prepare_v2(db, sql.c_str(), -1, &count, nullptr), SQLITE_OK);
  EXPECT_EQ(sqlite3_step(count), SQLITE_ROW);
  const int found = sqlite3_column_int(count, 0);
  sqlite3_finalize(count);
  sqlite3_close(db);
  return found;
}

Error unreachable() { return fail(Errc::transport, "", "no route to the KMS"); }

class UeAgentStart : public test::AgentLab {};
class UeAgentHears : public test::AgentLab {
 protected:
  // Started, with the group known and its key held by element NOTIFY.
  void keyed() {
    http.script(keys_path("POST"), 204);
    http.script(keys_path(), 200, document({first}), kGktpType);
    notify_on_subscribe({diff({{collection_entry(), "", "e1"}}), diff({}, {element({first})})});
    start();
    ASSERT_TRUE(
        until([this] { return ready && agent->ue().receipts().empty() && notifier->answers.size() == 2; }));
    ASSERT_EQ(state_of(kA), "active");
  }
  Octets first = sealed(kA);
};

// ---- start: keys of the KMS, the store

TEST_F(UeAgentStart, WithoutStoredKeysAnUnreachableKmsEndsTheStart) {
  kms_says(unreachable());
  EXPECT_EQ(prepare().error().code, Errc::transport);
}

TEST_F(UeAgentStart, StoredKeysServeWhileTheKmsIsUnreachableAndAreFetchedAgainInTheBackground) {
  ASSERT_TRUE(prepare().ok());
  agent.reset();
  kms_says(unreachable());
  notify_on_subscribe({});
  start();
  ASSERT_TRUE(until([this] { return ready; }));
  const int before = kms_asked;
  ASSERT_TRUE(until([&] { return kms_asked > before; }));
  kms_says(std::nullopt);
  const int failing = kms_asked;
  ASSERT_TRUE(until([&] { return kms_asked > failing; }));
}

TEST_F(UeAgentStart, ARefusalByTheKmsEndsTheStartAlthoughKeysAreStored) {
  ASSERT_TRUE(prepare().ok());
  agent.reset();
  kms_says(fail(Errc::not_authorised, "TS 33.180 B.10", "HTTP 403"));
  const auto prepared = prepare();
  ASSERT_FALSE(prepared.ok());
  EXPECT_EQ(prepared.error().code, Errc::not_authorised);
  EXPECT_THAT(prepared.error().text(), HasSubstr("HTTP 403"));
}

TEST_F(UeAgentStart, StoredKeysOfAPastPeriodDoNotServe) {
  ASSERT_TRUE(prepare().ok());
  agent.reset();
  kms_says(unreachable());
  clock.advance(3 * 2'592'000);
  const auto prepared = prepare();
  ASSERT_FALSE(prepared.ok());
  EXPECT_EQ(prepared.error().code, Errc::expired);
  EXPECT_THAT(prepared.error().text(), HasSubstr("no route to the KMS"));
}

TEST_F(UeAgentStart, ARingOfAnotherConfigurationIsKeptAsideAndAnEmptyOneBegins) {
  ASSERT_TRUE(prepare().ok());
  agent.reset();
  struct stat old_ring {};
  ASSERT_EQ(::stat(config.ring_file.c_str(), &old_ring), 0);
  config.gms_uri = "sip:gms.other@alpha.example";
  ASSERT_TRUE(prepare().ok());
  EXPECT_THAT(log, Contains(HasSubstr(config.ring_file + ".old-1")));
  agent.reset();
  struct stat aside {
  }, fresh{};
  ASSERT_EQ(::stat((config.ring_file + ".old-1").c_str(), &aside), 0);
  ASSERT_EQ(::stat(config.ring_file.c_str(), &fresh), 0);
  EXPECT_EQ(aside.st_ino, old_ring.st_ino);
  EXPECT_EQ(aside.st_mode & 0777, 0600u);
}

// Whoever mistyped a name finds all keys again when it is put right, however often.
TEST_F(UeAgentStart, ARingThatWasSetAsideComesBackWithItsConfiguration) {
  const std::vector<std::string> names{test::kGms, "sip:gms.two@alpha.example"};
  std::map<std::string, ino_t> rings;
  for (int turn = 0; turn < 6; ++turn) {
    const std::string& name = names[static_cast<std::size_t>(turn) % 2];
    config.gms_uri = name;
    if (turn == 2) kms_says(unreachable());  // from here on only stored keys serve
    ASSERT_TRUE(prepare().ok()) << turn;
    agent.reset();
    struct stat now {};
    ASSERT_EQ(::stat(config.ring_file.c_str(), &now), 0);
    if (turn < 2)
      rings[name] = now.st_ino;
    else
      EXPECT_EQ(now.st_ino, rings[name]) << turn;
  }
}

TEST_F(UeAgentStart, TheSameConfigurationFindsItsRingAgain) {
  ASSERT_TRUE(prepare().ok());
  agent.reset();
  ASSERT_TRUE(prepare().ok());
  struct stat aside {};
  EXPECT_NE(::stat((config.ring_file + ".old-1").c_str(), &aside), 0);
}

// The KMS refused that start: nothing was provisioned, and the file is nobody's yet.
TEST_F(UeAgentStart, ARingThatNeverHeldKeysBelongsToWhoeverGetsTheFirst) {
  config.kms.uri = "kms.misspelt.example";
  kms_says(fail(Errc::not_authorised, "TS 33.180 D.2", "another KmsUri"));
  ASSERT_FALSE(prepare().ok());
  agent.reset();
  config.kms.uri = "kms.alpha.example";
  kms_says(std::nullopt);
  ASSERT_TRUE(prepare().ok());
  EXPECT_THAT(log, IsEmpty());
  agent.reset();
  config.gms_uri = "sip:gms.other@alpha.example";
  ASSERT_TRUE(prepare().ok());
  EXPECT_THAT(log, Contains(HasSubstr(config.ring_file + ".old-1"))) << "now it had an owner";
}

TEST_F(UeAgentStart, AnothersTokenEndsTheStartBeforeAnythingIsTouched) {
  put("token", kms.token("sip:user2@alpha.example"));
  const auto prepared = prepare();
  ASSERT_FALSE(prepared.ok());
  EXPECT_EQ(prepared.error().code, Errc::usage);
  EXPECT_THAT(prepared.error().text(),
              testing::AllOf(HasSubstr(config.kms.token_file), HasSubstr("sip:user2@alpha.example"),
                             HasSubstr(test::kUser), HasSubstr("TS 33.180 B.2")));
  EXPECT_EQ(kms_asked, 0);
  struct stat ring {};
  EXPECT_NE(::stat(config.ring_file.c_str(), &ring), 0);
}

TEST_F(UeAgentStart, AnothersTokenOfACommandEndsTheStartToo) {
  config.kms.token_command = "cat " + config.kms.token_file;
  put("token", kms.token("sip:user2@alpha.example"));
  EXPECT_THAT(prepare().error().text(), HasSubstr("token.command"));
}

// A token that does not say whose it is: opaque, no JWT inside, a JWT without the claim or with it elsewhere.
TEST_F(UeAgentStart, ATokenThatDoesNotSayWhoseItIsIsTaken) {
  const auto jwt = [](const std::string& claims) { return "e30." + base64url(view(claims)) + ".c2ln"; };
  for (const std::string& token :
       {std::string("opaque"), std::string("a.b"), std::string("a.A.c"), jwt("no object"), jwt("[]"),
        jwt("{}"), jwt(R"({"sub":"sip:user2@alpha.example"})"), jwt(R"({"mcptt_id":7})")}) {
    put("own", token);
    UeConfig with = config;
    with.kms.token_file = kms.directory.path + "/own";
    const auto read = own_token(with);
    ASSERT_TRUE(read.ok()) << read.error().text();
    EXPECT_EQ(text_of(read->expose()), token);
  }
}

// ---- a name mistyped on an existing ring

// Neither a refusal, nor silence, nor the answer of a KMS of another name moves the ring.
TEST_F(UeAgentStart, AMistypedKmsUriMovesNothing) {
  ASSERT_TRUE(prepare().ok());
  agent.reset();
  struct stat before {};
  ASSERT_EQ(::stat(config.ring_file.c_str(), &before), 0);
  config.kms.uri = "kms.misspelt.example";
  for (const auto& fault : {std::optional<Error>(unreachable()), std::optional<Error>(),
                            std::optional<Error>(fail(Errc::usage, "TS 33.180 D.2", "another KmsUri"))}) {
    kms_says(fault);
    EXPECT_FALSE(prepare().ok());
    agent.reset();
    struct stat now {};
    ASSERT_EQ(::stat(config.ring_file.c_str(), &now), 0);
    EXPECT_EQ(now.st_ino, before.st_ino);
    EXPECT_NE(::stat((config.ring_file + ".old-1").c_str(), &now), 0);
  }
  EXPECT_THAT(log, IsEmpty());
  config.kms.uri = "kms.alpha.example";
  kms_says(unreachable());  // the stored keys are still there
  EXPECT_TRUE(prepare().ok());
}

// A kill between the move and the first keys: the new ring is nobody's, the old one waits for its own.
TEST_F(UeAgentStart, ARingSetAsideBeforeAKillComesBack) {
  ASSERT_TRUE(prepare().ok());
  agent.reset();
  UeConfig other = config;
  other.gms_uri = "sip:gms.other@alpha.example";
  {
    auto opened = open_ring(other, random);
    ASSERT_TRUE(opened.ok());
    EXPECT_TRUE(opened->of_another);
    const auto replaced = replace_ring(std::move(opened).value(), other, random);
    ASSERT_TRUE(replaced.ok()) << replaced.error().text();
    EXPECT_EQ(replaced->kept_aside, config.ring_file + ".old-1");
    EXPECT_FALSE(replaced->of_another);
  }
  kms_says(unreachable());
  EXPECT_TRUE(prepare().ok());
  EXPECT_THAT(log, Contains(HasSubstr("is back")));
}

TEST_F(UeAgentStart, SaysWhatIsToleratedOfTheKms) {
  ASSERT_TRUE(config.kms.profile.allow("epoch-1970").ok());
  EXPECT_THAT(prepare().error().cure, HasSubstr("remove epoch-1970")) << "this KMS counts as it should";
  agent.reset();
  config.kms.profile = {};
  ASSERT_TRUE(config.kms.profile.allow("hex-uid").ok());
  ASSERT_TRUE(prepare().ok());
  EXPECT_THAT(log, Contains(HasSubstr("tolerated: hex-uid; nothing of it was needed")));
}

// ---- a token endpoint

class UeAgentWithEndpoint : public test::AgentLab {
 protected:
  UeAgentWithEndpoint() {
    static const SystemClock system;
    config.kms.token_file.clear();
    config.kms.token_endpoint = std::make_shared<TokenEndpoint>(idms.settings(), system);
  }
  Octets first = sealed(kA);
  test::Idms idms;
};

TEST_F(UeAgentWithEndpoint, AnothersTokenEndsTheStartBeforeAnythingIsTouched) {
  idms.says_token(kms.token("sip:user2@alpha.example"));
  const auto prepared = prepare();
  ASSERT_FALSE(prepared.ok());
  EXPECT_EQ(prepared.error().code, Errc::usage);
  EXPECT_THAT(prepared.error().text(),
              testing::AllOf(HasSubstr("token.endpoint"), HasSubstr("sip:user2@alpha.example"),
                             HasSubstr("token.client_id"), HasSubstr("TS 33.180 B.2")));
  EXPECT_EQ(kms_asked, 0);
  struct stat ring {};
  EXPECT_NE(::stat(config.ring_file.c_str(), &ring), 0);
}

TEST_F(UeAgentWithEndpoint, OutOfReachIsNoReasonNotToStartWithStoredKeysButARefusalIs) {
  idms.says_token("opaque");
  ASSERT_TRUE(prepare().ok());
  agent.reset();
  kms_says(unreachable());
  for (const unsigned status : {503u, 401u}) {
    static const SystemClock system;
    config.kms.token_endpoint = std::make_shared<TokenEndpoint>(idms.settings(), system);
    idms.forget();
    idms.says(status, R"({"error":"invalid_client"})");
    log.clear();
    EXPECT_EQ(prepare().ok(), status == 503);
    EXPECT_EQ(testing::Value(log, Contains(HasSubstr("no access token yet"))), status == 503);
    agent.reset();
  }
}

TEST_F(UeAgentWithEndpoint, A401ToGetFetchesANewTokenOnce) {
  for (const char* token : {"one", "two", "three"}) idms.says_token(token);
  http.script(keys_path(), 401);
  http.script(keys_path(), 200, document({first}), kGktpType);
  http.script(keys_path("POST"), 204);
  notify_on_subscribe({diff({{collection_entry(), "", "e1"}})});
  start();
  ASSERT_TRUE(until([this] { return ready; }));
  const auto asked = http.asked(keys_path());
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].authorization, "Bearer one");
  EXPECT_EQ(asked[1].authorization, "Bearer two");
  EXPECT_EQ(idms.asked().size(), 2u);
}

TEST_F(UeAgentWithEndpoint, A403ToSubscribeFetchesANewTokenForTheNext) {
  for (const char* token : {"one", "two"}) idms.says_token(token);
  notify_on_subscribe({});
  loop->run([&] { notifier->statuses = {403}; });
  start();
  ASSERT_TRUE(until([this] { return ready; }));
  const auto with = [this](std::size_t n, const std::string& token) {
    return on_loop([&] {
      return notifier->subscribes.size() > n &&
             testing::Value(std::string(text_of(notifier->subscribes[n].body)), HasSubstr(">" + token + "<"));
    });
  };
  EXPECT_TRUE(with(0, "one"));
  EXPECT_TRUE(with(1, "two"));
}

// The loop goes on while the endpoint is silent, and so does a stop.
TEST_F(UeAgentWithEndpoint, ASilentEndpointHoldsUpNeitherKeysNorAStop) {
  idms.says_token("one");
  http.script(keys_path(), 401);
  notify_on_subscribe({diff({{collection_entry(), "", "e1"}})});
  start();
  idms.hold();
  const auto from = std::chrono::steady_clock::now();
  ASSERT_TRUE(until([this] { return idms.asked().size() == 2; }));
  notify(diff({}, {element({first})}));
  ASSERT_TRUE(until([this] { return !events.empty(); }));
  EXPECT_EQ(state_of(kA), "active");
  end();
  EXPECT_LT(std::chrono::steady_clock::now() - from, std::chrono::seconds(8)) << "less than the wait for it";
}

TEST_F(UeAgentHears, ByAProxyTheGmsIsAskedUnderItsOwnNameAndTheKmsIsNot) {
  http::ForwardingProxy proxy(http.port());
  config.http_proxy = proxy.address();
  config.xcap_root = "https://gms.alpha.example/xcap-root/";  // a name that nobody here can resolve
  http.script(keys_path("POST"), 204);
  http.script(keys_path(), 200, document({first}), kGktpType);
  notify_on_subscribe({diff({{collection_entry(), "", "e1"}})});
  start();
  ASSERT_TRUE(until([this] { return ready && agent->ue().receipts().empty(); }));
  EXPECT_EQ(state_of(kA), "active");
  EXPECT_EQ(proxy.forwarded(), 3u) << "the keys, the group, the receipt";
}

TEST_F(UeAgentStart, ASecondClientOnTheRingIsToldWhoHoldsIt) {
  ASSERT_TRUE(prepare().ok());
  const auto second = open_ring(config, random);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().text(), HasSubstr("regroup ue run"));
  EXPECT_THAT(second.error().text(), HasSubstr(std::to_string(::getpid())));
}

TEST_F(UeAgentHears, AtTheNextPeriodKeysAreFetchedAndThePreviousOnesStillOpen) {
  keyed();
  EXPECT_EQ(on_loop([this] { return periods(); }), (std::vector<std::int64_t>{1536, 1537}));
  const Octets late = sealed(kB);  // of period 1536
  move_to(kAlphaNow.plus(2'592'000));
  notify(diff({}));
  const std::vector<std::int64_t> joined{1536, 1537, 1538};
  ASSERT_TRUE(until([&] { return periods() == joined; }));
  notify(diff({}, {element({first, late})}));
  ASSERT_TRUE(until([this] { return agent->ue().ring().find(mcx::GmkId{kB}) != nullptr; }));
  end();
  kms_says(unreachable());
  ASSERT_TRUE(prepare().ok());
  EXPECT_EQ(periods(), joined);  // from the disk
}

// ---- the subscription

TEST_F(UeAgentHears, TheNotificationThatCarriesAKeyIsAnsweredWhenTheKeyIsStored) {
  keyed();
  std::vector<std::string> told;
  loop->run([&] {
    notifier->answers.clear();
    net.watch([&](const std::string& what) {
      if (what == "200 ue->gms" && told.empty()) told = events;  // events follow the commit
    });
  });
  notify(diff({}, {element({first, sealed(kB)})}));
  ASSERT_TRUE(until([this] { return !notifier->answers.empty(); }));
  loop->run([this] { net.watch({}); });
  EXPECT_EQ(notifier->answers.front(), 200);
  EXPECT_THAT(told, Contains("installed " + std::string(kAgentGroup) + " 0abcdef2"));
  end();
  start();
  EXPECT_EQ(state_of(kB), "active");  // from the disk
}

TEST_F(UeAgentHears, AnEventIsToldWhenTheRingAndTheReceiptAreStored) {
  http.script(keys_path("POST"), 503);  // the receipt stays owed
  http.script(keys_path(), 200, document({first}), kGktpType);
  notify_on_subscribe({diff({{collection_entry(), "", "e1"}}), diff({}, {element({first})})});
  std::vector<std::string> told;
  agent = std::make_unique<UeAgent>(
      config, *host, *loop, random, clock, [this](const std::string& line) { log.push_back(line); },
      [&](const ue::KeyEvent& event) {
        told.push_back(event.event + ", rings " + std::to_string(stored(config.ring_file, "ring")) +
                       ", receipts " + std::to_string(stored(config.ring_file, "receipt")));
      },
      [this](const std::stop_token&) { return ask_kms(); });
  ASSERT_TRUE(agent->prepare().ok());
  loop->run([this] { agent->start([this] { ready = true; }); });
  ASSERT_TRUE(until([this] { return ready; }));
  EXPECT_EQ(on_loop([&] { return told; }).front(), "installed, rings 1, receipts 1");
  end();
}

TEST_F(UeAgentHears, ANotificationOfSomebodyElsesDialogIsAnswered481AndChangesNothing) {
  keyed();
  loop->run([&] {
    sip::Dialog foreign = notifier->host->dialog(notifier->dialog).value();
    foreign.call_id = "somebody-else";
    foreign.local_tag = "tag-of-a-stranger";
    ASSERT_TRUE(notifier->host->restore(foreign).ok());
    notifier->answers.clear();
    notifier->notify(diff({{collection_entry(), "e1", ""}}, {element({sealed(kB)})}), foreign.id());
  });
  ASSERT_TRUE(until([this] { return !notifier->answers.empty(); }));
  EXPECT_EQ(notifier->answers.front(), 481);
  EXPECT_EQ(state_of(kA), "active");
  EXPECT_EQ(state_of(kB), "none");
}

TEST_F(UeAgentHears, ReadyWaitsForTheSubscriptionToTheGroupsFoundAndWhatItBrings) {
  http.script(keys_path(), 200, document({first}), kGktpType);
  loop->run([this] {
    notifier->on_subscribe = [this] {
      if (notifier->subscribes.size() == 1) notifier->notify(diff({{collection_entry(), "", "e1"}}));
    };
  });
  start();
  ASSERT_TRUE(until([this] {
    return notifier->subscribes.size() == 2 && !events.empty() &&
           testing::Value(log, Contains(HasSubstr("was answered 404")));  // to the GET of the group
  }));
  loop->run([this] { net.advance(std::chrono::milliseconds(50)); });  // the answer to SUBSCRIBE arrives
  EXPECT_FALSE(on_loop([this] { return ready; }));
  EXPECT_THAT(on_loop([this] { return notifier->watched(); }),
              Contains(xcap::write_address(xcap::group_address(kAgentGroup))));
  notify(diff({}, {element({first})}));
  EXPECT_TRUE(until([this] { return ready; }));
}

TEST_F(UeAgentHears, TheContactSaysWhichServiceThisIs) {
  notify_on_subscribe({});
  start();
  ASSERT_TRUE(until([this] { return ready; }));
  EXPECT_THAT(on_loop([this] { return notifier->subscribes.front().contact; }),
              testing::AllOf(HasSubstr("+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.mcptt\""),
                             HasSubstr("+g.3gpp.mcptt")));
}

TEST_F(UeAgentHears, A403ToSubscribeTakesTheTokenAgainOnceAndSoDoesA401) {
  for (const int refusal : {403, 401}) {
    notify_on_subscribe({});
    const std::size_t before = on_loop([&] {
      notifier->statuses = {refusal};
      return notifier->subscribes.size();
    });
    put("token", kms.token(test::kUser));
    start();
    ASSERT_TRUE(until([this] { return ready; })) << refusal;
    EXPECT_EQ(on_loop([this] { return notifier->subscribes.size(); }), before + 2) << refusal;
    end();
  }
}

// With it the GMS would show the documents of another, and the own keys would be gone from them.
TEST_F(UeAgentHears, AnothersTokenFoundLaterIsNotUsedAndKeepsEveryKey) {
  keyed();
  put("token", kms.token("sip:user2@alpha.example"));
  const std::size_t asked = http.asked(keys_path()).size();
  const auto subscribes = on_loop([this] { return notifier->subscribes.size(); });
  notify(
      diff({{xcap::write_address(xcap::gktp_address(test::kUser, "sip:police@alpha.example")), "", "e1"}}));
  ASSERT_TRUE(until([this] { return testing::Value(log, Contains(HasSubstr("is a token of sip:user2@"))); }));
  EXPECT_EQ(http.asked(keys_path()).size(), asked);
  EXPECT_EQ(on_loop([this] { return notifier->subscribes.size(); }), subscribes);
  EXPECT_EQ(state_of(kA), "active");
  EXPECT_THAT(on_loop([this] { return events; }), Not(Contains(HasSubstr("withdrawn"))));
  put("token", kms.token(test::kUser));
  EXPECT_TRUE(until([&] { return notifier->subscribes.size() > subscribes; }));
}

// ---- the first key comes by GET, later ones inside the NOTIFY (TS 33.179 7.3.4)

TEST_F(UeAgentHears, ANewGroupIsWatchedWhenItsKeysHaveBeenReadAndThatIsTold) {
  http.hold(keys_path());
  notify_on_subscribe({diff({{collection_entry(), "", "e1"}})});
  start();
  ASSERT_TRUE(until([this] {
    return http.asked(keys_path()).size() == 1 &&
           testing::Value(log, Contains(HasSubstr("was answered 404")));  // to the GET of the group
  }));
  loop->run([this] { net.advance(std::chrono::milliseconds(50)); });
  EXPECT_EQ(on_loop([this] { return notifier->subscribes.size(); }), 1u) << "the GET comes first";
  EXPECT_THAT(on_loop([this] { return events; }), IsEmpty());
  http.release(200, document({first}), kGktpType);
  ASSERT_TRUE(until([this] { return ready; }));
  EXPECT_THAT(on_loop([this] { return events; }),
              ElementsAre("installed " + std::string(kAgentGroup) + " 0abcdef1",
                          "watching " + std::string(kAgentGroup)));
  EXPECT_THAT(on_loop([this] { return notifier->watched(); }),
              Contains(xcap::write_address(xcap::gktp_keys(kAgentGroup, "GMK-GKTPs"))));
}

TEST_F(UeAgentHears, WithoutKeysInNotificationsNothingIsToldAsWatched) {
  config.key_in_notify = false;
  keyed();
  EXPECT_THAT(on_loop([this] { return events; }),
              ElementsAre("installed " + std::string(kAgentGroup) + " 0abcdef1"));
}

// Regrouped: one NOTIFY has the temporary group's key among those of its constituent, and the temporary group
// as a new document of the collection.
TEST_F(UeAgentHears, AKeyThatCameInsideTheNotificationIsNotFetchedOnceMore) {
  keyed();
  const std::string temporary = "sip:tmp-1@alpha.example";
  std::vector<xcap::GktpPayload> all = payloads({first, sealed(kB, kAlphaNow, temporary)});
  all.back().temporary = temporary;
  const std::string entry = xcap::write_address(xcap::gktp_address(test::kUser, temporary));
  const xcap::ElementDiff keys{xcap::write_address(xcap::gktp_keys(kAgentGroup, "GMK-GKTPs")),
                               xcap::gktp_element(all).children.front()};
  notify(diff({{entry, "", "e1"}}, {keys}));
  ASSERT_TRUE(until([&] {
    return testing::Value(notifier->watched(),
                          Contains(xcap::write_address(xcap::gktp_keys(temporary, "GMK-GKTPs"))));
  }));
  EXPECT_EQ(state_of(kB), "active");
  EXPECT_THAT(http.asked("GET /xcap-root/" + xcap::write_address(xcap::gktp_address(temporary))), IsEmpty());
  EXPECT_TRUE(until([&] { return events.back() == "watching " + temporary; }));
}

// ---- documents

TEST_F(UeAgentHears, AnAnswerThatANotificationHasOvertakenWithdrawsNothing) {
  keyed();
  const Octets second = sealed(kB);
  http.forget(keys_path());
  http.hold(keys_path());
  const std::size_t asked = http.asked(keys_path()).size();
  notify(diff({{xcap::write_address(xcap::gktp_address(kAgentGroup)), "e1", "e2"}}));
  ASSERT_TRUE(until([&] { return http.asked(keys_path()).size() > asked; }));
  notify(diff({}, {element({first, second})}));
  ASSERT_TRUE(until([this] { return agent->ue().ring().find(mcx::GmkId{kB}) != nullptr; }));
  http.script(keys_path(), 200, document({first, second}), kGktpType);
  http.release(200, document({first}), kGktpType);  // what it was before the NOTIFY
  ASSERT_TRUE(until([&] { return http.asked(keys_path()).size() > asked + 1; }));
  notify(diff({}, {element({first, second})}));
  ASSERT_TRUE(until([this] { return agent->ue().receipts().empty(); }));
  EXPECT_EQ(state_of(kB), "active");
  EXPECT_THAT(on_loop([this] { return events; }), Not(Contains(HasSubstr("withdrawn"))));
}

TEST_F(UeAgentHears, AGroupThatIsGoneAfterARestartIsWithdrawn) {
  keyed();
  end();
  http.forget(keys_path());  // 404
  notify_on_subscribe({diff({})});
  start();
  ASSERT_TRUE(until([this] { return !events.empty() && events.back().rfind("withdrawn", 0) == 0; }));
  EXPECT_EQ(state_of(kA), "withdrawn");
}

TEST_F(UeAgentHears, ADocumentThatLeavesTheCollectionWithdrawsItsKeys) {
  keyed();
  notify(diff({{collection_entry(), "e1", ""}}));
  ASSERT_TRUE(until([this] { return events.back().rfind("withdrawn", 0) == 0; }));
  ASSERT_TRUE(until([this] { return notifier->watched().size() == 1; }));
}

TEST_F(UeAgentHears, AGetThatTheGmsCannotAnswerIsTriedAgainAndKeepsTheKeys) {
  http.script(keys_path(), 503);
  http.script(keys_path(), 200, document({first}), kGktpType);
  notify_on_subscribe({diff({{collection_entry(), "", "e1"}})});
  start();
  ASSERT_TRUE(until([this] { return ready; }));
  EXPECT_EQ(http.asked(keys_path()).size(), 2u);
  EXPECT_EQ(state_of(kA), "active");
}

TEST_F(UeAgentHears, AGmsUriThatIsNotTheGmssIsSaidWithTheKeyToCheck) {
  loop->run([&] { notifier->statuses = {404}; });
  start();
  ASSERT_TRUE(until([this] { return !log.empty(); }));
  EXPECT_THAT(on_loop([this] { return log; }),
              Contains(HasSubstr("SUBSCRIBE was answered 404; check gms_uri, and that sip.route leads")));
}

TEST_F(UeAgentHears, ACaThatIsNotTheGmssIsSaidWithTheKeyToCheck) {
  const test::TemporaryDirectory elsewhere;
  config.gms_ca_file = LabCa::make(elsewhere.path).value().certificate_file();
  notify_on_subscribe({diff({{collection_entry(), "", "e1"}})});
  start();
  ASSERT_TRUE(until([this] { return !log.empty(); }));
  EXPECT_THAT(on_loop([this] { return log; }), Contains(HasSubstr("check xcap_root and tls.gms_ca")));
}

TEST_F(UeAgentHears, A401ToGetTakesTheTokenAgainAtOnce) {
  http.hold(keys_path());
  notify_on_subscribe({diff({{collection_entry(), "", "e1"}})});
  start();
  ASSERT_TRUE(until([this] { return http.asked(keys_path()).size() == 1; }));
  put("token", "renewed");
  http.script(keys_path(), 200, document({first}), kGktpType);
  http.release(401, "", "text/plain");
  ASSERT_TRUE(until([this] { return ready; }));
  ASSERT_EQ(http.asked(keys_path()).size(), 2u);
  EXPECT_EQ(http.asked(keys_path())[1].authorization, "Bearer renewed");
  EXPECT_THAT(on_loop([this] { return log; }), Not(Contains(HasSubstr("it is tried again"))));
}

TEST_F(UeAgentHears, ANewGroupsDocumentIsReadOnceAndTellsWhatItIsRegroupedInto) {
  xcap::GroupDocument group;
  group.uri = kAgentGroup;
  group.list.emplace();
  std::string text = xcap::write_group_document(group);
  xcap::Regrouped regrouped;
  regrouped.temporary = "sip:tmp-1@alpha.example";
  regrouped.constituents = {kAgentGroup};
  const auto parsed = xcap::parse_group_document(view(text));
  ASSERT_TRUE(parsed.ok());
  text = xcap::render(parsed.value(), {true, {regrouped}});
  http.script(group_path(), 200, text, kGroupType);
  keyed();
  EXPECT_EQ(http.asked(group_path()).size(), 1u);
  EXPECT_THAT(on_loop([this] { return events; }), Contains("regrouped " + std::string(kAgentGroup)));
  http.forget(group_path());
  http.script(group_path(), 200, xcap::render(parsed.value(), {true, {}}), kGroupType);
  notify(diff({{xcap::write_address(xcap::group_address(kAgentGroup)), "g1", "g2"}}));
  EXPECT_TRUE(until([this] { return events.back() == "released " + std::string(kAgentGroup); }));
}

// A client that is killed while its group is regrouped, and starts again when that is over.
TEST_F(UeAgentHears, WhatEndedWhileItWasDownIsToldAsReleased) {
  xcap::GroupDocument group;
  group.uri = kAgentGroup;
  group.list.emplace();
  const std::string plain = xcap::write_group_document(group);
  xcap::Regrouped regrouped;
  regrouped.temporary = "sip:tmp-1@alpha.example";
  regrouped.constituents = {kAgentGroup};
  const auto parsed = xcap::parse_group_document(view(plain));
  ASSERT_TRUE(parsed.ok());
  http.script(group_path(), 200, xcap::render(parsed.value(), {true, {regrouped}}), kGroupType);
  keyed();
  const std::string told = "regrouped " + std::string(kAgentGroup);
  EXPECT_THAT(on_loop([this] { return events; }), Contains(told));
  const std::string etag = xcap::write_address(xcap::group_address(kAgentGroup));
  end();
  events.clear();
  notify_on_subscribe({diff({{etag, "", "g1"}}, {element({first})})});
  start();
  ASSERT_TRUE(until([&] { return ready && http.asked(group_path()).size() == 2; }));
  end();
  EXPECT_THAT(events, Not(Contains(told))) << "it was told before";
  http.forget(group_path());
  http.script(group_path(), 200, xcap::render(parsed.value(), {true, {}}), kGroupType);
  notify_on_subscribe({diff({{etag, "", "g2"}}, {element({first})})});
  start();
  EXPECT_TRUE(
      until([&] { return testing::Value(events, Contains("released " + std::string(kAgentGroup))); }));
  EXPECT_EQ(stored(config.ring_file, "regrouped"), 0);
}

// ---- receipts

TEST_F(UeAgentHears, AReceiptIsPendingUntilTheGmsHasTakenItAndSurvivesTheEnd) {
  http.script(keys_path("POST"), 503);
  http.script(keys_path(), 200, document({first}), kGktpType);
  notify_on_subscribe({diff({{collection_entry(), "", "e1"}})});
  start();
  ASSERT_TRUE(until([this] { return http.asked(keys_path("POST")).size() == 1 && !log.empty(); }));
  end();
  http.forget(keys_path("POST"));
  http.script(keys_path("POST"), 204);
  start();
  ASSERT_TRUE(until([this] { return agent->ue().receipts().empty(); }));
  const auto asked = http.asked(keys_path("POST"));
  const auto receipts = xcap::parse_key_receipt(asked.back().body);
  ASSERT_TRUE(receipts.ok());
  EXPECT_EQ(receipts->front().result, xcap::ReceiptResult::installed);
  EXPECT_EQ(receipts->front().gmk_id, kA);
  const Octets key = test::unhex(std::string("00112233445566778899aabbccddeeff"));
  for (const std::string& form : {hex(key), hex_upper(key), base64(key)})
    EXPECT_THAT(std::string(text_of(asked.back().body)), Not(HasSubstr(form)));
}

struct PostCase {
  unsigned status;
  bool tried_again;
};
class UeAgentReceipt : public UeAgentHears, public testing::WithParamInterface<PostCase> {};

TEST_P(UeAgentReceipt, IsOfferedAgainOnlyWhereTimeMayHelp) {
  http.script(keys_path("POST"), GetParam().status);
  http.script(keys_path("POST"), 204);
  http.script(keys_path(), 200, document({first}), kGktpType);
  notify_on_subscribe({diff({{collection_entry(), "", "e1"}})});
  start();
  ASSERT_TRUE(until([this] { return ready && agent->ue().receipts().empty(); }));
  EXPECT_EQ(http.asked(keys_path("POST")).size(), GetParam().tried_again ? 2u : 1u);
}

INSTANTIATE_TEST_SUITE_P(Statuses, UeAgentReceipt,
                         testing::Values(PostCase{204, false}, PostCase{400, false}, PostCase{403, false},
                                         PostCase{404, false}, PostCase{405, false}, PostCase{415, false},
                                         PostCase{501, false}, PostCase{401, true}, PostCase{408, true},
                                         PostCase{429, true}, PostCase{500, true}, PostCase{503, true}),
                         [](const auto& param) { return "After" + std::to_string(param.param.status); });

}  // namespace
}  // namespace regroup::app
