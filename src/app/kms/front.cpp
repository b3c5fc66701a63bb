// SPDX-License-Identifier: Apache-2.0
#include "app/kms/front.hpp"

#include <algorithm>
#include <charconv>

#include "app/kms/documents.hpp"
#include "app/kms/protection.hpp"
#include "base/text.hpp"
#include "http/bearer.hpp"
#include "http/target.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kUnauthenticated =
    "unauthenticated";  // UserUri of an answer to nobody in particular

// Decoded segments of a path, one trailing '/' dropped; nullopt for a path that cannot be decoded.
std::optional<std::vector<std::string>> segments_of(std::string_view path) {
  auto segments = http::decoded_segments(path);
  if (!segments.ok()) return std::nullopt;
  if (segments->size() > 1 && segments->back().empty()) segments->pop_back();
  return std::move(segments).value();
}

// The path of a ClientReqUrl, which comes as a whole URL or as a path only (trap T-22); scheme and host may
// have been changed by a proxy.
std::string_view path_of(std::string_view url) {
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    const std::size_t path = url.find('/', scheme + 3);
    url = path == std::string_view::npos ? "/" : url.substr(path);
  }
  return url.substr(0, url.find_first_of("?#"));
}

// What is below the root, or nullopt when the path is not in this tree.
std::optional<std::vector<std::string>> resource_of(const std::vector<std::string>& segments) {
  constexpr std::string_view kTree[] = {"keymanagement", "identity", "v1"};
  if (segments.size() < 4 || !std::equal(std::begin(kTree), std::end(kTree), segments.begin()))
    return std::nullopt;
  return std::vector<std::string>(segments.begin() + 3, segments.end());
}

bool same_identity(std::string_view a, std::string_view b) { return kms::folded(a) == kms::folded(b); }

std::optional<std::int64_t> number_of(std::string_view digits) {
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (fault != std::errc() || end != digits.data() + digits.size() || digits.empty() || value < 0)
    return std::nullopt;
  return value;
}

// "text/xml" for a client that takes nothing else, "application/xml" otherwise.
std::string_view media_type(const http::Headers& headers) {
  const std::string accept(headers.find("Accept").value_or(""));
  const bool only_text = accept.find("text/xml") != std::string::npos &&
                         accept.find("application/") == std::string::npos &&
                         accept.find("*/*") == std::string::npos;
  return only_text ? "text/xml; charset=utf-8" : "application/xml; charset=utf-8";
}

constexpr std::size_t kMostId = 128;

// Clients of other vendors write requests in forms of their own; nothing that they mean depends on it.
const kmsxml::Profile& request_profile() {
  static const kmsxml::Profile profile = kmsxml::Profile::all_forms();
  return profile;
}

}  // namespace

// Missing, wrong, of another key: one answer.
KmsFront::Refusal KmsFront::unsigned_request(std::string detail) {
  return {403,
          "bad_signature",
          "the request is not signed as the policy of this client asks",
          {},
          std::move(detail)};
}

// What is known about a request while it is being answered.
struct KmsFront::Asked {
  NtpTime now;
  std::string path;      // escaped, as received
  std::string identity;  // of the token, in the registered spelling once it is known
  std::string client_req_url;
  const kms::ClientKeys* keys = nullptr;       // of that identity, if it has transport keys
  const kms::TransportKeys* in_use = nullptr;  // those of them that the client uses
};

KmsFront::KmsFront(const kms::Kms& kms, KmsFrontSettings settings, Random& random)
    : kms_(kms),
      settings_(std::move(settings)),
      random_(random),
      kms_uri_(kms.registry().own().kms_uri),
      replays_(settings_.time_window),
      rate_(settings_.rate) {
  if (settings_.tokens.scopes.empty()) settings_.tokens.scopes = kKmsScopes;
}

