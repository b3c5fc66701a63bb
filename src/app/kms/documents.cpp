// SPDX-License-Identifier: Apache-2.0
#include "app/kms/documents.hpp"

#include "base/text.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kKeySet = "TS 33.180 D.3.3";

crypto::eccsi::Ssk ssk_of(const kmsxml::KmsKeySet& document) {
  return crypto::eccsi::Ssk(document.user_signing_key_ssk.expose().first<32>());
}

// Why a key set may have failed although it is honest: known deviations of other KMSs (docs/wire.md, KMS),
// never adopted silently.
std::string trap_of(const kmsxml::KmsKeySet& document, const mcx::KmsCertificate& certificate,
                    const mcx::Uid& uid) {
  const std::string text = hex(uid);
  if (crypto::eccsi::UserKey::validate(certificate.kpak, view(text), ssk_of(document),
                                       document.user_pub_token_pvt)
          .ok())
    return "the KMS used the hex text of the UID instead of its 32 octets (trap T-1); ask its operator to "
           "correct that";
  return "compare identity, KmsUri, period, offset and period number with the KMS";
}

std::string period_hint(const kmsxml::KmsKeySet& document, const mcx::KmsCertificate& certificate) {
  if (!document.valid_from || *document.valid_from < certificate.periods.start_of(0)) return {};
  const std::int64_t apart = certificate.periods.number_at(*document.valid_from) - document.key_period_no;
  const std::int64_t epoch = kNtpMinusUnix / certificate.periods.period();
  if (apart != epoch && apart != epoch + 1) return {};
  return "; its dates fit period " + std::to_string(document.key_period_no + apart) +
         ": the KMS counts from 1970 (trap T-2)";
}

}  // namespace

kmsxml::KmsCertificate document_of(const kms::CertificateRecord& record, kmsxml::Role role) {
  return {.role = role,
          .cert_uri = record.cert_uri,
          .kms_uri = record.kms_uri,
          .issuer = record.issuer,
          .valid_from = record.valid_from,
          .valid_to = record.valid_to,
          .revoked = record.revoked,
          .user_key_period = record.period,
          .user_key_offset = record.offset,
          .pub_enc_key = record.z,
          .pub_auth_key = record.kpak,
          .domains = record.domains};
}

kmsxml::KmsKeySet document_of(const kms::IssuedKeySet& issued, const kms::CertificateRecord& own) {
  return {.kms_uri = own.kms_uri,
          .cert_uri = own.cert_uri,
          .issuer = own.issuer,
          .user_uri = issued.identity.text(),
          .user_id = to_octets(issued.uid),
          .valid_from = issued.valid_from,
          .valid_to = issued.valid_to,
          .key_period_no = issued.period_no,
          .user_decrypt_key = SecretOctets(issued.rsk.expose()),
          .user_signing_key_ssk = SecretOctets(issued.signing.ssk().expose()),
          .user_pub_token_pvt = to_octets(issued.signing.pvt())};
}

Result<mcx::KmsCertificate> certificate_of(const kmsxml::KmsCertificate& document) {
  const std::string whose = "KMS certificate of " + printable(document.kms_uri);
  auto z = crypto::sakke::KmsPublicKey::parse(document.pub_enc_key);
  if (!z.ok()) return std::move(z).error().with(whose + ", PubEncKey");
  auto kpak = crypto::eccsi::Kpak::parse(document.pub_auth_key);
  if (!kpak.ok()) return std::move(kpak).error().with(whose + ", PubAuthKey");
  const mcx::KmsUri kms_uri = TRY(mcx::KmsUri::parse(document.kms_uri));
  const mcx::KeyPeriods periods =
      TRY(mcx::KeyPeriods::make(document.user_key_period, document.user_key_offset));
  return mcx::KmsCertificate{.kms_uri = kms_uri,
                             .cert_uri = document.cert_uri,
                             .periods = periods,
                             .z = std::move(z).value(),
                             .kpak = std::move(kpak).value(),
                             .domains = document.domains,
                             .valid_from = document.valid_from,
                             .valid_to = document.valid_to,
                             .revoked = document.revoked};
}

Result<mcx::KeySet> key_set_of(const kmsxml::KmsKeySet& document, const mcx::Domains& domains) {
  const mcx::KmsUri kms = TRY(mcx::KmsUri::parse(document.kms_uri));
  const mcx::KmsCertificate* certificate = domains.find(kms);
  if (!certificate)
    return fail(Errc::unknown_kms, kKeySet,
                "the key set is of " + kms.text() + ", whose certificate is not held",
                "give that domain's KMS certificate too");
  if (document.wrapped)
    return fail(Errc::unsupported, "TS 33.180 9.3.4",
                "UserDecryptKey is wrapped under " + printable(document.wrapped->user_decrypt_key.key_name) +
                    ", and no transport key is at hand",
                "write policy and transport_keys into [kms] of the configuration");
  const mcx::McpttId identity = TRY(mcx::McpttId::parse(document.user_uri));
  const mcx::Uid uid = certificate->uid_of(identity, document.key_period_no);
  if (!document.user_id.empty() && hex(document.user_id) != hex(uid))
    return fail(Errc::conflict, "TS 33.180 F.2.1",
                "UserID of " + identity.text() + " is " + hex(document.user_id) + ", recomputed " + hex(uid),
                trap_of(document, *certificate, uid) + period_hint(document, *certificate));
  auto checked = mcx::KeySet::validate(*certificate, identity, document.key_period_no,
                                       document.user_decrypt_key.expose(), ssk_of(document),
                                       document.user_pub_token_pvt);
  if (checked.ok()) return std::move(checked).value();
  Error error = std::move(checked).error();
  error.cure = trap_of(document, *certificate, uid) + period_hint(document, *certificate);
  return error;
}

Result<std::vector<mcx::KmsCertificate>> certificates_in(OctetsView document) {
  const auto found = TRY(kmsxml::find_certificates(document));
  std::vector<mcx::KmsCertificate> out;
  for (const kmsxml::KmsCertificate& one : found) out.push_back(TRY(certificate_of(one)));
  return out;
}

Result<std::vector<mcx::KeySet>> key_sets_in(OctetsView document, const mcx::Domains& domains) {
  const auto found = TRY(kmsxml::find_key_sets(document));
  std::vector<mcx::KeySet> out;
  for (const kmsxml::KmsKeySet& one : found)
    if (!one.revoked) out.push_back(TRY(key_set_of(one, domains)));
  return out;
}

}  // namespace regroup::app
