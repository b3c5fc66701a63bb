// SPDX-License-Identifier: Apache-2.0
// The command line: `regroup <noun> <verb>`. Each verb is a function with its own options; here they only get
// their names, their help and their examples. Exit codes: 0 done, 1 failure, 2 usage or configuration, 3
// refused.
#include <CLI/CLI.hpp>
#include <iostream>

#include "app/cli/inspect.hpp"
#include "app/cli/kms.hpp"
#include "app/cli/lab.hpp"
#include "app/cli/open.hpp"
#include "app/cli/seal.hpp"
#include "app/demo/demo.hpp"
#include "app/gms/serve.hpp"
#include "app/process.hpp"
#include "app/ue/run.hpp"
#include "crypto/eccsi.hpp"
#include "crypto/sakke.hpp"
#include "mcx/uid.hpp"

namespace {

using namespace regroup::app;  // NOLINT: this file only names what is there

constexpr const char* kExitCodes = "\nExit codes: 0 done, 1 failure, 2 usage or configuration, 3 refused.";

void add_lab_verbs(CLI::App& app, int& result) {
  auto* inspect = app.add_subcommand("inspect", "Explain a MIKEY message field by field");
  auto options = std::make_shared<cli::InspectOptions>();
  inspect->add_option("FILE", options->file, "binary, hex, base64 or `mikey BASE64`; - for standard input")
      ->required();
  inspect->add_flag("--json", options->json, "one JSON object");
  inspect->footer(std::string("Example: regroup inspect message.bin") + kExitCodes);
  inspect->callback(
      [options, &result] { result = cli::run_inspect(*options, std::cin, std::cout, std::cerr); });

  auto* lab = app.add_subcommand(
      "lab", "The key side as a line protocol, for cross-checks with other software (prints secrets)");
  lab->footer(
      "Lines: Z RSK RSKOK ENC DEC KPAK PAIR PAIROK SIGN VER UID GUK SRTP; values in hex, numbers in "
      "decimal.\n"
      "Example: echo \"KPAK 012345\" | regroup lab");
  lab->callback([&result] { result = run_lab(); });
}

void add_open(CLI::App& app, int& result) {
  auto* open = app.add_subcommand("open", "Verify and open a key message with keys from KMS documents");
  auto options = std::make_shared<cli::OpenOptions>();
  open->add_option("--certificate", options->certificate_files,
                   "KmsCertificate, bare or in a KmsResponse; repeatable, one per KMS in the message")
      ->required()
      ->expected(1)
      ->take_all();
  open->add_option("--key-set", options->key_set_files,
                   "KmsKeySet of the receiver, bare or in a KmsResponse; repeatable")
      ->required()
      ->expected(1)
      ->take_all();
  open->add_option("FILE", options->file, "binary, hex, base64 or `mikey BASE64`; - for standard input")
      ->required();
  open->add_option("--tolerate", options->tolerances, "let one named deviation through; repeatable")
      ->expected(1)
      ->take_all();
  open->add_option("--at", options->at, "judge as of this dateTime, or now; default: the message's own time");
  open->add_option("--initiator", options->initiator, "URI that a hidden (UID-only) initiator must be");
  open->add_flag("--show-secrets", options->show_secrets, "print the key itself, not only its fingerprint");
  open->add_flag("--json", options->json, "one JSON object");
  open->footer(std::string("Example: regroup open --certificate kms.xml --key-set bob.xml message.bin\n"
                           "Opens every kind of key and names it (GMK, PCK, CSK, SPK, MKFC, MSCCK, MuSiK).") +
               kExitCodes);
  open->callback([options, &result] { result = cli::run_open(*options, std::cin, std::cout, std::cerr); });
}

void add_seal(CLI::App& app, int& result) {
  auto* seal = app.add_subcommand("seal", "Write the key messages of a new or given GMK, one per receiver");
  auto options = std::make_shared<cli::SealOptions>();
  const auto repeatable = [seal](const char* name, std::vector<std::string>& into, const char* what) {
    return seal->add_option(name, into, what)->expected(1)->take_all();
  };
  repeatable("--certificate", options->certificate_files, "KmsCertificate of the sender's and receivers' KMS")
      ->required();
  repeatable("--key-set", options->key_set_files, "KmsKeySet of the sender (a GMS)")->required();
  repeatable("--to", options->to, "MCPTT ID or GMS URI of a receiver; repeatable")->required();
  repeatable("--group", options->groups, "group ID in the key parameters; repeatable")->required();
  seal->add_option("--gmk-file", options->gmk_file,
                   "the GMK: 32 hex digits, mode 0600; default: a fresh one");
  seal->add_option("--gmk-id", options->gmk_id, "8 hex digits; default: drawn");
  seal->add_option("--rand", options->rand, "RAND of the GMK, hex, 16 to 64 octets; default: drawn");
  seal->add_option("--text", options->text, "name of the key for people");
  seal->add_option("--use", options->use, "media, floor or both: token at the end of Text");
  seal->add_option("--activation", options->activation, "dateTime; default: the time in T");
  seal->add_option("--expiry", options->expiry, "dateTime; default: does not expire");
  seal->add_option("--at", options->at, "T of the messages: dateTime, or now (default)");
  seal->add_flag("--revoke", options->revoke, "withdraw the GMK given with --gmk-file and --gmk-id");
  seal->add_flag("--hide-initiator", options->hide_initiator, "UID instead of the sender's URI (role 8)");
  seal->add_flag("--hide-responder", options->hide_responder, "UID instead of the receiver's URI (role 9)");
  seal->add_flag("--empty-map", options->empty_map, "default profile: no crypto session, no SP");
  seal->add_option("--out", options->out_directory, "write 0001.mikey, 0002.mikey ... into this directory");
  seal->add_flag("--json", options->json, "one JSON object");
  seal->footer(std::string("Example: regroup seal --certificate kms.xml --key-set gms.xml "
                           "--to sip:bob@mcx.example --group sip:fire@mcx.example") +
               kExitCodes);
  seal->callback([options, &result] { result = cli::run_seal(*options, std::cin, std::cout, std::cerr); });
}

void add_gms_verbs(CLI::App& app, int& result) {
  auto* gms = app.add_subcommand("gms", "Group management server");
  gms->require_subcommand(1);
  auto* serve = gms->add_subcommand("serve", "Run one GMS until SIGTERM");
  auto options = std::make_shared<GmsServeOptions>();
  serve->add_option("--config", options->config_file, "gms.toml (docs/operations.md)")->required();
  serve->add_flag("--json", options->json, "the ready line and refusals as JSON");
  serve->footer(std::string("Prints one line `ready https://HOST:PORT ...` when it listens.\nExample: "
                            "regroup gms serve --config gms.toml") +
                kExitCodes);
  serve->callback([options, &result] { result = run_gms_serve(*options, std::cerr); });
}

void add_kms_verbs(CLI::App& app, int& result) {
  auto* kms = app.add_subcommand("kms", "Key management server");
  kms->require_subcommand(1);
  auto* init = kms->add_subcommand("init", "Make the master secrets of a new KMS, once");
  auto io = std::make_shared<cli::KmsInitOptions>();
  init->add_option("--dir", io->directory, "its directory")->required();
  init->add_option("--kms-uri", io->kms_uri, "opaque; hashed into every UID")->required();
  init->add_option("--period", io->period, "key period in seconds");
  init->add_option("--offset", io->offset, "offset of the first period in seconds");
  init->add_option("--domain", io->domains,
                   "domain of users (KmsDomainList); default: the KMS URI without a leading kms.");
  init->add_option("--issuer", io->issuer, "free text of the certificate");
  init->add_option("--passphrase-file", io->passphrase_file, "mode 0600")->required();
  init->add_flag("--json", io->json);
  init->footer(
      std::string(
          "Example: regroup kms init --dir kms --kms-uri kms.mcx.example --passphrase-file kms.pass") +
      kExitCodes);
  init->callback([io, &result] { result = cli::run_kms_init(*io, std::cout, std::cerr); });

  auto* add = kms->add_subcommand("add-identity", "Register a user, or with --server a GMS");
  auto ao = std::make_shared<cli::KmsAddIdentityOptions>();
  add->add_option("--dir", ao->directory)->required();
  add->add_option("URI", ao->identity)->required();
  add->add_flag("--server", ao->server, "a GMS or MCPTT server");
  add->add_option("--passphrase-file", ao->passphrase_file, "default: the one that init was given");
  add->add_flag("--json", ao->json);
  add->footer(
      std::string(
          "Example: regroup kms add-identity --dir kms sip:bob@mcx.example --passphrase-file kms.pass") +
      kExitCodes);
  add->callback([ao, &result] { result = cli::run_kms_add_identity(*ao, std::cout, std::cerr); });

  auto* foreign = kms->add_subcommand("import-certificate", "Take in the KMS certificate of another domain");
  auto mo = std::make_shared<cli::KmsImportCertificateOptions>();
  foreign->add_option("--dir", mo->directory)->required();
  foreign->add_option("FILE", mo->file, "what the other KMS's `kms certificate` printed")->required();
  foreign->add_option("--passphrase-file", mo->passphrase_file, "default: the one that init was given");
  foreign->add_flag("--json", mo->json);
  foreign->footer(
      std::string(
          "Example: regroup kms import-certificate --dir kms partner.xml --passphrase-file kms.pass") +
      kExitCodes);
  foreign->callback([mo, &result] { result = cli::run_kms_import_certificate(*mo, std::cout, std::cerr); });

  auto* certificate = kms->add_subcommand("certificate", "Print the KMS certificate as XML");
  auto co = std::make_shared<cli::KmsCertificateOptions>();
  certificate->add_option("--dir", co->directory)->required();
  certificate->add_flag("--json", co->json);
  certificate->footer(std::string("Example: regroup kms certificate --dir kms > mcx.xml") + kExitCodes);
  certificate->callback([co, &result] { result = cli::run_kms_certificate(*co, std::cout, std::cerr); });

  auto* serve = kms->add_subcommand("serve", "Answer key requests over HTTPS until SIGTERM");
  auto so = std::make_shared<cli::KmsServeOptions>();
  serve->add_option("--dir", so->directory)->required();
  serve->add_option("--listen", so->listen, "HOST:PORT; port 0 picks a free one")->required();
  serve->add_option("--tls-cert", so->tls_cert)->required();
  serve->add_option("--tls-key", so->tls_key, "mode 0600")->required();
  serve->add_option("--client-ca", so->client_ca, "then servers must present a certificate with their URI");
  serve->add_option("--jwks", so->jwks_file, "keys of the token issuer")->required();
  serve->add_option("--issuer", so->issuer, "`iss` of the tokens")->required();
  serve->add_option("--audience", so->audience, "`aud` of the tokens");
  serve->add_option("--passphrase-file", so->passphrase_file, "default: the one that init was given");
  serve->add_option("--server-auth", so->server_auth,
                    "what servers show: mtls+token (default with --client-ca), mtls or token");
  serve->add_flag("--json", so->json, "the ready line and refusals as JSON");
  serve->footer(std::string("Prints `ready https://HOST:PORT` when it listens.\nExample: regroup kms serve "
                            "--dir kms --listen 127.0.0.1:8444 --tls-cert c.pem --tls-key k.pem "
                            "--jwks jwks.json --issuer https://idms.mcx.example --passphrase-file kms.pass") +
                kExitCodes);
  serve->callback([so, &result] { result = cli::run_kms_serve(*so, std::cerr); });
}  // namespace

void add_ue_verbs(CLI::App& app, int& result) {
  auto* ue = app.add_subcommand("ue", "Client of a member or dispatcher");
  ue->require_subcommand(1);
  auto* run = ue->add_subcommand("run", "Fetch keys, subscribe, install, acknowledge, until SIGTERM");
  auto ro = std::make_shared<UeRunOptions>();
  run->add_option("--config", ro->config_files, "ue.toml; several: several clients in this process")
      ->required();
  run->add_flag("--json", ro->json, "one JSON object per key event");
  run->footer(std::string("Example: regroup ue run --config bob.toml --json") + kExitCodes);
  run->callback([ro, &result] { result = run_ue(*ro, std::cout, std::cerr); });

  auto go = std::make_shared<UeGroupOptions>();
  auto* keys = ue->add_subcommand("keys", "List the key ring (never a key)");
  keys->add_option("--config", go->config_file)->required();
  keys->add_flag("--json", go->json);
  keys->footer(std::string("Example: regroup ue keys --config bob.toml") + kExitCodes);
  keys->callback([go, &result] { result = run_ue_keys(*go, std::cout, std::cerr); });

  auto* group = ue->add_subcommand("group", "A dispatcher's requests");
  group->require_subcommand(1);
  const auto common = [go](CLI::App* verb) {
    verb->add_option("--config", go->config_file, "ue.toml of the dispatcher")->required();
    verb->add_flag("--json", go->json);
  };
  const auto plan = [go](CLI::App* verb) {
    verb->add_option("--floor-key", go->floor_key, "none, gmk or mkfc: a second key for floor control");
    verb->add_option("--procedure", go->procedure,
                     "one or two: both keys in one procedure, or one after the other");
  };
  auto* create = group->add_subcommand("create", "Create or replace a group");
  common(create);
  plan(create);
  create->add_option("GROUP", go->group)->required();
  create->add_option("MEMBER", go->members)->required();
  create->footer(std::string("Example: regroup ue group create --config d.toml sip:fire@mcx.example "
                             "sip:ann@mcx.example sip:bob@mcx.example") +
                 kExitCodes);
  create->callback([go, &result] { result = run_ue_group_create(*go, std::cout, std::cerr); });
  auto* show = group->add_subcommand("show", "Print a group document");
  common(show);
  show->add_option("GROUP", go->group)->required();
  show->footer(std::string("Example: regroup ue group show --config d.toml sip:fire@mcx.example") +
               kExitCodes);
  show->callback([go, &result] { result = run_ue_group_show(*go, std::cout, std::cerr); });
  auto* regroup = group->add_subcommand("regroup", "Form a temporary group of groups; prints its ID");
  common(regroup);
  plan(regroup);
  regroup->add_option("GROUP", go->groups, "two or more, also of partner systems")->required();
  regroup->add_option("--id", go->request_id,
                      "repeat an earlier request: the same answer, never a second key");
  regroup->footer(std::string("Example: regroup ue group regroup --config d.toml sip:fire@mcx.example "
                              "sip:police@partner.example") +
                  kExitCodes);
  regroup->callback([go, &result] { result = run_ue_group_regroup(*go, std::cout, std::cerr); });
  auto* teardown = group->add_subcommand("teardown", "Tear down a temporary group");
  common(teardown);
  teardown->add_option("GROUP", go->group)->required();
  teardown->footer(
      std::string("Example: regroup ue group teardown --config d.toml sip:tmp-0123456789abcdef@mcx.example") +
      kExitCodes);
  teardown->callback([go, &result] { result = run_ue_group_teardown(*go, std::cout, std::cerr); });
}

void add_demo(CLI::App& app, int& result) {
  auto* verb = app.add_subcommand("demo", "Two systems over loopback, from the first key to the tear-down");
  auto options = std::make_shared<demo::DemoOptions>();
  verb->add_option("--members", options->members, "clients in each system (2 to 1000)");
  verb->add_option("--json", options->json_file, "write the report there");
  verb->add_option("--evidence", options->evidence_dir,
                   "keep messages, KMS certificates and key sets there (lab keys only)");
  verb->footer(std::string("Example: ./demo --members 4 --json report.json --evidence evidence") +
               kExitCodes);
  verb->callback([options, &result] { result = demo::run_demo(*options, std::cout, std::cerr); });
}

}  // namespace

// Fail closed: a build whose arithmetic is wrong must not touch a key.
bool self_tests_pass() {
  for (const auto& tested : {regroup::crypto::sakke::self_test(), regroup::crypto::eccsi::self_test(),
                             regroup::mcx::self_test()}) {
    if (tested.ok()) continue;
    std::cerr << "regroup: self-test: " << tested.error().text() << std::endl;
    return false;
  }
  return true;
}

int main(int argc, char** argv) {
  harden_process();
  if (!self_tests_pass()) return 1;
  int result = 0;
  CLI::App app{"regroup: group key management for mission-critical push-to-talk (TS 33.179 7.3.4, 7.3.5)",
               "regroup"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "regroup 0.1.0");
  add_lab_verbs(app, result);
  add_open(app, result);
  add_seal(app, result);
  add_kms_verbs(app, result);
  add_gms_verbs(app, result);
  add_ue_verbs(app, result);
  add_demo(app, result);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  return result;
}
