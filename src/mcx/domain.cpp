// SPDX-License-Identifier: Apache-2.0
#include "mcx/domain.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "mcx/uid.hpp"

namespace regroup::mcx {
namespace {

constexpr std::string_view kWithinPeriod = "give an offset from 0 to less than the period, in seconds";

std::string folded(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// The text after '@' and before ';', ASCII case folded; empty when there is no '@'. The URI parameters are
// cut off first: an '@' in them names no domain.
// Is `suffix` the domain itself or one of its parents?
bool covers(const std::string& suffix, const std::string& domain) {
  if (suffix.empty() || suffix.size() > domain.size()) return false;
  if (domain.compare(domain.size() - suffix.size(), suffix.size(), suffix) != 0) return false;
  return suffix.size() == domain.size() || domain[domain.size() - suffix.size() - 1] == '.';
}

}  // namespace

std::string domain_part(std::string_view identity) {
  const std::string_view address = identity.substr(0, identity.find_first_of(";?"));
  const std::size_t at = address.rfind('@');
  return at == std::string_view::npos ? std::string() : folded(address.substr(at + 1));
}

Octets identifier_of(const Uid& uid, IdentifierForm form) {
  return form == IdentifierForm::octets ? to_octets(uid) : to_octets(view(hex(uid)));
}

Result<KeyPeriods> KeyPeriods::make(std::int64_t period, std::int64_t offset, Epoch epoch) {
  if (period > 0 && offset >= period)
    return fail(
        Errc::malformed, "TS 33.180 F.2.1",
        "UserKeyOffset " + std::to_string(offset) + " is not below UserKeyPeriod " + std::to_string(period),
        std::string(kWithinPeriod));
  KeyPeriods out = TRY(make_unchecked_offset(period, offset));
  out.epoch_ = epoch;
  return out;
}

Result<KeyPeriods> KeyPeriods::make_unchecked_offset(std::int64_t period, std::int64_t offset) {
  if (period <= 0)
    return fail(Errc::malformed, "TS 33.180 F.2.1",
                "UserKeyPeriod " + std::to_string(period) + " is not positive",
                "give the length of a key period in seconds");
  if (offset < 0)
    return fail(Errc::malformed, "TS 33.180 F.2.1",
                "UserKeyOffset " + std::to_string(offset) + " is negative", std::string(kWithinPeriod));
  return KeyPeriods(period, offset);
}

std::int64_t KeyPeriods::number_at(NtpTime time) const {
  const std::int64_t since = time.seconds - start();
  return since >= 0 ? since / period_ : -((-since + period_ - 1) / period_);
}

NtpTime KeyPeriods::start_of(std::int64_t number) const { return NtpTime{start() + number * period_, 0}; }

Uid KmsCertificate::uid_of(const McpttId& identity, std::int64_t period_no) const {
  return uid(identity.text(), kms_uri.text(), periods.period(), periods.offset(), period_no);
}

Result<void> KmsCertificate::usable_at(NtpTime time) const {
  const std::string name = "the KMS certificate of " + kms_uri.text();
  if (revoked)
    return fail(
        Errc::revoked, "TS 33.180 D.3.2", name + " is revoked",
        "send nothing to that domain and take nothing from it; ask its operator for a new certificate");
  if (valid_from && time < *valid_from)
    return fail(Errc::not_yet_valid, "TS 33.180 D.3.2", name + " is valid from " + date_time(*valid_from),
                "compare the clock with the KMS, or wait until then");
  if (valid_to && time > *valid_to)
    return fail(Errc::expired, "TS 33.180 D.3.2", name + " was valid until " + date_time(*valid_to),
                "fetch its successor from the own KMS (/certcache)");
  return {};
}

Result<KeySet> KeySet::validate(const KmsCertificate& certificate, McpttId identity, std::int64_t period_no,
                                OctetsView rsk, crypto::eccsi::Ssk ssk, OctetsView pvt) {
  const Uid uid = certificate.uid_of(identity, period_no);
  const Octets identifier = certificate.identifier(uid);
  const std::string whose = "key set of " + identity.text() + ", period " + std::to_string(period_no);
  auto signing = crypto::eccsi::UserKey::validate(certificate.kpak, identifier, std::move(ssk), pvt);
  if (!signing.ok()) return std::move(signing).error().with(whose);
  auto decryption = crypto::sakke::Rsk::parse(rsk);
  if (!decryption.ok()) return std::move(decryption).error().with(whose);
  auto tied = crypto::sakke::verify(certificate.z, identifier, decryption.value());
  if (!tied.ok()) return std::move(tied).error().with(whose);
  return KeySet(std::move(identity), certificate.kms_uri, period_no, uid, certificate.form,
                std::move(decryption).value(), std::move(signing).value());
}

Result<void> Domains::add(KmsCertificate certificate) {
  for (const KmsCertificate& held : certificates_) {
    const bool same_name = !certificate.cert_uri.empty() && held.cert_uri == certificate.cert_uri;
    if (!same_name && held.kms_uri != certificate.kms_uri) continue;
    const bool same_keys = held.z.octets() == certificate.z.octets() && held.kpak == certificate.kpak &&
                           held.kms_uri == certificate.kms_uri;
    if (held.cert_uri == certificate.cert_uri && !same_keys)
      return fail(Errc::conflict, "TS 33.180 D.3.2",
                  "the KMS certificate " + printable(certificate.cert_uri) + " of " +
                      certificate.kms_uri.text() + " came with other keys under the same name",
                  "do not use it; ask that domain's operator");
  }
  place(std::move(certificate));
  return {};
}

bool side_by_side(const KmsCertificate& a, const KmsCertificate& b) {
  return !a.cert_uri.empty() && !b.cert_uri.empty() && a.cert_uri != b.cert_uri && a.periods == b.periods &&
         a.valid_from != b.valid_from;
}

void Domains::place(KmsCertificate certificate) {
  const auto of_it = [&](const KmsCertificate& held) { return held.kms_uri == certificate.kms_uri; };
  std::erase_if(certificates_,
                [&](const KmsCertificate& held) { return of_it(held) && !side_by_side(held, certificate); });
  const auto first = std::find_if(certificates_.begin(), certificates_.end(), of_it);
  auto at = first;
  std::size_t count = 1;
  for (auto held = first; held != certificates_.end() && of_it(*held); ++held, ++count)
    if (held->valid_from < certificate.valid_from) at = held + 1;
  const auto offset = first - certificates_.begin();
  certificates_.insert(at, std::move(certificate));
  if (count > kMostOfOneKms) certificates_.erase(certificates_.begin() + offset);
}

const KmsCertificate* Domains::find(const KmsUri& kms, NtpTime t) const {
  const KmsCertificate* out = nullptr;
  for (const KmsCertificate& held : certificates_)
    if (held.kms_uri == kms && (!out || !held.valid_from || *held.valid_from <= t)) out = &held;
  return out;
}

Result<const KmsCertificate*> Domains::kms_of(const McpttId& identity, NtpTime t) const {
  if (const auto exact = exact_.find(identity.text()); exact != exact_.end()) {
    if (const KmsCertificate* held = find(exact->second, t)) return held;
    return fail(Errc::unknown_kms, "PR-37",
                "no certificate of " + exact->second.text() + ", which serves " + identity.text(),
                "import it at the own KMS");
  }
  const std::string domain = domain_part(identity.text());
  const KmsCertificate* best = nullptr;
  std::size_t longest = 0;
  bool tie = false;
  for (const KmsCertificate& held : certificates_) {
    if (held.revoked || !in_force(held, t)) continue;
    for (const std::string& suffix : held.domains) {
      if (!covers(folded(suffix), domain) || suffix.size() < longest) continue;
      tie = suffix.size() == longest && best && best != &held;
      longest = suffix.size();
      best = &held;
    }
  }
  if (tie)
    return fail(Errc::unknown_kms, "PR-37", "two KMS certificates name the domain of " + identity.text(),
                "add an entry to [kms_of]");
  if (!best)
    return fail(Errc::unknown_kms, "PR-37", "no KMS certificate covers " + identity.text(),
                "import its domain's certificate at the own KMS, or add an entry to [kms_of]");
  return best;
}

}  // namespace regroup::mcx
