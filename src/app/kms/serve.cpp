// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/cli/key_files.hpp"
#include "app/cli/kms.hpp"
#include "app/jwks_source.hpp"
#include "app/kms/audit.hpp"
#include "app/kms/directory.hpp"
#include "app/kms/front.hpp"
#include "app/kms/watch.hpp"
#include "app/kms/work_queue.hpp"
#include "app/process.hpp"
#include "base/text.hpp"
#include "http/server.hpp"

namespace regroup::app::cli {
namespace {

constexpr const char* kListener = "kms";
constexpr const char* kWatchListener = "watch";

// Lines of several threads, each whole.
class Log {
 public:
  Log(std::ostream& out, bool json, const Clock& clock) : out_(out), json_(json), clock_(clock) {}
  void operator()(const std::string& line) {
    write(json_ ? object("message", {{"message", line}}) : "kms: " + line);
  }
  // Of one request.
  void operator()(const std::string& line, const nlohmann::json& fields) {
    write(json_ ? object("request", fields) : "kms: " + line);
  }

 private:
  [[nodiscard]] std::string object(const char* event, nlohmann::json fields) const {
    fields["time"] = date_time(clock_.now());
    fields["event"] = event;
    return fields.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  void write(const std::string& line) {
    const std::lock_guard lock(mutex_);
    out_ << line << std::endl;
  }

  std::ostream& out_;
  bool json_;
  const Clock& clock_;
  std::mutex mutex_;
};

nlohmann::json fields_of(const KmsAnswer& answer, const http::Peer& peer) {
  nlohmann::json out{{"peer", peer.address},
                     {"identity", answer.identity},
                     {"resource", answer.resource},
                     {"status", answer.response.status},
                     {"reason", answer.reason}};
  if (!answer.detail.empty()) out["detail"] = answer.detail;
  return out;
}

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
  if (!options.watch.empty()) {
    http::ListenerOptions watch;
    watch.name = kWatchListener;
    watch.address = options.watch;
    watch.certificate_file = options.tls_cert;
    watch.key_file = options.tls_key;
    watch.body_limit = 0;
    watch.methods = {"GET", "HEAD"};
    out.listeners.push_back(std::move(watch));
  }
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

// While the store cannot be followed nobody gets keys: who was suspended or revoked meanwhile is not known.
// Asked of the answer, not of the path: that can be spelt in many ways.
void withhold(KmsAnswer& answer, const KmsFront& front, const http::Request& request, NtpTime now,
              const std::string& why) {
  constexpr std::int64_t kLater = 60;
  answer.response = front.overloaded(request, now, kLater);
  answer.reason = "overloaded";
  answer.detail = why;
  answer.periods.clear();
}

// Who is turned away is told a moment of his own to come back, or all would come back at once.
std::int64_t moment_to_return(Random& random) {
  constexpr std::int64_t kSoonest = 5, kSpread = 56;
  return kSoonest + random.octets<1>()[0] % kSpread;
}

// Those turned away, in sum: a line for each would be a load of its own.
class TurnedAway {
 public:
  explicit TurnedAway(Log& log) : log_(log) {}
  void one_more(NtpTime now) {
    const std::lock_guard lock(mutex_);
    ++count_;
    if (now.seconds == told_) return;
    told_ = now.seconds;
    log_(date_time(now) + " overloaded: 503 to " + std::to_string(std::exchange(count_, 0)) +
         " requests since this was last said");
  }

