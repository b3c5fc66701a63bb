// SPDX-License-Identifier: Apache-2.0
// One UeAgent with its store on disk; a GMS that says what a test tells it to, by SIP in memory and HTTPS on
// the loopback; and real keys of a real KMS. Network time stands still but for deliveries.
#pragma once

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "app/kms/kms_lab.hpp"
#include "app/ue/agent.hpp"
#include "gktp/seal.hpp"
#include "http/lab.hpp"
#include "sip/fake.hpp"
#include "sip/multipart.hpp"
#include "xcap/group_document.hpp"
#include "xcap/key_receipt.hpp"
#include "xcap/resource_lists.hpp"

namespace regroup::test {

inline constexpr const char* kAgentGroup = "sip:fire@alpha.example";

// The HTTP face: answers by "METHOD path" from a script, the last answer again and again; 404 without one.
class ScriptedHttp {
 public:
  struct Asked {
    std::string what, authorization;
    Octets body;
  };
  ScriptedHttp() {
    server_ = http::serve([this](http::Request request, http::Responder respond) {
      const std::lock_guard lock(mutex_);
      const std::string what = request.method + " " + request.target;
      asked_.push_back(
          {what, std::string(request.headers.find("Authorization").value_or("")), std::move(request.body)});
      if (holding_ == what) return held_.push_back(std::move(respond));
      respond(answer(what));
    });
  }
  [[nodiscard]] std::uint16_t port() const { return server_->port("ue"); }
  [[nodiscard]] std::string root() const {
    return "https://127.0.0.1:" + std::to_string(port()) + "/xcap-root/";
  }
  void script(const std::string& what, unsigned status, std::string body = {}, std::string type = {}) {
    const std::lock_guard lock(mutex_);
    script_[what].push_back({status, std::move(body), std::move(type)});
  }
  void forget(const std::string& what) {
    const std::lock_guard lock(mutex_);
    script_.erase(what);
  }
  // Keeps answers to `what` back until release(), which gives those scripted then.
  void hold(const std::string& what) {
    const std::lock_guard lock(mutex_);
    holding_ = what;
  }
  void release(unsigned status, const std::string& body, const std::string& type) {
    const std::lock_guard lock(mutex_);
    holding_.clear();
    for (http::Responder& one : held_) one(http::make_response(status, type, http::Body(body)));
    held_.clear();
  }
  [[nodiscard]] std::vector<Asked> asked(const std::string& what) const {
    const std::lock_guard lock(mutex_);
    std::vector<Asked> out;
    for (const Asked& one : asked_)
      if (one.what == what) out.push_back(one);
    return out;
  }

 private:
  struct Scripted {
    unsigned status = 404;
    std::string body, type;
  };
  http::Response answer(const std::string& what) {
    auto& left = script_[what];
    if (left.empty()) return http::make_response(404);
    const Scripted now = left.front();
    if (left.size() > 1) left.pop_front();
    return now.type.empty() ? http::make_response(now.status)
                            : http::make_response(now.status, now.type, http::Body(now.body));
  }
  mutable std::mutex mutex_;
  std::map<std::string, std::deque<Scripted>> script_;
  std::vector<Asked> asked_;
  std::string holding_;
  std::vector<http::Responder> held_;
  std::unique_ptr<http::Server> server_;  // last: stops before the rest goes
};

// The SIP face. On the loop.
struct ScriptedNotifier {
  explicit ScriptedNotifier(sip::FakeNetwork& net) : host(net.host("gms")) {
    EXPECT_TRUE(host->start().ok());
    host->serve("", [this](sip::Incoming in) { subscribed(std::move(in)); });
  }
  void subscribed(sip::Incoming in) {
    subscribes.push_back(in.request);
    const int status = statuses.empty() ? 200 : statuses.front();
    if (!statuses.empty()) statuses.pop_front();
    if (status != 200) return host->answer(in.transaction, sip::make_response(status));
    if (!in.dialog) dialog = host->accept_dialog(in.transaction).value().id();
    host->answer(in.transaction, sip::granted(3600));
    if (on_subscribe) on_subscribe();
  }
  void notify(const std::string& body, const sip::DialogId& in = {}) {
    sip::Request request;
    request.method = "NOTIFY";
    request.event = "xcap-diff";
    request.subscription_state = "active;expires=3600";
    request.content_type = "application/xcap-diff+xml";
    request.body = to_octets(view(body));
    host->send(in.empty() ? dialog : in, std::move(request), [this](Result<sip::Response> got) {
      answers.push_back(got.ok() ? got.value().status : -1);
      if (on_answer) on_answer();
    });
  }
  // The URIs of the last SUBSCRIBE with a body.
  [[nodiscard]] std::vector<std::string> watched() const {
    const auto parts = sip::parse_multipart(subscribes.back().content_type, subscribes.back().body).value();
    return xcap::parse_resource_lists(sip::find_part(parts, xcap::mime::kResourceLists)->body).value();
  }

