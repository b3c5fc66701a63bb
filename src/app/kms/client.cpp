// SPDX-License-Identifier: Apache-2.0
#include "app/kms/client.hpp"

#include <algorithm>
#include <set>

#include "app/http_call.hpp"
#include "app/kms/answer.hpp"
#include "app/kms/front.hpp"
#include "app/kms/protection.hpp"
#include "base/text.hpp"
#include "crypto/random.hpp"
#include "http/bearer.hpp"

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
Result<SecretOctets> ask(Exchange& x, std::string_view resource) {
  for (int tries = 0;; ++tries) {
    Question question{x.access, x.identity, resource_url(x.access, resource), x.clock.now(), {}, x.signing()};
    const http::Response response =
        TRY(x.call(TRY(request_for(x.access, x.identity, resource, x.token, x.signing(), question.asked))));
    question.answered = x.clock.now();
    if (response.status == 200) {
      OpenedAnswer opened = TRY(opened_answer(response.body.view(), question));
      if (opened.successor) x.successor = std::move(opened.successor);
      return std::move(opened.document);
    }
    if (response.status == 403 && x.keys.size() > 1) {
      x.keys.pop_back();
      continue;
    }
    if (response.status != 401 || tries > 0) return refusal_of(question, resource, response);
    x.token = TRY(read_token_again(x.access, x.token.expose(), x.wait));
  }
}

// The answer, if it comes from the pinned KMS, is meant for us and is of the expected kind (trap T-25).
template <class Kind>
Result<Kind> content_of(const SecretOctets& document, std::string_view resource, const std::string& identity,
                        const std::string& kms_uri) {
  kmsxml::KmsResponse response = TRY(kmsxml::parse_response(document.expose()));
  const std::string which = "the answer to " + std::string(resource);
  if (response.kms_uri != kms_uri)
    return fail(Errc::conflict, "PR-38",
                which + " is of KMS " + printable(response.kms_uri) + ", configured is " + kms_uri,
                "check kms.uri and kms.url");
  if (response.user_uri != identity)
    return fail(Errc::not_for_me, kResponse,
                which + " is for " + printable(response.user_uri) + ", configured is " + identity,
                "configure the identity exactly as it is registered at the KMS");
  if (auto* kind = std::get_if<Kind>(&response.content)) return std::move(*kind);
  const auto* error = std::get_if<kmsxml::KmsError>(&response.content);
  return fail(Errc::malformed, kResponse,
              which + " holds " + (error ? "KmsError: " + error->message : "another message"),
              "report it to the KMS operator");
}

Result<void> take_own_certificate(const kmsxml::KmsInit& init, const std::string& kms_uri, NtpTime now,
                                  mcx::Domains& domains) {
  if (init.certificate.kms_uri != kms_uri)
    return fail(Errc::conflict, "PR-38",
                "KmsInit holds the certificate of " + printable(init.certificate.kms_uri) +
                    ", configured is " + kms_uri,
                "check kms.uri and kms.url");
  mcx::KmsCertificate own = TRY(certificate_of(init.certificate));
  TRY(own.usable_at(now));
  return domains.add(std::move(own));
}

// One unusable partner must not cost us the others.
void take_external_certificates(const kmsxml::KmsCertCache& cache, const std::string& kms_uri,
                                Provisioned& out) {
  for (const kmsxml::KmsCertificate& one : cache.certificates) {
    if (one.kms_uri == kms_uri) continue;  // an announced successor of our own is not in force yet
    auto checked = certificate_of(one);
    const Result<void> taken =
        checked.ok() ? out.domains.add(std::move(checked).value()) : Result<void>(std::move(checked).error());
    if (!taken.ok()) out.warnings.push_back(taken.error());
  }
}

