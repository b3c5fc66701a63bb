// SPDX-License-Identifier: Apache-2.0
#include "app/kms/client.hpp"

#include <algorithm>
#include <set>

#include "app/http_call.hpp"
#include "app/kms/front.hpp"
#include "app/kms/offline.hpp"
#include "app/kms/protection.hpp"
#include "app/kms/schedule.hpp"
#include "app/kms/traps.hpp"
#include "base/text.hpp"
#include "crypto/random.hpp"
#include "http/bearer.hpp"
#include "http/target.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kResponse = "TS 33.180 D.3.1";

std::string resource_url(const KmsAccess& access, std::string_view resource) {
  std::string url = access.url;
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url + std::string(kKmsRoot) + std::string(resource);
}

// A client that has transport keys signs, whatever its policy: the KMS may demand it.
Result<std::string> body_of(const kms::TransportKeys* keys, kmsxml::KmsRequest request) {
  if (!keys) return kmsxml::write(request);
  crypto::SystemRandom random;
  request.id = "q" + hex(random.octets<8>());
  return kmsxml::sign(request, signing_key_of(*keys));
}

Result<http::ClientRequest> request_for(const KmsAccess& access, const std::string& identity,
                                        std::string_view resource, const SecretOctets& token,
                                        const kms::TransportKeys* keys, NtpTime now) {
  http::ClientRequest request;
  request.method = "POST";
  request.url = resource_url(access, resource);
  if (!token.empty()) http::add_bearer(request.headers, token.expose());
  request.headers.add("Content-Type", "application/xml");
  request.headers.add("Accept", "application/xml, text/xml;q=0.9");
  const kmsxml::KmsRequest body{.user_uri = identity,
                                .kms_uri = access.uri,
                                .time = now,
                                .client_id = "regroup",
                                .client_req_url = request.url};
  request.body = to_octets(view(TRY(body_of(keys, body))));
  return request;
}

// One exchange with the KMS: what it is led with, and what came of it beside the answers.
struct Exchange {
  const KmsAccess& access;
  const std::string& identity;
  const TokenWait& wait;
  const KmsCall& call;
  const Clock& clock;
  SecretOctets token;
  std::vector<kms::TransportKeys> keys;  // the newest last; empty without
  std::optional<kms::TransportKeys> successor = {};

  [[nodiscard]] const kms::TransportKeys* signing() const { return keys.empty() ? nullptr : &keys.back(); }
};

// One resource. After a 401 with a new token once more; after a 403 under a successor with the keys before
// it: a KMS that came back from a backup may not know it.
Result<OpenedAnswer> ask(Exchange& x, std::string_view resource) {
  for (int tries = 0;; ++tries) {
    Question question{x.access, x.identity, resource_url(x.access, resource), x.clock.now(), {}, x.signing()};
    const http::Response response =
        TRY(x.call(TRY(request_for(x.access, x.identity, resource, x.token, x.signing(), question.asked))));
    question.answered = x.clock.now();
    if (response.status == 200) {
      OpenedAnswer opened = TRY(opened_answer(response.body.view(), question));
      if (opened.successor) x.successor = std::move(opened.successor);
      return opened;
    }
    if (response.status == 403 && x.keys.size() > 1) {
      x.keys.pop_back();
      continue;
    }
    if (response.status != 401 || tries > 0) return refusal_of(question, resource, response);
    x.token = TRY(read_token_again(x.access, x.token.expose(), x.wait));
  }
}

}  // namespace

