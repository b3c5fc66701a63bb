// SPDX-License-Identifier: Apache-2.0
#include "app/cli/open.hpp"

#include <iomanip>
#include <ostream>

#include "app/cli/key_files.hpp"
#include "app/cli/message_input.hpp"
#include "base/text.hpp"
#include "gktp/open.hpp"
#include "mcx/guk_id.hpp"
#include "mcx/key_use.hpp"

namespace regroup::app::cli {
namespace {

using nlohmann::json;

// A message opened, with what the room returns and what people ask for besides.
struct Account {
  gktp::Opened opened;
  mcx::Uid initiator_uid;
  std::string initiator_kms;
  std::int64_t initiator_period;
  std::string responder_kms;
  std::int64_t responder_period;
};

Result<gktp::Tolerances> tolerances_of(const OpenOptions& options) {
  gktp::Tolerances out;
  for (const std::string& name : options.tolerances) {
    auto one = gktp::parse_tolerance(name);
    if (!one.ok()) return std::move(one).error().with("--tolerate " + printable(name, 60));
    out.allow(*one);
  }
  return out;
}

// The message's own time: nearest to the clock, since T does not tell its era. Under accept_unix_time also as
// Unix seconds, whichever reading is nearest.
NtpTime own_time(const mikey::Message& message, const gktp::Tolerances& tolerances) {
  const NtpTime clock = SystemClock().now();
  NtpTime best = NtpTime::nearest(message.t.value, clock);
  if (!tolerances.allows(gktp::Tolerance::accept_unix_time)) return best;
  const auto distance = [&](NtpTime time) { return std::abs(time.seconds - clock.seconds); };
  for (const NtpTime reading : gktp::unix_readings(message.t.value))
    if (distance(reading) < distance(best)) best = reading;
  return best;
}

// Is the message addressed to the holder of this key set? A hidden responder is known by the UID of the key
// set.
bool addressed_to(const mcx::KeySet& keys, const mikey::Message& message) {
  const mikey::Idr& responder = message.responder;
  if (!responder.hidden()) return responder.text() == keys.identity().text();
  return hex(responder.data) == hex(keys.uid());
}

// The key set of the responder; without one the first, so that the refusal shows both identities.
const mcx::KeySet& receiving(const std::vector<mcx::KeySet>& key_sets, const mikey::Message& message) {
  for (const mcx::KeySet& keys : key_sets)
    if (addressed_to(keys, message) && keys.kms_uri().text() == message.responder_kms.text()) return keys;
  for (const mcx::KeySet& keys : key_sets)
    if (addressed_to(keys, message)) return keys;
  return key_sets.front();
}

// --initiator: the one identity a hidden initiator may be, served by the KMS the message names.
Result<void> expect_initiator(const OpenOptions& options, const mikey::Message& message, HeldKeys& held,
                              gktp::Reception& with) {
  if (options.initiator.empty()) return {};
  auto identity = mcx::McpttId::parse(options.initiator);
  if (!identity.ok())
    return fail(Errc::usage, "", "--initiator: " + identity.error().detail, identity.error().cure);
  if (!message.initiator.hidden()) return {};
  const auto kms = mcx::KmsUri::parse(message.initiator_kms.text());
  if (kms.ok() && !held.domains.kms_of(*identity, with.now).ok())
    held.domains.map_exactly(identity->text(), *kms);
  with.authorised_initiators = {*identity};
  with.require_authorised_initiator = true;
  return {};
}

Result<Account> account_of(const OpenOptions& options, std::istream& in) {
  if (options.certificate_files.empty() || options.key_set_files.empty() || options.file.empty())
    return fail(Errc::usage, "", "name at least one --certificate, one --key-set and a message",
                "see regroup open --help");
  const gktp::Tolerances tolerances = TRY(tolerances_of(options));
  const std::optional<NtpTime> at =
      options.at.empty() ? std::nullopt : std::optional(TRY(parse_time(options.at, "--at")));
  const Octets input = TRY(read_named(options.file, in));
  HeldKeys held = TRY(read_keys(options.certificate_files, options.key_set_files, in));
  if (held.key_sets.empty())
    return fail(Errc::usage, "TS 33.180 D.3.3", "the key-set files hold no live key set",
                "fetch the key set of the present period from the KMS");
  const Octets octets = TRY(detect_message(input)).octets;
  const mikey::Message message = TRY(mikey::parse(octets));

  const mcx::KeySet& own = receiving(held.key_sets, message);
  gktp::Reception with{own.identity(), own.kms_uri(), held.domains, held.key_sets};
  with.require_authorised_initiator = false;
  with.expected = {mcx::Purpose::gmk,  mcx::Purpose::pck,   mcx::Purpose::csk,  mcx::Purpose::spk,
                   mcx::Purpose::mkfc, mcx::Purpose::mscck, mcx::Purpose::musik};
  with.tolerances = tolerances;
  with.now = at ? *at : own_time(message, tolerances);
  TRY(expect_initiator(options, message, held, with));
  const gktp::Verified verified = TRY(gktp::verify(octets, with));
  gktp::Opened opened = TRY(gktp::open(verified, with));
  const mcx::KmsCertificate& own_kms = *held.domains.find(with.own_kms, verified.time());
  const std::int64_t period = own_kms.periods.number_at(verified.time());
  return Account{std::move(opened),           verified.initiator_uid(), verified.initiator_kms().text(),
                 verified.initiator_period(), own_kms.kms_uri.text(),   period};
}

std::string kind_of(const gktp::Opened& opened) {
  return std::string(mcx::name_of(opened.material.parameters.key_type));
}

std::string unix_time(std::int64_t seconds, std::string_view zero) {
  return seconds ? date_time(NtpTime::from_unix(seconds)) : std::string(zero);
}

std::string use_of(const gktp::Opened& opened) {
  if (opened.material.parameters.key_type == mcx::Purpose::mkfc) return "floor";
  return std::string(mcx::name_of(mcx::use_of(opened.material.parameters.text)));
}

json json_of(const Account& account, bool show_secrets) {
  const gktp::Opened& opened = account.opened;
  const gktp::KeyParameters& parameters = opened.material.parameters;
  json fired = json::array(), groups = json::array(), sessions = json::array();
  for (const gktp::Tolerance one : opened.fired) fired.push_back(gktp::name_of(one));
  for (const std::string& group : parameters.groups) groups.push_back(group);
  for (const std::uint8_t cs_id : opened.material.policy.cs_ids) sessions.push_back(cs_id);
  json out{{"opened", true},
           {"kind", kind_of(opened)},
           {"key_id", opened.material.id.text()},
           {"csb_id", opened.guk_id.text()},
           {"rand", hex(opened.material.rand)},
           {"key_fingerprint", mcx::fingerprint(opened.material.key)},
           {"initiator", nullptr},
           {"initiator_uid", hex(account.initiator_uid)},
           {"initiator_kms", account.initiator_kms},
           {"initiator_period", account.initiator_period},
           {"responder", opened.responder.text()},
           {"responder_kms", account.responder_kms},
           {"responder_period", account.responder_period},
           {"time", date_time(opened.time)},
           {"message_sha256", hex(opened.message_hash)},
           {"key_parameters",
            {{"revoked", parameters.revoked},
             {"security_gateway", parameters.security_gateway},
             {"activation", parameters.activation},
             {"expiry", parameters.expiry},
             {"text", printable(parameters.text, 1024)},
             {"groups", std::move(groups)}}},
           {"crypto_sessions", std::move(sessions)},
           {"sp_parameters", hex(opened.material.policy.sp_parameters)},
           {"tolerances_fired", std::move(fired)}};
  if (opened.initiator) out["initiator"] = opened.initiator->text();
  if (parameters.key_type == mcx::Purpose::gmk) {
    out["gmk_id"] = opened.material.id.text();
    out["guk_id"] = opened.guk_id.text();
    out["mki"] = hex(mcx::mki(opened.material.id, opened.guk_id));
    out["use"] = use_of(opened);
  }
  if (show_secrets) out["key"] = hex(opened.material.key.expose());
  return out;
}

void print(const Account& account, bool show_secrets, std::ostream& out) {
  const auto row = [&](std::string_view name, const std::string& value) {
    out << "  " << std::left << std::setw(16) << name << value << "\n";
  };
  const gktp::Opened& opened = account.opened;
  const gktp::KeyParameters& parameters = opened.material.parameters;
  const bool gmk = parameters.key_type == mcx::Purpose::gmk;
  out << "opened: " << kind_of(opened) << " " << opened.material.id.text()
      << (parameters.revoked ? ", REVOKED" : "") << "\n";
  const std::string hidden =
      "unresolved, UID " + hex(account.initiator_uid) + " (--initiator URI resolves it)";
  row("initiator", opened.initiator ? opened.initiator->text() : hidden);
  row("", "of " + account.initiator_kms + ", key period " + std::to_string(account.initiator_period));
  row("responder", opened.responder.text());
  row("", "of " + account.responder_kms + ", key period " + std::to_string(account.responder_period));
  row("time (T)", date_time(opened.time));
  row(gmk ? "GMK-ID" : "key ID", opened.material.id.text());
  if (gmk) row("GUK-ID", opened.guk_id.text());
  row("RAND", hex(opened.material.rand));
  row("fingerprint", mcx::fingerprint(opened.material.key));
  if (show_secrets) row("key", hex(opened.material.key.expose()));
  row("status", parameters.revoked ? "revoked: the key and its ID must not be used" : "not revoked");
  row("activation", unix_time(parameters.activation, "the time in T"));
  row("expiry", unix_time(parameters.expiry, "none"));
  row("text", "'" + printable(parameters.text, 1024) + "'");
  if (gmk) row("use", use_of(opened));
  for (const std::string& group : parameters.groups) row("group", group);
  for (const std::uint8_t cs_id : opened.material.policy.cs_ids) row("crypto session", std::to_string(cs_id));
  for (const gktp::Tolerance one : opened.fired) row("tolerated", std::string(gktp::name_of(one)));
}

}  // namespace

int run_open(const OpenOptions& options, std::istream& in, std::ostream& out, std::ostream& err) {
  const auto account = account_of(options, in);
  if (!account.ok()) {
    const Error& error = account.error();
    err << "regroup open: " << error.text() << "\n";
    if (options.json) out << json{{"opened", false}, {"error", error_json(error)}}.dump(2) << "\n";
    return exit_of(error);
  }
  if (options.json) {
    out << json_of(*account, options.show_secrets).dump(2) << "\n";
    return kLabDone;
  }
  print(*account, options.show_secrets, out);
  return kLabDone;
}

}  // namespace regroup::app::cli