KmsAnswer KmsFront::answer(const http::Request& request, const http::Jwks& jwks, NtpTime now) const {
  KmsAnswer out{{}, {}, printable(request.target), "ok"};
  if (request.method != "POST") {
    out.reason = "method";
    out.response = http::make_response(405);
    out.response.headers.add("Allow", "POST");
    return out;
  }
  if (request.body.size() > kMaxKmsRequest) {
    out.reason = "too_large";
    out.response = http::make_response(413);
    return out;
  }
  Asked asked{now, {}, {}, {}, nullptr, nullptr};
  Outcome reached = outcome(request, jwks, asked);
  out.identity = printable(asked.identity);
  out.uses_successor = asked.in_use && asked.in_use == asked.keys->successor();
  if (auto* content = std::get_if<Content>(&reached)) {
    if (const auto* provided = std::get_if<kmsxml::KmsKeyProv>(content))
      for (const kmsxml::KmsKeySet& one : provided->key_sets) out.periods.push_back(one.key_period_no);
    out.response = render(request, asked, std::move(*content), 200);
    return out;
  }
  const Refusal& refusal = std::get<Refusal>(reached);
  out.reason = refusal.reason;
  out.detail = printable(refusal.detail, 400);
  out.response = render(
      request, asked, kmsxml::KmsError{refusal.status, refusal.reason + ": " + refusal.text}, refusal.status);
  if (refusal.token_error)
    out.response.headers.add("WWW-Authenticate", http::challenge(*refusal.token_error));
  if (refusal.retry_after > 0) out.response.headers.add("Retry-After", std::to_string(refusal.retry_after));
  return out;
}

http::Response KmsFront::overloaded(const http::Request& request, NtpTime now,
                                    std::int64_t retry_after) const {
  const Asked nobody{now, {}, {}, {}, nullptr, nullptr};
  http::Response out =
      render(request, nobody, kmsxml::KmsError{503, "overloaded: the KMS is busy, come back later"}, 503);
  out.headers.add("Retry-After", std::to_string(retry_after));
  return out;
}

// Who asks, what for, whether the body agrees, then the answer itself.
KmsFront::Outcome KmsFront::outcome(const http::Request& request, const http::Jwks& jwks,
                                    Asked& asked) const {
  auto known = caller(request, jwks, asked.now);
  if (auto* refusal = std::get_if<Refusal>(&known)) return std::move(*refusal);
  asked.identity = std::get<http::Claims>(known).identity;
  asked.keys = kms_.transport_keys().find(asked.identity);
  if (asked.keys) asked.in_use = &asked.keys->present();

  const auto target = http::parse_target(request.target);
  if (!target.ok()) return Refusal{400, "bad_request", "the request target cannot be read"};
  asked.path = target->path;
  const auto segments = segments_of(target->path);
  if (!segments) return Refusal{400, "bad_request", "the request target cannot be decoded"};
  if (auto refusal = check_body(request, *segments, asked)) return std::move(*refusal);
  const auto resource = resource_of(*segments);
  if (!resource || !target->query.empty()) return Refusal{404, "not_found", "no such resource"};
  if (auto refusal = check_subscriber(request, asked)) return std::move(*refusal);
  if (auto refusal = check_rate(asked)) return std::move(*refusal);
  return dispatch(request, *resource, asked);
}

std::variant<http::Claims, KmsFront::Refusal> KmsFront::caller(const http::Request& request,
                                                               const http::Jwks& jwks, NtpTime now) const {
  const auto refused = [](Error error) {
    const unsigned status = http::refusal_status(error);
    if (status == 503)
      return Refusal{503, "unavailable", "tokens cannot be judged at present", {}, error.text(), 30};
    return Refusal{
        status, status == 403 ? "insufficient_scope" : "invalid_token",
        status == 403 ? "the token does not cover key management" : "a valid access token is needed",
        std::move(error)};
  };
  const auto token = http::bearer_token(request.headers);
  if (!token.ok()) return refused(token.error());
  if (!*token) {
    if (auto server = certified_server(request)) return std::move(*server);
    return refused(fail(Errc::malformed, "RFC 6750 3.1", "no access token",
                        "the client must send Authorization: Bearer TOKEN"));
  }
  auto claims = http::verify(**token, jwks, settings_.tokens, now);
  if (!claims.ok()) return refused(claims.error());
  return std::move(claims).value();
}