template <class Kind>
Result<Kind> content_of(const SecretOctets& document, std::string_view resource, const std::string& identity,
                        const std::string& kms_uri, const kmsxml::Profile& profile) {
  kmsxml::KmsResponse response = TRY(kmsxml::parse_response(document.expose(), profile));
  const std::string which = "the answer to " + std::string(resource);
  if (response.kms_uri != kms_uri)
    return fail(Errc::conflict, "PR-38",
                which + " is of KMS " + printable(response.kms_uri) + ", configured is " + kms_uri,
                "check kms.uri and kms.url");
  if (response.user_uri != identity)
    return fail(
        Errc::not_for_me, kResponse,
        which + " is for " + printable(response.user_uri) + ", configured is " + identity,
        "configure the identity exactly as it is registered at the KMS" +
            std::string(same_but_for_form(response.user_uri, identity) ? ", scheme included (trap T-23)"
                                                                       : ""));
  if (auto* kind = std::get_if<Kind>(&response.content)) return std::move(*kind);
  const auto* error = std::get_if<kmsxml::KmsError>(&response.content);
  return fail(Errc::malformed, kResponse,
              which + " holds " + (error ? "KmsError: " + error->message : "another message"),
              error ? "report it to the KMS operator"
                    : "report it to the KMS operator (trap T-25); the keys that are held stay in use");
}
template Result<kmsxml::KmsInit> content_of(const SecretOctets&, std::string_view, const std::string&,
                                            const std::string&, const kmsxml::Profile&);
template Result<kmsxml::KmsKeyProv> content_of(const SecretOctets&, std::string_view, const std::string&,
                                               const std::string&, const kmsxml::Profile&);
template Result<kmsxml::KmsCertCache> content_of(const SecretOctets&, std::string_view, const std::string&,
                                                 const std::string&, const kmsxml::Profile&);

