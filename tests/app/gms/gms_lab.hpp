// SPDX-License-Identifier: Apache-2.0
// A GMS put together as `regroup gms serve` does, without its listeners: real keys of two domains
// (flow/lab.hpp), tokens of the lab issuer, a clock set by hand, and a disk in memory that restart() comes
// back from. Everything of the GMS runs on its loop: tests reach it through on_loop() and ask().
#pragma once

#include <gtest/gtest.h>

#include <future>

#include "app/gms/front.hpp"
#include "app/gms/gmop_codec.hpp"
#include "app/gms/subscriptions.hpp"
#include "app/kms/kms_lab.hpp"
#include "flow/lab.hpp"
#include "storage/memory_store.hpp"
#include "xcap/key_receipt.hpp"

namespace regroup::test {

inline const std::string kDispatch = "sip:dispatch@alpha.example", kDispatchTwo = "sip:second@alpha.example";
inline const std::string kAnn = "sip:ann@alpha.example", kBob = "sip:bob@alpha.example",
                         kCarol = "sip:carol@alpha.example", kMallory = "sip:mallory@alpha.example",
                         kQuinn = "sip:quinn@beta.example";
inline const std::string kFire = "sip:fire@alpha.example", kRescue = "sip:rescue@alpha.example",
                         kPolice = "sip:police@beta.example";
inline const std::string kGmsA = "sip:gms@alpha.example", kGmsB = "sip:gms@beta.example",
                         kGmsC = "sip:gms@gamma.example";
inline const std::string kGroupScope = "3gpp:mc:ptt_group_management_service";
inline const NtpTime kLabNow = parse_date_time("2026-03-02T09:30:00Z").value();

// Two security domains and an issuer, made once per test program.
struct LabWorld {
  LabWorld() {
    for (const LabKms* kms : {&alpha, &beta})
      if (!domains.add(kms->certificate()).ok()) std::abort();
  }
  [[nodiscard]] const LabKms& kms_of(const std::string& identity) const {
    return identity.find("beta.example") == std::string::npos ? alpha : beta;
  }
  crypto::SystemRandom random;
  LabKms alpha{"kms.alpha.example", "alpha.example", 2592000, 0, random};
  LabKms beta{"kms.beta.example", "beta.example", 604800, 259200, random};
  mcx::Domains domains;
  TemporaryDirectory directory;
  app::Issuer issuer = app::Issuer::make(directory.path, "https://idms.alpha.example").value();
  http::Jwks jwks = http::read_jwks_file(issuer.jwks_file()).value();
};
inline LabWorld& world() {
  static LabWorld made;
  return made;
}

// The memory disk as a Store of its own, so that a restarted GMS opens the same one.
class SharedStore final : public storage::Store {
 public:
  explicit SharedStore(std::shared_ptr<storage::MemoryStore> disk) : disk_(std::move(disk)) {}
  using Store::commit;
  Result<void> commit(std::span<const storage::Write> writes) override { return disk_->commit(writes); }
  Result<std::optional<Octets>> get(std::string_view kind, std::string_view id) override {
    return disk_->get(kind, id);
  }
  Result<void> for_each(std::string_view kind, const Visit& visit) override {
    return disk_->for_each(kind, visit);
  }
  Result<void> backup(const std::string& path) override { return disk_->backup(path); }
  Result<std::string> generation() override { return disk_->generation(); }

