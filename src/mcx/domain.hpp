// SPDX-License-Identifier: Apache-2.0
// A security domain as its members see it: the KMS certificate (TS 33.180 D.3.2) with checked points, its key
// periods, and the set of certificates one entity trusts. Which KMS serves an identity: the rule PR-37.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "crypto/eccsi.hpp"
#include "crypto/sakke.hpp"
#include "mcx/ids.hpp"

namespace regroup::mcx {

// Where the KMS begins to count (TS 33.180 F.2.1: 1900). Some count from 1970 (docs/wire.md, Traps, T-2).
enum class Epoch : std::uint8_t { ntp, unix };

// UserKeyPeriod and UserKeyOffset (seconds, NTP scale, 64-bit): period n covers [offset + n*period, offset +
// (n+1)*period).
class KeyPeriods {
 public:
  // Refuses period <= 0 and offset outside [0, period) (TS 33.180 F.2.1, enforced on configuration and import
  // only).
  [[nodiscard]] static Result<KeyPeriods> make(std::int64_t period, std::int64_t offset,
                                               Epoch epoch = Epoch::ntp);
  // As published by others, offset >= period allowed.
  [[nodiscard]] static Result<KeyPeriods> make_unchecked_offset(std::int64_t period, std::int64_t offset);
  [[nodiscard]] std::int64_t period() const { return period_; }
  [[nodiscard]] std::int64_t offset() const { return offset_; }
  [[nodiscard]] Epoch epoch() const { return epoch_; }
  [[nodiscard]] std::int64_t number_at(NtpTime time) const;
  [[nodiscard]] NtpTime start_of(std::int64_t number) const;
  bool operator==(const KeyPeriods&) const = default;

 private:
  KeyPeriods(std::int64_t period, std::int64_t offset) : period_(period), offset_(offset) {}
  [[nodiscard]] std::int64_t start() const { return offset_ + (epoch_ == Epoch::unix ? kNtpMinusUnix : 0); }
  std::int64_t period_, offset_;
  Epoch epoch_ = Epoch::ntp;
};

// What ECCSI and SAKKE take for a UID: its 32 octets (TS 33.180 F.2.1), or, of one KMS, their hex text in
// lower case (docs/wire.md, Traps, T-1).
enum class IdentifierForm : std::uint8_t { octets, hex_text };
[[nodiscard]] Octets identifier_of(const Uid& uid, IdentifierForm form);

struct KmsCertificate {
  KmsUri kms_uri;
  std::string cert_uri;  // may be empty
  KeyPeriods periods;
  crypto::sakke::KmsPublicKey z;
  crypto::eccsi::Kpak kpak;
  std::vector<std::string> domains;             // KmsDomainList
  std::optional<NtpTime> valid_from, valid_to;  // absent: unbounded
  bool revoked = false;
  IdentifierForm form = IdentifierForm::octets;

  [[nodiscard]] Octets identifier(const Uid& uid) const { return identifier_of(uid, form); }
  [[nodiscard]] Uid uid_of(const McpttId& identity, std::int64_t period_no) const;
  [[nodiscard]] Uid uid_at(const McpttId& identity, NtpTime time) const {
    return uid_of(identity, periods.number_at(time));
  }
  [[nodiscard]] Result<void> usable_at(NtpTime time) const;  // revoked, not yet valid, expired: each named
};

// One identity's keys of one period, validated on construction (UID recomputed, RFC 6507 5.1.2, RFC
// 6508 6.1.2).
class KeySet {
 public:
  [[nodiscard]] static Result<KeySet> validate(const KmsCertificate& certificate, McpttId identity,
                                               std::int64_t period_no, OctetsView rsk, crypto::eccsi::Ssk ssk,
                                               OctetsView pvt);
  [[nodiscard]] const McpttId& identity() const { return identity_; }
  [[nodiscard]] const KmsUri& kms_uri() const { return kms_uri_; }
  [[nodiscard]] std::int64_t period_no() const { return period_no_; }
  [[nodiscard]] const Uid& uid() const { return uid_; }
  // What its keys are made for.
  [[nodiscard]] Octets identifier() const { return identifier_of(uid_, form_); }
  [[nodiscard]] const crypto::sakke::Rsk& rsk() const { return rsk_; }
  [[nodiscard]] const crypto::eccsi::UserKey& signing() const { return signing_; }

 private:
  KeySet(McpttId identity, KmsUri kms, std::int64_t period_no, const Uid& uid, IdentifierForm form,
         crypto::sakke::Rsk rsk, crypto::eccsi::UserKey signing)
      : identity_(std::move(identity)),
        kms_uri_(std::move(kms)),
        period_no_(period_no),
        uid_(uid),
        form_(form),
        rsk_(std::move(rsk)),
        signing_(std::move(signing)) {}
  McpttId identity_;
  KmsUri kms_uri_;
  std::int64_t period_no_;
  Uid uid_;
  IdentifierForm form_;
  crypto::sakke::Rsk rsk_;
  crypto::eccsi::UserKey signing_;
};

// The domain of a URI: after the last '@' of its address, without parameters and headers, ASCII case folded.
// Empty when there is none (tel:).
[[nodiscard]] std::string domain_part(std::string_view identity);

// Whether two certificates of one KMS have each their time, absent ValidFrom before all others.
[[nodiscard]] bool side_by_side(const KmsCertificate& a, const KmsCertificate& b);

// The certificates one entity holds: its own domain's and those of permitted others, all from its own KMS. Of
// one KMS several may be held, each in force from its ValidFrom until the next one's: an announced roll-over
// changes the certificate at a boundary of key periods, and which one counts is told by the time in T.
class Domains {
 public:
  static constexpr std::size_t kMostOfOneKms = 3;

  // Replaces by cert_uri. Another certificate of a KMS that is held stands beside that one if it has another
  // cert_uri and valid_from and the same periods, else takes its place; beyond kMostOfOneKms the oldest goes.
  // Errc::conflict when a pinned key changes under the same CertUri.
  [[nodiscard]] Result<void> add(KmsCertificate certificate);
  // The certificate of that KMS for messages of the time `t`; before the first one begins, that one.
  [[nodiscard]] const KmsCertificate* find(const KmsUri& kms, NtpTime t) const;
  // Those of each KMS in the order of their validity.
  [[nodiscard]] const std::vector<KmsCertificate>& all() const { return certificates_; }
  // PR-37: an exact entry, else the longest KmsDomain suffix of the domain part; ties and no answer are
  // errors.
  void map_exactly(const std::string& identity, KmsUri kms) {
    exact_.insert_or_assign(identity, std::move(kms));
  }
  [[nodiscard]] Result<const KmsCertificate*> kms_of(const McpttId& identity, NtpTime t) const;

 private:
  [[nodiscard]] bool in_force(const KmsCertificate& certificate, NtpTime t) const {
    return find(certificate.kms_uri, t) == &certificate;
  }
  void place(KmsCertificate certificate);

  std::vector<KmsCertificate> certificates_;
  std::map<std::string, KmsUri> exact_;
};

}  // namespace regroup::mcx
