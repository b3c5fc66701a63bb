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

// What a partner would compare by voice: the whole of what `kms certificate` prints.
std::string fingerprint_of(const kms::CertificateRecord& certificate, kmsxml::Role role) {
  return hex(crypto::sha256(view(kmsxml::write(document_of(certificate, role)))));
}

const char* standing_of(const kms::CertificateRecord& one, NtpTime now) {
  if (one.revoked) return "revoked";
  if (one.valid_to && now > *one.valid_to) return "expired";
  return one.valid_from && now < *one.valid_from ? "not yet valid" : "valid";
}

Result<Said> external_list(const KmsExternalOptions& options) {
  TRY(need(options.directory, "--dir"));
  const OpenedKms opened = TRY(open_kms(options.directory, options.passphrase_file));
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
  OpenedKms opened = TRY(open_kms(options.directory, options.passphrase_file, KmsAccessMode::changing));
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
  OpenedKms opened = TRY(open_kms(options.directory, options.passphrase_file));
  TRY(audit_command(options.directory, "backup", {{"file", printable(options.file, 400)}}));
  TRY(opened.store.backup(options.file));
  const std::string fingerprint = fingerprint_of(opened.kms.registry().own(), kmsxml::Role::root);
  return Said{
      "the KMS " + opened.kms.registry().own().kms_uri + " is in " + options.file + ", " +
          std::to_string(opened.kms.registry().subscribers()) + " identities; certificate SHA-256 " +
          fingerprint + "\nkeep the passphrase elsewhere: with both, everybody's keys can be made",
      {{"file", options.file}, {"identities", opened.kms.registry().subscribers()}, {"sha256", fingerprint}}};
}

Result<Said> restore(const KmsBackupOptions& options) {
  TRY(need(options.directory, "--dir"));
  TRY(need(options.file, "FILE"));
  TRY(need(options.passphrase_file, "--passphrase-file"));
  OpenedKms opened = TRY(restore_kms(options.directory, options.file, options.passphrase_file));
  const kms::Registry& registry = opened.kms.registry();
  TRY(audit_command(options.directory, "restore",
                    {{"kms_uri", registry.own().kms_uri}, {"cache_num", registry.cache_num()}}));
  TRY(publish_certificate(options.directory, opened.kms));
  TRY(remember_passphrase_file(options.directory, options.passphrase_file));
  const std::string fingerprint = fingerprint_of(registry.own(), kmsxml::Role::root);
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

int run_kms_restore(const KmsBackupOptions& options, std::ostream& out, std::ostream& err) {
  harden_process();
  return finish_kms_verb("restore", restore(options), options.json, out, err);
}

}  // namespace regroup::app::cli
