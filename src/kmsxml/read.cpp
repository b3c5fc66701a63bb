// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.hpp"
#include "kmsxml/documents.hpp"
#include "kmsxml/fields.hpp"
#include "kmsxml/messages.hpp"
#include "xml/element.hpp"

namespace regroup::kmsxml {
namespace {

constexpr std::string_view kRequestClause = "TS 33.180 D.2.2";
constexpr std::string_view kResponseClause = "TS 33.180 D.3.1";
constexpr std::string_view kCertificateClause = "TS 33.180 D.3.2";
constexpr std::string_view kKeySetClause = "TS 33.180 D.3.3";
constexpr std::string_view kGiveCertificates =
    "give the KMS's answer to /init or /certcache, or one KmsCertificate of it";
constexpr std::string_view kGiveKeySets = "give the KMS's answer to /keyprov, or one KmsKeySet of it";
constexpr std::size_t kSakkePoint = 257;
constexpr std::size_t kP256Point = 65;
constexpr std::size_t kScalar = 32;
// Octets of the ciphers with padding; without, and the leading 04 of points dropped, points take 8 less.
constexpr std::size_t kWrappedPoint = 272;
constexpr std::size_t kWrappedPvt = 80;
constexpr std::size_t kWrappedScalar = 40;

// A signature has to be verified, and that takes a key: documents of this file are read without one.
Error needs_keys(std::string_view what, std::string_view clause) {
  return fail(Errc::unsupported, clause, std::string(what) + " is protected by transport keys",
              "give the plain document; only gms serve and ue run, which hold transport keys, open others");
}

bool accepted(const xml::Element& element, const Profile& profile) {
  return std::find(profile.namespaces.begin(), profile.namespaces.end(), element.ns) !=
         profile.namespaces.end();
}

// The certificate's own rules (TS 33.180 D.3.2; validation before storing, without the points).
void check(Fields& fields, const KmsCertificate& certificate) {
  if (certificate.user_key_period <= 0) fields.reject(Errc::malformed, "UserKeyPeriod", "is zero");
  if (certificate.user_key_offset >= certificate.user_key_period)
    fields.reject(Errc::malformed, "UserKeyOffset", "is not smaller than UserKeyPeriod");
  if (certificate.valid_from && certificate.valid_to && *certificate.valid_to < *certificate.valid_from)
    fields.reject(Errc::malformed, "ValidTo", "lies before ValidFrom");
}

std::optional<Role> role_of(Fields& fields) {
  const std::string role = fields.attribute("Role");
  if (role == "Root") return Role::root;
  if (role == "External") return Role::external;
  if (!role.empty())
    fields.reject(Errc::malformed, "@Role", "\"" + printable(role, 40) + "\" is neither Root nor External");
  return std::nullopt;
}

void check_profile(Fields& fields) {
  const std::string format =
      fields.find("UserIDFormat") ? fields.text("UserIDFormat") : fields.text("UserIdFormat");
  if (!format.empty() && format != "2")
    fields.reject(Errc::unsupported, "UserIdFormat",
                  "\"" + printable(format, 40) + "\"; only 2 (UID of clause F.2.1) is known");
  if (fields.find("ParameterSet") && fields.integer("ParameterSet") != 1)
    fields.reject(Errc::unsupported, "ParameterSet",
                  "only SAKKE parameter set 1 (RFC 6509 Appendix A) is known");
}

std::vector<std::string> domains_of(const xml::Element* list, const Profile& profile) {
  std::vector<std::string> out;
  if (!list) return out;
  for (const xml::Element& one : list->children)
    if (one.name == "KmsDomain" && accepted(one, profile) && !one.token().empty())
      out.emplace_back(one.token());
  return out;
}

Result<KmsCertificate> read_certificate(const xml::Scope& scope, const xml::Element& element,
                                        const Profile& profile) {
  Fields fields(scope, element, profile, kCertificateClause);
  fields.in_order({"CertUri", "KmsUri", "Issuer", "ValidFrom", "ValidTo", "Revoked", "UserIdFormat",
                   "UserKeyPeriod", "UserKeyOffset", "PubEncKey", "PubAuthKey", "ParameterSet",
                   "KmsDomainList"});
  const std::string gateway = fields.attribute("IsSecurityGateway");
  KmsCertificate out{.id = fields.attribute("Id"),
                     .role = role_of(fields),
                     .is_security_gateway = boolean_of(gateway).value_or(false),
                     .cert_uri = fields.optional_text("CertUri"),
                     .kms_uri = fields.text("KmsUri"),
                     .issuer = fields.optional_text("Issuer"),
                     .valid_from = fields.optional_time("ValidFrom"),
                     .valid_to = fields.optional_time("ValidTo"),
                     .revoked = fields.boolean("Revoked"),
                     .user_key_period = fields.integer("UserKeyPeriod"),
                     .user_key_offset = fields.integer("UserKeyOffset"),
                     .pub_enc_key = fields.point("PubEncKey", kSakkePoint),
                     .pub_auth_key = fields.point("PubAuthKey", kP256Point),
                     .domains = domains_of(fields.find("KmsDomainList"), profile)};
  check_profile(fields);
  check(fields, out);
  TRY(fields.finish());
  return out;
}

Result<KmsCertificate> read_signed_certificate(const xml::Scope& scope, const xml::Element& element,
                                               const Profile& profile) {
  Fields fields(scope, element, profile, kCertificateClause);
  const xml::Element* inner = fields.need("KmsCertificate");
  TRY(fields.finish());
  return read_certificate(xml::Scope(*inner, &scope), *inner, profile);
}

// UserID in base64, and under switches in hex, or anything else, which is ignored: the UID is recomputed.
Octets user_id_of(Fields& fields) {
  const std::string text = fields.optional_text("UserID");
  Result<Octets> octets = text.size() == 64   ? from_hex(text)
                          : text.size() == 44 ? from_base64(text)
                                              : Result<Octets>(Octets{});
  const bool is_uid = octets.ok() && octets->size() == 32;
  if (!text.empty() && !is_uid)
    (void)fields.tolerates(Tolerance::other_uid, "UserID", "\"" + printable(text, 60) + "\" is no UID");
  if (is_uid && text.size() == 64) (void)fields.tolerates(Tolerance::hex_uid, "UserID", "is hex, not base64");
  return is_uid ? std::move(octets).value() : Octets{};
}

Result<KmsKeySet> read_key_set(const xml::Scope& scope, const xml::Element& element, const Profile& profile) {
  Fields fields(scope, element, profile, kKeySetClause);
  fields.in_order({"KmsUri", "CertUri", "Issuer", "UserUri", "UserID", "ValidFrom", "ValidTo", "KeyPeriodNo",
                   "Revoked", "UserDecryptKey", "UserSigningKeySSK", "UserPubTokenPVT"});
  KmsKeySet out{.id = fields.attribute("Id"),
                .kms_uri = fields.text("KmsUri"),
                .cert_uri = fields.optional_text("CertUri"),
                .issuer = fields.optional_text("Issuer"),
                .user_uri = fields.text("UserUri"),
                .user_id = user_id_of(fields),
                .valid_from = fields.optional_time("ValidFrom"),
                .valid_to = fields.optional_time("ValidTo"),
                .key_period_no = fields.integer("KeyPeriodNo"),
                .revoked = fields.boolean("Revoked")};
  if (out.revoked) {  // whatever keys stand in it are not to be used
    TRY(fields.finish());
    return out;
  }
  if (fields.is_wrapped("UserDecryptKey") || fields.is_wrapped("UserSigningKeySSK")) {
    out.wrapped = WrappedKeys{
        .user_decrypt_key = fields.wrapped_key("UserDecryptKey", {kWrappedPoint, kWrappedPoint - 8}),
        .user_signing_key_ssk = fields.wrapped_key("UserSigningKeySSK", {kWrappedScalar}),
        .user_pub_token_pvt = fields.wrapped_key("UserPubTokenPVT", {kWrappedPvt, kWrappedPvt - 8})};
  } else {
    out.user_decrypt_key = fields.plain_key("UserDecryptKey", kSakkePoint);
    out.user_signing_key_ssk = fields.plain_scalar("UserSigningKeySSK", kScalar);
    out.user_pub_token_pvt = fields.plain_point("UserPubTokenPVT", kP256Point);
  }
  TRY(fields.finish());
  return out;
}

// NewTransportKey or NewIntegrityKey, any number.
Result<std::vector<EncryptedKey>> read_new_keys(const xml::Element& element, std::string_view name,
                                                const Profile& profile) {
  std::vector<EncryptedKey> out;
  for (const xml::Element& child : element.children) {
    if (child.name != name || !accepted(child, profile)) continue;
    const xml::Element* const key = child.children.size() == 1 ? &child.children[0] : nullptr;
    if (!key || !key->is(kEncryptionNamespace, "EncryptedKey"))
      return fail(Errc::malformed, kResponseClause,
                  std::string(name) + " holds something else than one xenc:EncryptedKey",
                  std::string(kFetchAgain));
    out.push_back(TRY(read_encrypted_key(*key, name, kResponseClause, {kWrappedScalar}, profile)));
  }
  return out;
}

Result<std::vector<KmsCertificate>> read_certificates(const xml::Scope& scope, const xml::Element& element,
                                                      const Profile& profile) {
  std::vector<KmsCertificate> out;
  for (const xml::Element& child : element.children) {
    if (!accepted(child, profile)) continue;
    const xml::Scope inner(child, &scope);
    if (child.name == "KmsCertificate") out.push_back(TRY(read_certificate(inner, child, profile)));
    if (child.name == "SignedKmsCertificate")
      out.push_back(TRY(read_signed_certificate(inner, child, profile)));
  }
  return out;
}

// The order of what a message holds.
Result<void> check_order(const xml::Scope& scope, const xml::Element& element, const Profile& profile) {
  Fields fields(scope, element, profile, kResponseClause);
  fields.in_order(
      {"SignedKmsCertificate", "KmsCertificate", "KmsKeySet", "NewTransportKey", "NewIntegrityKey"});
  return fields.finish();
}

Result<KmsInit> read_init(const xml::Scope& scope, const xml::Element& element, const Profile& profile) {
  TRY(check_order(scope, element, profile));
  std::vector<KmsCertificate> found = TRY(read_certificates(scope, element, profile));
  if (found.size() != 1)
    return fail(Errc::malformed, kResponseClause,
                "KmsInit holds " + std::to_string(found.size()) + " certificates instead of one",
                std::string(kFetchAgain));
  // One TRY per statement: leaving a braced list in its middle would leak what stands before.
  KmsInit out{.certificate = std::move(found[0])};
  out.new_transport_keys = TRY(read_new_keys(element, "NewTransportKey", profile));
  out.new_integrity_keys = TRY(read_new_keys(element, "NewIntegrityKey", profile));
  return out;
}

Result<KmsKeyProv> read_key_prov(const xml::Scope& scope, const xml::Element& element,
                                 const Profile& profile) {
  TRY(check_order(scope, element, profile));
  KmsKeyProv out;
  out.new_transport_keys = TRY(read_new_keys(element, "NewTransportKey", profile));
  out.new_integrity_keys = TRY(read_new_keys(element, "NewIntegrityKey", profile));
  for (const xml::Element& child : element.children)
    if (child.name == "KmsKeySet" && accepted(child, profile))
      out.key_sets.push_back(TRY(read_key_set(xml::Scope(child, &scope), child, profile)));
  return out;
}

Result<KmsCertCache> read_cert_cache(const xml::Scope& scope, const xml::Element& element,
                                     const Profile& profile) {
  Fields fields(scope, element, profile, kResponseClause);
  KmsCertCache out;
  if (const std::string* number = element.attribute("CacheNum")) {
    out.cache_num = integer_of(xml::trim(*number));
    if (!out.cache_num)
      fields.reject(Errc::malformed, "@CacheNum", "\"" + printable(*number, 40) + "\" is not a number");
  }
  TRY(fields.finish());
  TRY(check_order(scope, element, profile));
  out.certificates = TRY(read_certificates(scope, element, profile));
  return out;
}

Result<KmsError> read_error(const xml::Scope& scope, const xml::Element& element, const Profile& profile) {
  Fields fields(scope, element, profile, kResponseClause);
  KmsError out{.code = fields.integer("ErrorCode"),
               .message = printable(fields.optional_text("ErrorMsg"), 400)};
  TRY(fields.finish());
  return out;
}

using Content = decltype(KmsResponse::content);

Result<Content> read_message(const xml::Scope& scope, const xml::Element& element, const Profile& profile) {
  Content out;
  for (const xml::Element& child : element.children) {
    if (!accepted(child, profile)) continue;
    const xml::Scope inner(child, &scope);
    if (out.index() != 0)
      return fail(Errc::malformed, kResponseClause,
                  "KmsMessage holds more than one message: " + printable(child.name, 40),
                  std::string(kFetchAgain));
    if (child.name == "KmsInit") out = TRY(read_init(inner, child, profile));
    if (child.name == "KmsKeyProv") out = TRY(read_key_prov(inner, child, profile));
    if (child.name == "KmsCertCache") out = TRY(read_cert_cache(inner, child, profile));
  }
  return out;
}

Result<Content> read_content(Fields& fields, const Profile& profile) {
  const xml::Element* error = fields.find("KmsError");
  const xml::Element* message = fields.find("KmsMessage");
  if (error && message)
    return fail(Errc::malformed, kResponseClause, "KmsResponse holds both KmsMessage and KmsError",
                std::string(kFetchAgain));
  if (error) return Content(TRY(read_error(xml::Scope(*error, &fields.scope()), *error, profile)));
  if (message) return read_message(xml::Scope(*message, &fields.scope()), *message, profile);
  return Content();
}

Error another_root(const xml::Element& root, std::string_view expected, std::string_view clause,
                   std::string_view cure) {
  return fail(Errc::malformed, clause,
              "the document is a " + printable(root.name, 40) + ", not a " + std::string(expected),
              std::string(cure));
}

bool is_response(const xml::Element& root) {
  return root.name == "KmsResponse" || root.name == "SignedKmsResponse";
}

std::string_view clause_of(const xml::Element& root) {
  if (root.name == "KmsCertificate" || root.name == "SignedKmsCertificate") return kCertificateClause;
  return root.name == "KmsKeySet" ? kKeySetClause : kResponseClause;
}

Result<std::vector<KmsKeySet>> refuse_wrapped(std::vector<KmsKeySet> sets) {
  for (const KmsKeySet& one : sets)
    if (one.wrapped) return needs_keys("KmsKeySet/UserDecryptKey", kKeySetClause);
  return sets;
}

Error refused_by_kms(const KmsError& error) {
  return fail(Errc::conflict, kResponseClause,
              "the document is a KmsError " + std::to_string(error.code) + ": " + error.message,
              "mend what the KMS complains of, and fetch the document again");
}

}  // namespace

Result<KmsResponse> read_response(const xml::Scope& scope, const xml::Element& element,
                                  const Profile& profile) {
  Fields fields(scope, element, profile, kResponseClause);
  fields.in_order({"UserUri", "KmsUri", "Time", "KmsId", "ClientReqUrl", "KmsMessage", "KmsError"});
  KmsResponse out{.id = fields.attribute("Id"),
                  .user_uri = fields.text("UserUri"),
                  .kms_uri = fields.text("KmsUri"),
                  .time = fields.time("Time"),
                  .kms_id = fields.optional_text("KmsId"),
                  .client_req_url = fields.text("ClientReqUrl")};
  TRY(fields.finish());
  out.content = TRY(read_content(fields, profile));
  TRY(fields.finish());
  return out;
}

Result<KmsRequest> read_request(const xml::Scope& scope, const xml::Element& element,
                                const Profile& profile) {
  Fields fields(scope, element, profile, kRequestClause);
  KmsRequest out{.id = fields.attribute("Id"),
                 .user_uri = fields.text("UserUri"),
                 .kms_uri = fields.text("KmsUri"),
                 .time = fields.time("Time"),
                 .client_id = fields.optional_text("ClientId"),
                 .device_id = fields.optional_text("DeviceId"),
                 .client_req_url = fields.text("ClientReqUrl"),
                 .trk_id = fields.optional_text("TrK-ID"),
                 .signature_id = fields.optional_text("Signature-ID")};
  TRY(fields.finish());
  return out;
}

Result<void> expect_namespace(const xml::Element& root, const Profile& profile, std::string_view clause) {
  if (root.ns == kNamespace) return {};
  if (accepted(root, profile) && profile.takes(Tolerance::namespace_of)) return {};
  const std::string ns = printable(root.ns, 80);
  return fail(Errc::unsupported, clause, "namespace \"" + ns + "\" of " + printable(root.name, 40),
              cure_by(Tolerance::namespace_of, "namespace:" + (ns.empty() ? "URI" : ns)));
}

Result<KmsRequest> parse_request(OctetsView document, const Profile& profile) {
  const xml::Element root = TRY(xml::parse(document));
  TRY(expect_namespace(root, profile, kRequestClause));
  if (root.name == "SignedKmsRequest") return needs_keys("SignedKmsRequest", kRequestClause);
  if (root.name != "KmsRequest") return another_root(root, "KmsRequest", kRequestClause, "send a KmsRequest");
  return read_request(xml::Scope(root), root, profile);
}

Result<KmsResponse> parse_response(OctetsView document, const Profile& profile) {
  xml::Element root = TRY(xml::parse(document));
  const xml::WipedAtExit guard(root);
  TRY(expect_namespace(root, profile, kResponseClause));
  if (root.name == "SignedKmsResponse") return needs_keys("SignedKmsResponse", kResponseClause);
  if (root.name != "KmsResponse") return another_root(root, "KmsResponse", kResponseClause, kFetchAgain);
  return read_response(xml::Scope(root), root, profile);
}

Result<std::vector<KmsCertificate>> find_certificates(OctetsView document, const Profile& profile) {
  xml::Element root = TRY(xml::parse(document));
  const xml::WipedAtExit guard(root);
  TRY(expect_namespace(root, profile, clause_of(root)));
  std::vector<KmsCertificate> out;
  const xml::Scope scope(root);
  if (root.name == "KmsCertificate") {
    out.push_back(TRY(read_certificate(scope, root, profile)));
    return out;
  }
  if (root.name == "SignedKmsCertificate") {
    out.push_back(TRY(read_signed_certificate(scope, root, profile)));
    return out;
  }
  if (!is_response(root))
    return another_root(root, "KmsCertificate or a KmsResponse", kCertificateClause, kGiveCertificates);
  KmsResponse response = TRY(parse_response(document, profile));
  if (const auto* error = std::get_if<KmsError>(&response.content)) return refused_by_kms(*error);
  if (auto* init = std::get_if<KmsInit>(&response.content)) out.push_back(std::move(init->certificate));
  if (auto* cache = std::get_if<KmsCertCache>(&response.content)) out = std::move(cache->certificates);
  if (out.empty())
    return fail(Errc::malformed, kCertificateClause, "the document holds no KmsCertificate",
                std::string(kGiveCertificates));
  return out;
}

Result<std::vector<KmsKeySet>> find_key_sets(OctetsView document, const Profile& profile) {
  xml::Element root = TRY(xml::parse(document));
  const xml::WipedAtExit guard(root);
  TRY(expect_namespace(root, profile, clause_of(root)));
  std::vector<KmsKeySet> out;
  if (root.name == "KmsKeySet") {
    out.push_back(TRY(read_key_set(xml::Scope(root), root, profile)));
    return refuse_wrapped(std::move(out));
  }
  if (!is_response(root))
    return another_root(root, "KmsKeySet or a KmsResponse", kKeySetClause, kGiveKeySets);
  KmsResponse response = TRY(parse_response(document, profile));
  if (const auto* error = std::get_if<KmsError>(&response.content)) return refused_by_kms(*error);
  if (auto* provided = std::get_if<KmsKeyProv>(&response.content)) out = std::move(provided->key_sets);
  if (out.empty())
    return fail(Errc::malformed, kKeySetClause, "the document holds no KmsKeySet", std::string(kGiveKeySets));
  return refuse_wrapped(std::move(out));
}

}  // namespace regroup::kmsxml