std::optional<http::Claims> KmsFront::certified_server(const http::Request& request) const {
  if (settings_.server_auth != ServerAuth::mtls || !request.peer.certificate.presented) return std::nullopt;
  std::optional<http::Claims> out;
  for (const std::string& uri : request.peer.certificate.uris) {
    const kms::Subscriber* subscriber = kms_.registry().find(uri);
    if (!subscriber || !subscriber->server || subscriber->identity.text() != uri) continue;
    if (out) return std::nullopt;  // two servers in one certificate: which one asks?
    out.emplace().identity = uri;
  }
  return out;
}

// The body is absent or a KmsRequest that repeats what token and request line say (TS 33.180 D.2.2); signed
// where the client's policy says so. The Time of an unsigned one is not judged: nothing protects it.
std::optional<KmsFront::Refusal> KmsFront::check_body(const http::Request& request,
                                                      const std::vector<std::string>& segments,
                                                      Asked& asked) const {
  if (kmsxml::is_signed(request.body)) {
    if (!asked.keys) return unsigned_request("signed, but no transport keys are held for this client");
    auto body = kmsxml::open_request(request.body, signing_key_of(*asked.in_use), request_profile());
    if (!body.ok() && asked.keys->successor()) {
      auto later =
          kmsxml::open_request(request.body, signing_key_of(*asked.keys->successor()), request_profile());
      if (later.ok()) asked.in_use = asked.keys->successor();
      if (later.ok()) body = std::move(later);
    }
    if (!body.ok()) return unsigned_request(body.error().text());
    if (auto refusal = check_said(*body, segments, asked)) return refusal;
    return check_fresh(*body, asked);
  }
  if (asked.keys && asked.keys->signs) return unsigned_request("not signed");
  if (request.body.empty()) return std::nullopt;
  const auto body = kmsxml::parse_request(request.body, request_profile());
  if (!body.ok()) return Refusal{400, "bad_request", body.error().detail};
  return check_said(*body, segments, asked);
}

std::optional<KmsFront::Refusal> KmsFront::check_said(const kmsxml::KmsRequest& body,
                                                      const std::vector<std::string>& segments,
                                                      Asked& asked) const {
  if (!same_identity(body.user_uri, asked.identity))
    return Refusal{400, "bad_request", "UserUri is not the identity of the token"};
  if (body.kms_uri != kms_.registry().own().kms_uri)
    return Refusal{400, "bad_request", "KmsUri is not this KMS"};
  const auto named = segments_of(path_of(body.client_req_url));
  if (!named || *named != segments)
    return Refusal{400, "bad_request", "ClientReqUrl is not the resource of this request"};
  asked.client_req_url = body.client_req_url;
  return std::nullopt;
}

std::optional<KmsFront::Refusal> KmsFront::check_fresh(const kmsxml::KmsRequest& body,
                                                       const Asked& asked) const {
  const kms::TransportKeys& keys = *asked.in_use;
  if ((!body.trk_id.empty() && body.trk_id != keys.trk_id) ||
      (!body.signature_id.empty() && body.signature_id != keys.signing_id()))
    return unsigned_request("TrK-ID or Signature-ID is of another key");
  if (body.id.size() > kMostId) return Refusal{400, "bad_request", "the Id of the request is too long"};
  switch (replays_.admit(kms::folded(asked.identity), body.id, body.time, asked.now)) {
    case ReplayCache::Verdict::fresh:
      return std::nullopt;
    case ReplayCache::Verdict::skewed:
      return Refusal{400, "time_skew",
                     "the Time of the request is more than " + std::to_string(replays_.window()) + " s off"};
    case ReplayCache::Verdict::replayed:
      return Refusal{400, "replayed", "a request of that Id and Time was answered already"};
    case ReplayCache::Verdict::full:
      break;
  }
  return Refusal{429, "rate_limited", "too many requests of this client", {}, {}, 2 * replays_.window()};
}