 private:
  std::shared_ptr<storage::MemoryStore> disk_;
};

struct NobodyPresent final : gms::Presence {
  [[nodiscard]] bool subscribed(const std::string&) const override { return false; }
};

class GmsLab {
 public:
  using MakeTransport = std::function<std::unique_ptr<sip::Transport>()>;
  // With a transport the GMS takes subscriptions; with another clock it lives in that time.
  explicit GmsLab(std::string domain = "alpha.example", MakeTransport transport = {},
                  const Clock* time = nullptr)
      : gms_uri("sip:gms@" + domain),
        root("https://gms." + domain + ":8443/xcap-root/"),
        time_(time),
        make_transport_(std::move(transport)) {
    settings.gms_uri = mcx::McpttId::parse(gms_uri).value();
    settings.domains = {domain};
    settings.creators = {kDispatch, kDispatchTwo};
    settings.c12_wait = 0;
    for (const std::string& other : {kGmsA, kGmsB, kGmsC}) {
      if (other == gms_uri) continue;
      gms::PartnerSettings partner;
      partner.gms_uri = mcx::McpttId::parse(other).value();
      partner.domains = {other.substr(other.find('@') + 1)};
      settings.partners.push_back(std::move(partner));
    }
    key_sets_.push_back(world().kms_of(gms_uri).provision(gms_uri, now()));
    const auto vault = crypto::Vault::make(view("lab"), random_, crypto::kVaultLeastLog2N);
    if (!disk->commit(storage::Write::put(storage::kHeaderKind, "vault", vault.header().write())).ok())
      std::abort();
    boot();
  }
  ~GmsLab() { stop(); }
  GmsLab(const GmsLab&) = delete;
  GmsLab& operator=(const GmsLab&) = delete;

  // Everything in memory is gone; what was committed comes back.
  void restart() {
    stop();
    boot();
  }
  void stop() {
    if (!process_) return;
    process_->loop.stop();
    if (process_->transport) process_->transport->stop();
    process_.reset();
  }

