// SPDX-License-Identifier: Apache-2.0
#include "gktp/key_parameters.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "crypto/aead.hpp"
#include "mcx/srtp_keys.hpp"

namespace regroup::gktp {
namespace {

using mcx::Purpose;

constexpr auto kLatestTime = static_cast<std::int64_t>(mikey::KeyParameters::kLatestTime);
constexpr std::uint64_t kExpiryAllOnes = 0x00ffffffff;
constexpr std::int64_t kOneYear = 366 * 86400;  // an activation further ahead is not sane (PR-42)
constexpr std::size_t kLongestText = 1024;

Error refused(std::string_view clause, std::string detail, std::string cure) {
  return fail(Errc::undecryptable, clause, "key parameters: " + std::move(detail), std::move(cure));
}

std::string named(Purpose purpose) { return std::string(mcx::name_of(purpose)); }

std::string unix_time(std::int64_t seconds) {
  return std::to_string(seconds) + " (" + date_time(NtpTime::from_unix(seconds)) + ")";
}

bool belongs_to_groups(Purpose purpose) {
  return purpose == Purpose::gmk || purpose == Purpose::mkfc || purpose == Purpose::musik;
}

mikey::KeyParameters to_wire(const KeyParameters& parameters) {
  mikey::KeyParameters out;
  out.key_type = static_cast<mikey::KeyType>(parameters.key_type);
  out.status = (parameters.revoked ? 0 : mikey::KeyParameters::kNotRevoked) |
               (parameters.security_gateway ? mikey::KeyParameters::kShared : 0);
  out.activation = static_cast<std::uint64_t>(parameters.activation);
  out.expiry = static_cast<std::uint64_t>(parameters.expiry);
  out.text = to_octets(view(parameters.text));
  for (const std::string& group : parameters.groups) out.groups.push_back({0x7b, to_octets(view(group))});
  return out;
}

// The protected form, opened.
Result<mikey::KeyParameters> unprotect(OctetsView data, const ParameterContext& context) {
  const auto frame = mikey::parse_as<mikey::ProtectedPayload>(data);
  if (!frame.ok()) return refused(frame.error().clause, frame.error().detail, frame.error().cure);
  if (frame->dppk_id != context.csb_id)
    return refused("TS 33.180 E.6.1",
                   "DPPK-ID " + hex(be32(frame->dppk_id)) + " is not the CSB ID " + hex(be32(context.csb_id)),
                   "the sender must protect its key parameters for this very message");
  const mcx::Dpck key = mcx::dpck(context.key, context.csb_id);
  Octets sealed = frame->ciphertext;
  append(sealed, frame->tag);
  const auto content =
      crypto::gcm_open(key.expose(), frame->iv, data.first(mikey::ProtectedPayload::kAssociated), sealed);
  if (!content.ok())
    return refused("TS 33.180 5.2.4", "the GCM tag of extension 7 does not fit",
                   "the sender must derive its DPCK from the key and the key identifier of this message");
  auto parsed = mikey::parse_key_parameters(content->expose());
  if (!parsed.ok()) return refused(parsed.error().clause, parsed.error().detail, parsed.error().cure);
  return parsed;
}

Result<mikey::KeyParameters> read_extension(const mikey::GeneralExt& extension,
                                            const ParameterContext& context, const Reception& reception,
                                            Fired& fired) {
  if (!mikey::starts_legacy_key_parameters(extension.data)) return unprotect(extension.data, context);
  if (!tolerated(Tolerance::accept_clear_key_parameters, reception, fired))
    return refused("TS 33.180 E.6",
                   "extension 7 is in clear, its first octet is " + hex(Fixed<1>{extension.data[0]}),
                   "the sender must protect it; for the legacy form allow accept_clear_key_parameters");
  auto parsed = mikey::parse_legacy_key_parameters(extension.data);
  if (!parsed.ok()) return refused(parsed.error().clause, parsed.error().detail, parsed.error().cure);
  return parsed;
}

// No extension 7 at all: usual for keys of two parties, a gap for a key of a group.
Result<KeyParameters> without_extension(const ParameterContext& context, const Reception& reception,
                                        Fired& fired) {
  KeyParameters out;
  out.key_type = context.purpose;
  out.activation = context.time.unix_seconds();
  if (!belongs_to_groups(context.purpose)) return out;
  if (!tolerated(Tolerance::accept_no_key_parameters, reception, fired))
    return refused(
        "TS 33.179 7.3.1", "the message has no extension 7, so nothing binds the key to a group",
        "the sender must send it; accept_no_key_parameters would take the group from the notification");
  if (!reception.group.empty()) out.groups.push_back(reception.group);
  return out;
}

Result<void> check_key_type(const mikey::KeyParameters& wire, const ParameterContext& context,
                            const Reception& reception, Fired& fired) {
  const auto claimed = static_cast<Purpose>(wire.key_type);
  if (claimed == context.purpose) return {};
  if (tolerated(Tolerance::accept_key_type_mismatch, reception, fired)) return {};
  return refused(
      "TS 33.180 E.6.11",
      "Key Type says " + named(claimed) + ", the purpose tag of the CSB ID says " + named(context.purpose),
      "the sender must make them agree; accept_key_type_mismatch would let the purpose tag decide");
}

Result<std::int64_t> time_field(std::uint64_t seconds, std::string_view field) {
  if (seconds <= mikey::KeyParameters::kLatestTime) return static_cast<std::int64_t>(seconds);
  const bool all_ones = field == "Expiry Time" && seconds == kExpiryAllOnes;
  return refused(
      "TS 33.180 E.6",
      std::string(field) + " is " + std::to_string(seconds) + ", beyond 3000000000: not Unix seconds",
      all_ones ? "the sender must count from 1970; accept_expiry_all_ones would take it as no expiry"
               : "the sender must count from 1970");
}

Result<KeyParameters> from_wire(const mikey::KeyParameters& wire, Purpose purpose, const Reception& reception,
                                Fired& fired) {
  KeyParameters out;
  out.key_type = purpose;
  const bool cleared = (wire.status & mikey::KeyParameters::kNotRevoked) == 0;
  out.revoked = cleared && !tolerated(Tolerance::accept_status_zero, reception, fired);
  out.security_gateway = (wire.status & mikey::KeyParameters::kShared) != 0;
  out.activation = TRY(time_field(wire.activation, "Activation Time"));
  const bool endless =
      wire.expiry == kExpiryAllOnes && tolerated(Tolerance::accept_expiry_all_ones, reception, fired);
  if (!endless) out.expiry = TRY(time_field(wire.expiry, "Expiry Time"));
  out.text = std::string(text_of(wire.text));
  for (const mikey::GroupId& group : wire.groups) {
    const std::string_view uri = text_of(group.uri);
    if (const auto good = mcx::check_identity(uri, "group URI"); !good.ok())
      return refused(good.error().clause, good.error().detail, good.error().cure);
    out.groups.emplace_back(uri);
  }
  return out;
}

// Expiry and activation of a live key; a revocation is taken whatever its times.
Result<void> check_validity(const KeyParameters& parameters, const ParameterContext& context, NtpTime now) {
  if (parameters.revoked) return {};
  const std::int64_t activation = parameters.activation ? parameters.activation : context.time.unix_seconds();
  if (parameters.expiry && parameters.expiry <= activation)
    return refused("TS 33.180 E.6.10",
                   "Expiry Time " + unix_time(parameters.expiry) + " is not later than activation " +
                       unix_time(activation),
                   "the sender must let the key live longer than until its activation");
  if (parameters.expiry && parameters.expiry <= now.unix_seconds())
    return refused("TS 33.180 E.6.10", "the key expired at " + unix_time(parameters.expiry),
                   "fetch the group's key document");
  if (activation > now.unix_seconds() + kOneYear)
    return refused("TS 33.180 E.6.4",
                   "Activation Time " + unix_time(activation) + " is more than a year ahead",
                   "compare the clocks; the sender must activate the key within a year");
  return {};
}

Result<void> check_group(const KeyParameters& parameters, const std::string& group) {
  const auto& groups = parameters.groups;
  if (group.empty() || groups.empty()) return {};
  if (std::find(groups.begin(), groups.end(), group) != groups.end()) return {};
  std::string all;
  for (const std::string& one : groups) all += (all.empty() ? "'" : ", '") + printable(one) + "'";
  return refused("TS 33.179 7.3.1", "the key is for " + all + ", not for '" + printable(group) + "'",
                 "the notification and the payload must be of one group; URIs are compared octet for octet");
}

}  // namespace

bool tolerated(Tolerance tolerance, const Reception& reception, Fired& fired) {
  if (!reception.tolerances.allows(tolerance)) return false;
  if (std::find(fired.begin(), fired.end(), tolerance) == fired.end()) fired.push_back(tolerance);
  return true;
}

Result<void> check_writable(const KeyParameters& parameters) {
  const auto usage = [](std::string detail, std::string cure) {
    return fail(Errc::usage, "TS 33.180 E.6", std::move(detail), std::move(cure));
  };
  for (const std::int64_t time : {parameters.activation, parameters.expiry})
    if (time < 0 || time > kLatestTime)
      return usage("a time of the key parameters is not in Unix seconds",
                   "count from 1970, up to 3000000000");
  if (parameters.text.size() > kLongestText) return usage("Text has more than 1024 octets", "shorten it");
  if (parameters.groups.size() > 255) return usage("a key names at most 255 groups", "name fewer groups");
  for (const std::string& group : parameters.groups) TRY(mcx::check_identity(group, "group URI"));
  return {};
}

mikey::GeneralExt seal_key_parameters(const KeyParameters& parameters, const ParameterContext& context,
                                      const Fixed<16>& iv) {
  mikey::ProtectedPayload frame;
  frame.date_time = static_cast<std::uint64_t>(context.time.unix_seconds());
  frame.dppk_id = context.csb_id;
  frame.iv = iv;
  const mcx::Dpck key = mcx::dpck(context.key, context.csb_id);
  const Octets sealed =
      crypto::gcm_seal(key.expose(), frame.iv, frame.associated_data(), mikey::write(to_wire(parameters)));
  const OctetsView all(sealed);
  frame.ciphertext = to_octets(all.first(all.size() - crypto::kGcmTag));
  std::copy_n(all.last(crypto::kGcmTag).begin(), crypto::kGcmTag, frame.tag.begin());
  mikey::GeneralExt extension;
  extension.type = mikey::ExtType::key_parameters;
  extension.data = mikey::write(frame);
  return extension;
}

Result<KeyParameters> open_key_parameters(const mikey::Unsigned& message, const ParameterContext& context,
                                          const Reception& reception, Fired& fired) {
  const mikey::GeneralExt* const extension = message.extension(mikey::ExtType::key_parameters);
  if (!extension) return without_extension(context, reception, fired);
  const mikey::KeyParameters wire = TRY(read_extension(*extension, context, reception, fired));
  TRY(check_key_type(wire, context, reception, fired));
  KeyParameters out = TRY(from_wire(wire, context.purpose, reception, fired));
  TRY(check_validity(out, context, reception.now));
  TRY(check_group(out, reception.group));
  return out;
}

}  // namespace regroup::gktp
