// SPDX-License-Identifier: Apache-2.0
// The verbs of an examiner: inspect, open, seal, lab.
#include <iostream>

#include "app/bench/extract.hpp"
#include "app/bench/fanout.hpp"
#include "app/bench/open.hpp"
#include "app/bench/sign.hpp"
#include "app/cli/command_line.hpp"
#include "app/cli/info.hpp"
#include "app/cli/inspect.hpp"
#include "app/cli/lab.hpp"
#include "app/cli/open.hpp"
#include "app/cli/seal.hpp"

namespace regroup::app::cli {
namespace {

constexpr const char* kMessage =
    "binary, hex, base64, `mikey BASE64` or one line of `regroup seal`; - for standard input";

void add_inspect(CLI::App& app, int& result) {
  auto* inspect = app.add_subcommand("inspect", "Explain a MIKEY message field by field");
  auto options = std::make_shared<InspectOptions>();
  inspect->add_option("FILE", options->file, kMessage)->required();
  inspect->add_flag("--json", options->json, "one JSON object");
  inspect->footer(std::string("Example: regroup inspect message.bin") + kExitCodes);
  inspect->callback([options, &result] { result = run_inspect(*options, std::cin, std::cout, std::cerr); });
}

void add_lab(CLI::App& app, int& result) {
  auto* lab = app.add_subcommand(
      "lab", "The key side as a line protocol, for cross-checks with other software (prints secrets)");
  lab->footer(lab_help() + "\nExample: echo \"KPAK 012345\" | regroup lab" + kExitCodes);
  lab->callback([&result] { result = run_lab(); });
}

// What every bench takes; `count` names its items.
void add_bench_options(CLI::App* bench, bench::BenchOptions& options, const char* count, const char* what) {
  bench->add_option(count, options.count, what)->check(CLI::Range(std::size_t{1}, std::size_t{10'000'000}));
  bench->add_option("--threads", options.threads, "default 1")->check(CLI::Range(1U, 256U));
  bench->add_option("--kernel", options.kernel, "portable, adx or ifma; default: the best one here");
  bench->add_flag("--json", options.json, "one JSON object");
}

void add_bench(CLI::App& app, int& result) {
  auto* bench = app.add_subcommand("bench", "What this machine does, in core cycles (docs/performance.md)");
  bench->require_subcommand(1);
  auto* fanout = bench->add_subcommand("fanout", "Whole key messages for N members of one KMS");
  auto of_fanout = std::make_shared<bench::BenchOptions>();
  add_bench_options(fanout, *of_fanout, "--members", "distinct identities; default 1000");
  fanout->footer(std::string("Times are of the messages alone: the tables are warm, 16 messages are opened "
                             "afterwards.\nExample: regroup bench fanout --members 10000 --json") +
                 kExitCodes);
  fanout->callback([of_fanout, &result] { result = bench::run_fanout(*of_fanout, std::cout, std::cerr); });

  auto* open = bench->add_subcommand("open", "SAKKE opening of N messages, and of one alone");
  auto of_open = std::make_shared<bench::OpenBenchOptions>();
  add_bench_options(open, *of_open, "--messages", "default 1000, 1024 of them distinct");
  open->add_option("--keys", of_open->keys, "receiver keys, in turn; default 1")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1024}));
  open->footer(std::string("Signatures aside; the lines of the keys are warm.\nExample: regroup bench open "
                           "--messages 2000 --keys 8 --json") +
               kExitCodes);
  open->callback([of_open, &result] { result = bench::run_open_bench(*of_open, std::cout, std::cerr); });

  auto* extract = bench->add_subcommand("extract", "Key sets of N identities, as a KMS makes them ahead");
  auto of_extract = std::make_shared<bench::BenchOptions>();
  add_bench_options(extract, *of_extract, "--identities", "default 1000, 4096 of them distinct");
  extract->footer(
      std::string("RSK, SSK and PVT; one set of each 256 is validated in full inside the measured "
                  "time.\nExample: regroup bench extract --identities 100000 --threads 2 --json") +
      kExitCodes);
  extract->callback(
      [of_extract, &result] { result = bench::run_extract_bench(*of_extract, std::cout, std::cerr); });

  auto* sign = bench->add_subcommand("sign", "ECCSI signatures of N messages, verified, and of one alone");
  auto of_sign = std::make_shared<bench::BenchOptions>();
  add_bench_options(sign, *of_sign, "--messages", "of 700 octets; default 1000, 1024 of them distinct");
  sign->footer(std::string("Example: regroup bench sign --messages 10000 --json") + kExitCodes);
  sign->callback([of_sign, &result] { result = bench::run_sign_bench(*of_sign, std::cout, std::cerr); });
}

