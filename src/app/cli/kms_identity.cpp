// SPDX-License-Identifier: Apache-2.0
#include "app/cli/kms_identity.hpp"

#include <cstdio>
#include <ostream>

#include "app/cli/key_files.hpp"
#include "app/cli/kms_verb.hpp"
#include "app/config_values.hpp"
#include "app/kms/transport_file.hpp"
#include "app/process.hpp"
#include "base/text.hpp"

namespace regroup::app::cli {
namespace {

constexpr std::int64_t kDay = 86400;

const char* verb_of(kms::Standing standing) {
  return standing == kms::Standing::active      ? "resume"
         : standing == kms::Standing::suspended ? "suspend"
                                                : "revoke";
}

Result<Said> set_standing(const KmsIdentityOptions& options, kms::Standing standing) {
  TRY(need(options.directory, "--dir"));
  OpenedKms opened =
      TRY(open_kms(options.directory, {options.passphrase_file, options.token}, KmsAccessMode::changing));
  std::string text;
  nlohmann::json changed = nlohmann::json::array(), names = nlohmann::json::array();
  for (const std::string& one : options.identities) {
    const bool now = TRY(opened.kms.registry().set_standing(one, standing));
    const std::string& name = opened.kms.registry().find(one)->identity.text();
    text += (text.empty() ? "" : "\n") + name + (now ? " is " : " was ") + std::string(name_of(standing));
    names.push_back(name);
    if (now) changed.push_back(name);
  }
  TRY(administer(options.directory, opened, std::string("identity-") + verb_of(standing),
                 {{"identities", changed}}));
  return Said{text, {{"identities", names}, {"standing", name_of(standing)}, {"changed", changed}}};
}

// Those that were named, or all that have transport keys.
Result<std::vector<mcx::McpttId>> clients_of(const OpenedKms& opened,
                                             const KmsTransportKeysOptions& options) {
  std::vector<mcx::McpttId> out;
  for (const std::string& one : options.identities) {
    const kms::Subscriber* subscriber = opened.kms.registry().find(one);
    if (!subscriber)
      return fail(Errc::unknown_group, "TS 33.180 D.3.3", "no subscriber " + printable(one),
                  "regroup kms list names those that are registered");
    out.push_back(subscriber->identity);
  }
  if (!options.identities.empty()) return out;
  for (const kms::Subscriber* one : opened.kms.registry().all())
    if (opened.kms.transport_keys().find(one->identity.text())) out.push_back(one->identity);
  return out;
}

Result<Said> roll(const KmsTransportKeysOptions& options) {
  TRY(need(options.directory, "--dir"));
  OpenedKms opened =
      TRY(open_kms(options.directory, {options.passphrase_file, options.token}, KmsAccessMode::changing));
  crypto::SystemRandom random;
  const NtpTime now = SystemClock().now();
  nlohmann::json offered = nlohmann::json::array();
  std::size_t waiting = 0;
  for (const mcx::McpttId& one : TRY(clients_of(opened, options))) {
    kms::TransportKeyStore& store = opened.kms.transport_keys();
    const kms::ClientKeys* held = store.find(one.text());
    if (held && held->made.seconds > now.seconds - options.older_than_days * kDay) continue;
    if (TRY(store.offer_successor(one, now, random)))
      offered.push_back(one.text());
    else
      ++waiting;
  }
  TRY(administer(options.directory, opened, "transport-keys-roll", {{"identities", offered}}));
  const std::size_t count = offered.size();
  return Said{
      "successors are offered to " + std::to_string(count) + " clients; " + std::to_string(waiting) +
          " more have one waiting\neach takes it over with its next requests; regroup kms list --json "
          "says which have not (offered_trk_id)",
      {{"offered", offered}, {"waiting", waiting}}};
}

Result<Said> replace(const KmsTransportKeysOptions& options) {
  TRY(need(options.directory, "--dir"));
  TRY(need(options.out_file, "--out"));
  OpenedKms opened =
      TRY(open_kms(options.directory, {options.passphrase_file, options.token}, KmsAccessMode::changing));
  crypto::SystemRandom random;
  if (options.identities.size() != 1) return need("", "URI").error();
  const mcx::McpttId identity = TRY(clients_of(opened, options)).front();
  kms::TransportKeyStore& store = opened.kms.transport_keys();
  TRY(store.replace(identity, SystemClock().now(), random));
  const kms::TransportKeys& made = store.find(identity.text())->present();
  TRY(write_transport_key_file(options.out_file, made));  // first: as for new ones
  const auto stored = administer(options.directory, opened, "transport-keys-replace",
                                 {{"identity", identity.text()}, {"trk_id", made.trk_id}});
  if (!stored.ok()) std::remove(options.out_file.c_str());
  TRY(stored);
  return Said{identity.text() + " has other transport keys now, in " + options.out_file +
                  ": carry that file to it, then remove it here\nthose before are refused from now on",
              {{"identity", identity.text()}, {"trk_id", made.trk_id}, {"file", options.out_file}}};
}

}  // namespace

int run_kms_identity_standing(const KmsIdentityOptions& options, kms::Standing standing, std::ostream& out,
                              std::ostream& err) {
  harden_process();
  const std::string verb = std::string("identity ") + verb_of(standing);
  return finish_kms_verb(verb.c_str(), set_standing(options, standing), options.json, out, err);
}

int run_kms_transport_keys_roll(const KmsTransportKeysOptions& options, std::ostream& out,
                                std::ostream& err) {
  harden_process();
  return finish_kms_verb("transport-keys roll", roll(options), options.json, out, err);
}

int run_kms_transport_keys_replace(const KmsTransportKeysOptions& options, std::ostream& out,
                                   std::ostream& err) {
  harden_process();
  return finish_kms_verb("transport-keys replace", replace(options), options.json, out, err);
}

}  // namespace regroup::app::cli
