// SPDX-License-Identifier: Apache-2.0
// The verbs of kms-client on the command line.
#include <iostream>

#include "app/cli/command_line.hpp"
#include "app/cli/kms_client.hpp"

namespace regroup::app::cli {
namespace {

using Options = std::shared_ptr<KmsClientOptions>;

CLI::App* add_verb(CLI::App& to, KmsClientVerb which, const char* name, const char* what, const char* example,
                   int& result, const Options& options) {
  CLI::App* verb = to.add_subcommand(name, what);
  verb->add_option("--kms-url", options->kms_url, "https://HOST:PORT of the KMS")->required();
  verb->add_option("--kms-uri", options->kms_uri, "what it must call itself; default: the host of --kms-url");
  verb->add_option("--identity", options->identity, "the identity, exactly as it is registered")->required();
  verb->add_option("--ca", options->ca_file, "trust anchor of the KMS, PEM")->required();
  verb->add_option("--token-file", options->token_file, "access token, mode 0600");
  verb->add_option("--token-command", options->token_command,
                   "for /bin/sh; the first line it prints is the token");
  verb->add_option("--cert", options->certificate_file, "client certificate, PEM, of a server identity");
  verb->add_option("--key", options->key_file, "its key, PEM, mode 0600");
  verb->add_option("--transport-keys", options->transport_keys_file, "transport key file of this identity");
  verb->add_option("--policy", options->policy,
                   "plain, wrap or wrap+sign; default: plain, with --transport-keys wrap+sign");
  verb->add_option("--tolerate", options->tolerate,
                   "a deviation that is taken (docs/wire.md, Traps); may be repeated")
      ->allow_extra_args(false);
  verb->add_flag("--json", options->json, "one JSON object, a refusal too");
  verb->footer("Example: regroup kms-client " + std::string(name) +
               " --kms-url https://kms.mcx.example:8444 --ca ca.pem --identity sip:bob@mcx.example "
               "--token-file bob.jwt" +
               example + kExitCodes);
  verb->callback(
      [options, which, &result] { result = run_kms_client(which, *options, std::cout, std::cerr); });
  return verb;
}

}  // namespace

void add_kms_client_verbs(CLI::App& app, int& result) {
  auto* client = app.add_subcommand("kms-client", "Ask a KMS as GMS and UE do, and see what it answers");
  client->require_subcommand(1);
  const auto add = [&](KmsClientVerb which, const char* name, const char* what, const char* example,
                       const Options& options) {
    return add_verb(*client, which, name, what, example, result, options);
  };
  const auto fresh = [] { return std::make_shared<KmsClientOptions>(); };
  add(KmsClientVerb::check, "check", "Ask for all of it, validate, and say what the KMS does otherwise",
      " --tolerate hex-uid", fresh());
  add(KmsClientVerb::init, "init", "The certificate of the KMS", "", fresh());
  const Options keys = fresh();
  add(KmsClientVerb::keyprov, "keyprov", "The key sets of the identity: their periods, never a key",
      " --time 2026-04-02T00:00:00Z", keys)
      ->add_option("--time", keys->time,
                   "of the period of that time: dateTime, Unix seconds, NTP in hex, now");
  const Options cache = fresh();
  add(KmsClientVerb::certcache, "certcache", "The certificates of other domains", " --since 6", cache)
      ->add_option("--since", cache->since, "only what changed after that CacheNum");
  const Options one = fresh();
  add(KmsClientVerb::cert, "cert", "The certificate of one KMS", " kms.partner.example", one)
      ->add_option("KMS-URI", one->wanted, "the KMS URI of that domain")
      ->required();
}

}  // namespace regroup::app::cli