namespace {

Result<void> take_own_certificate(const kmsxml::KmsInit& init, const std::string& kms_uri, NtpTime now,
                                  const kmsxml::Profile& profile, mcx::Domains& domains) {
  if (init.certificate.kms_uri != kms_uri)
    return fail(Errc::conflict, "PR-38",
                "KmsInit holds the certificate of " + printable(init.certificate.kms_uri) +
                    ", configured is " + kms_uri,
                "check kms.uri and kms.url");
  mcx::KmsCertificate own = TRY(certificate_of(init.certificate, profile));
  TRY(own.usable_at(now));
  return domains.add(std::move(own));
}

// Of the own KMS: those before and after the one in force, for the messages of their time.
bool is_wanted(const mcx::KmsCertificate& one, const mcx::KmsCertificate& own) {
  return one.kms_uri != own.kms_uri || side_by_side(one, own);
}

// One unusable partner must not cost us the others.
void take_other_certificates(const kmsxml::KmsCertCache& cache, const kmsxml::Profile& profile,
                             Provisioned& out) {
  const mcx::KmsCertificate own = out.domains.all().front();
  for (const kmsxml::KmsCertificate& one : cache.certificates) {
    auto checked = one.kms_uri == own.kms_uri.text() ? certificate_of(one, profile) : certificate_of(one);
    if (checked.ok() && !is_wanted(*checked, own)) continue;
    const Result<void> taken =
        checked.ok() ? out.domains.add(std::move(checked).value()) : Result<void>(std::move(checked).error());
    if (!taken.ok()) out.warnings.push_back(taken.error());
  }
}

// The one in force first, then those announced or over.
Result<std::vector<kmsxml::KmsCertificate>> own_certificates_in(const KmsAnswers& answers,
                                                                const kmsxml::Profile& profile) {
  kmsxml::KmsResponse response = TRY(kmsxml::parse_response(answers.init.expose(), profile));
  auto* init = std::get_if<kmsxml::KmsInit>(&response.content);
  if (!init)
    return fail(Errc::malformed, kResponse, "the answer to /init holds another message",
                "report it to the KMS operator");
  std::vector<kmsxml::KmsCertificate> out{std::move(init->certificate)};
  const auto cached = kmsxml::parse_response(answers.certcache.expose(), profile);
  const auto* cache = cached.ok() ? std::get_if<kmsxml::KmsCertCache>(&cached->content) : nullptr;
  for (std::size_t i = 0; cache && i < cache->certificates.size(); ++i)
    if (cache->certificates[i].kms_uri == out.front().kms_uri) out.push_back(cache->certificates[i]);
  return out;
}

bool same_keys(const kmsxml::KmsCertificate& a, const kmsxml::KmsCertificate& b) {
  return a.pub_enc_key == b.pub_enc_key && a.pub_auth_key == b.pub_auth_key &&
         a.user_key_period == b.user_key_period && a.user_key_offset == b.user_key_offset;
}

// Of a /keyprov answer; empty for what is none.
struct PeriodsIn {
  std::set<std::int64_t> given, revoked;
  bool readable = false;
};
PeriodsIn periods_in(const SecretOctets& keyprov, const kmsxml::Profile& profile) {
  PeriodsIn out;
  if (keyprov.empty()) return out;
  const auto response = kmsxml::parse_response(keyprov.expose(), profile);
  const auto* provided = response.ok() ? std::get_if<kmsxml::KmsKeyProv>(&response->content) : nullptr;
  out.readable = provided != nullptr;
  if (provided)
    for (const kmsxml::KmsKeySet& one : provided->key_sets)
      (one.revoked ? out.revoked : out.given).insert(one.key_period_no);
  return out;
}

// Where the key set of the next period is to be had: in the window before a roll-over, when the KMS did not
// give it with the present one. Nothing while the answers cannot be read.
std::optional<std::string> resource_of_next(const KmsAnswers& answers, const kmsxml::Profile& profile,
                                            const std::string& identity, NtpTime now) {
  const auto own = own_certificates_in(answers, profile);
  if (!own.ok()) return std::nullopt;
  const auto certificate = certificate_of(own->front(), profile);
  if (!certificate.ok()) return std::nullopt;
  const PeriodsIn given = periods_in(answers.keyprov, profile);
  const std::int64_t next = certificate->periods.number_at(now) + 1;
  const NtpTime boundary = certificate->periods.start_of(next);
  if (given.given.count(next - 1) == 0 || given.given.count(next) > 0 || !given.revoked.empty() ||
      now < window_before(boundary, certificate->periods).from)
    return std::nullopt;
  return "/keyprov/" + http::percent_encode(identity) + "/" + hex_upper(boundary.plus(1).wire());
}

bool held(const std::vector<mcx::KeySet>& all, std::int64_t period) {
  return std::any_of(all.begin(), all.end(),
                     [&](const mcx::KeySet& one) { return one.period_no() == period; });
}

// Those of `period` that another answer gave: of the period before, what cannot be used is no loss but old
// messages, and of the next one it is asked for again.
void take_other(const SecretOctets& other, const std::string& identity, const std::string& kms_uri,
                std::int64_t period, const kmsxml::Profile& profile, Provisioned& out) {
  if (other.empty() || held(out.key_sets, period)) return;
  const auto earlier = content_of<kmsxml::KmsKeyProv>(other, "/keyprov", identity, kms_uri, profile);
  if (!earlier.ok()) return out.warnings.push_back(earlier.error());
  for (const kmsxml::KmsKeySet& one : earlier->key_sets) {
    if (one.revoked || one.key_period_no != period || one.user_uri != identity) continue;
    auto keys = key_set_of(one, out.domains, profile);
    if (keys.ok()) out.key_sets.push_back(std::move(keys).value());
    if (!keys.ok()) out.warnings.push_back(keys.error());
  }
}

}  // namespace

Result<void> check_pinned(const KmsAnswers& fresh, const KmsAnswers& stored, const kmsxml::Profile& profile) {
  if (stored.init.empty()) return {};
  const auto pinned = TRY(own_certificates_in(stored, profile)),
             shown = TRY(own_certificates_in(fresh, profile));
  if (shown.front().kms_uri != pinned.front().kms_uri)
    return fail(Errc::conflict, "PR-38",
                "the store was made with the KMS " + printable(pinned.front().kms_uri) + ", this one is " +
                    printable(shown.front().kms_uri),
                "check kms.uri; another KMS needs a new store");
  for (const kmsxml::KmsCertificate& now : shown)
    for (const kmsxml::KmsCertificate& before : pinned)
      if (now.cert_uri == before.cert_uri && !same_keys(now, before))
        return fail(Errc::conflict, "TS 33.180 D.3.2",
                    "the KMS " + printable(now.kms_uri) +
                        " shows other keys or periods under the same CertUri " + printable(now.cert_uri) +
                        " than before",
                    "do not go on: ask the KMS operator, by voice, whether this is the right KMS");
  return {};
}

