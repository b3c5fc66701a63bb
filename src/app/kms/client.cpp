// SPDX-License-Identifier: Apache-2.0
#include "app/kms/client.hpp"

#include <fstream>

#include "app/kms/front.hpp"
#include "base/text.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kRequest = "TS 33.180 D.2";
constexpr std::string_view kResponse = "TS 33.180 D.3.1";

Result<std::string> read_token(const std::string& path) {
  std::ifstream file(path);
  std::string token;
  if (!std::getline(file, token) || token.empty())
    return fail(Errc::usage, "TS 33.180 B.10",
                "the token file " + printable(path) + " cannot be read or is empty",
                "let the token source write it");
  if (token.back() == '\r') token.pop_back();
  return token;
}

std::string resource_url(const KmsAccess& access, std::string_view resource) {
  std::string url = access.url;
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url + std::string(kKmsRoot) + std::string(resource);
}

http::ClientRequest request_for(const KmsAccess& access, const std::string& identity,
                                std::string_view resource, const std::string& token, NtpTime now) {
  http::ClientRequest request;
  request.method = "POST";
  request.url = resource_url(access, resource);
  request.headers.add("Authorization", "Bearer " + token);
  request.headers.add("Content-Type", "application/xml");
  request.headers.add("Accept", "application/xml, text/xml;q=0.9");
  const kmsxml::KmsRequest body{.user_uri = identity,
                                .kms_uri = access.uri,
                                .time = now,
                                .client_id = "regroup",
                                .client_req_url = request.url};
  request.body = to_octets(view(kmsxml::write(body)));
  return request;
}

// What the KMS says in its KmsError, empty when it says nothing readable.
std::string reason_in(const http::Response& response) {
  const auto parsed = kmsxml::parse_response(response.body.view());
  const auto* error = parsed.ok() ? std::get_if<kmsxml::KmsError>(&parsed->content) : nullptr;
  return error ? " (" + error->message + ")" : std::string();
}

Error refusal_of(const KmsAccess& access, std::string_view resource, const http::Response& response) {
  const std::string said = "the KMS " + printable(access.url) + " answered " + std::string(resource) +
                           " with HTTP " + std::to_string(response.status) + reason_in(response);
  switch (response.status) {
    case 401:
      return fail(Errc::not_authorised, "TS 33.180 B.10", said,
                  "get a new access token for the key management scope");
    case 403:
      return fail(Errc::not_authorised, "kms.md 10.2", said,
                  "check the scope of the token, the identity and the client certificate");
    case 404:
      return fail(Errc::not_authorised, kRequest, said,
                  "register the identity at the KMS: regroup kms add-identity");
    case 400:
      return fail(Errc::usage, kRequest, said,
                  "kms.uri, the configured identity and the token must be those the KMS knows");
    default:
      break;
  }
  const auto wait = response.headers.find("Retry-After");
  return fail(Errc::transport, kRequest, said,
              wait ? "try again after " + printable(*wait, 40) + " s" : "try again later");
}

// One resource; an expired token may have been replaced in its file meanwhile (bootstrap.md 4).
Result<SecretOctets> ask(const KmsAccess& access, const std::string& identity, std::string_view resource,
                         const KmsCall& call, const Clock& clock) {
  for (int tries = 0;; ++tries) {
    const std::string token = TRY(read_token(access.token_file));
    const http::Response response = TRY(call(request_for(access, identity, resource, token, clock.now())));
    if (response.status == 200) return SecretOctets(response.body.view());
    if (response.status != 401 || tries > 0) return refusal_of(access, resource, response);
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
    return fail(Errc::not_for_me, "kms.md 6.4",
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
    if (one.kms_uri == kms_uri)
      continue;  // an announced successor of our own (kms.md 7.4) is not in force yet
    auto checked = certificate_of(one);
    const Result<void> taken =
        checked.ok() ? out.domains.add(std::move(checked).value()) : Result<void>(std::move(checked).error());
    if (!taken.ok()) out.warnings.push_back(taken.error());
  }
}

}  // namespace

Result<KmsAnswers> fetch_keys(const KmsAccess& access, const std::string& identity) {
  http::ClientOptions options;
  options.ca_file = access.ca_file;
  options.certificate_file = access.certificate_file;
  options.key_file = access.key_file;
  options.response_limit = std::size_t{1} << 20;
  const auto client = TRY(http::Client::make(options));
  const SystemClock clock;
  const auto over_tls = [&](http::ClientRequest request) {
    return client->call(std::move(request), std::chrono::seconds(20));
  };
  return fetch_keys(access, identity, over_tls, clock);
}

Result<KmsAnswers> fetch_keys(const KmsAccess& access, const std::string& identity, const KmsCall& call,
                              const Clock& clock) {
  KmsAnswers out;
  out.init = TRY(ask(access, identity, "/init", call, clock));
  out.keyprov = TRY(ask(access, identity, "/keyprov", call, clock));
  out.certcache = TRY(ask(access, identity, "/certcache", call, clock));
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
    if (one.revoked || one.user_uri != identity || one.kms_uri != kms_uri) continue;
    out.key_sets.push_back(TRY(key_set_of(one, out.domains)));
    present = present || one.key_period_no == period;
  }
  if (present) return out;
  return fail(Errc::expired, "TS 33.180 F.2.1",
              "the KMS gave no key set of " + identity + " for the present period " + std::to_string(period),
              "compare the clocks; a suspended identity gets none");
}

Writes writes_of(const KmsAnswers& answers) {
  Writes writes;
  writes.push_back(Write{"kms", "init", answers.init.duplicate()});
  writes.push_back(Write{"kms", "keyprov", answers.keyprov.duplicate()});
  writes.push_back(Write{"kms", "certcache", answers.certcache.duplicate()});
  return writes;
}

void take_record(const Record& record, KmsAnswers& answers) {
  SecretOctets& into = record.id == "init"      ? answers.init
                       : record.id == "keyprov" ? answers.keyprov
                                                : answers.certcache;
  into = record.value.duplicate();
}

}  // namespace regroup::app
