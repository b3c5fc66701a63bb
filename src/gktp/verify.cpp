// SPDX-License-Identifier: Apache-2.0
// Steps 1-7 of docs/wire.md, "Order of checks", one function per step.
#include <algorithm>

#include "base/text.hpp"
#include "crypto/hash/sha256.hpp"
#include "gktp/key_parameters.hpp"
#include "gktp/periods.hpp"
#include "gktp/policy.hpp"
#include "mcx/guk_id.hpp"

namespace regroup::gktp {
namespace {

using mcx::KmsCertificate;
using mcx::McpttId;
using mikey::ErrorCode;
using mikey::refuse;

// What the steps find out about one message.
struct Examination {
  const mikey::Message& message;
  const Reception& reception;
  const KmsCertificate* own_kms = nullptr;
  const KmsCertificate* initiator_kms = nullptr;
  NtpTime time;
  std::optional<McpttId> initiator;
  mcx::Uid initiator_uid{};
  std::int64_t initiator_period = 0;
  Fixed<32> hash{};
  Fired fired;

  [[nodiscard]] bool tolerates(Tolerance tolerance) { return tolerated(tolerance, reception, fired); }
  // A switch known to be on was needed.
  void note(Tolerance tolerance) { static_cast<void>(tolerates(tolerance)); }
  [[nodiscard]] bool neighbours() const {
    return reception.tolerances.allows(Tolerance::accept_neighbour_period);
  }
};

std::string quoted(std::string_view text) { return "'" + printable(text, 2048) + "'"; }

// Step 2: HDR. Version, data type and the map rules were checked on parsing.
Result<void> check_header(Examination& x) {
  const mikey::Hdr& hdr = x.message.hdr;
  const bool other_prf = hdr.prf == 0 || hdr.prf == 2;
  if (hdr.prf != mikey::kPrfHmacSha256 && !(other_prf && x.tolerates(Tolerance::accept_prf_other)))
    return refuse(
        Errc::unsupported, ErrorCode::invalid_prf, "TS 33.180 E.1.2",
        "HDR PRF func is " + std::to_string(hdr.prf) + ", expected 1 (PRF-HMAC-SHA-256)",
        std::string("the sender must write 1") +
            (other_prf ? "; accept_prf_other would let it through, derived with PRF-HMAC-SHA-256" : ""));
  const mcx::Purpose purpose = TRY(mcx::purpose_of(static_cast<std::uint8_t>(hdr.csb_id >> 28)));
  const auto& expected = x.reception.expected;
  if (std::find(expected.begin(), expected.end(), purpose) == expected.end())
    return refuse(Errc::unsupported, ErrorCode::unspecified, "TS 33.180 5.2.2",
                  "CSB ID " + hex(be32(hdr.csb_id)) + " has the purpose tag of a " +
                      std::string(mcx::name_of(purpose)) + ", which this procedure does not expect",
                  "send a key of a kind that belongs here");
  return check_policy(x.message);
}

Result<void> check_fresh(const Examination& x, NtpTime time) {
  const Reception& with = x.reception;
  if (time.seconds > with.now.seconds + with.max_future_skew)
    return refuse(Errc::not_yet_valid, ErrorCode::invalid_timestamp, "RFC 3830 5.4",
                  "T is " + date_time(time) + ", more than " + std::to_string(with.max_future_skew) +
                      " s after now, " + date_time(with.now),
                  "compare the clocks of both sides");
  const mcx::KeyPeriods& periods = x.own_kms->periods;
  const std::int64_t age = periods.number_at(with.now) - periods.number_at(time);
  if (age > with.max_age_periods)
    return refuse(Errc::expired, ErrorCode::invalid_timestamp, "RFC 3830 5.4",
                  "T is " + date_time(time) + ", key period " + std::to_string(periods.number_at(time)) +
                      " of " + with.own_kms.text() + "; now is period " +
                      std::to_string(periods.number_at(with.now)),
                  "ask the sender to encapsulate the key again");
  return {};
}

// Step 3: T in full seconds of all eras, inside the window.
Result<void> check_time(Examination& x) {
  const NtpTime ntp = NtpTime::nearest(x.message.t.value, x.reception.now);
  x.time = ntp;
  const auto fresh = check_fresh(x, ntp);
  if (fresh.ok() || !x.reception.tolerances.allows(Tolerance::accept_unix_time)) return fresh;
  for (const NtpTime unix : unix_readings(x.message.t.value)) {
    if (!check_fresh(x, unix).ok() || !x.tolerates(Tolerance::accept_unix_time)) continue;
    x.time = unix;
    return {};
  }
  return fresh;
}

Result<mcx::KmsUri> kms_named_by(Examination& x, const mikey::Idr& idr, std::string_view field) {
  std::string_view text = idr.text();
  if (text.size() > 1 && text.back() == '\0' && x.tolerates(Tolerance::accept_nul_in_uri))
    text.remove_suffix(1);
  TRY(mcx::check_identity(text, field));
  return mcx::KmsUri::parse(text);
}

// Step 4, the receiving side: is it for us, under our KMS, in a period we hold keys of?
Result<void> check_responder(Examination& x) {
  const mikey::Idr& idr = x.message.responder;
  const Reception& with = x.reception;
  if (!idr.hidden()) {
    if (idr.text() == with.own_identity.text()) return {};
    return refuse(Errc::not_for_me, ErrorCode::invalid_id, "TS 33.179 E.2",
                  "IDRr is " + quoted(idr.text()) + ", this is '" + with.own_identity.text() + "'",
                  "compare both octet for octet, scheme included");
  }
  const std::int64_t period = x.own_kms->periods.number_at(x.time);
  for (const std::int64_t number : periods_to_try(period, x.neighbours())) {
    if (!std::equal(idr.data.begin(), idr.data.end(), x.own_kms->uid_of(with.own_identity, number).begin()))
      continue;
    if (number == period || x.tolerates(Tolerance::accept_neighbour_period)) return {};
  }
  return refuse(
      Errc::not_for_me, ErrorCode::invalid_id, "TS 33.180 E.7",
      "the UID in IDRr (role 9) is " + hex(idr.data) + ", that of '" + with.own_identity.text() +
          "' in period " + std::to_string(period) + " of " + with.own_kms.text() + " is " +
          hex(x.own_kms->uid_of(with.own_identity, period)),
      "compare identity, KMS URI, period length, offset and T with the sender's: they decide a UID");
}

Result<void> check_responder_kms(Examination& x) {
  if (x.message.kms_by_role_3() && !x.tolerates(Tolerance::accept_kms_role_3))
    return refuse(Errc::malformed, ErrorCode::invalid_id, "TS 33.180 E.2",
                  "the KMSs are named by IDR role 3, expected roles 6 and 7",
                  "the sender must use roles 6 and 7; accept_kms_role_3 would let it through");
  const mcx::KmsUri kms = TRY(kms_named_by(x, x.message.responder_kms, "IDRkmsr"));
  if (kms == x.reception.own_kms) return x.own_kms->usable_at(x.time);
  return refuse(Errc::not_for_me, ErrorCode::invalid_id, "TS 33.179 E.2",
                "IDRkmsr is '" + kms.text() + "', the own KMS is '" + x.reception.own_kms.text() + "'",
                "compare both octet for octet");
}

Result<void> check_keys_held(Examination& x) {
  const std::int64_t period = x.own_kms->periods.number_at(x.time);
  for (const std::int64_t number : periods_to_try(period, x.neighbours())) {
    if (!key_set_of(x.reception, number)) continue;
    if (number == period || x.tolerates(Tolerance::accept_neighbour_period)) return {};
  }
  std::string held;
  for (const mcx::KeySet& keys : x.reception.key_sets)
    held += (held.empty() ? "" : ", ") + std::to_string(keys.period_no()) + " of " + keys.kms_uri().text();
  return refuse(Errc::expired, ErrorCode::invalid_timestamp, "TS 33.180 5.2.4",
                "T " + date_time(x.time) + " lies in key period " + std::to_string(period) + " of " +
                    x.reception.own_kms.text() + "; key sets of '" + x.reception.own_identity.text() +
                    "' are held for " + (held.empty() ? "no period" : "periods " + held),
                "fetch the key set of that period from the KMS (/keyprov)");
}

// Step 4, the sending side: a KMS whose certificate is held and usable, and an identity it serves (PR-37)
// that may manage the group (PR-1, PR-39).
Result<void> check_initiator_kms(Examination& x) {
  const mcx::KmsUri kms = TRY(kms_named_by(x, x.message.initiator_kms, "IDRkmsi"));
  x.initiator_kms = x.reception.domains.find(kms, x.time);
  if (!x.initiator_kms)
    return refuse(Errc::unknown_kms, ErrorCode::invalid_certificate, "TS 33.180 5.3.1.2",
                  "IDRkmsi is '" + kms.text() + "', no certificate of that KMS is held",
                  "import it at the own KMS: certificates come from there only (/certcache)");
  return x.initiator_kms->usable_at(x.time);
}

Result<void> check_authority(const Examination& x, const McpttId& initiator) {
  const Reception& with = x.reception;
  const auto kms = with.domains.kms_of(initiator, x.time);
  if (kms.ok() && (*kms)->kms_uri != x.initiator_kms->kms_uri)
    return refuse(Errc::not_authorised, ErrorCode::invalid_id, "PR-37",
                  "'" + initiator.text() + "' is served by '" + (*kms)->kms_uri.text() +
                      "', IDRkmsi names '" + x.initiator_kms->kms_uri.text() + "'",
                  "the sender must name its own KMS; an entry in [kms_of] says which that is");
  if (!with.require_authorised_initiator) return {};
  if (!kms.ok()) return kms.error();
  const auto& list = with.authorised_initiators;
  if (std::find(list.begin(), list.end(), initiator) != list.end()) return {};
  return refuse(Errc::not_authorised, ErrorCode::invalid_id, "TS 33.179 7.3.5.1",
                "'" + initiator.text() + "' is not on the list of identities that may key " +
                    (with.group.empty() ? "groups" : "'" + printable(with.group) + "'"),
                "add it to that list of the configuration, octet for octet, if it may");
}

Result<void> check_initiator(Examination& x) {
  if (x.message.initiator.hidden()) return {};  // known after step 6
  TRY(mcx::check_identity(x.message.initiator.text(), "IDRi"));
  x.initiator = TRY(McpttId::parse(x.message.initiator.text()));
  return check_authority(x, *x.initiator);
}

// Step 5: what parsing leaves to the switches.
Result<void> check_encapsulation(Examination& x) {
  const mikey::Sakke& sakke = x.message.sakke;
  const bool telephone = sakke.id_scheme == mikey::kIdSchemeTelUri;
  if (sakke.id_scheme != mikey::kIdSchemeHashedUid &&
      !(telephone && x.tolerates(Tolerance::accept_id_scheme_1)))
    return refuse(
        Errc::unsupported, ErrorCode::unspecified, "TS 33.180 E.1.2",
        "SAKKE ID scheme is " + std::to_string(sakke.id_scheme) + ", expected 2 (3GPP MCX hashed UID)",
        std::string("the sender must write 2") +
            (telephone ? "; accept_id_scheme_1 would read it as a hashed UID" : ""));
  if (!sakke.ssv32() || x.tolerates(Tolerance::accept_ssv32)) return {};
  return refuse(Errc::unsupported, ErrorCode::unspecified, "TS 33.179 E.1.0",
                "SAKKE data has 289 octets, a key of 32; expected 273, a key of 16",
                "the sender must send a key of 16; accept_ssv32 would open this one");
}

struct Signer {
  mcx::Uid uid;
  std::int64_t period;
};

// What the signer may sign as: the UID of T's period, and under the switch those of the periods beside it.
std::vector<Signer> signers(const Examination& x) {
  const std::int64_t period = x.initiator_kms->periods.number_at(x.time);
  if (!x.initiator) {
    Signer hidden{{}, period};
    std::copy(x.message.initiator.data.begin(), x.message.initiator.data.end(), hidden.uid.begin());
    return {hidden};
  }
  std::vector<Signer> out;
  for (const std::int64_t number : periods_to_try(period, x.neighbours()))
    out.push_back({x.initiator_kms->uid_of(*x.initiator, number), number});
  return out;
}

Error signature_refused(const Examination& x, const mcx::Uid& uid) {
  const std::string who = x.initiator ? "'" + x.initiator->text() + "'" : "the hidden initiator (role 8)";
  const mcx::KeyPeriods& periods = x.initiator_kms->periods;
  return refuse(
      Errc::bad_signature, ErrorCode::authentication_failure, "RFC 6507 5.2.2",
      "SIGN over octets 0.." + std::to_string(x.message.signed_octets().size() - 1) +
          " does not verify for " + who + " of KMS '" + x.initiator_kms->kms_uri.text() + "', period " +
          std::to_string(periods.number_at(x.time)) + " (length " + std::to_string(periods.period()) +
          ", offset " + std::to_string(periods.offset()) + "), UID " + hex(uid),
      "see whether the octets came unchanged; compare identity, KMS URI, period and KPAK with the sender's");
}

bool signs(const Examination& x, const Signer& signer, OctetsView octets) {
  const Octets identifier = x.initiator_kms->identifier(signer.uid);
  return crypto::eccsi::verify(x.initiator_kms->kpak, identifier, octets, x.message.signature()).ok();
}

// Step 6: before any decapsulation.
Result<void> check_signature(Examination& x) {
  const std::vector<Signer> candidates = signers(x);
  const bool bare = x.reception.tolerances.allows(Tolerance::accept_sign_without_header);
  for (const bool without_header : {false, true}) {
    if (without_header && !bare) break;
    const OctetsView octets =
        without_header ? x.message.signed_octets_without_header() : x.message.signed_octets();
    for (const Signer& signer : candidates) {
      if (!signs(x, signer, octets)) continue;
      x.initiator_uid = signer.uid;
      x.initiator_period = signer.period;
      if (without_header) x.note(Tolerance::accept_sign_without_header);
      if (signer.period != candidates.front().period) x.note(Tolerance::accept_neighbour_period);
      return {};
    }
  }
  return signature_refused(x, candidates.front().uid);
}

// The candidate whose UID is in role 8, in the period of T or beside it under the switch.
std::optional<McpttId> behind(Examination& x, const std::vector<McpttId>& candidates) {
  const std::int64_t period = x.initiator_kms->periods.number_at(x.time);
  for (const std::int64_t number : periods_to_try(period, x.neighbours()))
    for (const McpttId& candidate : candidates) {
      if (x.initiator_kms->uid_of(candidate, number) != x.initiator_uid) continue;
      if (number != period) x.note(Tolerance::accept_neighbour_period);
      x.initiator_period = number;
      return candidate;
    }
  return std::nullopt;
}

Error unresolved(const Examination& x) {
  const std::int64_t period = x.initiator_kms->periods.number_at(x.time);
  std::string tried;
  const auto add = [&](const std::vector<McpttId>& candidates) {
    for (const McpttId& candidate : candidates)
      tried += "; '" + candidate.text() + "' has " + hex(x.initiator_kms->uid_of(candidate, period));
  };
  add(x.reception.authorised_initiators);
  add(x.reception.initiator_candidates);
  return refuse(Errc::bad_signature, ErrorCode::invalid_id, "TS 33.180 E.7",
                "the hidden initiator has UID " + hex(x.initiator_uid) + " in period " +
                    std::to_string(period) + " of " + x.initiator_kms->kms_uri.text() + tried,
                "add the sender to the identities that may key the group, if it may");
}

// The end of step 6 for a hidden initiator: without its URI the message is not authenticated
// (TS 33.180 5.2.6).
Result<void> resolve_hidden_initiator(Examination& x) {
  if (x.initiator) return {};
  x.initiator = behind(x, x.reception.authorised_initiators);
  if (!x.initiator) x.initiator = behind(x, x.reception.initiator_candidates);
  if (!x.initiator && x.reception.require_authorised_initiator) return unresolved(x);
  if (!x.initiator) return {};
  auto authority = check_authority(x, *x.initiator);
  if (!authority.ok()) authority.error().code = Errc::bad_signature;  // one refusal from the signature on
  return authority;
}

// Step 7.
Result<void> check_replay(Examination& x, const ReplayCache* replay) {
  x.hash = crypto::sha256(OctetsView(x.message.raw));
  if (!replay) return {};
  const std::optional<std::string> before = replay->find(x.hash);
  if (!before) return {};
  return refuse(Errc::replayed, ErrorCode::invalid_timestamp, "RFC 3830 5.4",
                "this message was handled before: " + *before, "answer as before");
}

Result<void> examine(Examination& x, const ReplayCache* replay) {
  x.own_kms = x.reception.domains.find(x.reception.own_kms, x.reception.now);
  if (!x.own_kms)
    return fail(Errc::unknown_kms, "TS 33.180 5.3.1.2",
                "no certificate of the own KMS '" + x.reception.own_kms.text() + "' is held",
                "fetch it from the KMS (/init)");
  TRY(check_header(x));
  TRY(check_time(x));
  x.own_kms = x.reception.domains.find(x.reception.own_kms, x.time);  // the one in force then
  TRY(check_responder(x));
  TRY(check_responder_kms(x));
  TRY(check_keys_held(x));
  TRY(check_initiator_kms(x));
  TRY(check_initiator(x));
  TRY(check_encapsulation(x));
  TRY(check_signature(x));
  TRY(resolve_hidden_initiator(x));
  return check_replay(x, replay);
}

}  // namespace

std::vector<NtpTime> unix_readings(const Fixed<8>& t) {
  std::vector<NtpTime> out;
  for (const std::size_t half : {4U, 0U}) {
    const Fixed<4> big{t[half], t[half + 1], t[half + 2], t[half + 3]};
    const Fixed<4> little{big[3], big[2], big[1], big[0]};
    for (const Fixed<4>& octets : {big, little}) out.push_back(NtpTime::from_unix(load_be32(octets)));
  }
  return out;
}

Result<Verified> verify(OctetsView octets, const Reception& reception, const ReplayCache* replay) {
  Verified verified(TRY(mikey::parse(octets)));  // step 1
  Examination x{verified.message_, reception, nullptr, nullptr, {}, {}, {}, 0, {}, {}};
  TRY(examine(x, replay));
  verified.initiator_ = std::move(x.initiator);
  verified.initiator_uid_ = x.initiator_uid;
  verified.initiator_kms_ = x.initiator_kms->kms_uri;
  verified.initiator_period_ = x.initiator_period;
  verified.time_ = x.time;
  verified.hash_ = x.hash;
  verified.fired_ = std::move(x.fired);
  return verified;
}

}  // namespace regroup::gktp