Result<kmsxml::KmsCertificate> own_certificate_in(const KmsAnswers& answers) {
  kmsxml::KmsResponse response = TRY(kmsxml::parse_response(answers.init.expose()));
  if (auto* init = std::get_if<kmsxml::KmsInit>(&response.content)) return std::move(init->certificate);
  return fail(Errc::malformed, kResponse, "the answer to /init holds another message",
              "report it to the KMS operator");
}

// Of a /keyprov answer; empty for what is none.
struct PeriodsIn {
  std::set<std::int64_t> given, revoked;
};
PeriodsIn periods_in(const SecretOctets& keyprov) {
  PeriodsIn out;
  if (keyprov.empty()) return out;
  const auto response = kmsxml::parse_response(keyprov.expose());
  const auto* provided = response.ok() ? std::get_if<kmsxml::KmsKeyProv>(&response->content) : nullptr;
  if (provided)
    for (const kmsxml::KmsKeySet& one : provided->key_sets)
      (one.revoked ? out.revoked : out.given).insert(one.key_period_no);
  return out;
}

bool held(const std::vector<mcx::KeySet>& all, std::int64_t period) {
  return std::any_of(all.begin(), all.end(),
                     [&](const mcx::KeySet& one) { return one.period_no() == period; });
}

// Those of the period before `period` that an earlier answer gave; what cannot be used is no loss but old
// messages.
void take_previous(const KmsAnswers& answers, const std::string& identity, const std::string& kms_uri,
                   std::int64_t period, Provisioned& out) {
  if (answers.previous.empty() || held(out.key_sets, period - 1)) return;
  const auto earlier = content_of<kmsxml::KmsKeyProv>(answers.previous, "/keyprov", identity, kms_uri);
  if (!earlier.ok()) return out.warnings.push_back(earlier.error());
  for (const kmsxml::KmsKeySet& one : earlier->key_sets) {
    if (one.revoked || one.key_period_no != period - 1 || one.user_uri != identity) continue;
    auto keys = key_set_of(one, out.domains);
    if (keys.ok()) out.key_sets.push_back(std::move(keys).value());
    if (!keys.ok()) out.warnings.push_back(keys.error());
  }
}

}  // namespace

Result<void> check_pinned(const KmsAnswers& fresh, const KmsAnswers& stored) {
  if (stored.init.empty()) return {};
  const kmsxml::KmsCertificate pinned = TRY(own_certificate_in(stored)), now = TRY(own_certificate_in(fresh));
  if (now.kms_uri != pinned.kms_uri)
    return fail(Errc::conflict, "PR-38",
                "the store was made with the KMS " + printable(pinned.kms_uri) + ", this one is " +
                    printable(now.kms_uri),
                "check kms.uri; another KMS needs a new store");
  if (now.cert_uri != pinned.cert_uri) return {};
  if (now.pub_enc_key == pinned.pub_enc_key && now.pub_auth_key == pinned.pub_auth_key &&
      now.user_key_period == pinned.user_key_period && now.user_key_offset == pinned.user_key_offset)
    return {};
  return fail(Errc::conflict, "TS 33.180 D.3.2",
              "the KMS " + printable(now.kms_uri) + " shows other keys or periods under the same CertUri " +
                  printable(now.cert_uri) + " than before",
              "do not go on: ask the KMS operator, by voice, whether this is the right KMS");
}

KmsAnswers keep_previous(KmsAnswers fresh, const KmsAnswers& stored) {
  const PeriodsIn now = periods_in(fresh.keyprov);
  if (!now.revoked.empty()) return fresh;  // keys of earlier do not survive a revocation
  const bool older = !now.given.empty() && periods_in(stored.keyprov).given.count(*now.given.begin() - 1) > 0;
  fresh.previous = (older ? stored.keyprov : stored.previous).duplicate();
  return fresh;
}

