// SPDX-License-Identifier: Apache-2.0
#include "app/kms/documents.hpp"

#include "app/kms/traps.hpp"
#include "base/text.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kKeySet = "TS 33.180 D.3.3";

crypto::eccsi::Ssk ssk_of(const kmsxml::KmsKeySet& document) {
  return crypto::eccsi::Ssk(document.user_signing_key_ssk.expose().first<32>());
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

Result<mcx::KmsCertificate> certificate_of(const kmsxml::KmsCertificate& document,
                                           const kmsxml::Profile& profile) {
  using kmsxml::Tolerance;
  const std::string whose = "KMS certificate of " + printable(document.kms_uri);
  auto z = crypto::sakke::KmsPublicKey::parse(document.pub_enc_key);
  if (!z.ok()) return std::move(z).error().with(whose + ", PubEncKey");
  auto kpak = crypto::eccsi::Kpak::parse(document.pub_auth_key);
  if (!kpak.ok()) return std::move(kpak).error().with(whose + ", PubAuthKey");
  const mcx::KmsUri kms_uri = TRY(mcx::KmsUri::parse(document.kms_uri));
  const mcx::Epoch epoch = profile.allows(Tolerance::epoch_1970) ? mcx::Epoch::unix : mcx::Epoch::ntp;
  const mcx::KeyPeriods periods =
      TRY(mcx::KeyPeriods::make(document.user_key_period, document.user_key_offset, epoch));
  return mcx::KmsCertificate{.kms_uri = kms_uri,
                             .cert_uri = document.cert_uri,
                             .periods = periods,
                             .z = std::move(z).value(),
                             .kpak = std::move(kpak).value(),
                             .domains = document.domains,
                             .valid_from = document.valid_from,
                             .valid_to = document.valid_to,
                             .revoked = document.revoked,
                             .form = profile.allows(Tolerance::uid_as_hex_text)
                                         ? mcx::IdentifierForm::hex_text
                                         : mcx::IdentifierForm::octets};
}

Result<mcx::KeySet> key_set_of(const kmsxml::KmsKeySet& document, const mcx::Domains& domains,
                               const kmsxml::Profile& profile) {
  using kmsxml::Tolerance;
  const mcx::KmsUri kms = TRY(mcx::KmsUri::parse(document.kms_uri));
  const mcx::KmsCertificate* certificate = domains.find(kms, NtpTime{});
  if (!certificate)
    return fail(Errc::unknown_kms, kKeySet,
                "the key set is of " + kms.text() + ", whose certificate is not held",
                "give that domain's KMS certificate too");
  if (document.wrapped)
    return fail(Errc::unsupported, "TS 33.180 9.3.4",
                "UserDecryptKey is wrapped under " + printable(document.wrapped->user_decrypt_key.key_name) +
                    ", and no transport key is at hand",
                "write policy and transport_keys into [kms] of the configuration");
  // Each period lies under one certificate (docs/wire.md, KMS).
  certificate = domains.find(kms, certificate->periods.start_of(document.key_period_no));
  const mcx::McpttId identity = TRY(mcx::McpttId::parse(document.user_uri));
  const mcx::Uid uid = certificate->uid_of(identity, document.key_period_no);
  if (!document.user_id.empty() && hex(document.user_id) != hex(uid))
    return fail(Errc::conflict, "TS 33.180 F.2.1",
                "UserID of " + identity.text() + " is " + hex(document.user_id) + ", recomputed " + hex(uid),
                diagnosis(document, *certificate));
  auto checked = mcx::KeySet::validate(*certificate, identity, document.key_period_no,
                                       document.user_decrypt_key.expose(), ssk_of(document),
                                       document.user_pub_token_pvt);
  if (!checked.ok()) {
    Error error = std::move(checked).error();
    error.cure = diagnosis(document, *certificate);
    return error;
  }
  if (certificate->form == mcx::IdentifierForm::hex_text) (void)profile.takes(Tolerance::uid_as_hex_text);
  if (certificate->periods.epoch() == mcx::Epoch::unix) (void)profile.takes(Tolerance::epoch_1970);
  return std::move(checked).value();
}

Result<std::vector<mcx::KmsCertificate>> certificates_in(OctetsView document) {
  const auto found = TRY(kmsxml::find_certificates(document, kmsxml::Profile::all_forms()));
  std::vector<mcx::KmsCertificate> out;
  for (const kmsxml::KmsCertificate& one : found) out.push_back(TRY(certificate_of(one)));
  return out;
}

Result<std::vector<mcx::KeySet>> key_sets_in(OctetsView document, const mcx::Domains& domains) {
  const auto found = TRY(kmsxml::find_key_sets(document, kmsxml::Profile::all_forms()));
  std::vector<mcx::KeySet> out;
  for (const kmsxml::KmsKeySet& one : found)
    if (!one.revoked) out.push_back(TRY(key_set_of(one, domains)));
  return out;
}

}  // namespace regroup::app
