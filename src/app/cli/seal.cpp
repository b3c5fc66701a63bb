// SPDX-License-Identifier: Apache-2.0
#include "app/cli/seal.hpp"

#include <filesystem>
#include <fstream>
#include <ostream>
#include <set>

#include "app/cli/key_files.hpp"
#include "app/config_values.hpp"
#include "base/text.hpp"
#include "crypto/random.hpp"
#include "crypto/secret_file.hpp"
#include "gktp/seal.hpp"
#include "mcx/key_use.hpp"

namespace regroup::app::cli {
namespace {

using nlohmann::json;

constexpr int kRedraws = 64;

Error usage(std::string detail, std::string cure) {
  return fail(Errc::usage, "", std::move(detail), std::move(cure));
}

Result<void> check_options(const SealOptions& options) {
  if (options.certificate_files.empty() || options.key_set_files.empty() || options.to.empty() ||
      options.groups.empty())
    return usage("name at least one --certificate, one --key-set, one --to and one --group",
                 "see regroup seal --help");
  for (const std::string& uri : options.to) TRY(argument(identity_value(uri), "--to"));
  for (const std::string& uri : options.groups) TRY(argument(identity_value(uri), "--group"));
  if (options.revoke && (options.gmk_file.empty() || options.gmk_id.empty()))
    return usage("--revoke needs the GMK and its GMK-ID", "give --gmk-file and --gmk-id");
  return {};
}

Result<mcx::Gmk> read_gmk(const std::string& file) {
  const SecretOctets line =
      TRY(crypto::read_secret_line(file, "GMK file", 4096, "write 32 hexadecimal digits into it, mode 0600"));
  auto octets = secret_from_hex(text_of(line.expose()));
  if (!octets.ok() || octets->size() != mcx::Gmk::size)
    return usage("--gmk-file " + printable(file) + " does not hold 32 hexadecimal digits on its first line",
                 "write them into it, mode 0600");
  return mcx::Gmk::parse(octets->expose());
}

Result<std::int64_t> unix_option(const std::string& text, std::string_view option) {
  if (text.empty()) return std::int64_t{0};
  return TRY(parse_time(text, option)).unix_seconds();
}

Result<std::string> text_with_use(const SealOptions& options) {
  if (options.use.empty()) return options.text;
  for (const mcx::KeyUse use : {mcx::KeyUse::media, mcx::KeyUse::floor, mcx::KeyUse::both})
    if (options.use == mcx::name_of(use)) return mcx::with_use(options.text, use);
  return usage("--use: '" + printable(options.use, 40) + "' is no use of a key",
               "choose media, floor or both");
}

Result<gktp::KeyParameters> parameters_of(const SealOptions& options, NtpTime time) {
  gktp::KeyParameters out;
  out.revoked = options.revoke;
  out.activation = TRY(unix_option(options.activation, "--activation"));
  out.expiry = TRY(unix_option(options.expiry, "--expiry"));
  const std::int64_t starts = out.activation ? out.activation : time.unix_seconds();
  if (!out.revoked && out.expiry && out.expiry <= starts)
    return usage("--expiry is not later than the activation: every receiver would refuse the key",
                 "choose a later --expiry or an earlier --activation");
  out.text = TRY(text_with_use(options));
  for (const std::string& group : options.groups)
    out.groups.push_back(TRY(mcx::GroupId::parse(group)).text());
  return out;
}

Result<mcx::Rand> rand_of(const SealOptions& options, Random& random) {
  if (options.rand.empty()) return to_octets(random.octets<16>());
  auto octets = from_hex(options.rand);
  if (!octets.ok()) return usage("--rand: " + octets.error().detail, octets.error().cure);
  return octets;
}

bool guk_ids_distinct(const gktp::KeyMaterial& key, const std::vector<gktp::Receiver>& receivers) {
  std::set<mcx::GukId> seen;
  for (const gktp::Receiver& receiver : receivers)
    if (!seen.insert(gktp::guk_id_of(key.key, key.id, receiver.identity)).second) return false;
  return true;
}

// Key and identifier, given or fresh; a fresh key is drawn again while two receivers share a GUK-ID.
Result<gktp::KeyMaterial> material_of(const SealOptions& options,
                                      const std::vector<gktp::Receiver>& receivers, NtpTime time,
                                      Random& random) {
  gktp::KeyMaterial key;
  key.parameters = TRY(parameters_of(options, time));
  key.rand = TRY(rand_of(options, random));
  if (options.empty_map) key.policy = {gktp::SecurityPolicy::Form::empty_map, {}, {}};
  if (!options.gmk_file.empty()) key.key = TRY(read_gmk(options.gmk_file));
  if (!options.gmk_id.empty()) {
    const auto id = fixed_from_hex<4>(options.gmk_id);
    if (!id.ok()) return usage("--gmk-id: " + id.error().detail, "give 8 hexadecimal digits");
    key.id.value = load_be32(*id);
  }
  for (int attempt = 0; attempt < kRedraws; ++attempt) {
    if (options.gmk_file.empty()) random.fill(key.key.expose_mutable());
    if (options.gmk_id.empty()) key.id.value = load_be32(random.octets<4>()) & 0x0fffffff;
    if (!options.gmk_file.empty() || guk_ids_distinct(key, receivers)) break;
  }
  return key;
}

Result<std::vector<gktp::Receiver>> receivers_of(const SealOptions& options, const mcx::Domains& domains,
                                                 NtpTime time) {
  std::vector<gktp::Receiver> out;
  for (const std::string& uri : options.to) {
    const mcx::McpttId identity = TRY(mcx::McpttId::parse(uri));
    const auto kms = domains.kms_of(identity, time);
    // A KMS that publishes no domains serves whoever is asked for; one that does serves those (PR-37).
    const auto& held = domains.all();
    const bool open_to_all = std::all_of(held.begin(), held.end(), [&](const mcx::KmsCertificate& one) {
      return one.kms_uri == held.front().kms_uri && one.domains.empty();
    });
    if (!kms.ok() && (held.empty() || !open_to_all)) return kms.error();
    out.push_back({identity, kms.ok() ? *kms : domains.find(held.front().kms_uri, time)});
  }
  return out;
}

// The sender's key set of the period of T.
Result<const mcx::KeySet*> sending(const HeldKeys& held, NtpTime time) {
  std::string periods;
  for (const mcx::KeySet& keys : held.key_sets)
    if (keys.identity() != held.key_sets.front().identity())
      return usage("the key-set files hold keys of '" + held.key_sets.front().identity().text() +
                       "' and of '" + keys.identity().text() + "'",
                   "give the key sets of one sender");
  for (const mcx::KeySet& keys : held.key_sets) {
    const mcx::KmsCertificate* const kms = held.domains.find(keys.kms_uri(), time);
    if (kms && kms->periods.number_at(time) == keys.period_no()) return &keys;
    periods += (periods.empty() ? "" : ", ") + std::to_string(keys.period_no());
  }
  return fail(Errc::expired, "TS 33.180 5.2.4",
              "no key set of the sender is of the period of T, " + date_time(time) +
                  "; held: " + (periods.empty() ? "none" : periods),
              "fetch the key set of that period from the KMS, or choose --at");
}

// DIRECTORY/0001.mikey for the first message.
std::filesystem::path file_of(const std::string& directory, std::size_t number) {
  const std::string digits = std::to_string(number + 1);
  const std::string name = std::string(digits.size() < 4 ? 4 - digits.size() : 0, '0') + digits + ".mikey";
  return std::filesystem::path(directory) / name;
}

// Messages of an earlier key are not lost by accident: all files are looked at before the first is written.
Result<void> check_free(const SealOptions& options) {
  std::error_code ignored;
  for (std::size_t i = 0; i < options.to.size() && !options.out_directory.empty() && !options.force; ++i)
    if (const auto path = file_of(options.out_directory, i); std::filesystem::exists(path, ignored))
      return usage("--out: " + printable(path.string()) + " exists already",
                   "name another directory, or overwrite it with --force");
  return {};
}

struct Made {
  gktp::KeyMaterial key;
  std::vector<gktp::Sealed> messages;
  std::string sender;
  NtpTime time;
};

Result<Made> make(const SealOptions& options, std::istream& in) {
  TRY(check_options(options));
  TRY(check_free(options));
  const NtpTime time = TRY(parse_time(options.at.empty() ? "now" : options.at, "--at"));
  const HeldKeys held = TRY(read_keys(options.certificate_files, options.key_set_files, in));
  const mcx::KeySet* const keys = TRY(sending(held, time));
  const std::vector<gktp::Receiver> receivers = TRY(receivers_of(options, held.domains, time));
  crypto::SystemRandom random;
  gktp::KeyMaterial key = TRY(material_of(options, receivers, time, random));
  const gktp::Sender sender{*held.domains.find(keys->kms_uri(), time), *keys};
  auto messages =
      TRY(gktp::seal(key, sender, receivers, time, random, {options.hide_initiator, options.hide_responder}));
  return Made{std::move(key), std::move(messages), keys->identity().text(), time};
}

Result<std::string> save(const std::filesystem::path& path, OctetsView message) {
  std::error_code ignored;
  std::filesystem::create_directories(path.parent_path(), ignored);  // a failure shows at the opening
  std::ofstream file(path, std::ios::binary);
  file << text_of(message);
  file.close();
  if (!file)
    return fail(Errc::storage, "", "cannot write " + printable(path.string()),
                "name a folder that this user may write to");
  return path.string();
}

json json_of(const Made& made) {
  json messages = json::array();
  for (const gktp::Sealed& one : made.messages)
    messages.push_back(
        {{"to", one.receiver.text()}, {"guk_id", one.guk_id.text()}, {"message", base64(one.message)}});
  return {{"gmk_id", made.key.id.text()},
          {"rand", hex(made.key.rand)},
          {"key_fingerprint", mcx::fingerprint(made.key.key)},
          {"from", made.sender},
          {"time", date_time(made.time)},
          {"messages", std::move(messages)}};
}

Result<void> write_out(const SealOptions& options, const Made& made, std::ostream& out) {
  json report = json_of(made);
  for (std::size_t i = 0; i < made.messages.size(); ++i) {
    const gktp::Sealed& one = made.messages[i];
    std::string where = "mikey " + base64(one.message);
    if (!options.out_directory.empty()) {
      where = TRY(save(file_of(options.out_directory, i), one.message));
      report["messages"][i]["file"] = where;
    }
    if (!options.json) out << one.receiver.text() << " " << one.guk_id.text() << " " << where << "\n";
  }
  if (options.json) out << report.dump(2) << "\n";
  return {};
}

}  // namespace

int run_seal(const SealOptions& options, std::istream& in, std::ostream& out, std::ostream& err) {
  const auto refuse = [&](const Error& error) {
    err << "regroup seal: " << error.text() << "\n";
    if (options.json) out << json{{"error", error_json(error)}}.dump(2) << "\n";
    return exit_of(error);
  };
  const auto made = make(options, in);
  if (!made.ok()) return refuse(made.error());
  const auto written = write_out(options, *made, out);
  if (!written.ok()) return refuse(written.error());
  if (!options.json)
    err << "GMK-ID " << made->key.id.text() << ", RAND " << hex(made->key.rand) << ", key fingerprint "
        << mcx::fingerprint(made->key.key) << "\n";
  return kLabDone;
}

}  // namespace regroup::app::cli