KmsAnswers keep_previous(KmsAnswers fresh, const KmsAnswers& stored, const kmsxml::Profile& profile) {
  const PeriodsIn now = periods_in(fresh.keyprov, profile);
  if (now.readable && now.given.empty() && now.revoked.empty() && !stored.keyprov.empty()) {
    fresh.empty = true;
    fresh.keyprov = stored.keyprov.duplicate();
    fresh.previous = stored.previous.duplicate();
    fresh.next = stored.next.duplicate();
    return fresh;
  }
  if (!now.revoked.empty()) return fresh;  // keys of earlier do not survive a revocation
  const bool older =
      !now.given.empty() && periods_in(stored.keyprov, profile).given.count(*now.given.begin() - 1) > 0;
  fresh.previous = (older ? stored.keyprov : stored.previous).duplicate();
  if (fresh.next.empty()) fresh.next = stored.next.duplicate();
  return fresh;
}

Result<KmsCall> kms_over_tls(const KmsAccess& access, std::stop_token stop) {
  http::ClientOptions options;
  options.ca_file = access.ca_file;
  options.certificate_file = access.certificate_file;
  options.key_file = access.key_file;
  options.response_limit = std::size_t{1} << 20;
  const std::shared_ptr<http::Client> client = TRY(http::Client::make(options));
  return KmsCall([client, stop = std::move(stop)](http::ClientRequest request) {
    return call_until_stopped(*client, std::move(request), std::chrono::seconds(20), stop);
  });
}

Result<KmsAnswers> fetch_keys(const KmsAccess& access, const std::string& identity, std::stop_token stop) {
  if (access.url.starts_with(kOfflineScheme))
    return read_offline_package(access, identity, SystemClock().now());
  const KmsCall over_tls = TRY(kms_over_tls(access, stop));
  return fetch_keys(access, identity, over_tls, SystemClock(), stop);
}

Result<AskedKms> ask_kms(const KmsAccess& access, const std::string& identity,
                         const std::vector<std::string>& resources, const KmsCall& call, const Clock& clock,
                         std::stop_token stop) {
  TokenWait wait;
  wait.stop = std::move(stop);
  Exchange x{access, identity, wait, call, clock, TRY(read_token(access, wait)), {}};
  if (access.transport_keys) x.keys = access.transport_keys->keys();
  AskedKms out;
  for (const std::string& resource : resources) out.answers.push_back(TRY(ask(x, resource)));
  if (x.signing()) out.transport = access.transport_keys->record_after(*x.signing(), x.successor);
  return out;
}

Result<KmsAnswers> fetch_keys(const KmsAccess& access, const std::string& identity, const KmsCall& call,
                              const Clock& clock, std::stop_token stop) {
  AskedKms asked = TRY(ask_kms(access, identity, {"/init", "/keyprov", "/certcache"}, call, clock, stop));
  KmsAnswers out;
  out.init = std::move(asked.answers[0].document);
  out.keyprov = std::move(asked.answers[1].document);
  out.certcache = std::move(asked.answers[2].document);
  out.transport = std::move(asked.transport);
  for (const OpenedAnswer& one : asked.answers) out.tolerated.add(one.tolerated);
  const auto next = resource_of_next(out, access.profile, identity, clock.now());
  if (!next) return out;
  // Not every KMS gives keys of the future; then those of the present serve on.
  auto later = ask_kms(access, identity, {*next}, call, clock, stop);
  if (!later.ok()) return out;
  out.next = std::move(later->answers[0].document);
  out.tolerated.add(later->answers[0].tolerated);
  if (out.transport.empty()) out.transport = std::move(later->transport);
  return out;
}

