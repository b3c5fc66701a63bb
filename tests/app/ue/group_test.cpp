// SPDX-License-Identifier: Apache-2.0
// What the verbs of a dispatcher say: bad arguments, refusals of the GMS, an unreachable GMS, a ring in use.
#include <sstream>

#include "app/kms/idms.hpp"
#include "app/ue/agent_lab.hpp"
#include "app/ue/run.hpp"
#include "http/forwarding_proxy.hpp"
#include "xcap/gmop.hpp"

namespace regroup::app {
namespace {

using testing::HasSubstr;

const std::string kDispatcherGroup = "sip:fire@alpha.example";

class UeGroup : public testing::Test {
 protected:
  UeGroup() {
    for (const char* name : {"token", "pass"}) put(name, "some-words");
    configure();
    options.config_file = directory.path + "/ue.toml";
    options.group = kDispatcherGroup;
    options.members = {"sip:ann@alpha.example"};
    options.groups = {kDispatcherGroup, "sip:police@beta.example"};
    options.json = true;
  }
  void configure(const std::string& token = "file = \"token\"", const std::string& root = {},
                 const std::string& more = {}) const {
    const auto text = [](const std::string& value) { return "\"" + value + "\"\n"; };
    put("ue.toml",
        "mcptt_id = \"sip:user.001@alpha.example\"\ngms_uri = \"sip:gms.group@alpha.example\"\n"
        "xcap_root = " +
            text(root.empty() ? gms.root() : root) + more + "tls = { kms_ca = \"" +
            http::lab().ca.certificate_file() + "\", gms_ca = \"" + http::lab().ca.certificate_file() +
            "\", token_ca = \"" + http::lab().ca.certificate_file() +
            "\" }\n"
            "store = { ring = \"ring\", passphrase_file = \"pass\" }\n"
            "[kms]\nuri = \"kms.alpha.example\"\nurl = \"https://127.0.0.1:1\"\n"
            "[token]\n" +
            token + "\n[sip]\nroute = \"sip:127.0.0.1:5060;transport=tcp\"\n");
  }
  void put(const std::string& name, const std::string& content) const {
    const std::string path = directory.path + "/" + name;
    std::ofstream(path) << content << "\n";
    ::chmod(path.c_str(), 0600);
  }
  using Verb = int (*)(const UeGroupOptions&, std::ostream&, std::ostream&);
  int run(Verb verb) {
    std::ostringstream out, err;
    const int code = verb(options, out, err);
    said = err.str();
    object = nlohmann::json::parse(out.str(), nullptr, false);
    EXPECT_FALSE(object.is_discarded()) << out.str();
    return code;
  }
  void expect_usage(Verb verb, const std::string& field) {
    EXPECT_EQ(run(verb), 2);
    EXPECT_EQ(object["error"]["code"], "usage");
    EXPECT_THAT(object["error"]["detail"].get<std::string>(), HasSubstr(field));
    EXPECT_NE(object["error"]["clause"], "");
    EXPECT_NE(object["error"]["cure"], "");
    EXPECT_THAT(said, HasSubstr(field));
  }
  [[nodiscard]] static std::string path(const std::string& method) {
    return method + " /xcap-root/" + xcap::write_address(xcap::group_address(kDispatcherGroup));
  }
  [[nodiscard]] std::string collection(const std::string& method, const std::string& name) const {
    return method + " /xcap-root/" + std::string(xcap::auid::kGroups) + "/users/" +
           http::percent_encode("sip:gms.group@alpha.example") + "/" + name;
  }

