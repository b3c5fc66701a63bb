// SPDX-License-Identifier: Apache-2.0
#include "app/kms/answer.hpp"

#include "app/kms/protection.hpp"
#include "base/text.hpp"
#include "http/retry_after.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kRequest = "TS 33.180 D.2";
constexpr std::string_view kProtection = "TS 33.180 9.3";
constexpr std::int64_t kTimeWindow = 30;  // seconds

// The path of an https URL; what is no such URL is its own path.
std::string_view path_of(std::string_view url) {
  const std::size_t host = url.find("://");
  const std::size_t path = host == std::string_view::npos ? 0 : url.find('/', host + 3);
  return path == std::string_view::npos ? std::string_view() : url.substr(path);
}

bool repeats_url(const std::string& found, const std::string& asked, const kmsxml::Profile& profile) {
  if (found == asked) return true;
  return found == path_of(asked) && profile.takes(kmsxml::Tolerance::req_url_path);
}

Result<void> check_binding(const kmsxml::KmsResponse& answer, const Question& question,
                           const kmsxml::Profile& profile) {
  const auto other = [](const char* field, const std::string& found, const std::string& expected) {
    return fail(Errc::bad_signature, kProtection,
                std::string(field) + " of a signed answer is " + printable(found) + ", asked was " +
                    printable(expected),
                "an answer to another request was brought here: look for who did that");
  };
  if (answer.kms_uri != question.access.uri) return other("KmsUri", answer.kms_uri, question.access.uri);
  if (answer.user_uri != question.identity) return other("UserUri", answer.user_uri, question.identity);
  if (!repeats_url(answer.client_req_url, question.url, profile)) {
    Error error = other("ClientReqUrl", answer.client_req_url, question.url);
    if (answer.client_req_url == path_of(question.url))
      error.cure = kmsxml::cure_by(kmsxml::Tolerance::req_url_path);
    return error;
  }
  if (answer.time.seconds >= question.asked.seconds - kTimeWindow &&
      answer.time.seconds <= question.answered.seconds + kTimeWindow)
    return {};
  return fail(
      Errc::bad_signature, kProtection,
      "Time of a signed answer is " + date_time(answer.time) + ", asked was at " + date_time(question.asked),
      "compare the clocks of KMS and client");
}

// Verified where it is signed, and of this question.
Result<kmsxml::KmsResponse> vouched_for(OctetsView body, const Question& question,
                                        const kmsxml::Profile& profile) {
  kmsxml::KmsResponse answer = TRY(kmsxml::open_response(body, signing_key_of(*question.keys), profile));
  TRY(check_binding(answer, question, profile));
  return answer;
}

Result<WrapSeen> unwrap_all(kmsxml::KmsResponse& answer, KmsPolicy policy, const kms::TransportKeys& keys,
                            const kmsxml::Profile& profile) {
  auto* provided = std::get_if<kmsxml::KmsKeyProv>(&answer.content);
  std::optional<WrapSeen> all;
  if (!provided) return WrapSeen::plain;
  for (kmsxml::KmsKeySet& one : provided->key_sets) {
    if (one.revoked) continue;  // has none
    if (!one.wrapped && policy != KmsPolicy::plain)
      return fail(
          Errc::not_authorised, kProtection,
          "KmsKeySet/UserDecryptKey is plain, but kms.policy asks for wrapped keys",
          "give this identity transport keys at the KMS: regroup kms add-identity --transport-keys-out");
    const WrapSeen seen = TRY(unwrap(one, keys, profile));
    all = all.value_or(seen) == seen ? seen : WrapSeen::mixed;
  }
  return all.value_or(WrapSeen::plain);
}

// The new TrK, and the new InK of a client that has one: both or nothing, or the KMS would wait for a name
// that this client never says.
Result<std::optional<kms::TransportKeys>> successor_in(const kmsxml::KmsResponse& answer,
                                                       const kms::TransportKeys& keys) {
  const auto* init = std::get_if<kmsxml::KmsInit>(&answer.content);
  const auto* provided = std::get_if<kmsxml::KmsKeyProv>(&answer.content);
  if (!init && !provided) return std::optional<kms::TransportKeys>();
  const auto& trks = init ? init->new_transport_keys : provided->new_transport_keys;
  const auto& inks = init ? init->new_integrity_keys : provided->new_integrity_keys;
  if (trks.empty() && inks.empty()) return std::optional<kms::TransportKeys>();
  if (trks.size() != 1 || inks.size() > 1 || trks[0].carried_key_name.empty() ||
      (!inks.empty() && inks[0].carried_key_name.empty()) || inks.empty() != keys.ink_id.empty())
    return fail(Errc::malformed, kProtection,
                "NewTransportKey, NewIntegrityKey: not one named successor of each key that is held",
                "report it to the KMS operator; the present keys stay in use");
  kms::TransportKeys out;
  out.trk_id = trks[0].carried_key_name;
  const SecretOctets trk = TRY(unwrap_transport_key(trks[0], keys));
  out.trk = Secret<32>(trk.expose().first<32>());
  if (inks.empty()) return std::optional(std::move(out));
  out.ink_id = inks[0].carried_key_name;
  const SecretOctets ink = TRY(unwrap_transport_key(inks[0], keys));
  out.ink = Secret<32>(ink.expose().first<32>());
  return std::optional(std::move(out));
}

