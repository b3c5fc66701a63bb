// SPDX-License-Identifier: Apache-2.0
#include "app/gms/serve.hpp"

#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/cli/key_files.hpp"
#include "app/gms/front.hpp"
#include "app/gms/keys.hpp"
#include "app/gms/partner_link.hpp"
#include "app/gms/subscriptions.hpp"
#include "app/process.hpp"
#include "base/workers.hpp"
#include "crypto/random.hpp"
#include "sip/sofia.hpp"

namespace regroup::app {
namespace {

http::TokenPolicy token_policy(const GmsConfig& config) {
  http::TokenPolicy policy;
  policy.issuer = config.issuer;
  policy.audience = config.audience;
  policy.scopes = config.scopes;
  return policy;
}

http::ServerOptions listeners(const GmsConfig& config, const Say& say) {
  http::ServerOptions options;
  constexpr std::size_t kBody = 4 << 20;  // PR-12
  const auto add = [&](const char* name, const std::string& address, http::ClientCertificate client) {
    if (address.empty()) return;
    http::ListenerOptions listener;
    listener.name = name;
    listener.address = address;
    listener.certificate_file = config.certificate_file;
    listener.key_file = config.key_file;
    listener.client_certificate = client;
    if (client != http::ClientCertificate::none) listener.client_ca_file = config.trusted_ca_file;
    listener.body_limit = kBody;
    options.listeners.push_back(std::move(listener));
  };
  add("ue", config.listen_ue, http::ClientCertificate::none);
  add("trusted", config.listen_trusted, http::ClientCertificate::required);
  add("admin", config.listen_admin, http::ClientCertificate::required);
  options.on_fault = [say](const Error& error) { say(error.text()); };
  return options;
}

nlohmann::json ready_line(const GmsConfig& config, const http::Server& server,
                          const sip::Transport& transport, bool keys) {
  nlohmann::json out{{"ready", server.origin("ue")}, {"sip", transport.addresses().front()}, {"keys", keys}};
  if (!config.listen_trusted.empty()) out["trusted"] = server.origin("trusted");
  if (!config.listen_admin.empty()) out["admin"] = server.origin("admin");
  return out;
}

// Whatever ends serve(), a start that fails included: first nobody calls in any more, then the loop ends, and
// only then go the objects that it works on.
struct StopOnReturn {
  GmsKeys& keys;
  http::Server& server;
  sip::Transport& transport;
  Loop& loop;
  ~StopOnReturn() {
    keys.stop();
    server.stop();
    transport.stop();
    loop.stop();
  }
};

Result<void> serve(const GmsConfig& config, const GmsServeOptions& run, const Clock& clock, const Say& say) {
  crypto::SystemRandom random;
  SealedStore store = TRY(SealedStore::open_file(config.store_file, "gms", config.passphrase_file, random));
  if (config.kms.policy == KmsPolicy::plain)
    say("warning: [kms] policy is plain: keys of this server come from its KMS without transport keys");
  GmsKeys keys(config, clock, say);
  TRY(keys.start(store));
  const bool keys_held = keys.ready();
  auto token_keys = JwksSource::open(config.jwks, say);
  if (!token_keys.ok()) return std::move(token_keys).error().with("token.jwks");
  const std::unique_ptr<JwksSource> jwks = std::move(token_keys).value();

  Loop loop;
  sip::SofiaOptions sip_options;
  sip_options.listen = config.listen_sip;
  sip_options.methods = {"SUBSCRIBE", "NOTIFY"};
  sip_options.post = [&loop](std::function<void()> task) { loop.post(std::move(task)); };
  const auto transport = sip::make_sofia(sip_options, random);
  Subscriptions::Access access{token_policy(config), [&jwks] { return jwks->current(); },
                               config.domain.gms_uri.text(), config.xcap_root};
  Subscriptions subscriptions(*transport, loop, access, clock);
  GmsCore core({config.domain, keys.domains(), keys.key_sets(), subscriptions, clock, random}, store, loop,
               say);
  subscriptions.attach(core);
  const auto partners = TRY(PartnerLink::make(config, loop));
  partners->attach(core);
  core.documents_changed = [&subscriptions](const gms::DocumentsChanged& effect) {
    subscriptions.changed(effect.members);
  };

  const std::string root_path = "/" + config.xcap_root.substr(config.xcap_root.find('/', 8) + 1);
  GmsFront front(
      core, root_path, token_policy(config), [&jwks] { return jwks->current(); }, clock,
      [&keys] { return keys.ready(); });
  http::ServerOptions options = listeners(config, say);
  options.admit = [&front](const http::Request& head) { return front.refusal(head); };
  http::Server server(std::move(options), [&](http::Request request, http::Responder responder) {
    auto held = std::make_shared<http::Responder>(std::move(responder));
    auto asked = std::make_shared<http::Request>(std::move(request));
    loop.post([&front, held, asked] {
      front.handle(*asked, [held](http::Response response) { held->send(std::move(response)); });
    });
  });
  const StopOnReturn stop{keys, server, *transport, loop};

  // A restarted GMS resumes its flows and subscriptions before it opens its listeners.
  Result<void> restored;
  loop.run([&] {
    restored =
        store.load({"subscription"}, [&](const Record& record) { return subscriptions.restore(record); });
    if (restored.ok()) restored = core.start();
  });
  TRY(std::move(restored));
  transport->serve("",
                   [&subscriptions](sip::Incoming incoming) { subscriptions.incoming(std::move(incoming)); });
  TRY(transport->start());
  loop.run([&] { subscriptions.resume(); });
  TRY(server.start());
  keys.follow(loop, [&core](const Writes& writes) { core.commit(writes); });
  const nlohmann::json line = ready_line(config, server, *transport, keys_held);
  if (run.json)
    say_ready_json(line);
  else
    say_ready(server.origin("ue") +
              (config.listen_trusted.empty() ? "" : " trusted " + server.origin("trusted")) +
              (config.listen_admin.empty() ? "" : " admin " + server.origin("admin")) + " sip " +
              transport->addresses().front() + (keys_held ? "" : " without keys"));
  wait_for_stop_signal();
  return {};
}

}  // namespace

int run_gms_serve(const GmsServeOptions& options, std::ostream& err, const Clock& clock) {
  block_stop_signals();
  harden_process();
  const Say say = [&err](const std::string& line) { err << "gms: " + line + "\n" << std::flush; };
  const auto done = [&]() -> Result<void> {
    TRY(check_clock(clock));
    const GmsConfig config = TRY(read_gms_config(options.config_file));
    set_worker_threads(std::thread::hardware_concurrency());  // a large group is keyed on all cores
    return serve(config, options, clock, say);
  }();
  if (done.ok()) return 0;
  err << "regroup gms: " << done.error().text() << std::endl;
  if (options.json) std::cout << nlohmann::json{{"error", cli::error_json(done.error())}}.dump() << std::endl;
  return cli::exit_of_role(done.error());
}

}  // namespace regroup::app
