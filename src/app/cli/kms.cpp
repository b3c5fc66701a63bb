// SPDX-License-Identifier: Apache-2.0
#include "app/cli/kms.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/key_files.hpp"
#include "app/cli/kms_verb.hpp"
#include "app/config_values.hpp"
#include "app/kms/audit.hpp"
#include "app/kms/directory.hpp"
#include "app/kms/documents.hpp"
#include "app/kms/transport_file.hpp"
#include "app/process.hpp"
#include "base/text.hpp"
#include "crypto/hash/sha256.hpp"

namespace regroup::app::cli {
namespace {

Result<Said> init(const KmsInitOptions& options) {
  TRY(need(options.directory, "--dir"));
  const StoreKey key{options.passphrase_file, options.token};
  const bool token = key.token.any();
  const kms::Setup setup{
      .kms_uri = TRY(argument(mcx::KmsUri::parse(options.kms_uri), "--kms-uri")),
      .periods = TRY(argument(mcx::KeyPeriods::make(options.period, options.offset), "--period, --offset")),
      .domains = options.domains,
      .issuer = options.issuer};
  crypto::SystemRandom random;
  kms::Kms made = TRY(argument(kms::Kms::make(setup, random), "--domain"));
  TRY(create_kms(options.directory, key, made, [&](const kms::Kms& kms) -> Result<void> {
    TRY(audit_command(options.directory, "init",
                      {{"kms_uri", kms.kms_uri().text()}, {"sealed_with", token ? "token" : "passphrase"}}));
    TRY(publish_certificates(options.directory, kms, SystemClock().now()));
    return remember_store_key(options.directory, key);
  }));
  const kms::CertificateRecord& own = made.registry().own();
  std::string domains;
  for (const std::string& domain : own.domains) domains += " " + domain;
  return Said{
      "made the KMS " + own.kms_uri + " for" + domains + ", key period " + std::to_string(own.period) +
          " s, in " + options.directory +
          (token ? "\nit opens with that token only: clone the token, or keep a backup that a passphrase "
                   "opens; without one of them every issued key is lost"
                 : "\nkeep the passphrase apart from a backup of that directory; without both every "
                   "issued key is lost"),
      {{"kms_uri", own.kms_uri},
       {"cert_uri", own.cert_uri},
       {"period", own.period},
       {"offset", own.offset},
       {"domains", own.domains},
       {"sealed_with", token ? "token" : "passphrase"},
       {"certificate", certificate_file(options.directory)}}};
}

// How the client of `options` will be protected; without --transport-keys-out nothing may be asked for.
Result<kms::ClientKeys> protection_of(const KmsAddIdentityOptions& options) {
  constexpr std::string_view kClause = "TS 33.180 9.3.4";
  kms::ClientKeys out;
  if (options.transport_keys_out.empty()) {
    if (options.policy.empty() && options.wrapping.empty()) return out;
    return fail(Errc::usage, kClause,
                options.policy.empty() ? "--wrapping needs transport keys" : "--policy needs transport keys",
                "name the file to be made with --transport-keys-out");
  }
  if (!options.policy.empty() && options.policy != "wrap" && options.policy != "wrap+sign")
    return fail(Errc::usage, kClause, "--policy: '" + printable(options.policy, 40) + "' is no policy",
                "choose wrap+sign or wrap; without transport keys it is plain");
  out.signs = options.policy != "wrap";
  if (options.wrapping.empty()) return out;
  if (options.wrapping.size() != 2 || options.wrapping[0] != 'w' || options.wrapping[1] < '1' ||
      options.wrapping[1] > '3')
    return fail(Errc::usage, kClause,
                "--wrapping: '" + printable(options.wrapping, 40) + "' is no way to wrap",
                "choose w3, w1 or w2");
  out.wrapping = static_cast<kms::Wrapping>(options.wrapping[1] - '0');
  return out;
}

// Registers; one who is there already, as the same kind, may come for transport keys.
Result<void> register_identity(OpenedKms& opened, const mcx::McpttId& identity,
                               const KmsAddIdentityOptions& options) {
  const kms::Subscriber* there = opened.kms.registry().find(identity.text());
  if (there && there->server == options.server && !options.transport_keys_out.empty()) return {};
  return opened.kms.registry().add(identity, options.server);
}

// Whoever seals to an identity looks its KMS up by its domain (PR-37). One of another domain may be meant all
// the same (a gateway; a tel: number has none), so this is said and not refused.
std::string foreign_domain(const kms::Kms& kms, const mcx::McpttId& identity) {
  const std::string domain = mcx::domain_part(identity.text());
  const kms::CertificateRecord& own = kms.registry().own();
  mcx::Domains here;
  if (domain.empty() || own.domains.empty() || !here.add(kms.certificate_at(SystemClock().now())).ok())
    return {};
  if (here.kms_of(identity, SystemClock().now()).ok()) return {};
  std::string served;
  for (const std::string& one : own.domains) served += " " + one;
  return "URI: " + identity.text() + " is of the domain " + domain + ", this KMS serves" + served +
         " [PR-37]; correct the URI, or give it an entry in [kms_of] of each GMS";
}

Result<Said> add_identity(const KmsAddIdentityOptions& options) {
  TRY(need(options.directory, "--dir"));
  const mcx::McpttId asked = TRY(argument(identity_value(options.identity), "URI"));
  kms::ClientKeys protection = TRY(protection_of(options));
  OpenedKms opened =
      TRY(open_kms(options.directory, {options.passphrase_file, options.token}, KmsAccessMode::changing));
  TRY(register_identity(opened, asked, options));
  const mcx::McpttId identity = opened.kms.registry().find(asked.text())->identity;
  crypto::SystemRandom random;
  const std::string& file = options.transport_keys_out;
  const bool signs = protection.signs;
  const char* const policy = file.empty() ? "plain" : signs ? "wrap+sign" : "wrap";
  if (!file.empty()) {
    protection.keys.push_back(kms::make_transport_keys(identity, random));
    protection.made = SystemClock().now();
    const kms::TransportKeys written = protection.present().duplicate();
    TRY(opened.kms.transport_keys().add(identity, std::move(protection)));
    TRY(write_transport_key_file(file,
                                 written));  // first: keys that only the KMS has would lock the client out
  }
  const auto stored =
      administer(options.directory, opened, "add-identity",
                 {{"identity", identity.text()}, {"server", options.server}, {"policy", policy}});
  if (!stored.ok() && !file.empty()) std::remove(file.c_str());
  TRY(stored);
  return Said{"added " + identity.text() + (options.server ? " as a server" : "") +
                  (file.empty() ? ""
                                : ", policy " + std::string(policy) + "\nits transport keys are in " + file +
                                      ": carry that file to it, then remove it here"),
              {{"identity", identity.text()},
               {"server", options.server},
               {"policy", policy},
               {"identities", opened.kms.registry().subscribers()}},
              foreign_domain(opened.kms, identity)};
}

Result<Said> import_certificate(const KmsImportCertificateOptions& options) {
  TRY(need(options.directory, "--dir"));
  const Octets document = TRY(argument(read_document(options.file), "FILE"));
  const auto found = TRY(kmsxml::find_certificates(document, kmsxml::Profile::all_forms()));
  OpenedKms opened =
      TRY(open_kms(options.directory, {options.passphrase_file, options.token}, KmsAccessMode::changing));
  kms::Registry& registry = opened.kms.registry();
  bool changed = false;
  std::string names;
  nlohmann::json imported = nlohmann::json::array();
  for (const kmsxml::KmsCertificate& one : found) {
    const mcx::KmsCertificate checked = TRY(certificate_of(one));
    changed = TRY(registry.import_certificate(kms::record_of(checked, one.issuer))) || changed;
    names += " " + one.kms_uri;
    imported.push_back(one.kms_uri);
  }
  const std::string digest = hex(crypto::sha256(document));
  if (changed)
    TRY(administer(options.directory, opened, "import-certificate",
                   {{"kms_uris", imported}, {"sha256", digest}}));
  return Said{(changed ? "imported" : "held already:") + names + "; cache number " +
                  std::to_string(registry.cache_num()) + "\nSHA-256 of " + options.file + ": " + digest +
                  "\ncompare it with the partner by voice",
              {{"imported", imported},
               {"changed", changed},
               {"cache_num", registry.cache_num()},
               {"sha256", digest}}};
}

// The registry is sealed like all of the state, so this needs the passphrase; it changes nothing, so no lock.
Result<Said> list(const KmsListOptions& options) {
  TRY(need(options.directory, "--dir"));
  const OpenedKms opened = TRY(open_kms(options.directory, {options.passphrase_file, options.token}));
  std::string text;
  nlohmann::json identities = nlohmann::json::array();
  for (const kms::Subscriber* one : opened.kms.registry().all()) {
    const char* const kind = one->server ? "server" : "user";
    const kms::ClientKeys* keys = opened.kms.transport_keys().find(one->identity.text());
    const char* const policy = !keys ? "plain" : keys->signs ? "wrap+sign" : "wrap";
    const bool active = one->standing == kms::Standing::active;
    text += (text.empty() ? "" : "\n") + std::string(kind) + " " + one->identity.text() +
            (keys ? " " + std::string(policy) : "") +
            (active ? "" : " " + std::string(name_of(one->standing)));
    identities.push_back({{"identity", one->identity.text()},
                          {"kind", kind},
                          {"policy", policy},
                          {"standing", name_of(one->standing)}});
    if (keys) identities.back()["trk_id"] = keys->present().trk_id;
    if (keys && keys->successor()) identities.back()["offered_trk_id"] = keys->successor()->trk_id;
  }
  return Said{text, {{"identities", std::move(identities)}}};
}

Result<Said> certificate(const KmsCertificateOptions& options, std::string& document) {
  TRY(need(options.directory, "--dir"));
  document = std::string(
      text_of(TRY(options.successor ? read_document(successor_file(options.directory))
                                    : published_certificate(options.directory, SystemClock().now()))));
  const std::string digest = hex(crypto::sha256(view(document)));
  return Said{"SHA-256 " + digest, {{"certificate", document}, {"sha256", digest}}};
}

}  // namespace

int run_kms_init(const KmsInitOptions& options, std::ostream& out, std::ostream& err) {
  harden_process();
  return finish_kms_verb("init", init(options), options.json, out, err);
}

int run_kms_add_identity(const KmsAddIdentityOptions& options, std::ostream& out, std::ostream& err) {
  harden_process();
  return finish_kms_verb("add-identity", add_identity(options), options.json, out, err);
}

int run_kms_import_certificate(const KmsImportCertificateOptions& options, std::ostream& out,
                               std::ostream& err) {
  harden_process();
  return finish_kms_verb("import-certificate", import_certificate(options), options.json, out, err);
}

int run_kms_list(const KmsListOptions& options, std::ostream& out, std::ostream& err) {
  harden_process();
  return finish_kms_verb("list", list(options), options.json, out, err);
}

int run_kms_certificate(const KmsCertificateOptions& options, std::ostream& out, std::ostream& err) {
  std::string document;
  const auto said = certificate(options, document);
  if (!said.ok() || options.json) return finish_kms_verb("certificate", said, options.json, out, err);
  out << document;
  err << said->text << "\n";
  return 0;
}

}  // namespace regroup::app::cli