 private:
  Log& log_;
  std::mutex mutex_;
  std::uint64_t count_ = 0;
  std::int64_t told_ = 0;
};

// A file that is none is named with its option.
Result<void> check_files(const KmsServeOptions& options) {
  TRY(argument(http::check_certificate_file(options.tls_cert), "--tls-cert"));
  TRY(argument(http::check_key_file(options.tls_key, options.tls_cert), "--tls-key"));
  if (!options.client_ca.empty()) TRY(argument(http::check_ca_file(options.client_ca), "--client-ca"));
  if (!options.jwks_ca.empty()) TRY(argument(http::check_ca_file(options.jwks_ca), "--jwks-ca"));
  if (is_url(options.jwks)) TRY(argument(jwks_url(options.jwks), "--jwks"));
  return {};
}

// A file that is none is a matter of usage; an issuer that does not answer is not.
Result<std::unique_ptr<JwksSource>> token_keys(const KmsServeOptions& options, Log& log) {
  auto keys =
      JwksSource::open({options.jwks, options.jwks_ca}, [&log](const std::string& line) { log(line); });
  if (!is_url(options.jwks)) return argument(std::move(keys), "--jwks");
  if (!keys.ok()) return std::move(keys).error().with("--jwks");
  return keys;
}

Result<void> serve(const KmsServeOptions& options, const Clock& clock, Log& log) {
  TRY(check_clock(clock));
  if (options.issuer.empty())
    return fail(Errc::usage, "TS 33.180 B.4.2", "--issuer is missing",
                "name the token issuer that is trusted");
  const StoreKey key{options.passphrase_file, options.token};
  LiveKms live(options.directory, TRY(open_kms(options.directory, key)), key);
  TRY(publish_certificates(options.directory, live.kms(), clock.now()));
  TRY(check_files(options));
  const std::unique_ptr<JwksSource> jwks = TRY(token_keys(options, log));

  crypto::SystemRandom random;
  KmsFrontSettings settings;
  settings.tokens.issuer = options.issuer;
  settings.tokens.audience = options.audience;
  settings.server_auth = TRY(server_auth(options));
  settings.rate = options.rate;
  const KmsFront front(live.kms(), settings, random);
  if (settings.server_auth == ServerAuth::token)
    log("warning: server identities are served on their token alone (--client-ca, --server-auth)");

  const auto audit_log = TRY(kms::AuditLog::open(options.directory));
  KmsWatch watch([&] {
    const auto lock = live.reading();
    const kms::Registry& registry = live.kms().registry();
    const auto usable = live.kms().certificate_at(clock.now()).usable_at(clock.now());
    const http::Jwks keys = jwks->current();
    return KmsWatch::State{registry.cache_num(), registry.subscribers(),
                           !usable.ok()      ? usable.error().text()
                           : keys.why_none() ? keys.why_none()->text()
                                             : std::string()};
  });
  const auto work = [&](const http::Request& request, http::Responder respond) {
    const auto begun = std::chrono::steady_clock::now();
    const auto refreshed = live.refresh();
    if (!refreshed.ok()) log(refreshed.error().text());
    const std::string behind = live.behind();
    watch.trouble("store", refreshed.ok() ? behind : refreshed.error().text());
    if (refreshed.ok() && *refreshed) log("took over the changed directory");
    const NtpTime now = clock.now();
    KmsAnswer answer;
    nlohmann::json record;
    {
      const auto lock = live.reading();
      answer = front.answer(request, jwks->current(), now);
      if (!behind.empty() && !answer.periods.empty()) withhold(answer, front, request, now, behind);
      record = audit_record(answer, request.peer, live.kms());
    }
    log(line_of(answer, request.peer, now),
        fields_of(answer, request.peer));  // both before the answer leaves
    const auto recorded = audit(*audit_log, "request", std::move(record), now);
    watch.trouble("audit", recorded.ok() ? std::string() : recorded.error().text());
    if (!recorded.ok()) {
      answer.periods.clear();  // no key leaves
      answer.response.status = 503;
    }
    watch.answered(answer, std::chrono::steady_clock::now() - begun);
    if (recorded.ok() && answer.uses_successor) take_over(live, *audit_log, answer.identity, now, log);
    if (recorded.ok()) return respond(std::move(answer.response));
    log("no answer leaves without its record: " + recorded.error().text());
    respond(http::make_response(503));
  };
  WorkQueue queue(std::max(2U, std::thread::hardware_concurrency()), options.waiting, work,
                  [&log](const std::string& fault) { log(fault); });
  TurnedAway turned_away(log);
  http::Server server(server_options(options, log), [&](http::Request request, http::Responder respond) {
    if (request.peer.listener == kWatchListener) return respond(watch.answer(request));
    if (queue.offer(request, respond)) return;
    watch.turned_away();
    const NtpTime now = clock.now();
    turned_away.one_more(now);
    respond(front.overloaded(request, now, moment_to_return(random)));
  });
  TRY(server.start());
  TRY(audit(*audit_log, "start", {{"kms_uri", live.kms().registry().own().kms_uri}}, clock.now()));
  if (!options.watch.empty()) log("watch me at " + server.origin(kWatchListener));
  if (options.json)
    say_ready_json({{"ready", server.origin(kListener)}});
  else
    say_ready(server.origin(kListener));
  wait_for_stop_signal();
  server.stop();
  queue.stop();
  return audit(*audit_log, "stop", nlohmann::json::object(), clock.now());
}

}  // namespace

int run_kms_serve(const KmsServeOptions& options, std::ostream& err, const Clock& clock) {
  harden_process();
  block_stop_signals();
  Log log(err, options.json_log, clock);
  const auto served = serve(options, clock, log);
  if (served.ok()) return 0;
  return refuse_kms_verb("serve", served.error(), options.json, std::cout, err);
}

}  // namespace regroup::app::cli
