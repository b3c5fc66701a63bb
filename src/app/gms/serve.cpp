// SPDX-License-Identifier: Apache-2.0
#include "app/gms/serve.hpp"

#include <iostream>

#include "app/gms/front.hpp"
#include "app/gms/partner_link.hpp"
#include "app/gms/subscriptions.hpp"
#include "app/kms/client.hpp"
#include "app/process.hpp"
#include "crypto/random.hpp"
#include "sip/sofia.hpp"

namespace regroup::app {
namespace {

// Keys from the KMS; when it is out of reach, those stored at an earlier start (bootstrap.md 5 item 4).
Result<Provisioned> provision(const GmsConfig& config, SealedStore& store, const Clock& clock,
                              const Say& say) {
  const std::string& identity = config.domain.gms_uri.text();
  auto fetched = fetch_keys(config.kms, identity);
  if (fetched.ok()) {
    Provisioned fresh = TRY(read_keys(fetched.value(), identity, config.kms.uri, clock.now()));
    TRY(store.commit(writes_of(fetched.value())));
    return fresh;
  }
  KmsAnswers kept;
  TRY(store.load({"kms"}, [&](const Record& record) {
    take_record(record, kept);
    return Result<void>();
  }));
  if (kept.init.empty()) return fetched.error();
  say("the KMS is out of reach (" + fetched.error().text() + "); starting with stored keys");
  return read_keys(kept, identity, config.kms.uri, clock.now());
}

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

Result<void> serve(const GmsConfig& config, const Say& say) {
  crypto::SystemRandom random;
  const SystemClock clock;
  SealedStore store = TRY(SealedStore::open_file(config.store_file, "gms", config.passphrase_file, random));
  Provisioned keys = TRY(provision(config, store, clock, say));
  for (const auto& [identity, kms] : config.kms_of)
    keys.domains.map_exactly(identity, TRY(mcx::KmsUri::parse(kms)));
  const auto jwks = TRY(http::JwksFile::open(config.jwks_file));

  Loop loop;
  sip::SofiaOptions sip_options;
  sip_options.listen = config.listen_sip;
  sip_options.methods = {"SUBSCRIBE", "NOTIFY"};
  sip_options.post = [&loop](std::function<void()> task) { loop.post(std::move(task)); };
  const auto transport = sip::make_sofia(sip_options, random);
  Subscriptions::Access access{token_policy(config), [&jwks] { return jwks->current(); },
                               config.domain.gms_uri.text(), config.xcap_root};
  Subscriptions subscriptions(*transport, loop, access, clock);
  GmsCore core({config.domain, keys.domains, keys.key_sets, subscriptions, clock, random}, store, loop, say);
  subscriptions.attach(core);
  const auto partners = TRY(PartnerLink::make(config, loop));
  partners->attach(core);
  core.documents_changed = [&subscriptions](const gms::DocumentsChanged& effect) {
    subscriptions.changed(effect.members);
  };

  const std::string root_path = "/" + config.xcap_root.substr(config.xcap_root.find('/', 8) + 1);
  GmsFront front(
      core, root_path, token_policy(config), [&jwks] { return jwks->current(); }, clock);
  http::Server server(listeners(config, say), [&](http::Request request, http::Responder responder) {
    auto held = std::make_shared<http::Responder>(std::move(responder));
    auto asked = std::make_shared<http::Request>(std::move(request));
    loop.post([&front, held, asked] {
      front.handle(*asked, [held](http::Response response) { held->send(std::move(response)); });
    });
  });

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
  say_ready(server.origin("ue") +
            (config.listen_trusted.empty() ? "" : " trusted " + server.origin("trusted")) +
            (config.listen_admin.empty() ? "" : " admin " + server.origin("admin")) + " sip " +
            transport->addresses().front());
  wait_for_stop_signal();
  server.stop();
  transport->stop();
  loop.stop();
  return {};
}

}  // namespace

int run_gms_serve(const GmsServeOptions& options, std::ostream& err) {
  block_stop_signals();
  harden_process();
  const auto config = read_gms_config(options.config_file);
  if (!config.ok()) {
    err << "regroup gms: " << config.error().text() << std::endl;
    return 2;
  }
  const Say say = [&err](const std::string& line) { err << "gms: " + line + "\n" << std::flush; };
  const auto done = serve(config.value(), say);
  if (done.ok()) return 0;
  err << "regroup gms: " << done.error().text() << std::endl;
  return done.error().code == Errc::usage ? 2 : 1;
}

}  // namespace regroup::app
