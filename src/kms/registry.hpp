// SPDX-License-Identifier: Apache-2.0
// What a KMS knows that is not secret: its own certificates, its subscribers, the certificates of permitted
// External KMSs and the version of that cache (TS 33.180 D.3). Identities are looked up with
// scheme and host folded to lower case, but keys are derived from, and answers name, the string that was
// registered. Each change leaves the records that keep it (docs/formats.md, KMS store) with take_changes().
// Refuses: server-like names for ordinary subscribers (TS 33.179 7.3.5.1, TS 33.180 5.7.1), a certificate of
// the own domain from outside, other keys under a known CertUri, two certificates that claim one domain
// (PR-37), whatever would bring back what was revoked.
#pragma once

#include <map>
#include <optional>

#include "base/clock.hpp"
#include "base/record.hpp"
#include "mcx/domain.hpp"

namespace regroup::kms {

// A KMS certificate as it is stored and handed out; its points were checked when it came in.
struct CertificateRecord {
  std::string kms_uri;
  std::string cert_uri;
  std::string issuer;
  std::int64_t period = 0;  // seconds
  std::int64_t offset = 0;  // seconds
  Octets z;                 // 257 octets
  Octets kpak;              // 65 octets
  std::vector<std::string> domains;
  std::optional<NtpTime> valid_from, valid_to;
  bool revoked = false;
  bool operator==(const CertificateRecord&) const = default;
};
[[nodiscard]] CertificateRecord record_of(const mcx::KmsCertificate& certificate, std::string issuer);

enum class Standing : std::uint8_t {
  active = 0,
  suspended = 1,  // gets no keys for now; what it holds goes on working
  revoked = 2,    // for good: told so instead of given keys, so that its client erases what it holds
};
[[nodiscard]] std::string_view name_of(Standing standing) noexcept;

// Whether two certificates of one KMS have each their time: the one that begins later takes over then.
[[nodiscard]] bool side_by_side(const CertificateRecord& a, const CertificateRecord& b);

struct Subscriber {
  mcx::McpttId identity;
  bool server = false;  // a GMS or MC server: gets keys only with its own client credential
  Standing standing = Standing::active;
};

// An answer to /certcache.
struct CacheAnswer {
  std::int64_t cache_num = 0;
  struct Entry {
    CertificateRecord certificate;
    bool own = false;
  };
  std::vector<Entry> certificates;
};

inline const std::vector<std::string> kRegistryKinds = {"cache", "external", "subscriber"};

class Registry {
 public:
  Registry() = default;
  explicit Registry(CertificateRecord own) { add_own({std::move(own), 1}); }

  // An own certificate and the cache number of its last change.
  struct Changed {
    CertificateRecord certificate;
    std::int64_t changed_in = 0;
  };
  // The own certificates in the order of their validity; KmsUri, periods and domains are those of all.
  [[nodiscard]] const CertificateRecord& own() const { return own_.front().certificate; }
  [[nodiscard]] const CertificateRecord& own_at(NtpTime t) const;
  [[nodiscard]] const std::vector<Changed>& all_own() const { return own_; }
  void add_own(Changed own) { own_.push_back(std::move(own)); }
  void drop_first_own() { own_.erase(own_.begin()); }
  // The last own certificate ends where this one begins; clients learn of both with the next cache number.
  void announce(CertificateRecord successor);
  [[nodiscard]] std::int64_t cache_num() const { return cache_num_; }
  [[nodiscard]] std::size_t subscribers() const { return subscribers_.size(); }

  // All subscribers, in the order of their folded identities.
  [[nodiscard]] std::vector<const Subscriber*> all() const;

  // Errc::conflict when it is there already, in any spelling; Errc::not_authorised for a reserved name.
  [[nodiscard]] Result<void> add(const mcx::McpttId& identity, bool server);
  // False when it was so before. Errc::unknown_group without a record; Errc::conflict for one that is
  // revoked: that is for good.
  [[nodiscard]] Result<bool> set_standing(std::string_view identity, Standing standing);
  // The subscriber of that identity, nullptr when there is none.
  [[nodiscard]] const Subscriber* find(std::string_view identity) const;

  // Adds or replaces (by CertUri, else those of its KmsUri that it does not stand beside); false when nothing
  // changed. A change raises the cache number.
  [[nodiscard]] Result<bool> import_certificate(CertificateRecord external);
  // Marks all of that KMS revoked, for good under their CertUris; false when it was. Errc::unknown_kms when
  // none is held.
  [[nodiscard]] Result<bool> revoke_certificate(std::string_view kms_uri);
  [[nodiscard]] std::vector<CertificateRecord> externals() const;
  // After a restore: numbers above those that were given out since the backup (a million changes at most),
  // under which every client takes all certificates anew.
  void renumber();
  // The own certificates or external ones, revoked ones included; empty when none is held.
  [[nodiscard]] std::vector<CertificateRecord> certificates_of(std::string_view kms_uri) const;
  // What changed after version `held`; everything without a version, or with one that was never given out.
  // The own certificates are among it once there is more than one: clients choose by the time of a message.
  [[nodiscard]] CacheAnswer changes_since(std::optional<std::int64_t> held) const;

  // What the changes since the last call, or since the beginning, want kept; in one commit, or the cache
  // number could fall behind the certificates.
  [[nodiscard]] Writes take_changes();
  // A record of one of kRegistryKinds, as it was kept.
  [[nodiscard]] Result<void> take(const Record& record);

  // The whole registry as one record, as releases up to 0.1 kept it.
  [[nodiscard]] static Result<Registry> parse(OctetsView record);

 private:
  using External = Changed;
  struct Wire;
  void keep(const Subscriber& subscriber);
  void keep(const External& external);
  void keep_cache_num();
  void forget(External& external);
  [[nodiscard]] Result<void> check_import(const CertificateRecord& external) const;

  std::vector<Changed> own_;
  std::int64_t cache_num_ = 1;
  std::map<std::string, Subscriber> subscribers_;  // by folded identity
  std::vector<External> externals_;
  std::map<std::pair<std::string, std::string>, std::optional<SecretOctets>> changes_;  // by kind and id
};

// Scheme and host in lower case, the rest as it stands: the form identities are compared in.
[[nodiscard]] std::string folded(std::string_view identity);
// A name that lets its owner pass for a group-creating server: no user part, or one that ends in ".group".
[[nodiscard]] bool is_server_like(std::string_view identity);

}  // namespace regroup::kms
