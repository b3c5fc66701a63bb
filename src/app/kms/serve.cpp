// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>

#include "app/cli/key_files.hpp"
#include "app/cli/kms.hpp"
#include "app/kms/audit.hpp"
#include "app/kms/directory.hpp"
#include "app/kms/front.hpp"
#include "app/process.hpp"
#include "base/text.hpp"
#include "http/server.hpp"

namespace regroup::app::cli {
namespace {

constexpr const char* kListener = "kms";

// Lines of several threads, each whole.
class Log {
 public:
  explicit Log(std::ostream& out) : out_(out) {}
  void operator()(const std::string& line) {
    const std::lock_guard lock(mutex_);
    out_ << "kms: " << line << std::endl;
  }

 private:
  std::ostream& out_;
  std::mutex mutex_;
};

std::string line_of(const KmsAnswer& answer, const http::Peer& peer, NtpTime now) {
  return date_time(now) + " " + printable(peer.address) + " " +
         (answer.identity.empty() ? "-" : answer.identity) + " " + answer.resource + " " +
         std::to_string(answer.response.status) + " " + answer.reason +
         (answer.detail.empty() ? "" : " (" + answer.detail + ")");
}

http::ServerOptions server_options(const KmsServeOptions& options, Log& log) {
  http::ListenerOptions listener;
  listener.name = kListener;
  listener.address = options.listen;
  listener.certificate_file = options.tls_cert;
  listener.key_file = options.tls_key;
  listener.client_ca_file = options.client_ca;
  listener.client_certificate =
      options.client_ca.empty() ? http::ClientCertificate::none : http::ClientCertificate::optional;
  listener.body_limit = kMaxKmsRequest;
  http::ServerOptions out;
  out.listeners.push_back(std::move(listener));
  out.threads = 2;
  out.on_fault = [&log](const Error& error) { log(error.text()); };
  return out;
}

Result<ServerAuth> server_auth(const KmsServeOptions& options) {
  const std::string& name = options.server_auth;
  const bool ca = !options.client_ca.empty();
  if (name.empty()) return ca ? ServerAuth::mtls_token : ServerAuth::token;
  if (name == "token") return ServerAuth::token;
  if (name != "mtls" && name != "mtls+token")
    return fail(Errc::usage, "TS 33.180 D.2", "--server-auth: '" + printable(name, 40) + "' is no way to ask",
                "choose mtls+token, mtls or token");
  if (!ca)
    return fail(Errc::usage, "TS 33.180 D.2", "--server-auth " + name + " needs client certificates",
                "name the CA of the servers with --client-ca, or use --server-auth token");
  return name == "mtls" ? ServerAuth::mtls : ServerAuth::mtls_token;
}

// The client has its new transport keys: the ones before are destroyed (TS 33.180 9.3). If that cannot be
// kept, both go on being accepted and the next request of the client tries again.
void take_over(LiveKms& live, kms::AuditLog& audit_log, const std::string& identity, NtpTime now, Log& log) {
  const auto changed = live.change([&](kms::Kms& kms) -> Result<void> {
    if (!kms.transport_keys().promote(identity)) return {};  // by another of its requests
    const kms::ClientKeys* keys = kms.transport_keys().find(identity);
    return audit(audit_log, "transport-keys-taken-over",
                 {{"identity", identity}, {"trk_id", keys->present().trk_id}}, now);
  });
  if (!changed.ok()) log("the transport keys of " + identity + ": " + changed.error().text());
}

// A file that is none is named with its option.
Result<void> check_files(const KmsServeOptions& options) {
  TRY(argument(http::check_certificate_file(options.tls_cert), "--tls-cert"));
  TRY(argument(http::check_key_file(options.tls_key, options.tls_cert), "--tls-key"));
  if (!options.client_ca.empty()) TRY(argument(http::check_ca_file(options.client_ca), "--client-ca"));
  return {};
}

Result<void> serve(const KmsServeOptions& options, const Clock& clock, Log& log) {
  TRY(check_clock(clock));
  if (options.issuer.empty())
    return fail(Errc::usage, "TS 33.180 B.4.2", "--issuer is missing",
                "name the token issuer that is trusted");
  LiveKms live(options.directory, TRY(open_kms(options.directory, options.passphrase_file)));
  TRY(publish_certificate(options.directory, live.kms()));
  TRY(check_files(options));
  const std::unique_ptr<http::JwksFile> jwks =
      TRY(argument(http::JwksFile::open(options.jwks_file), "--jwks"));

  crypto::SystemRandom random;
  KmsFrontSettings settings;
  settings.tokens.issuer = options.issuer;
  settings.tokens.audience = options.audience;
  settings.server_auth = TRY(server_auth(options));
  const KmsFront front(live.kms(), settings, random);
  if (settings.server_auth == ServerAuth::token)
    log("warning: server identities are served on their token alone (--client-ca, --server-auth)");

  const auto audit_log = TRY(kms::AuditLog::open(options.directory));
  http::Server server(server_options(options, log), [&](http::Request request, http::Responder respond) {
    const auto refreshed = live.refresh();
    if (!refreshed.ok()) log(refreshed.error().text());
    if (refreshed.ok() && *refreshed) log("took over the changed directory");
    const NtpTime now = clock.now();
    KmsAnswer answer;
    nlohmann::json record;
    {
      const auto lock = live.reading();
      answer = front.answer(request, jwks->current(), now);
      record = audit_record(answer, request.peer, live.kms());
    }
    log(line_of(answer, request.peer, now));  // both before the answer leaves
    const auto recorded = audit(*audit_log, "request", std::move(record), now);
    if (recorded.ok() && answer.uses_successor) take_over(live, *audit_log, answer.identity, now, log);
    if (recorded.ok()) return respond(std::move(answer.response));
    log("no answer leaves without its record: " + recorded.error().text());
    respond(http::make_response(503));
  });
  TRY(server.start());
  TRY(audit(*audit_log, "start", {{"kms_uri", live.kms().registry().own().kms_uri}}, clock.now()));
  if (options.json)
    say_ready_json({{"ready", server.origin(kListener)}});
  else
    say_ready(server.origin(kListener));
  wait_for_stop_signal();
  server.stop();
  return audit(*audit_log, "stop", nlohmann::json::object(), clock.now());
}

}  // namespace

int run_kms_serve(const KmsServeOptions& options, std::ostream& err, const Clock& clock) {
  harden_process();
  block_stop_signals();
  Log log(err);
  const auto served = serve(options, clock, log);
  if (served.ok()) return 0;
  return refuse_kms_verb("serve", served.error(), options.json, std::cout, err);
}

}  // namespace regroup::app::cli
