// SPDX-License-Identifier: Apache-2.0
#include "app/cli/kms_keep.hpp"

#include <ostream>

#include "app/cli/kms_verb.hpp"
#include "app/kms/audit.hpp"
#include "app/kms/documents.hpp"
#include "app/process.hpp"
#include "base/text.hpp"
#include "crypto/hash/sha256.hpp"

namespace regroup::app::cli {
namespace {

const char* standing_of(const kms::CertificateRecord& one, NtpTime now) {
  if (one.revoked) return "revoked";
  if (one.valid_to && now > *one.valid_to) return "expired";
  return one.valid_from && now < *one.valid_from ? "not yet valid" : "valid";
}

Result<Said> external_list(const KmsExternalOptions& options) {
  TRY(need(options.directory, "--dir"));
  const OpenedKms opened = TRY(open_kms(options.directory, {options.passphrase_file, options.token}));
  const NtpTime now = SystemClock().now();
  std::string text = "cache number " + std::to_string(opened.kms.registry().cache_num());
  nlohmann::json all = nlohmann::json::array();
  for (const kms::CertificateRecord& one : opened.kms.registry().externals()) {
    const char* const standing = standing_of(one, now);
    text += "\n" + printable(one.kms_uri) + " " + printable(one.cert_uri) + " " + standing;
    all.push_back({{"kms_uri", one.kms_uri},
                   {"cert_uri", one.cert_uri},
                   {"domains", one.domains},
                   {"period", one.period},
                   {"offset", one.offset},
                   {"standing", standing}});
    if (one.valid_to) all.back()["valid_to"] = date_time(*one.valid_to);
  }
  return Said{text, {{"cache_num", opened.kms.registry().cache_num()}, {"external", std::move(all)}}};
}

Result<Said> external_revoke(const KmsExternalOptions& options) {
  TRY(need(options.directory, "--dir"));
  OpenedKms opened =
      TRY(open_kms(options.directory, {options.passphrase_file, options.token}, KmsAccessMode::changing));
  kms::Registry& registry = opened.kms.registry();
  const bool changed = TRY(registry.revoke_certificate(options.kms_uri));
  TRY(administer(options.directory, opened, "external-revoke", {{"kms_uri", options.kms_uri}}));
  return Said{options.kms_uri + (changed ? " is revoked" : " was revoked") + "; cache number " +
                  std::to_string(registry.cache_num()),
              {{"kms_uri", options.kms_uri}, {"changed", changed}, {"cache_num", registry.cache_num()}}};
}

Result<Said> backup(const KmsBackupOptions& options) {
  TRY(need(options.directory, "--dir"));
  TRY(need(options.file, "FILE"));
  OpenedKms opened = TRY(open_kms(options.directory, {options.passphrase_file, options.token}));
  TRY(audit_command(options.directory, "backup", {{"file", printable(options.file, 400)}}));
  TRY(opened.store.backup(options.file));
  const std::string fingerprint = fingerprint_of(opened.kms.registry().own_at(SystemClock().now()));
  const Octets header = opened.store.header_octets();
  const bool token = crypto::is_token_vault(header);
  return Said{"the KMS " + opened.kms.registry().own().kms_uri + " is in " + options.file + ", " +
                  std::to_string(opened.kms.registry().subscribers()) + " identities; certificate SHA-256 " +
                  fingerprint +
                  (token ? "\nit opens with " + sealing_of(header) +
                               " or its clone only; docs/operations.md, PKCS#11 token, says how to make one "
                               "that a passphrase opens"
                         : "\nkeep the passphrase elsewhere: with both, everybody's keys can be made"),
              {{"file", options.file},
               {"identities", opened.kms.registry().subscribers()},
               {"sealed_with", token ? "token" : "passphrase"},
               {"sha256", fingerprint}}};
}

Result<Said> restore(const KmsBackupOptions& options) {
  TRY(need(options.directory, "--dir"));
  TRY(need(options.file, "FILE"));
  const StoreKey key{options.passphrase_file, options.token};
  if (!key.token.any()) TRY(need(key.passphrase_file, "--passphrase-file"));
  OpenedKms opened =
      TRY(restore_kms(options.directory, options.file, key, [&](const kms::Kms& kms) -> Result<void> {
        TRY(audit_command(options.directory, "restore",
                          {{"kms_uri", kms.kms_uri().text()}, {"cache_num", kms.registry().cache_num()}}));
        TRY(publish_certificates(options.directory, kms, SystemClock().now()));
        return remember_store_key(options.directory, key);
      }));
  const kms::Registry& registry = opened.kms.registry();
  const std::string fingerprint = fingerprint_of(registry.own_at(SystemClock().now()));
  return Said{"restored the KMS " + registry.own().kms_uri + " with " +
                  std::to_string(registry.subscribers()) + " identities; certificate SHA-256 " + fingerprint +
                  ", cache number " + std::to_string(registry.cache_num()) +
                  "\nwhat was done after the backup is not in it: do again what the old audit log records "
                  "since (suspend, revoke, import)",
              {{"kms_uri", registry.own().kms_uri},
               {"identities", registry.subscribers()},
               {"sha256", fingerprint},
               {"cache_num", registry.cache_num()}}};
}

Result<Said> seal(const KmsSealOptions& options) {
  TRY(need(options.directory, "--dir"));
  OpenedKms opened = TRY(open_kms(options.directory, options.present, KmsAccessMode::changing));
  crypto::SystemRandom random;
  crypto::Vault vault = TRY(make_vault(options.next, random));
  const std::string before = sealing_of(opened.store.header_octets());
  const std::string after = sealing_of(vault.header_octets());
  const bool token = options.next.token.any();
  TRY(audit_command(options.directory, "seal", {{"sealed_with", after}, {"before", before}}));
  const auto sealed = reseal_kms(options.directory, opened, options.next, std::move(vault));
  if (!sealed.ok()) TRY(audit_command(options.directory, "failed", {{"act", "seal"}}));
  TRY(sealed);
  TRY(forget_former_store_key(options.directory, options.next));
  return Said{"sealed with " + after + "; what opened it before opens the backups of before only",
              {{"sealed_with", token ? "token" : "passphrase"}, {"sealed", after}, {"before", before}}};
}

}  // namespace

int run_kms_external_list(const KmsExternalOptions& options, std::ostream& out, std::ostream& err) {
  harden_process();
  return finish_kms_verb("external list", external_list(options), options.json, out, err);
}

int run_kms_external_revoke(const KmsExternalOptions& options, std::ostream& out, std::ostream& err) {
  harden_process();
  return finish_kms_verb("external revoke", external_revoke(options), options.json, out, err);
}

int run_kms_backup(const KmsBackupOptions& options, std::ostream& out, std::ostream& err) {
  harden_process();
  return finish_kms_verb("backup", backup(options), options.json, out, err);
}

int run_kms_seal(const KmsSealOptions& options, std::ostream& out, std::ostream& err) {
  harden_process();
  return finish_kms_verb("seal", seal(options), options.json, out, err);
}

int run_kms_restore(const KmsBackupOptions& options, std::ostream& out, std::ostream& err) {
  harden_process();
  return finish_kms_verb("restore", restore(options), options.json, out, err);
}

}  // namespace regroup::app::cli