  [[nodiscard]] app::Loop& loop() { return process_->loop; }
  [[nodiscard]] app::GmsCore& core() { return *process_->core; }
  [[nodiscard]] app::GmsFront& front() { return *process_->front; }
  [[nodiscard]] app::Subscriptions& subscriptions() { return *process_->subscriptions; }
  [[nodiscard]] const Clock& clock() const { return time_ ? *time_ : own_clock_; }
  [[nodiscard]] NtpTime now() const { return clock().now(); }
  void advance(std::int64_t seconds) {
    loop().run([&] { own_clock_.advance(seconds); });
  }
  template <class F>
  auto on_loop(F f) {
    std::optional<decltype(f())> out;
    loop().run([&] { out.emplace(f()); });
    return std::move(out).value();
  }
  // Waits until the condition, looked at on the loop, holds; false when patience ends.
  bool until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!on_loop(condition)) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::promise<void> later;
      loop().post_in(std::chrono::milliseconds(20), [&] { later.set_value(); });
      later.get_future().wait();
    }
    return true;
  }
  // Everything the domain remembers, to see that a refusal changed nothing.
  [[nodiscard]] std::size_t commits() const { return disk->commits(); }
  [[nodiscard]] std::size_t keys() {
    return on_loop([&] { return core().gms().state().keys.size(); });
  }
  [[nodiscard]] nlohmann::json ledger(const std::string& group) {
    return nlohmann::json::parse(on_loop([&] { return app::ledger_json(core().gms(), group); }));
  }
  // State of the member's row for the live key of `group`, else for one that is gone; "" without any.
  [[nodiscard]] std::string state_of(const std::string& group, const std::string& member) {
    const auto all = ledger(group);
    std::string gone;
    for (const auto& row : all["rows"]) {
      if (row["member"] != member) continue;
      for (const auto& key : all["keys"])
        if (key["gmk_id"] == row["key"] && !key["withdrawn"].get<bool>()) return row["state"];
      gone = row["state"];
    }
    return gone;
  }

  [[nodiscard]] std::string token(const std::string& identity,
                                  std::vector<std::string> scopes = {kGroupScope},
                                  std::int64_t lifetime = 3600) {
    const NtpTime from = on_loop([&] { return now(); });
    return world()
        .issuer.token({.mcptt_id = identity, .scopes = std::move(scopes), .lifetime = lifetime}, from)
        .value();
  }

  // What a UE sends with that token; an empty one sends no Authorization.
  [[nodiscard]] static http::Request request(const std::string& method, const std::string& resource,
                                             const std::string& token, std::string_view type = {},
                                             std::string_view body = {}) {
    http::Request out;
    out.method = method;
    out.target = "/xcap-root/" + resource;
    out.peer.listener = "ue";
    if (!token.empty()) out.headers.add("Authorization", "Bearer " + token);
    if (!type.empty()) out.headers.add("Content-Type", std::string(type));
    out.body = to_octets(view(body));
    return out;
  }
  // What a server with a certificate for `certified` sends, asserting to be `asserted`.
  [[nodiscard]] static http::Request peer_request(const std::string& method, const std::string& resource,
                                                  const std::string& certified, const std::string& asserted,
                                                  std::string_view type = {}, std::string_view body = {}) {
    http::Request out = request(method, resource, {}, type, body);
    out.peer.listener = "trusted";
    out.peer.certificate.presented = true;
    out.peer.certificate.uris = {certified};
    out.headers.add("X-3GPP-Asserted-Identity", "\"" + asserted + "\"");
    return out;
  }
  // The answer, now or later.
  [[nodiscard]] http::Response ask(const http::Request& request) {
    auto answer = std::make_shared<std::promise<http::Response>>();
    auto waited = answer->get_future();
    loop().run([&] {
      front().handle(request, [answer](http::Response got) { answer->set_value(std::move(got)); });
    });
    if (waited.wait_for(std::chrono::seconds(60)) == std::future_status::ready) return waited.get();
    ADD_FAILURE() << request.method << " " << request.target << " was never answered";
    return http::make_response(0);
  }
  [[nodiscard]] http::Response get(const std::string& who, const std::string& resource) {
    return ask(request("GET", resource, token(who)));
  }
  [[nodiscard]] http::Response gmop(const std::string& who, const xcap::GmopRequest& operation,
                                    const std::string& group = kFire) {
    return ask(
        request("POST", group_path(group), token(who), xcap::mime::kGmop, xcap::write_gmop(operation)));
  }

  [[nodiscard]] static std::string group_path(const std::string& group) {
    return xcap::write_address(xcap::group_address(group));
  }
  [[nodiscard]] static std::string keys_path(const std::string& group) {
    return xcap::write_address(xcap::gktp_address(group));
  }
  [[nodiscard]] std::string creation_path() const {
    return std::string(xcap::auid::kGroups) + "/users/" + http::percent_encode(gms_uri) + "/new";
  }
  // The document a client writes; `extra` goes to the end of list-service.
  [[nodiscard]] static std::string group_text(const std::string& group,
                                              const std::vector<std::string>& members,
                                              const std::string& extra = {}) {
    xcap::GroupDocument document;
    document.uri = group;
    document.list.emplace();
    for (const std::string& member : members) {
      document.list->emplace_back();
      document.list->back().uri = member;
    }
    std::string text = xcap::write_group_document(document);
    return text.insert(text.find("</list-service>"), extra);
  }
  [[nodiscard]] http::Response put(const std::string& who, const std::string& text) {
    return ask(request("PUT", creation_path(), token(who), xcap::mime::kGroup, text));
  }
  void create(const std::string& group, const std::vector<std::string>& members) {
    const unsigned status = put(kDispatch, group_text(group, members)).status;
    ASSERT_TRUE(status == 201 || status == 200) << group << " " << status;
  }

  std::string gms_uri, root;
  gms::Settings settings;
  std::shared_ptr<storage::MemoryStore> disk = std::make_shared<storage::MemoryStore>();
  std::vector<std::string> log;  // on the loop
  bool keyed = true;             // a key set of the present period is held; on the loop
  bool judging = true;           // token keys are held; on the loop

 private:
  struct Process {
    app::Loop loop;
    std::unique_ptr<sip::Transport> transport;
    std::optional<app::SealedStore> store;
    std::unique_ptr<app::Subscriptions> subscriptions;
    std::unique_ptr<app::GmsCore> core;
    std::unique_ptr<app::GmsFront> front;
  };

  void boot() {
    process_ = std::make_unique<Process>();
    Process& p = *process_;
    http::TokenPolicy policy;
    policy.issuer = world().issuer.url();
    policy.scopes = {kGroupScope};
    const auto jwks = [this] {
      return judging ? world().jwks : http::Jwks::none(fail(Errc::transport, "", "no keys", "wait"));
    };
    p.store.emplace(
        app::SealedStore::open(std::make_unique<SharedStore>(disk), view("lab"), random_).value());
    if (make_transport_) {
      p.transport = make_transport_();
      p.subscriptions = std::make_unique<app::Subscriptions>(
          *p.transport, p.loop, app::Subscriptions::Access{policy, jwks, gms_uri, root}, clock());
    }
    const gms::Presence* presence = p.subscriptions.get();
    p.core = std::make_unique<app::GmsCore>(
        gms::Surroundings{settings, world().domains, key_sets_, presence ? *presence : nobody_, clock(),
                          random_},
        *p.store, p.loop, [this](const std::string& line) { log.push_back(line); });
    p.front = std::make_unique<app::GmsFront>(*p.core, "/xcap-root/", policy, jwks, clock(),
                                              [this] { return keyed; });
    p.loop.run([&] { start(p); });
  }
  // In the order of `gms serve`: records, flows, dialogs.
  void start(Process& p) {
    if (p.subscriptions) {
      p.subscriptions->attach(*p.core);
      p.core->documents_changed = [&p](const gms::DocumentsChanged& effect) {
        p.subscriptions->changed(effect.members);
      };
      const auto restored = p.store->load(
          {"subscription"}, [&](const Record& record) { return p.subscriptions->restore(record); });
      EXPECT_TRUE(restored.ok()) << restored.error().text();
    }
    const auto started = p.core->start();
    EXPECT_TRUE(started.ok()) << started.error().text();
    if (!p.subscriptions) return;
    p.transport->serve("", [&p](sip::Incoming in) { p.subscriptions->incoming(std::move(in)); });
    EXPECT_TRUE(p.transport->start().ok());
    p.subscriptions->resume();
  }

  FixedClock own_clock_{kLabNow};
  const Clock* time_;
  crypto::SystemRandom random_;
  std::vector<mcx::KeySet> key_sets_;
  NobodyPresent nobody_;
  MakeTransport make_transport_;
  std::unique_ptr<Process> process_;
};