  test::TemporaryDirectory directory;
  test::ScriptedHttp gms;
  UeGroupOptions options;
  nlohmann::json object;
  std::string said;
};

TEST_F(UeGroup, BadArgumentsAreNamedBeforeAnythingIsSent) {
  options.group = "not a uri";
  expect_usage(run_ue_group_create, "GROUP");
  expect_usage(run_ue_group_show, "GROUP");
  expect_usage(run_ue_group_teardown, "GROUP");
  for (const char* bare : {"fire", "fire@alpha.example"}) {
    options.group = bare;
    expect_usage(run_ue_group_create, "GROUP: '" + options.group + "' is not a URI");
    EXPECT_THAT(object["error"]["cure"].get<std::string>(), HasSubstr("sip:"));
  }
  options.group = kDispatcherGroup;
  options.members = {"ann"};
  expect_usage(run_ue_group_create, "MEMBER: 'ann' is not a URI");
  options.members = {"tel:+15551234", "tel:+15551234"};
  expect_usage(run_ue_group_create, "MEMBER");
  options.members = {"sip:ann@alpha.example"};
  options.floor_key = "both";
  expect_usage(run_ue_group_create, "--floor-key");
  options.floor_key = "gmk";
  options.procedure = "three";
  expect_usage(run_ue_group_regroup, "--procedure");
  options.procedure = "one";
  options.request_id = "short";
  expect_usage(run_ue_group_regroup, "--id");
  options.request_id.clear();
  options.groups.back() = "police";
  expect_usage(run_ue_group_regroup, "GROUP: 'police'");
  options.groups.pop_back();
  expect_usage(run_ue_group_regroup, "at least 2");
}

TEST_F(UeGroup, A409SaysWhatTheGmsWouldAccept) {
  const auto refusal = xcap::group_id_refused("taken", {"sip:fire-2@alpha.example"});
  gms.script(collection("PUT", "group.xml"), 409, refusal.write(), std::string(xcap::mime::kXcapError));
  EXPECT_EQ(run(run_ue_group_create), 3);
  EXPECT_EQ(object["error"]["code"], "conflict");
  EXPECT_THAT(object["error"]["detail"].get<std::string>(), HasSubstr("taken"));
  EXPECT_THAT(object["error"]["cure"].get<std::string>(), HasSubstr("sip:fire-2@alpha.example"));
}

TEST_F(UeGroup, RefusalsByStatusNameClauseAndCure) {
  for (const unsigned status : {400u, 401u, 403u, 404u, 413u, 501u, 503u}) {
    gms.forget(path("GET"));
    gms.script(path("GET"), status);
    EXPECT_EQ(run(run_ue_group_show), 3) << status;
    EXPECT_THAT(object["error"]["detail"].get<std::string>(), HasSubstr(std::to_string(status)));
    EXPECT_NE(object["error"]["clause"], "") << status;
    EXPECT_NE(object["error"]["cure"], "") << status;
  }
}

TEST_F(UeGroup, ARejectedRegroupKeepsItsAnswerAndNamesTheCure) {
  xcap::GmopResponse response;
  response.operation = "group-regroup-creation";
  response.id = "abcdefgh";
  response.reason = "already-regrouped";
  gms.script(collection("POST", ""), 200, xcap::write_gmop(response), std::string(xcap::mime::kGmop));
  EXPECT_EQ(run(run_ue_group_regroup), 3);
  EXPECT_EQ(object["accepted"], false);
  EXPECT_EQ(object["reason"], "already-regrouped");
  EXPECT_THAT(object["error"]["cure"].get<std::string>(), HasSubstr("tear the other regroup down"));
}

TEST_F(UeGroup, AnAcceptedRegroupPrintsItsGroup) {
  xcap::GmopResponse response;
  response.operation = "group-regroup-creation";
  response.id = "abcdefgh";
  response.accepted = true;
  response.temporary = "sip:tmp-1@alpha.example";
  gms.script(collection("POST", ""), 200, xcap::write_gmop(response), std::string(xcap::mime::kGmop));
  EXPECT_EQ(run(run_ue_group_regroup), 0);
  EXPECT_EQ(object["temporary"], "sip:tmp-1@alpha.example");
  EXPECT_FALSE(object.contains("error"));
}

// An id used again gets its first answer (PR-25); that it was another question is told.
TEST_F(UeGroup, AnIdThatWasAskedWithOtherGroupsIsAConflictAndNotASilentAnswer) {
  xcap::GmopResponse response;
  response.operation = "group-regroup-creation";
  response.id = options.request_id = "abcdefgh";
  response.accepted = true;
  response.temporary = "sip:tmp-1@alpha.example";
  const std::string formed = "GET /xcap-root/" + xcap::write_address(xcap::group_address(response.temporary));
  const auto ask = [&](unsigned status, const std::vector<std::string>& groups) {
    xcap::Regrouped first;
    first.temporary = response.temporary;
    first.constituents = groups;
    gms.forget(formed);
    gms.forget(collection("POST", ""));
    gms.script(collection("POST", ""), 200, xcap::write_gmop(response), std::string(xcap::mime::kGmop));
    gms.script(formed, status, xcap::write_group_document(xcap::temporary_group_document(first, "t")),
               std::string(xcap::mime::kGroup));
    return run(run_ue_group_regroup);
  };
  EXPECT_EQ(ask(200, {"sip:police@beta.example", kDispatcherGroup}), 0) << said;
  EXPECT_EQ(said, "") << "the same groups in another order";
  EXPECT_EQ(ask(200, {kDispatcherGroup, "sip:rescue@beta.example"}), 3);
  EXPECT_EQ(object["error"]["code"], "conflict");
  EXPECT_EQ(object["temporary"], response.temporary);
  EXPECT_THAT(object["error"]["detail"].get<std::string>(), HasSubstr("sip:rescue@beta.example"));
  EXPECT_THAT(object["error"]["cure"].get<std::string>(), HasSubstr("leave --id out"));
  EXPECT_EQ(ask(404, {}), 0) << "it may be over";
  EXPECT_THAT(said, HasSubstr("regroup ue: --id: abcdefgh may have been asked before"));
  response.accepted = false;
  response.reason = "unknown-group";
  EXPECT_EQ(ask(404, {}), 3);
  EXPECT_THAT(object["error"]["cure"].get<std::string>(), HasSubstr("gets its first answer"));
}

TEST_F(UeGroup, AnAnswerThatIsNoGroupDocumentIsAFailureNotAUsageError) {
  gms.script(path("GET"), 200, "<html/>", "text/html");
  EXPECT_EQ(run(run_ue_group_show), 1);
  EXPECT_THAT(object["error"]["cure"].get<std::string>(), HasSubstr("xcap_root"));
}

TEST_F(UeGroup, AnothersTokenIsNotSent) {
  put("token", "e30." + base64url(view(R"({"mcptt_id":"sip:user.002@alpha.example"})")) + ".c2ln");
  expect_usage(run_ue_group_show, "a token of sip:user.002@alpha.example");
  EXPECT_TRUE(gms.asked(path("GET")).empty());
}

TEST_F(UeGroup, A401IsTriedOnceWithTheTokenReadAgain) {
  gms.script(path("GET"), 401);
  gms.script(path("GET"), 404);
  EXPECT_EQ(run(run_ue_group_show), 3);
  EXPECT_EQ(gms.asked(path("GET")).size(), 2u);
  EXPECT_EQ(object["error"]["code"], "unknown_group");
}

TEST_F(UeGroup, A401TakesANewTokenOfTheEndpoint) {
  test::Idms idms;
  idms.says_token("one");
  idms.says_token("two");
  configure("endpoint = \"" + idms.settings().url + "\"\nclient_id = \"c\"\nsecret_file = \"" +
            idms.secret_file() + "\"");
  gms.script(path("GET"), 401);
  gms.script(path("GET"), 404);
  EXPECT_EQ(run(run_ue_group_show), 3) << said;
  const auto asked = gms.asked(path("GET"));
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].authorization, "Bearer one");
  EXPECT_EQ(asked[1].authorization, "Bearer two");
}

