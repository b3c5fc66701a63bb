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

// UserKeyPeriod and UserKeyOffset (seconds, NTP scale, 64-bit): period n covers [offset + n*period, offset +
// (n+1)*period).
class KeyPeriods {
 public:
  // Refuses period <= 0 and offset outside [0, period) (TS 33.180 F.2.1, enforced on configuration and import
  // only).
  [[nodiscard]] static Result<KeyPeriods> make(std::int64_t period, std::int64_t offset);
  // As published by others, offset >= period allowed.
  [[nodiscard]] static Result<KeyPeriods> make_unchecked_offset(std::int64_t period, std::int64_t offset);
  [[nodiscard]] std::int64_t period() const { return period_; }
  [[nodiscard]] std::int64_t offset() const { return offset_; }
  [[nodiscard]] std::int64_t number_at(NtpTime time) const;
  [[nodiscard]] NtpTime start_of(std::int64_t number) const;
  bool operator==(const KeyPeriods&) const = default;

 private:
  KeyPeriods(std::int64_t period, std::int64_t offset) : period_(period), offset_(offset) {}
  std::int64_t period_, offset_;
};

struct KmsCertificate {
  KmsUri kms_uri;
  std::string cert_uri;  // may be empty
  KeyPeriods periods;
  crypto::sakke::KmsPublicKey z;
  crypto::eccsi::Kpak kpak;
  std::vector<std::string> domains;             // KmsDomainList
  std::optional<NtpTime> valid_from, valid_to;  // absent: unbounded
  bool revoked = false;

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
  [[nodiscard]] const crypto::sakke::Rsk& rsk() const { return rsk_; }
  [[nodiscard]] const crypto::eccsi::UserKey& signing() const { return signing_; }

 private:
  KeySet(McpttId identity, KmsUri kms, std::int64_t period_no, const Uid& uid, crypto::sakke::Rsk rsk,
         crypto::eccsi::UserKey signing)
      : identity_(std::move(identity)),
        kms_uri_(std::move(kms)),
        period_no_(period_no),
        uid_(uid),
        rsk_(std::move(rsk)),
        signing_(std::move(signing)) {}
  McpttId identity_;
  KmsUri kms_uri_;
  std::int64_t period_no_;
  Uid uid_;
  crypto::sakke::Rsk rsk_;
  crypto::eccsi::UserKey signing_;
};

// The domain of a URI: after the last '@' of its address, without parameters and headers, ASCII case folded.
// Empty when there is none (tel:).
[[nodiscard]] std::string domain_part(std::string_view identity);

// The certificates one entity holds: its own domain's and those of permitted others, all from its own KMS.
class Domains {
 public:
  // Replaces by cert_uri, else by KmsUri. Errc::conflict when a pinned key changes under the same CertUri.
  [[nodiscard]] Result<void> add(KmsCertificate certificate);
  [[nodiscard]] const KmsCertificate* find(const KmsUri& kms) const;
  [[nodiscard]] const std::vector<KmsCertificate>& all() const { return certificates_; }
  // PR-37: an exact entry, else the longest KmsDomain suffix of the domain part; ties and no answer are
  // errors.
  void map_exactly(const std::string& identity, KmsUri kms) {
    exact_.insert_or_assign(identity, std::move(kms));
  }
  [[nodiscard]] Result<const KmsCertificate*> kms_of(const McpttId& identity) const;

 private:
  std::vector<KmsCertificate> certificates_;
  std::map<std::string, KmsUri> exact_;
};

}  // namespace regroup::mcx