// A member's client with its keys, fed with the key document it got.
inline LabUe client_of(const std::string& identity, const Clock& clock, const std::string& gms = kGmsA) {
  return LabUe(identity, world().kms_of(identity), world().domains, gms, clock);
}
inline std::vector<ue::Payload> payloads_in(const std::vector<xcap::GktpPayload>& document) {
  std::vector<ue::Payload> out;
  for (const xcap::GktpPayload& one : document)
    out.push_back({one.message, one.temporary, one.parent == xcap::GktpParent::mkfc});
  return out;
}

inline std::string etag_in(const http::Response& response) {
  const auto value = response.headers.find("ETag");
  if (!value || value->size() < 2) return {};
  return std::string(value->substr(1, value->size() - 2));
}

inline xcap::RegroupCreation regroup_request(std::string id, std::vector<std::string> groups) {
  xcap::RegroupCreation out;
  out.id = std::move(id);
  out.regrouped.requestor = kDispatch;
  out.regrouped.constituents = std::move(groups);
  return out;
}
inline xcap::GmopResponse gmop_in(const http::Response& response) {
  EXPECT_EQ(response.status, 200u);
  const auto parsed = xcap::parse_gmop_response(response.body.view());
  EXPECT_TRUE(parsed.ok()) << response.body.text();
  return parsed.ok() ? parsed.value() : xcap::GmopResponse{};
}

}  // namespace regroup::test