TEST_F(UeGroup, AnEndpointThatRefusesTheClientIsARefusal) {
  test::Idms idms;
  idms.says(401, R"({"error":"invalid_client"})");
  configure("endpoint = \"" + idms.settings().url + "\"\nclient_id = \"c\"\nsecret_file = \"" +
            idms.secret_file() + "\"");
  EXPECT_EQ(run(run_ue_group_show), 3) << said;
  EXPECT_THAT(object["error"]["cure"].get<std::string>(), HasSubstr("secret_file"));
  EXPECT_TRUE(gms.asked(path("GET")).empty());
}

TEST_F(UeGroup, GoesByTheConfiguredProxy) {
  http::ForwardingProxy proxy(gms.port());
  configure("file = \"token\"", "https://gms.alpha.example/xcap-root/",
            "http_proxy = \"https://" + proxy.address() + "\"\n");
  EXPECT_EQ(run(run_ue_group_show), 3) << said;
  EXPECT_EQ(object["error"]["code"], "unknown_group");
  EXPECT_EQ(gms.asked(path("GET")).size(), 1u);
  EXPECT_EQ(proxy.forwarded(), 1u);
}

// One deadline for the whole command: exit code 1, transport, and what to do.
TEST_F(UeGroup, AGmsThatDoesNotAnswerEndsItInTime) {
  options.timeout = 1;
  const auto timed = [&](Verb verb, const std::string& held) {
    gms.hold(held);
    const auto from = std::chrono::steady_clock::now();
    EXPECT_EQ(run(verb), 1);
    EXPECT_LT(std::chrono::steady_clock::now() - from, std::chrono::seconds(12));
    EXPECT_EQ(object["error"]["code"], "transport");
    EXPECT_THAT(object["error"]["cure"].get<std::string>(), HasSubstr("--timeout SECONDS"));
    return object["error"]["cure"].get<std::string>();
  };
  EXPECT_THAT(timed(run_ue_group_show, path("GET")), testing::Not(HasSubstr("repeat")));
  EXPECT_THAT(timed(run_ue_group_regroup, collection("POST", "")),
              HasSubstr("repeat the command with --id ue-"));
  EXPECT_THAT(timed(run_ue_group_teardown, path("POST")), HasSubstr("repeat the command"));
}

