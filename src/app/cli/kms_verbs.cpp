// SPDX-License-Identifier: Apache-2.0
// The verbs of the KMS on the command line.
#include <iostream>

#include "app/cli/command_line.hpp"
#include "app/cli/kms.hpp"
#include "app/cli/kms_identity.hpp"
#include "app/cli/kms_issue.hpp"
#include "app/cli/kms_keep.hpp"
#include "app/cli/kms_roll_over.hpp"
#include "app/jwks_source.hpp"

namespace regroup::app::cli {
namespace {

constexpr const char* kJson = "one JSON object, a refusal too";
constexpr const char* kDirectory = "the directory that init made";
constexpr const char* kPassphrase = "default: the one that init or seal was given";

// What opens the store: beside the options that init was given, those that may have moved since.
template <class Options>
void add_store_key(CLI::App* verb, const std::shared_ptr<Options>& options) {
  verb->add_option("--passphrase-file", options->passphrase_file, kPassphrase);
  verb->add_option("--pkcs11-module", options->token.module, kPassphrase);
  verb->add_option("--pin-file", options->token.pin_file, kPassphrase);
}

// What a store is to be sealed with.
void add_new_store_key(CLI::App* verb, std::string& passphrase_file, TokenOptions& token) {
  verb->add_option("--passphrase-file", passphrase_file, "mode 0600; or a token:");
  verb->add_option("--pkcs11-module", token.module, "the shared library of the token");
  verb->add_option("--pkcs11-token", token.token, "label of the token");
  verb->add_option("--pkcs11-key", token.key, "label of its AES-256 key; made there when there is none");
  verb->add_option("--pin-file", token.pin_file, "the user PIN in its first line, mode 0600");
}

// What nearly every verb takes.
template <class Options>
CLI::App* add_verb(CLI::App& to, const char* name, const char* what, const std::shared_ptr<Options>& options,
                   const char* example) {
  CLI::App* verb = to.add_subcommand(name, what);
  verb->add_option("--dir", options->directory, kDirectory)->required();
  add_store_key(verb, options);
  verb->add_flag("--json", options->json, kJson);
  verb->footer("Example: regroup kms " + std::string(example) + kExitCodes);
  return verb;
}

void add_setup_verbs(CLI::App* kms, int& result) {
  auto* init = kms->add_subcommand("init", "Make the master secrets of a new KMS, once");
  auto io = std::make_shared<KmsInitOptions>();
  init->add_option("--dir", io->directory, "the directory to make")->required();
  init->add_option("--kms-uri", io->kms_uri, "opaque; hashed into every UID")->required();
  init->add_option("--period", io->period, "key period in seconds");
  init->add_option("--offset", io->offset, "offset of the first period in seconds");
  init->add_option("--domain", io->domains,
                   "domain of users (KmsDomainList); default: the KMS URI without a leading kms.");
  init->add_option("--issuer", io->issuer, "free text of the certificate");
  add_new_store_key(init, io->passphrase_file, io->token);
  init->add_flag("--json", io->json, kJson);
  init->footer(
      std::string(
          "Example: regroup kms init --dir kms --kms-uri kms.mcx.example --passphrase-file kms.pass\n"
          "Example: regroup kms init --dir kms --kms-uri kms.mcx.example --pkcs11-module "
          "/usr/lib/softhsm/libsofthsm2.so --pkcs11-token kms --pkcs11-key kms-store --pin-file kms.pin") +
      kExitCodes);
  init->callback([io, &result] { result = run_kms_init(*io, std::cout, std::cerr); });

  auto* add = kms->add_subcommand("add-identity", "Register a user, or with --server a GMS");
  auto ao = std::make_shared<KmsAddIdentityOptions>();
  add->add_option("--dir", ao->directory, kDirectory)->required();
  add->add_option("URI", ao->identity, "the identity with its scheme, as in sip:bob@mcx.example")->required();
  add->add_flag("--server", ao->server, "a GMS or MCPTT server");
  add_store_key(add, ao);
  add->add_option("--transport-keys-out", ao->transport_keys_out,
                  "make transport keys and write them to this new file, mode 0600, once");
  add->add_option("--policy", ao->policy, "with transport keys: wrap+sign (default) or wrap");
  add->add_option("--wrapping", ao->wrapping,
                  "with transport keys: w3 (default), w1 or w2 for peers that need it");
  add->add_flag("--json", ao->json, kJson);
  add->footer(std::string("Example: regroup kms add-identity --dir kms sip:bob@mcx.example\n"
                          "Example: regroup kms add-identity --dir kms --server sip:gms@mcx.example "
                          "--transport-keys-out gms-trk.json") +
              kExitCodes);
  add->callback([ao, &result] { result = run_kms_add_identity(*ao, std::cout, std::cerr); });

  auto* list = kms->add_subcommand("list", "List the registered identities: user or server, and the URI");
  auto lo = std::make_shared<KmsListOptions>();
  list->add_option("--dir", lo->directory, kDirectory)->required();
  add_store_key(list, lo);
  list->add_flag("--json", lo->json, kJson);
  list->footer(std::string("Example: regroup kms list --dir kms") + kExitCodes);
  list->callback([lo, &result] { result = run_kms_list(*lo, std::cout, std::cerr); });

  auto* foreign = kms->add_subcommand("import-certificate", "Take in the KMS certificate of another domain");
  auto mo = std::make_shared<KmsImportCertificateOptions>();
  foreign->add_option("--dir", mo->directory, kDirectory)->required();
  foreign->add_option("FILE", mo->file, "what the other KMS's `kms certificate` printed")->required();
  add_store_key(foreign, mo);
  foreign->add_flag("--json", mo->json, kJson);
  foreign->footer(
      std::string(
          "Example: regroup kms import-certificate --dir kms partner.xml --passphrase-file kms.pass") +
      kExitCodes);
  foreign->callback([mo, &result] { result = run_kms_import_certificate(*mo, std::cout, std::cerr); });

  auto* certificate = kms->add_subcommand("certificate", "Print the KMS certificate as XML");
  auto co = std::make_shared<KmsCertificateOptions>();
  certificate->add_option("--dir", co->directory, kDirectory)->required();
  certificate->add_flag("--successor", co->successor, "the one that roll-over announced");
  certificate->add_flag("--json", co->json, kJson);
  certificate->footer(std::string("Example: regroup kms certificate --dir kms > mcx.xml") + kExitCodes);
  certificate->callback([co, &result] { result = run_kms_certificate(*co, std::cout, std::cerr); });
}

void add_issue(CLI::App& kms, int& result) {
  auto options = std::make_shared<KmsIssueOptions>();
  auto* issue = add_verb(kms, "issue", "Keys in files, for machines that never see a network", options,
                         "issue --offline --dir kms sip:bob@mcx.example --out-dir packages");
  issue->add_option("URI", options->identities, "clients with transport keys of policy wrap+sign")
      ->required();
  issue->add_flag("--offline", options->offline, "must be said: keys leave the KMS without a request");
  issue->add_option("--periods", options->periods, "the present one and those after it (default 2)");
  issue->add_option("--out-dir", options->out_directory, "one directory for each identity is made in it")
      ->required();
  issue->callback([options, &result] { result = run_kms_issue(*options, std::cout, std::cerr); });
}

void add_roll_over(CLI::App& kms, int& result) {
  auto options = std::make_shared<KmsRollOverOptions>();
  auto* roll = add_verb(kms, "roll-over", "Announce new master secrets, in force from a later key period on",
                        options, "roll-over --dir kms");
  roll->add_option("--from", options->from,
                   "a time; they take over with the first period that begins then or later (default: as soon "
                   "as two whole periods lie before)");
  roll->callback([options, &result] { result = run_kms_roll_over(*options, std::cout, std::cerr); });
}

void add_serve(CLI::App* kms, int& result) {
  auto* serve = kms->add_subcommand("serve", "Answer key requests over HTTPS until SIGTERM");
  auto so = std::make_shared<KmsServeOptions>();
  serve->add_option("--dir", so->directory, kDirectory)->required();
  serve->add_option("--listen", so->listen, "HOST:PORT, HOST numeric; port 0 picks a free one")->required();
  serve->add_option("--tls-cert", so->tls_cert, "PEM; SAN: the DNS name of its URL")
      ->required()
      ->check(CLI::ExistingFile);
  serve->add_option("--tls-key", so->tls_key, "PEM, mode 0600")->required()->check(CLI::ExistingFile);
  serve->add_option("--client-ca", so->client_ca, "then servers must present a certificate with their URI")
      ->check(CLI::ExistingFile);
  serve->add_option("--jwks", so->jwks, "keys of the token issuer: a file or an https URL (its jwks_uri)")
      ->required()
      ->check(
          [](const std::string& place) { return is_url(place) ? std::string() : CLI::ExistingFile(place); });
  serve->add_option("--jwks-ca", so->jwks_ca, "trust anchor of that URL; default: the system's store")
      ->check(CLI::ExistingFile);
  serve->add_option("--issuer", so->issuer, "`iss` of the tokens")->required();
  serve->add_option("--audience", so->audience, "`aud` of the tokens");
  add_store_key(serve, so);
  serve->add_option("--server-auth", so->server_auth,
                    "what servers show: mtls+token (default with --client-ca), mtls or token");
  serve
      ->add_option("--rate", so->rate,
                   "requests of one identity a minute, default 120, then 429; 0: no limit")
      ->check(CLI::Range(0, 1'000'000));
  serve->add_option("--waiting", so->waiting, "requests that may wait to be answered, default 256, then 503")
      ->check(CLI::Range(1, 100'000));
  serve->add_option("--watch", so->watch,
                    "HOST:PORT, HOST numeric, for /metrics (Prometheus), /health and /ready over HTTPS");
  serve->add_flag("--json-log", so->json_log, "each line of the log as one JSON object");
  serve->add_flag("--json", so->json, "the ready line and refusals as JSON");
  serve->footer(
      std::string("Prints `ready https://HOST:PORT` when it listens.\nExample: regroup kms serve "
                  "--dir kms --listen 127.0.0.1:8444 --tls-cert c.pem --tls-key k.pem "
                  "--jwks jwks.json --issuer https://idms.mcx.example --passphrase-file kms.pass\n"
                  "Example: the same with --jwks https://idms.mcx.example/jwks --jwks-ca idms-ca.pem") +
      kExitCodes);
  serve->callback([so, &result] { result = run_kms_serve(*so, std::cerr); });
}

void add_identity_verbs(CLI::App& kms, int& result) {
  auto* identity = kms.add_subcommand("identity", "Suspend, resume, revoke or import identities");
  identity->require_subcommand(1);
  auto options = std::make_shared<KmsIdentityOptions>();
  const auto add = [&](const char* name, const char* what, const char* example, kms::Standing standing) {
    auto* verb = add_verb(*identity, name, what, options, example);
    verb->add_option("URI", options->identities, "one or more; all of them or none")->required();
    verb->callback([options, standing, &result] {
      result = run_kms_identity_standing(*options, standing, std::cout, std::cerr);
    });
  };
  add("suspend", "Give no keys until it is resumed; those it holds go on working",
      "identity suspend --dir kms sip:bob@mcx.example", kms::Standing::suspended);
  add("resume", "Give keys again", "identity resume --dir kms sip:bob@mcx.example", kms::Standing::active);
  add("revoke", "For good: its client is told to erase its keys; rekey its groups at the GMS",
      "identity revoke --dir kms sip:bob@mcx.example", kms::Standing::revoked);

  auto io = std::make_shared<KmsIdentityImportOptions>();
  auto* load = add_verb(*identity, "import", "Register the identities of a list, once more too", io,
                        "identity import --dir kms officers.csv --transport-keys-out keys");
  load->add_option("FILE", io->file, "CSV; first line: uri,server,suspended,transport_keys")->required();
  load->add_option("--transport-keys-out", io->transport_keys_out,
                   "directory for the key files of lines with a policy in transport_keys");
  load->callback([io, &result] { result = run_kms_identity_import(*io, std::cout, std::cerr); });
}

void add_transport_key_verbs(CLI::App& kms, int& result) {
  auto* keys = kms.add_subcommand("transport-keys", "Roll transport keys over, or replace lost ones");
  keys->require_subcommand(1);
  auto ro = std::make_shared<KmsTransportKeysOptions>();
  auto* roll = add_verb(*keys, "roll", "Offer successors; each client takes its own over by itself", ro,
                        "transport-keys roll --dir kms --older-than 90");
  roll->add_option("URI", ro->identities, "default: all that have transport keys");
  roll->add_option("--older-than", ro->older_than_days, "only keys made more than so many days ago")
      ->check(CLI::Range(0, 36500));
  roll->callback([ro, &result] { result = run_kms_transport_keys_roll(*ro, std::cout, std::cerr); });
  auto po = std::make_shared<KmsTransportKeysOptions>();
  auto* replace = add_verb(*keys, "replace", "Other keys at once, for a client that lost its own", po,
                           "transport-keys replace --dir kms sip:bob@mcx.example --out bob-trk.json");
  replace->add_option("URI", po->identities, "the client")->required()->expected(1);
  replace->add_option("--out", po->out_file, "a new file, mode 0600, to be carried to it")->required();
  replace->callback([po, &result] { result = run_kms_transport_keys_replace(*po, std::cout, std::cerr); });
}

void add_external_verbs(CLI::App& kms, int& result) {
  auto* external = kms.add_subcommand("external", "KMS certificates of other domains");
  external->require_subcommand(1);
  auto mo = std::make_shared<KmsImportCertificateOptions>();
  auto* load = add_verb(*external, "import", "Take one in", mo, "external import --dir kms partner.xml");
  load->add_option("FILE", mo->file, "what the other KMS's `kms certificate` printed")->required();
  load->callback([mo, &result] { result = run_kms_import_certificate(*mo, std::cout, std::cerr); });
  auto lo = std::make_shared<KmsExternalOptions>();
  auto* list =
      add_verb(*external, "list", "Those that are held, and their standing", lo, "external list --dir kms");
  list->callback([lo, &result] { result = run_kms_external_list(*lo, std::cout, std::cerr); });
  auto ro = std::make_shared<KmsExternalOptions>();
  auto* revoke = add_verb(*external, "revoke", "For good: clients stop sealing to that domain", ro,
                          "external revoke --dir kms kms.partner.example");
  revoke->add_option("KMS-URI", ro->kms_uri, "as external list prints it")->required();
  revoke->callback([ro, &result] { result = run_kms_external_revoke(*ro, std::cout, std::cerr); });
}

void add_backup_verbs(CLI::App& kms, int& result) {
  auto bo = std::make_shared<KmsBackupOptions>();
  auto* backup = add_verb(kms, "backup", "Copy the store, sealed as it is, also while the KMS runs", bo,
                          "backup --dir kms kms-2026-11-26.backup");
  backup->add_option("FILE", bo->file, "to be made")->required();
  backup->callback([bo, &result] { result = run_kms_backup(*bo, std::cout, std::cerr); });
  auto ro = std::make_shared<KmsBackupOptions>();
  auto* restore = kms.add_subcommand("restore", "Make a KMS directory from a backup");
  restore->add_option("--dir", ro->directory, "the directory to make")->required();
  restore->add_option("FILE", ro->file, "what backup made")->required();
  restore->add_option("--passphrase-file", ro->passphrase_file, "that of the KMS, mode 0600; or:");
  restore->add_option("--pkcs11-module", ro->token.module, "the shared library of the KMS's token");
  restore->add_option("--pin-file", ro->token.pin_file, "its user PIN, mode 0600");
  restore->add_flag("--json", ro->json, kJson);
  restore->footer(
      std::string("Example: regroup kms restore --dir kms kms-2026-11-26.backup --passphrase-file kms.pass") +
      kExitCodes);
  restore->callback([ro, &result] { result = run_kms_restore(*ro, std::cout, std::cerr); });
}

void add_seal(CLI::App& kms, int& result) {
  auto so = std::make_shared<KmsSealOptions>();
  auto* seal =
      kms.add_subcommand("seal", "Seal the store with another passphrase or token, also while it runs");
  seal->add_option("--dir", so->directory, kDirectory)->required();
  add_new_store_key(seal, so->next.passphrase_file, so->next.token);
  seal->add_option("--from-passphrase-file", so->present.passphrase_file, kPassphrase);
  seal->add_option("--from-pkcs11-module", so->present.token.module, kPassphrase);
  seal->add_option("--from-pin-file", so->present.token.pin_file, kPassphrase);
  seal->add_flag("--json", so->json, kJson);
  seal->footer(
      std::string("Example: regroup kms seal --dir kms --pkcs11-module /usr/lib/softhsm/libsofthsm2.so "
                  "--pkcs11-token kms --pkcs11-key kms-store --pin-file kms.pin\n"
                  "Example: regroup kms seal --dir kms --passphrase-file new.pass") +
      kExitCodes);
  seal->callback([so, &result] { result = run_kms_seal(*so, std::cout, std::cerr); });
}

void add_share_verbs(CLI::App& kms, int& result) {
  auto so = std::make_shared<KmsSplitOptions>();
  auto* split = kms.add_subcommand("split", "Put the passphrase into shares for several safes");
  split->add_option("--dir", so->directory, "then the passphrase must open that KMS");
  split->add_option("--passphrase-file", so->passphrase_file, "that of the KMS, mode 0600")->required();
  split->add_option("--shares", so->shares, "how many are made (default 5, at most 32)");
  split->add_option("--threshold", so->threshold, "how many give it back (default 3)");
  split->add_option("--out-dir", so->out_directory, "where share-1.txt, share-2.txt, ... are made")
      ->required();
  split->add_flag("--json", so->json, kJson);
  split->footer(std::string("Example: regroup kms split --passphrase-file kms.pass --shares 5 --threshold 3 "
                            "--out-dir shares") +
                kExitCodes);
  split->callback([so, &result] { result = run_kms_split(*so, std::cout, std::cerr); });
  auto co = std::make_shared<KmsCombineOptions>();
  auto* combine = kms.add_subcommand("combine", "Get the passphrase back from enough shares");
  combine->add_option("SHARE", co->share_files, "files of shares, mode 0600")->required();
  combine->add_option("--out", co->out_file, "the passphrase file to be made")->required();
  combine->add_flag("--json", co->json, kJson);
  combine->footer(
      std::string("Example: regroup kms combine share-1.txt share-4.txt share-5.txt --out kms.pass") +
      kExitCodes);
  combine->callback([co, &result] { result = run_kms_combine(*co, std::cout, std::cerr); });
}

}  // namespace

void add_kms_verbs(CLI::App& app, int& result) {
  auto* kms = app.add_subcommand("kms", "Key management server");
  kms->require_subcommand(1);
  add_setup_verbs(kms, result);
  add_identity_verbs(*kms, result);
  add_transport_key_verbs(*kms, result);
  add_external_verbs(*kms, result);
  add_roll_over(*kms, result);
  add_issue(*kms, result);
  add_backup_verbs(*kms, result);
  add_seal(*kms, result);
  add_share_verbs(*kms, result);
  add_serve(kms, result);
}

}  // namespace regroup::app::cli