  sip::DialogId dialog;
  std::vector<sip::Request> subscribes;
  std::deque<int> statuses;
  std::vector<int> answers;
  std::function<void()> on_subscribe, on_answer;
  std::unique_ptr<sip::Transport> host;  // last: on its way out it still answers into the rest
};

class AgentLab : public testing::Test {
 protected:
  AgentLab() {
    put("token", kms.token(kUser));
    put("pass", "a passphrase of the tests");
    config.domain.identity = id(kUser);
    config.domain.kms_uri = mcx::KmsUri::parse("kms.alpha.example").value();
    config.domain.gms_authorised = {id(kGms)};
    config.gms_uri = kGms;
    config.xcap_root = http.root();
    config.gms_ca_file = http::lab().ca.certificate_file();
    config.kms = access("token");
    config.ring_file = kms.directory.path + "/ring";
    config.passphrase_file = kms.directory.path + "/pass";
    config.sip_route = "sip:gms;transport=tcp";
    put("gms-token", kms.token(kGms));
    gms = app::read_keys(fetch(kGms, "gms-token"), kGms, "kms.alpha.example", clock.now()).value();
    loop->run([this] {
      host = net.host("ue");
      EXPECT_TRUE(host->start().ok());
      notifier.emplace(net);
    });
  }
  ~AgentLab() override {
    end();
    loop->stop();
  }

  // ---- the client
  [[nodiscard]] Result<void> prepare() {
    agent = std::make_unique<app::UeAgent>(
        config, *host, *loop, random, clock, [this](const std::string& line) { log.push_back(line); },
        [this](const ue::KeyEvent& event) {
          events.push_back(event.event + " " + event.group +
                           (event.gmk_id.empty() ? "" : " " + event.gmk_id));
        },
        [this](const std::stop_token&) { return ask_kms(); });
    return agent->prepare();
  }
  void start() {
    const auto prepared = prepare();
    ASSERT_TRUE(prepared.ok()) << prepared.error().text();
    loop->run([this] { agent->start([this] { ready = true; }); });
  }
  // What a kill leaves: only the store.
  void end() {
    if (!agent) return;
    loop->run([this] {
      agent->stop();
      host.reset();  // while its callbacks' owner lives
    });
    loop->stop();
    agent.reset();
    loop = std::make_unique<app::Loop>();
    loop->run([this] {
      host = net.host("ue");
      EXPECT_TRUE(host->start().ok());
    });
    ready = false;
  }
  bool until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    for (bool met = false; std::chrono::steady_clock::now() < deadline;) {
      loop->run([&] {
        net.advance(std::chrono::milliseconds(1));
        met = condition();
      });
      if (met) return true;
      std::this_thread::yield();
    }
    loop->run([this] {
      for (const std::string& line : log) ADD_FAILURE() << line;
    });
    return false;
  }
  template <class F>
  auto on_loop(F f) {
    std::optional<decltype(f())> out;
    loop->run([&] { out.emplace(f()); });
    return std::move(out).value();
  }
  [[nodiscard]] std::string state_of(std::uint32_t key_id) {
    return on_loop([&] {
      const ue::RingKey* key = agent->ue().ring().find(mcx::GmkId{key_id});
      return key ? std::string(ue::name_of(key->state)) : std::string("none");
    });
  }