TEST_F(UeGroup, TheDeadlineIsForTheTokenToo) {
  options.timeout = 1;
  configure("command = \"sleep 30; echo token\"");
  const auto from = std::chrono::steady_clock::now();
  EXPECT_EQ(run(run_ue_group_show), 2);
  EXPECT_LT(std::chrono::steady_clock::now() - from, std::chrono::seconds(8));
  EXPECT_THAT(said, HasSubstr("did not end in time"));
}

TEST_F(UeGroup, ATimeoutIsANumberOfSeconds) {
  for (const std::int64_t wrong : {-1, 0, 3601}) {
    options.timeout = wrong;
    expect_usage(run_ue_group_show, "--timeout: " + std::to_string(wrong));
  }
}

TEST_F(UeGroup, KeysOfARingInUseSayWhoHasIt) {
  const UeConfig config = read_ue_config(options.config_file).value();
  crypto::SystemRandom random;
  EXPECT_EQ(run(run_ue_keys), 2);  // no ring yet
  EXPECT_THAT(said, HasSubstr("does not exist"));
  {
    const auto held = open_ring(config, random);
    ASSERT_TRUE(held.ok()) << held.error().text();
    EXPECT_EQ(run(run_ue_keys), 1);
    EXPECT_THAT(object["error"]["detail"].get<std::string>(),
                HasSubstr("process " + std::to_string(::getpid())));
    EXPECT_THAT(object["error"]["cure"].get<std::string>(), HasSubstr("regroup ue run"));
  }
  EXPECT_EQ(run(run_ue_keys), 0);
  EXPECT_TRUE(object.is_array());
}

}  // namespace
}  // namespace regroup::app
