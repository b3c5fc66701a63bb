// SPDX-License-Identifier: Apache-2.0
#include "app/kms/traps.hpp"

#include <algorithm>
#include <bit>

#include "base/text.hpp"
#include "crypto/hash/sha256.hpp"

namespace regroup::app {
namespace {

using kmsxml::Tolerance;

bool signs_as(const kmsxml::KmsKeySet& document, const mcx::KmsCertificate& certificate,
              OctetsView identifier) {
  if (document.user_signing_key_ssk.size() != 32) return false;
  crypto::eccsi::Ssk ssk(document.user_signing_key_ssk.expose().first<32>());
  return crypto::eccsi::UserKey::validate(certificate.kpak, identifier, std::move(ssk),
                                          document.user_pub_token_pvt)
      .ok();
}

// ---- T-3: the string S of the UID as characters 0 and 1 where it has lengths and numbers. How wide they are
// is not known of the one vendor that does so: the likely forms are tried.
struct DigitForm {
  std::size_t number, length;  // digits; 0: as few as it takes
  bool length_in_digits;       // of a number: it counts its digits, not its octets
  std::string_view fc;
};

std::string digits(std::uint64_t value, std::size_t width) {
  std::string out;
  for (; value > 0; value >>= 1) out.insert(out.begin(), (value & 1) != 0 ? '1' : '0');
  if (out.empty()) out = "0";
  if (out.size() < width) out.insert(0, width - out.size(), '0');
  return out;
}

std::string in_digits(const kmsxml::KmsKeySet& document, const mcx::KmsCertificate& certificate,
                      const DigitForm& form) {
  std::string s(form.fc);
  for (const std::string_view text :
       {std::string_view("MIKEY-SAKKE-UID"), std::string_view(document.user_uri),
        std::string_view(certificate.kms_uri.text())})
    s += std::string(text) + digits(text.size(), form.length);
  for (const std::int64_t number :
       {certificate.periods.period(), certificate.periods.offset(), document.key_period_no}) {
    const auto value = static_cast<std::uint64_t>(number);
    const std::string written = digits(value, form.number);
    const std::size_t octets =
        std::max<std::size_t>(1, (static_cast<std::size_t>(std::bit_width(value)) + 7) / 8);
    s += written + digits(form.length_in_digits ? written.size() : octets, form.length);
  }
  return s;
}

bool is_digit_uid(const kmsxml::KmsKeySet& document, const mcx::KmsCertificate& certificate) {
  for (const std::size_t number : {0u, 16u, 32u, 64u})
    for (const std::size_t length : {0u, 8u, 16u})
      for (const bool length_in_digits : {false, true})
        for (const std::string_view fc : {std::string_view("0"), std::string_view("00000000")}) {
          const std::string s = in_digits(document, certificate, {number, length, length_in_digits, fc});
          const mcx::Uid uid = crypto::sha256(view(s));
          if (document.user_id.empty() ? signs_as(document, certificate, uid)
                                       : hex(document.user_id) == hex(uid))
            return true;
        }
  return false;
}

// By how much a KMS that counts from 1970 is behind: floor or ceiling, as its periods fall.
bool counts_from_1970(std::int64_t apart, const mcx::KeyPeriods& periods) {
  const std::int64_t epoch = kNtpMinusUnix / periods.period();
  return periods.epoch() == mcx::Epoch::ntp && epoch > 0 && (apart == epoch || apart == epoch + 1);
}

std::string epoch_cure(std::int64_t number) {
  return "period " + std::to_string(number) +
         " is counted from 1970: " + kmsxml::cure_by(Tolerance::epoch_1970);
}

}  // namespace

std::string diagnosis(const kmsxml::KmsKeySet& document, const mcx::KmsCertificate& certificate) {
  const mcx::KeyPeriods& periods = certificate.periods;
  if (document.valid_from && *document.valid_from >= periods.start_of(0)) {
    const std::int64_t at = periods.number_at(*document.valid_from);
    if (counts_from_1970(at - document.key_period_no, periods))
      return "its dates fit period " + std::to_string(at) + "; " + epoch_cure(document.key_period_no);
  }
  const auto identity = mcx::McpttId::parse(document.user_uri);
  if (!identity.ok()) return "report it to the KMS operator: UserUri is no identity";
  const mcx::Uid uid = certificate.uid_of(*identity, document.key_period_no);
  const bool text = certificate.form == mcx::IdentifierForm::hex_text;
  if (!text && signs_as(document, certificate, identifier_of(uid, mcx::IdentifierForm::hex_text)))
    return "the keys are made for the hex text of the UID instead of its 32 octets: " +
           kmsxml::cure_by(Tolerance::uid_as_hex_text);
  if (text && signs_as(document, certificate, uid))
    return "the keys are made for the UID itself: remove uid-as-hex-text from tolerate of [kms]";
  if (is_digit_uid(document, certificate))
    return "the UID is made of characters 0 and 1 instead of octets, which no other member could compute: "
           "have the "
           "KMS corrected to TS 33.180 F.2.1 (trap T-3)";
  if (signs_as(document, certificate, certificate.identifier(uid)))
    return "the signing key fits and the receiver key does not: the KMS may have made a new master secret or "
           "random "
           "keys (trap T-13); ask its operator";
  return "compare identity, KmsUri, period, offset and period number with the KMS; one that lost its master "
         "secret gives such keys too (trap T-13)";
}

bool same_but_for_form(std::string_view one, std::string_view other) {
  const auto bare = [](std::string_view text) {
    for (const std::string_view scheme : {"sip:", "sips:", "tel:"})
      if (text.substr(0, scheme.size()) == scheme) return text.substr(scheme.size());
    return text;
  };
  const std::string_view a = bare(one), b = bare(other);
  if (a == b) return true;
  const auto number = [](std::string_view text) { return text.substr(0, text.find('@')); };
  return !a.empty() && a.front() == '+' && number(a) == number(b);
}

std::string missing_period(const std::vector<kmsxml::KmsKeySet>& given, const mcx::KeyPeriods& periods,
                           std::int64_t period, const std::string& identity) {
  for (const kmsxml::KmsKeySet& one : given) {
    if (one.user_uri != identity && same_but_for_form(one.user_uri, identity))
      return "it gave one of " + printable(one.user_uri) +
             ": the octets must be the same here and there, scheme included (trap T-23)";
    if (counts_from_1970(period - one.key_period_no, periods)) return epoch_cure(one.key_period_no);
    if (periods.epoch() == mcx::Epoch::unix && one.key_period_no - period >= kNtpMinusUnix / periods.period())
      return "the KMS counts from 1900, as it should: remove epoch-1970 from tolerate of [kms]";
  }
  return "compare the clocks of KMS and client";
}

}  // namespace regroup::app
