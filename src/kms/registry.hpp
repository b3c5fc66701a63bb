// SPDX-License-Identifier: Apache-2.0
// What a KMS knows that is not secret: its own certificate, its subscribers, the certificates of permitted
// External KMSs and the version of that cache (TS 33.180 D.3). Identities are looked up with
// scheme and host folded to lower case, but keys are derived from, and answers name, the string that was
// registered. Refuses: server-like names for ordinary subscribers (TS 33.179 7.3.5.1,
// TS 33.180 5.7.1), a certificate of the own domain from outside, other keys under a known CertUri, two
// certificates that claim one domain (PR-37).
#pragma once

#include <map>
#include <optional>

#include "base/clock.hpp"
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

struct Subscriber {
  mcx::McpttId identity;
  bool server = false;  // a GMS or MC server: gets keys only with its own client credential
};

// An answer to /certcache.
struct CacheAnswer {
  std::int64_t cache_num = 0;
  std::vector<CertificateRecord> certificates;
};

class Registry {
 public:
  Registry() = default;
  explicit Registry(CertificateRecord own) : own_(std::move(own)) {}

  [[nodiscard]] const CertificateRecord& own() const { return own_; }
  [[nodiscard]] std::int64_t cache_num() const { return cache_num_; }
  [[nodiscard]] std::size_t subscribers() const { return subscribers_.size(); }

  // All subscribers, in the order of their folded identities.
  [[nodiscard]] std::vector<const Subscriber*> all() const;

  // Errc::conflict when it is there already, in any spelling; Errc::not_authorised for a reserved name.
  [[nodiscard]] Result<void> add(const mcx::McpttId& identity, bool server);
  // The subscriber of that identity, nullptr when there is none.
  [[nodiscard]] const Subscriber* find(std::string_view identity) const;

  // Adds or replaces (by CertUri, else by KmsUri); false when nothing changed. A change raises the cache
  // number.
  [[nodiscard]] Result<bool> import_certificate(CertificateRecord external);
  // The own certificate or an external one, revoked ones included; nullptr when none is held.
  [[nodiscard]] const CertificateRecord* certificate_of(std::string_view kms_uri) const;
  // What changed after version `held`; everything without a version, or with one that was never given out.
  [[nodiscard]] CacheAnswer changes_since(std::optional<std::int64_t> held) const;

  [[nodiscard]] Octets write() const;
  [[nodiscard]] static Result<Registry> parse(OctetsView record);

 private:
  struct External {
    CertificateRecord certificate;
    std::int64_t changed_in = 0;  // cache number of the last change
  };
  struct Wire;

  CertificateRecord own_;
  std::int64_t cache_num_ = 1;
  std::map<std::string, Subscriber> subscribers_;  // by folded identity
  std::vector<External> externals_;
};

// Scheme and host in lower case, the rest as it stands: the form identities are compared in.
[[nodiscard]] std::string folded(std::string_view identity);
// A name that lets its owner pass for a group-creating server: no user part, or one that ends in ".group".
[[nodiscard]] bool is_server_like(std::string_view identity);

}  // namespace regroup::kms
