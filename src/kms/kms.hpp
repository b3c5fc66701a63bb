// SPDX-License-Identifier: Apache-2.0
// The key management server of one security domain (TS 33.179 7.2, TS 33.180 5.3): two master secrets, made
// once, and what is derived from them for (identity, key period). An announced roll-over makes two more,
// which take over at a boundary of key periods. Issued keys are not kept; the same question gives the same
// RSK and a fresh, equally valid SSK/PVT pair (RFC 6507 5.1.1). Each key set is checked before it is handed
// out. Refuses: unknown, suspended and revoked identities, periods outside the window (a stolen token shall
// not reach far), stored public keys that do not belong to the stored secrets. Who may ask for which identity
// is the front's business (app/kms/front.hpp).
#pragma once

#include "base/random.hpp"
#include "crypto/eccsi.hpp"
#include "crypto/sakke.hpp"
#include "kms/registry.hpp"
#include "kms/transport_keys.hpp"
#include "mcx/domain.hpp"

namespace regroup::kms {

struct Setup {
  mcx::KmsUri kms_uri;
  mcx::KeyPeriods periods = mcx::KeyPeriods::make(2'592'000, 0).value();
  std::vector<std::string> domains = {};  // empty: KmsUri without scheme, port and a leading "kms."
  std::string issuer = {};
};

// One identity's keys of one period, on the way to its owner.
struct IssuedKeySet {
  mcx::McpttId identity;
  std::int64_t period_no = 0;
  NtpTime valid_from;  // start of the period
  NtpTime valid_to;    // its last second
  mcx::Uid uid{};
  crypto::sakke::RskOctets rsk;
  crypto::eccsi::UserKey signing;
};

// How far back and ahead of the current period keys are issued.
struct Window {
  std::int64_t back = 2;
  std::int64_t ahead = 1;
};

// The kinds of records that keep a KMS (docs/formats.md, KMS store); "domain" holds the master secrets.
inline const std::vector<std::string> kKinds = {"domain", "cache", "external", "subscriber", "transport"};

// What was kept, collected record by record.
class Stored {
 public:
  [[nodiscard]] Result<void> take(const Record& record);
  // As releases up to 0.1 kept it: z || KSAK, the registry, the transport keys (empty: none).
  [[nodiscard]] static Result<Stored> of_release_0_1(OctetsView master, OctetsView registry,
                                                     OctetsView transport);

 private:
  friend class Kms;
  struct Domain;
  struct Secrets {
    std::uint32_t number = 1;  // the id of its record
    crypto::sakke::MasterSecret z;
    crypto::eccsi::Ksak ksak;
    Registry::Changed own;
  };
  std::vector<Secrets> secrets_;
  Registry registry_;
  TransportKeyStore transport_;
  bool domain_is_kept_ = true;
};

class Kms {
 public:
  // Fresh master secrets. An explicit administrative act, never a side effect of a start.
  [[nodiscard]] static Result<Kms> make(const Setup& setup, Random& random);
  // Checks that Z and KPAK of the own certificate belong to z and KSAK. Errc::storage without a domain.
  [[nodiscard]] static Result<Kms> open(Stored stored);
  // What is to be kept of what changed since the last call, for one commit; of a new KMS, all of it.
  [[nodiscard]] Writes take_changes();

  [[nodiscard]] const Registry& registry() const { return registry_; }
  [[nodiscard]] Registry& registry() { return registry_; }
  // The one whose keys are issued for periods at that time.
  [[nodiscard]] const mcx::KmsCertificate& certificate_at(NtpTime t) const { return at(t).certificate; }
  // What all certificates have in common.
  [[nodiscard]] const mcx::KmsUri& kms_uri() const { return authorities_.front().certificate.kms_uri; }
  [[nodiscard]] const mcx::KeyPeriods& periods() const { return authorities_.front().certificate.periods; }
  // New master secrets, in force from the beginning of the period `from` on, their certificate announced at
  // once. An explicit administrative act. Errc::usage when fewer than two whole periods would lie before;
  // Errc::conflict while an earlier successor has not taken over. Secrets of which no key is issued any more
  // are destroyed.
  [[nodiscard]] Result<void> roll_over(std::int64_t from, NtpTime now, Random& random, Window window = {});
  // The first period that a roll-over may begin with.
  [[nodiscard]] std::int64_t earliest_roll_over(NtpTime now) const;
  // After a restore; see Registry::renumber().
  void renumber();
  [[nodiscard]] const TransportKeyStore& transport_keys() const { return transport_keys_; }
  [[nodiscard]] TransportKeyStore& transport_keys() { return transport_keys_; }
  // Takes over subscribers, certificates and transport keys that an administrator changed in the store, if it
  // is this KMS's.
  [[nodiscard]] Result<void> adopt(Kms stored);

  // Period numbers a plain /keyprov is answered with: the current one and the next.
  [[nodiscard]] std::vector<std::int64_t> usual_periods(NtpTime now) const;
  // Errc::unknown_group for an identity without a record, Errc::revoked for one that is suspended or revoked,
  // Errc::not_authorised for a period outside the window.
  [[nodiscard]] Result<std::vector<IssuedKeySet>> provision(std::string_view identity,
                                                            const std::vector<std::int64_t>& periods,
                                                            NtpTime now, Random& random,
                                                            Window window = {}) const;
  // One period's keys for many subscribers at once, for a roll-over prepared ahead: in the order asked. Each
  // RSK is checked to lie on the curve, and of each chunk of 256 one key set, drawn at random, in full; every
  // receiver checks its own in full (TS 33.180 D.3.3). Errors as above, for the whole call.
  [[nodiscard]] Result<std::vector<IssuedKeySet>> provision_all(std::span<const mcx::McpttId> identities,
                                                                std::int64_t period_no, NtpTime now,
                                                                Random& random, Window window = {}) const;

 private:
  // Two master secrets and their certificate.
  struct Authority {
    std::uint32_t number;  // from 1 on
    crypto::sakke::MasterSecret z;
    crypto::eccsi::Ksak ksak;
    mcx::KmsCertificate certificate;
  };
  Kms() = default;
  [[nodiscard]] static Authority make_authority(std::uint32_t number, const Setup& setup, Random& random);
  [[nodiscard]] static Result<Authority> open_authority(Stored::Secrets stored);
  [[nodiscard]] const Authority& at(NtpTime t) const;
  [[nodiscard]] const Authority& of_period(std::int64_t number) const {
    return at(periods().start_of(number));
  }
  void drop_old(NtpTime now, Window window);
  [[nodiscard]] Result<IssuedKeySet> issue(const mcx::McpttId& identity, std::int64_t period_no,
                                           Random& random) const;
  [[nodiscard]] Result<void> check_window(std::int64_t period_no, NtpTime now, Window window) const;
  [[nodiscard]] static Result<void> check_issued(const Authority& by, const IssuedKeySet& keys);
  [[nodiscard]] static IssuedKeySet key_set(const Authority& by, const mcx::McpttId& identity,
                                            std::int64_t period_no, const mcx::Uid& uid,
                                            crypto::sakke::RskOctets rsk, crypto::eccsi::UserKey signing);

  std::vector<Authority> authorities_;  // in the order of their time
  Registry registry_;
  TransportKeyStore transport_keys_;
  bool domain_is_kept_ = false;
  std::vector<std::uint32_t> dropped_ = {};  // authorities whose records are to be erased
};

// The KmsUri without scheme, port and a leading "kms.".
[[nodiscard]] std::string default_domain(std::string_view kms_uri);

}  // namespace regroup::kms