std::optional<KmsFront::Refusal> KmsFront::check_subscriber(const http::Request& request,
                                                            Asked& asked) const {
  const kms::Subscriber* subscriber = kms_.registry().find(asked.identity);
  if (!subscriber)
    return Refusal{404, "unknown_identity", "the identity of the token is not registered here"};
  asked.identity = subscriber->identity.text();
  if (!subscriber->server || settings_.server_auth == ServerAuth::token) return std::nullopt;
  if (request.peer.certificate.presented && request.peer.certificate.has_uri(asked.identity))
    return std::nullopt;
  return Refusal{403, "identity_not_allowed", "a server identity needs a client certificate that names it"};
}

std::optional<KmsFront::Refusal> KmsFront::check_rate(const Asked& asked) const {
  const std::int64_t wait = rate_.admit(asked.identity, asked.now);
  if (wait == 0) return std::nullopt;
  return Refusal{429, "rate_limited", "too many requests of this client", {}, {}, wait};
}

KmsFront::Outcome KmsFront::dispatch(const http::Request& request, const std::vector<std::string>& resource,
                                     const Asked& asked) const {
  if (resource[0] == "init" && resource.size() == 1) return init(asked);
  if (resource[0] == "keyprov" && resource.size() <= 3) {
    // A proxy on the way would read plain keys (TS 33.179 7.2.2).
    if (!asked.keys && request.headers.contains("Via"))
      return Refusal{403, "transport_key_required",
                     "keys go through a proxy to clients with transport keys only"};
    return keyprov(resource, asked);
  }
  if (resource[0] == "certcache" && resource.size() <= 2) return certcache(resource);
  if (resource[0] == "cert" && resource.size() == 2) return certificate(resource[1]);
  return Refusal{404, "not_found", "no such resource"};
}

KmsFront::Outcome KmsFront::init(const Asked& asked) const {
  kmsxml::KmsInit out{document_of(kms_.registry().own_at(asked.now), kmsxml::Role::root)};
  if (asked.in_use) offer(out, *asked.keys, *asked.in_use);
  return Content(std::move(out));
}

// The suspended are told so and keep what they hold. The revoked get key sets without keys, marked Revoked,
// for every period they may hold: their client erases those (TS 33.180 D.3.3).
KmsFront::Outcome KmsFront::no_keys(const std::vector<std::int64_t>& periods, const Asked& asked) const {
  const kms::Subscriber& subscriber = *kms_.registry().find(asked.identity);
  if (subscriber.standing != kms::Standing::revoked)
    return Refusal{403, "revoked", "this identity is suspended"};
  kmsxml::KmsKeyProv out;
  for (std::int64_t period = periods.front() - 1; period <= periods.back(); ++period) {
    const mcx::KmsCertificate& certificate = kms_.certificate_at(kms_.periods().start_of(period));
    out.key_sets.push_back({.kms_uri = certificate.kms_uri.text(),
                            .cert_uri = certificate.cert_uri,
                            .user_uri = subscriber.identity.text(),
                            .user_id = to_octets(certificate.uid_of(subscriber.identity, period)),
                            .key_period_no = period,
                            .revoked = true});
  }
  return Content(std::move(out));
}