  // ---- the KMS
  [[nodiscard]] app::KmsAccess access(const std::string& token) const {
    app::KmsAccess out;
    out.uri = "kms.alpha.example";
    out.url = "https://kms.alpha.example:8444/";
    out.token_file = kms.directory.path + "/" + token;
    return out;
  }
  [[nodiscard]] Result<http::Response> carry(http::ClientRequest from, NtpTime now) const {
    http::Request out;
    out.method = from.method;
    const http::Url url = TRY(http::parse_url(from.url));
    out.target = url.origin_form();
    out.headers = std::move(from.headers);
    out.headers.add("Host", url.authority());
    out.body = std::move(from.body);
    return std::move(kms.ask(out, now).response);
  }
  [[nodiscard]] app::KmsAnswers fetch(const std::string& identity, const std::string& token,
                                      NtpTime now = kAlphaNow) const {
    const FixedClock then(now);
    return app::fetch_keys(
               access(token), identity,
               [&](http::ClientRequest request) { return carry(std::move(request), now); }, then)
        .value();
  }
  Result<app::KmsAnswers> ask_kms() {
    ++kms_asked;
    const std::lock_guard lock(kms_mutex);
    if (kms_fault) return *kms_fault;
    return fetch(kUser, "token", kms_now);
  }
  // Client and KMS, and a token of that time.
  void move_to(NtpTime now) {
    put("token", kms.issuer.token({.mcptt_id = kUser, .scopes = {kScopeRel14}}, now).value());
    const std::lock_guard lock(kms_mutex);
    kms_now = now;
    loop->run([&] { clock.set(now); });
  }
  [[nodiscard]] std::vector<std::int64_t> periods() const {
    std::vector<std::int64_t> out;
    for (const mcx::KeySet& one : agent->key_sets()) out.push_back(one.period_no());
    std::sort(out.begin(), out.end());
    return out;
  }
  void kms_says(std::optional<Error> fault) {
    const std::lock_guard lock(kms_mutex);
    kms_fault = std::move(fault);
  }
  void put(const std::string& name, const std::string& content) const {
    const std::string path = kms.directory.path + "/" + name;
    std::ofstream(path) << content << "\n";
    ::chmod(path.c_str(), 0600);
  }

  // ---- what the GMS says
  [[nodiscard]] Octets sealed(std::uint32_t key_id, NtpTime at = kAlphaNow,
                              const std::string& group = kAgentGroup) {
    gktp::KeyMaterial key;
    key.key = mcx::Gmk::parse(unhex(std::string("00112233445566778899aabbccddeeff"))).value();
    key.id = mcx::GmkId{key_id};
    key.rand = unhex(std::string("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"));
    key.parameters.groups = {group};
    const auto& own = gms.domains.all().front();
    const std::vector<gktp::Receiver> to{{id(kUser), &own}};
    return gktp::seal(key, {own, gms.key_sets.front()}, to, at, random).value().front().message;
  }
  [[nodiscard]] static std::vector<xcap::GktpPayload> payloads(const std::vector<Octets>& messages) {
    std::vector<xcap::GktpPayload> out;
    for (const Octets& one : messages) {
      out.emplace_back();
      out.back().id = "p" + std::to_string(out.size());
      out.back().message = one;
    }
    return out;
  }
  [[nodiscard]] static std::string document(const std::vector<Octets>& messages) {
    return xcap::write_gktp(payloads(messages));
  }
  [[nodiscard]] static std::string collection_entry() {
    return xcap::write_address(xcap::gktp_address(kUser, kAgentGroup));
  }
  [[nodiscard]] std::string diff(std::vector<xcap::DocumentDiff> documents,
                                 std::vector<xcap::ElementDiff> elements = {}) const {
    return xcap::write_xcap_diff({config.xcap_root, std::move(documents), std::move(elements)});
  }
  [[nodiscard]] static xcap::ElementDiff element(const std::vector<Octets>& messages) {
    const xml::Element root = xcap::gktp_element(payloads(messages));
    return {xcap::write_address(xcap::gktp_keys(kAgentGroup, "GMK-GKTPs")), root.children.front()};
  }
  void notify(const std::string& body) {
    loop->run([&] { notifier->notify(body); });
  }
  // Every SUBSCRIBE is followed by these, in turn; then by an empty one.
  void notify_on_subscribe(std::deque<std::string> bodies) {
    loop->run([&] {
      notifier->on_subscribe = [this, bodies = std::move(bodies)]() mutable {
        notifier->notify(bodies.empty() ? diff({}) : bodies.front());
        if (!bodies.empty()) bodies.pop_front();
      };
    });
  }
  [[nodiscard]] static std::string keys_path(const std::string& method = "GET") {
    return method + " /xcap-root/" + xcap::write_address(xcap::gktp_address(kAgentGroup));
  }
  [[nodiscard]] static std::string group_path() {
    return "GET /xcap-root/" + xcap::write_address(xcap::group_address(kAgentGroup));
  }

  KmsLab kms;
  ScriptedHttp http;
  FixedClock clock{kAlphaNow};
  crypto::SystemRandom random;
  std::mutex kms_mutex;
  std::optional<Error> kms_fault;
  NtpTime kms_now = kAlphaNow;
  std::atomic<int> kms_asked = 0;
  app::UeConfig config;
  app::Provisioned gms;
  std::unique_ptr<app::Loop> loop = std::make_unique<app::Loop>();
  sip::FakeNetwork net{20261125};
  std::unique_ptr<sip::Transport> host;
  std::optional<ScriptedNotifier> notifier;
  std::unique_ptr<app::UeAgent> agent;
  std::vector<std::string> log, events;
  bool ready = false;
};

}  // namespace regroup::test