// They are kept on their own, and no longer than they are needed.
void forget_new_keys(kmsxml::KmsResponse& answer) {
  const auto forget = [](auto* in) {
    if (!in) return;
    in->new_transport_keys.clear();
    in->new_integrity_keys.clear();
  };
  forget(std::get_if<kmsxml::KmsInit>(&answer.content));
  forget(std::get_if<kmsxml::KmsKeyProv>(&answer.content));
}

constexpr const char* kSignsForUs =
    "the KMS signs its answers to this identity, and no transport keys are configured";

// What the KMS says in its KmsError, empty when it says nothing readable; `vouched` when its signature says
// that it is the KMS's.
struct Complaint {
  std::string reason;
  bool vouched = false;
};
Complaint complaint_in(const http::Response& response, const Question& question) {
  const OctetsView body = response.body.view();
  const bool is_signed = kmsxml::is_signed(body);
  if (is_signed && !question.keys) return {std::string(" (") + kSignsForUs + ")", false};
  const auto parsed = is_signed ? vouched_for(body, question, question.access.profile)
                                : kmsxml::parse_response(body, question.access.profile);
  const auto* error = parsed.ok() ? std::get_if<kmsxml::KmsError>(&parsed->content) : nullptr;
  return {error ? " (" + error->message + ")" : std::string(), is_signed && error};
}

Error refusal_in(const Question& question, std::string_view resource, const http::Response& response,
                 const Complaint& complaint) {
  const std::string said = "the KMS " + printable(question.access.url) + " answered " +
                           std::string(resource) + " with HTTP " + std::to_string(response.status) +
                           complaint.reason;
  switch (response.status) {
    case 401:
      return fail(Errc::not_authorised, "TS 33.180 B.10", said,
                  "get a new access token for the key management scope");
    case 403:
      return fail(Errc::not_authorised, kRequest, said,
                  "check the scope of the token, the identity, the client certificate and transport_keys");
    case 404:
      return fail(Errc::not_authorised, kRequest, said,
                  "register the identity at the KMS: regroup kms add-identity");
    case 400:
      return fail(Errc::usage, kRequest, said,
                  "kms.uri, the configured identity and the token must be those the KMS knows");
    default:
      break;
  }
  const std::int64_t wait = http::retry_after(response.headers, question.answered).value_or(0);
  question.access.asked_to_wait->store(wait);
  return fail(Errc::transport, kRequest, said,
              wait > 0 ? "try again after " + std::to_string(wait) + " s" : "try again later");
}

}  // namespace

Result<OpenedAnswer> opened_answer(OctetsView body, const Question& question) {
  const KmsAccess& access = question.access;
  const bool is_signed = kmsxml::is_signed(body);
  if (!question.keys && (is_signed || access.policy != KmsPolicy::plain))
    return fail(Errc::usage, kProtection,
                is_signed ? kSignsForUs : "kms.policy asks for transport keys, and none are configured",
                "write policy = \"wrap+sign\" and transport_keys = \"FILE\" into [kms]");
  if (!question.keys) return OpenedAnswer{SecretOctets(body)};
  if (!is_signed && access.policy == KmsPolicy::wrap_sign)
    return fail(Errc::bad_signature, kProtection, "an answer is not signed, but kms.policy is wrap+sign",
                "let the KMS sign for this identity: its policy there must be wrap+sign");
  OpenedAnswer out;
  const kmsxml::Profile profile = access.profile.counting_in(out.tolerated);
  kmsxml::KmsResponse answer =
      is_signed ? TRY(vouched_for(body, question, profile)) : TRY(kmsxml::parse_response(body, profile));
  out.is_signed = is_signed;
  out.wrapping = TRY(unwrap_all(answer, access.policy, *question.keys, profile));
  out.successor = TRY(successor_in(answer, *question.keys));
  forget_new_keys(answer);
  out.document = kmsxml::write(answer);
  return out;
}

Error refusal_of(const Question& question, std::string_view resource, const http::Response& response) {
  const Complaint complaint = complaint_in(response, question);
  Error out = refusal_in(question, resource, response, complaint);
  if (question.access.policy != KmsPolicy::wrap_sign || complaint.vouched) return out;
  out.code = Errc::transport;
  out.detail += "; that is not signed, so it is a hint only";
  return out;
}

}  // namespace regroup::app