void add_info(CLI::App& app, int& result) {
  auto* info = app.add_subcommand("info", "The version, and the kernels of the arithmetic on this processor");
  auto json = std::make_shared<bool>(false);
  info->add_flag("--json", *json, "one JSON object");
  info->footer(std::string("Example: REGROUP_KERNEL=portable regroup info") + kExitCodes);
  info->callback([json, &result] { result = run_info(*json, std::cout); });
}

// One value each time it is named, so that FILE may stand anywhere.
CLI::Option* repeatable(CLI::App* verb, const char* name, std::vector<std::string>& into, const char* what) {
  return verb->add_option(name, into, what)->expected(1)->allow_extra_args(false)->take_all();
}

void add_open(CLI::App& app, int& result) {
  auto* open = app.add_subcommand("open", "Verify and open a key message with keys from KMS documents");
  auto options = std::make_shared<OpenOptions>();
  repeatable(open, "--certificate", options->certificate_files,
             "KmsCertificate, bare or in a KmsResponse; repeatable, one per KMS in the message")
      ->required();
  repeatable(open, "--key-set", options->key_set_files,
             "KmsKeySet of the receiver, bare or in a KmsResponse; repeatable")
      ->required();
  open->add_option("FILE", options->file, kMessage)->required();
  repeatable(open, "--tolerate", options->tolerances, "let one named deviation through; repeatable");
  open->add_option(
      "--at", options->at,
      "judge as of this dateTime (UTC unless it names a zone), or now; default: the message's own time");
  open->add_option("--initiator", options->initiator, "URI that a hidden (UID-only) initiator must be");
  open->add_flag("--show-secrets", options->show_secrets, "print the key itself, not only its fingerprint");
  open->add_flag("--json", options->json, "one JSON object");
  open->footer(std::string("Example: regroup open --certificate kms.xml --key-set bob.xml message.bin\n"
                           "Opens every kind of key and names it (GMK, PCK, CSK, SPK, MKFC, MSCCK, MuSiK).") +
               kExitCodes);
  open->callback([options, &result] { result = run_open(*options, std::cin, std::cout, std::cerr); });
}

void add_seal(CLI::App& app, int& result) {
  auto* seal = app.add_subcommand("seal", "Write the key messages of a new or given GMK, one per receiver");
  auto options = std::make_shared<SealOptions>();
  repeatable(seal, "--certificate", options->certificate_files,
             "KmsCertificate of the sender's and receivers' KMS")
      ->required();
  repeatable(seal, "--key-set", options->key_set_files, "KmsKeySet of the sender (a GMS)")->required();
  repeatable(seal, "--to", options->to, "MCPTT IDs or GMS URIs of receivers; one or more, repeatable")
      ->required()
      ->allow_extra_args(true);
  repeatable(seal, "--group", options->groups, "group ID in the key parameters; repeatable")->required();
  seal->add_option("--gmk-file", options->gmk_file,
                   "the GMK: 32 hex digits, mode 0600; default: a fresh one");
  seal->add_option("--gmk-id", options->gmk_id, "8 hex digits; default: drawn");
  seal->add_option("--rand", options->rand, "RAND of the GMK, hex, 16 to 64 octets; default: drawn");
  seal->add_option("--text", options->text, "name of the key for people");
  seal->add_option("--use", options->use, "media, floor or both: token at the end of Text");
  seal->add_option("--activation", options->activation,
                   "dateTime, UTC unless it names a zone; default: the time in T");
  seal->add_option("--expiry", options->expiry,
                   "dateTime, UTC unless it names a zone; default: does not expire");
  seal->add_option("--at", options->at,
                   "T of the messages: dateTime (UTC unless it names a zone), or now (default)");
  seal->add_flag("--revoke", options->revoke, "withdraw the GMK given with --gmk-file and --gmk-id");
  seal->add_flag("--hide-initiator", options->hide_initiator, "UID instead of the sender's URI (role 8)");
  seal->add_flag("--hide-responder", options->hide_responder, "UID instead of the receiver's URI (role 9)");
  seal->add_flag("--empty-map", options->empty_map, "default profile: no crypto session, no SP");
  seal->add_option("--out", options->out_directory, "write 0001.mikey, 0002.mikey ... into this directory");
  seal->add_flag("--force", options->force, "with --out: overwrite files that are there");
  seal->add_flag("--json", options->json, "one JSON object");
  seal->footer(
      std::string("Prints a line `RECEIVER GUK-ID mikey BASE64` per message; open and inspect take one.\n"
                  "Example: regroup seal --certificate kms.xml --key-set gms.xml "
                  "--to sip:bob@mcx.example --group sip:fire@mcx.example") +
      kExitCodes);
  seal->callback([options, &result] { result = run_seal(*options, std::cin, std::cout, std::cerr); });
}

}  // namespace

void add_lab_verbs(CLI::App& app, int& result) {
  add_inspect(app, result);
  add_open(app, result);
  add_seal(app, result);
  add_lab(app, result);
  add_info(app, result);
  add_bench(app, result);
}

}  // namespace regroup::app::cli