KmsFront::Outcome KmsFront::keyprov(const std::vector<std::string>& resource, const Asked& asked) const {
  if (resource.size() > 1 && !same_identity(resource[1], asked.identity))
    return Refusal{403, "identity_not_allowed", "the token does not stand for the requested identity"};
  std::vector<std::int64_t> periods = kms_.usual_periods(asked.now);
  if (resource.size() == 3) {
    const auto stamp = fixed_from_hex<8>(resource[2]);
    if (!stamp.ok()) return Refusal{400, "bad_request", "the time is not an NTP timestamp of 16 hex digits"};
    periods = {kms_.periods().number_at(NtpTime::nearest(*stamp, asked.now))};
  }
  const auto issued = kms_.provision(asked.identity, periods, asked.now, random_, settings_.window);
  if (!issued.ok() && issued.error().code == Errc::not_authorised)
    return Refusal{403, "identity_not_allowed", "no keys are issued for that time"};
  if (!issued.ok() && issued.error().code == Errc::revoked) return no_keys(periods, asked);
  if (!issued.ok()) return Refusal{500, "internal", "the request could not be completed"};
  kmsxml::KmsKeyProv provided;
  for (const kms::IssuedKeySet& one : *issued) {
    provided.key_sets.push_back(document_of(one, kms_.registry().own_at(one.valid_from)));
    if (asked.in_use) wrap(provided.key_sets.back(), *asked.in_use, asked.keys->wrapping);
  }
  if (asked.in_use) offer(provided, *asked.keys, *asked.in_use);
  return Content(std::move(provided));
}

KmsFront::Outcome KmsFront::certcache(const std::vector<std::string>& resource) const {
  std::optional<std::int64_t> held;
  if (resource.size() == 2) {
    held = number_of(resource[1]);
    if (!held) return Refusal{400, "bad_request", "the cache number is not a number"};
  }
  const kms::CacheAnswer cache = kms_.registry().changes_since(held);
  kmsxml::KmsCertCache out{cache.cache_num, {}};
  for (const auto& [certificate, own] : cache.certificates)
    out.certificates.push_back(document_of(certificate, own ? kmsxml::Role::root : kmsxml::Role::external));
  return Content(std::move(out));
}

KmsFront::Outcome KmsFront::certificate(const std::string& kms_uri) const {
  const std::vector<kms::CertificateRecord> found = kms_.registry().certificates_of(kms_uri);
  if (found.empty()) return Refusal{404, "unknown_kms", "no certificate is held for " + printable(kms_uri)};
  const bool own = kms_uri == kms_.registry().own().kms_uri;
  kmsxml::KmsCertCache out;
  for (const kms::CertificateRecord& one : found)
    out.certificates.push_back(document_of(one, own ? kmsxml::Role::root : kmsxml::Role::external));
  return Content(std::move(out));
}

// Errors are signed too: an unsigned one would be a hint only to a client that expects signatures.
Result<SecretOctets> KmsFront::written(kmsxml::KmsResponse& answer, const Asked& asked) const {
  if (!asked.keys || !asked.keys->signs) return kmsxml::write(answer);
  answer.id = "r" + hex(random_.octets<8>());
  return kmsxml::sign(answer, signing_key_of(*asked.in_use));
}

http::Response KmsFront::render(const http::Request& request, const Asked& asked, Content content,
                                unsigned status) const {
  const std::string host(request.headers.find("Host").value_or("localhost"));
  kmsxml::KmsResponse out{
      .user_uri = asked.identity.empty() ? std::string(kUnauthenticated) : asked.identity,
      .kms_uri = kms_uri_,
      .time = asked.now,
      .kms_id = settings_.kms_id,
      .client_req_url = asked.client_req_url.empty()
                            ? "https://" + printable(host) + printable(request.target, http::kMaxTarget)
                            : asked.client_req_url,
      .content = std::move(content)};
  const auto document = written(out, asked);
  http::Response response =
      http::make_response(document.ok() ? status : 500, media_type(request.headers),
                          http::Body(document.ok() ? document->expose() : OctetsView()));
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("Pragma", "no-cache");
  return response;
}

}  // namespace regroup::app