Result<Provisioned> read_keys(const KmsAnswers& answers, const std::string& identity,
                              const std::string& kms_uri, NtpTime now, const kmsxml::Profile& allowed) {
  Provisioned out;
  out.tolerated = answers.tolerated;
  const kmsxml::Profile profile = allowed.counting_in(out.tolerated);
  const auto init = TRY(content_of<kmsxml::KmsInit>(answers.init, "/init", identity, kms_uri, profile));
  TRY(take_own_certificate(init, kms_uri, now, profile, out.domains));
  const auto cache =
      TRY(content_of<kmsxml::KmsCertCache>(answers.certcache, "/certcache", identity, kms_uri, profile));
  take_other_certificates(cache, profile, out);
  const auto provided =
      TRY(content_of<kmsxml::KmsKeyProv>(answers.keyprov, "/keyprov", identity, kms_uri, profile));
  const std::int64_t period = out.domains.all().front().periods.number_at(now);
  bool present = false;
  for (const kmsxml::KmsKeySet& one : provided.key_sets) {
    if (one.user_uri != identity || one.kms_uri != kms_uri) continue;
    if (one.revoked) {
      out.revoked = out.revoked || one.key_period_no == period;
      continue;
    }
    out.key_sets.push_back(TRY(key_set_of(one, out.domains, profile)));
    present = present || one.key_period_no == period;
  }
  out.revoked = out.revoked && !present;
  if (out.revoked) {
    out.key_sets.clear();
    return out;
  }
  for (const std::int64_t of : {period, period + 1})
    take_other(answers.next, identity, kms_uri, of, allowed, out);
  take_other(answers.previous, identity, kms_uri, period - 1, allowed, out);
  present = held(out.key_sets, period);
  if (present) return out;
  return fail(Errc::expired, "TS 33.180 F.2.1",
              "the KMS gave no key set of " + identity + " for the present period " + std::to_string(period),
              missing_period(provided.key_sets, out.domains.all().front().periods, period, identity));
}

std::string tolerated_line(const kmsxml::Profile& profile, const kmsxml::Tally& tolerated) {
  const std::string allowed = profile.text();
  if (allowed.empty()) return {};
  return "of the KMS is tolerated: " + allowed +
         (tolerated.empty() ? "; nothing of it was needed" : "; needed: " + tolerated.text());
}

Writes writes_of(const KmsAnswers& answers) {
  Writes writes;
  writes.push_back(Write{"kms", "init", answers.init.duplicate()});
  writes.push_back(Write{"kms", "keyprov", answers.keyprov.duplicate()});
  writes.push_back(Write{"kms", "certcache", answers.certcache.duplicate()});
  writes.push_back(Write{"kms", "previous", {}});
  if (!answers.previous.empty()) writes.back().value = answers.previous.duplicate();
  writes.push_back(Write{"kms", "next", {}});
  if (!answers.next.empty()) writes.back().value = answers.next.duplicate();
  if (!answers.transport.empty()) writes.push_back(Write{"kms", "transport", answers.transport.duplicate()});
  return writes;
}

void take_record(const Record& record, KmsAnswers& answers) {
  SecretOctets& into = record.id == "init"        ? answers.init
                       : record.id == "keyprov"   ? answers.keyprov
                       : record.id == "previous"  ? answers.previous
                       : record.id == "next"      ? answers.next
                       : record.id == "transport" ? answers.transport
                                                  : answers.certcache;
  into = record.value.duplicate();
}

Result<void> use_stored(const KmsAccess& access, const KmsAnswers& answers) {
  if (answers.transport.empty() || !access.transport_keys) return {};
  return access.transport_keys->take(answers.transport.expose());
}

}  // namespace regroup::app