Result<KmsAnswers> fetch_keys(const KmsAccess& access, const std::string& identity, std::stop_token stop) {
  http::ClientOptions options;
  options.ca_file = access.ca_file;
  options.certificate_file = access.certificate_file;
  options.key_file = access.key_file;
  options.response_limit = std::size_t{1} << 20;
  const auto client = TRY(http::Client::make(options));
  const SystemClock clock;
  const auto over_tls = [&](http::ClientRequest request) {
    return call_until_stopped(*client, std::move(request), std::chrono::seconds(20), stop);
  };
  return fetch_keys(access, identity, over_tls, clock, stop);
}

Result<KmsAnswers> fetch_keys(const KmsAccess& access, const std::string& identity, const KmsCall& call,
                              const Clock& clock, std::stop_token stop) {
  TokenWait wait;
  wait.stop = std::move(stop);
  Exchange x{access, identity, wait, call, clock, TRY(read_token(access, wait)), {}};
  if (access.transport_keys) x.keys = access.transport_keys->keys();
  KmsAnswers out;
  out.init = TRY(ask(x, "/init"));
  out.keyprov = TRY(ask(x, "/keyprov"));
  out.certcache = TRY(ask(x, "/certcache"));
  if (x.signing()) out.transport = access.transport_keys->record_after(*x.signing(), x.successor);
  return out;
}

Result<Provisioned> read_keys(const KmsAnswers& answers, const std::string& identity,
                              const std::string& kms_uri, NtpTime now) {
  Provisioned out;
  const auto init = TRY(content_of<kmsxml::KmsInit>(answers.init, "/init", identity, kms_uri));
  TRY(take_own_certificate(init, kms_uri, now, out.domains));
  const auto cache =
      TRY(content_of<kmsxml::KmsCertCache>(answers.certcache, "/certcache", identity, kms_uri));
  take_external_certificates(cache, kms_uri, out);
  const auto provided = TRY(content_of<kmsxml::KmsKeyProv>(answers.keyprov, "/keyprov", identity, kms_uri));
  const std::int64_t period = out.domains.all().front().periods.number_at(now);
  bool present = false;
  for (const kmsxml::KmsKeySet& one : provided.key_sets) {
    if (one.user_uri != identity || one.kms_uri != kms_uri) continue;
    if (one.revoked) {
      out.revoked = out.revoked || one.key_period_no == period;
      continue;
    }
    out.key_sets.push_back(TRY(key_set_of(one, out.domains)));
    present = present || one.key_period_no == period;
  }
  out.revoked = out.revoked && !present;
  if (out.revoked) {
    out.key_sets.clear();
    return out;
  }
  take_previous(answers, identity, kms_uri, period, out);
  if (present) return out;
  return fail(Errc::expired, "TS 33.180 F.2.1",
              "the KMS gave no key set of " + identity + " for the present period " + std::to_string(period),
              "compare the clocks of KMS and client");
}

Writes writes_of(const KmsAnswers& answers) {
  Writes writes;
  writes.push_back(Write{"kms", "init", answers.init.duplicate()});
  writes.push_back(Write{"kms", "keyprov", answers.keyprov.duplicate()});
  writes.push_back(Write{"kms", "certcache", answers.certcache.duplicate()});
  writes.push_back(Write{"kms", "previous", {}});
  if (!answers.previous.empty()) writes.back().value = answers.previous.duplicate();
  if (!answers.transport.empty()) writes.push_back(Write{"kms", "transport", answers.transport.duplicate()});
  return writes;
}

void take_record(const Record& record, KmsAnswers& answers) {
  SecretOctets& into = record.id == "init"        ? answers.init
                       : record.id == "keyprov"   ? answers.keyprov
                       : record.id == "previous"  ? answers.previous
                       : record.id == "transport" ? answers.transport
                                                  : answers.certcache;
  into = record.value.duplicate();
}

Result<void> use_stored(const KmsAccess& access, const KmsAnswers& answers) {
  if (answers.transport.empty() || !access.transport_keys) return {};
  return access.transport_keys->take(answers.transport.expose());
}

}  // namespace regroup::app
