// SPDX-License-Identifier: Apache-2.0
// The verbs of the three roles and of the demo: kms, kms-client, gms, ue, demo.
#include <iostream>

#include "app/cli/audit.hpp"
#include "app/cli/command_line.hpp"
#include "app/demo/demo.hpp"
#include "app/gms/serve.hpp"
#include "app/ue/run.hpp"

namespace regroup::app::cli {
namespace {

constexpr const char* kJson = "one JSON object, a refusal too";
constexpr const char* kGroup = "group ID, as in sip:fire@mcx.example";

void add_gms_verbs(CLI::App& app, int& result) {
  auto* gms = app.add_subcommand("gms", "Group management server");
  gms->require_subcommand(1);
  auto* serve = gms->add_subcommand("serve", "Run one GMS until SIGTERM");
  auto options = std::make_shared<GmsServeOptions>();
  serve->add_option("--config", options->config_file, "gms.toml (docs/operations.md)")->required();
  serve->add_flag("--json", options->json, "the ready line and refusals as JSON");
  serve->footer(std::string("Prints one line `ready https://HOST:PORT ...` when it listens; at its end "
                            "`without keys` while it has "
                            "none of the present period.\nExample: "
                            "regroup gms serve --config gms.toml") +
                kExitCodes);
  serve->callback([options, &result] { result = run_gms_serve(*options, std::cerr); });
}

void add_audit_verbs(CLI::App& app, int& result) {
  auto* audit = app.add_subcommand("audit", "Audit log of a KMS");
  audit->require_subcommand(1);
  auto options = std::make_shared<AuditOptions>();
  const auto add = [&](const char* name, const char* what,
                       int (*run)(const AuditOptions&, std::ostream&, std::ostream&)) {
    auto* verb = audit->add_subcommand(name, what);
    verb->add_option("--dir", options->directory, "the directory of the KMS")->required();
    verb->add_flag("--json", options->json, kJson);
    verb->footer("Example: regroup audit " + std::string(name) + " --dir kms" + kExitCodes);
    verb->callback([options, run, &result] { result = run(*options, std::cout, std::cerr); });
    return verb;
  };
  add("head", "Verify the log and print RECORDS:HASH, to be kept elsewhere", run_audit_head);
  add("verify", "Say whether a record was changed, lost or moved, and where", run_audit_verify)
      ->add_option("--head", options->head, "RECORDS:HASH of earlier: finds a cut end too");
}

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
  keys->add_option("--config", go->config_file, "ue.toml")->required();
  keys->add_flag("--json", go->json, kJson);
  keys->footer(std::string("Example: regroup ue keys --config bob.toml") + kExitCodes);
  keys->callback([go, &result] { result = run_ue_keys(*go, std::cout, std::cerr); });

  auto* group = ue->add_subcommand("group", "A dispatcher's requests");
  group->require_subcommand(1);
  const auto common = [go](CLI::App* verb) {
    verb->add_option("--config", go->config_file, "ue.toml of the dispatcher")->required();
    verb->add_option(
        "--timeout", go->timeout,
        "seconds for the whole command (default 15; regroup and teardown, which wait for partner "
        "systems, 45); then it ends with exit code 1");
    verb->add_flag("--json", go->json, kJson);
  };
  const auto plan = [go](CLI::App* verb) {
    verb->add_option("--floor-key", go->floor_key, "none, gmk or mkfc: a second key for floor control");
    verb->add_option("--procedure", go->procedure,
                     "one or two: both keys in one procedure, or one after the other");
  };
  auto* create = group->add_subcommand("create", "Create or replace a group");
  common(create);
  plan(create);
  create->add_option("GROUP", go->group, kGroup)->required();
  create->add_option("MEMBER", go->members, "MCPTT IDs, as in sip:bob@mcx.example; one or more")->required();
  create->footer(std::string("Example: regroup ue group create --config d.toml sip:fire@mcx.example "
                             "sip:ann@mcx.example sip:bob@mcx.example") +
                 kExitCodes);
  create->callback([go, &result] { result = run_ue_group_create(*go, std::cout, std::cerr); });
  auto* show = group->add_subcommand("show", "Print a group document");
  common(show);
  show->add_option("GROUP", go->group, kGroup)->required();
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
  teardown->add_option("GROUP", go->group, "group ID that regroup printed")->required();
  teardown->footer(
      std::string("Example: regroup ue group teardown --config d.toml sip:tmp-0123456789abcdef@mcx.example") +
      kExitCodes);
  teardown->callback([go, &result] { result = run_ue_group_teardown(*go, std::cout, std::cerr); });
}

void add_demo(CLI::App& app, int& result) {
  auto* verb = app.add_subcommand("demo", "Two systems over loopback, from the first key to the tear-down");
  auto options = std::make_shared<demo::DemoOptions>();
  verb->add_option("--members", options->members, "clients in each system (1 to 1000)");
  verb->add_option("--json", options->json_file, "write the report there");
  verb->add_option("--evidence", options->evidence_dir,
                   "keep messages, KMS certificates and key sets there (lab keys only); a new or empty "
                   "directory, or that of "
                   "an earlier run, whose files are replaced");
  verb->footer(std::string("Example: ./demo --members 4 --json report.json --evidence evidence") +
               kExitCodes);
  verb->callback([options, &result] { result = demo::run_demo(*options, std::cout, std::cerr); });
}

}  // namespace

void add_role_verbs(CLI::App& app, int& result) {
  add_kms_verbs(app, result);
  add_kms_client_verbs(app, result);
  add_audit_verbs(app, result);
  add_gms_verbs(app, result);
  add_ue_verbs(app, result);
  add_demo(app, result);
}

}  // namespace regroup::app::cli
