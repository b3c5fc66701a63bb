// SPDX-License-Identifier: Apache-2.0
// The worked example domain kms.alpha.example (own test values; see tests/kmsxml/data/README.md): its master
// secrets, and the key set of its GMS that an independent script derived from them.
#pragma once

#include "crypto/vault.hpp"
#include "kms/certificate_wire.hpp"
#include "kms/kms.hpp"
#include "vectors.hpp"

namespace regroup::test {

inline constexpr const char* kAlphaZ =
    "021fbe0fe94712520b70cbc3b21211d389f82a936586f4e139c4343b455b5bd287d04a8aca074a8c70938b2129c5124a9c6f4d4c"
    "f8207e5a7bdf29a5e68691af0209"
    "00cee4627e673c87df0a9a645d8c5b21b996c9b4a0caaaebe4877d918d108d6f584e7d4abb1ae65b10fbb44ac93d8b4d7541e450"
    "af725b6528826c180640";
inline constexpr const char* kAlphaKsak = "85bcff9113175a2ae29eab7d19b3468066f04359cc056745c40b76908b3c97a5";
inline constexpr const char* kAlphaKpak =
    "04019860cf19950e76d43d3498005bada410ec64f943bb370ffd688e77de901ceba6be8888ba7d9afe1bd7bbf9758e5567a5415c"
    "1bd1c21e4b352e2b8086c72dc1";
// sip:gms.group@alpha.example, period 1536 (2026-03-01T00:00:00Z to 2026-03-31T00:00:00Z)
inline constexpr const char* kAlphaGmsUid =
    "c050ace34d29dfb4c9068ac63215bb1a66173815f25a3ea8af36c484588770de";
inline constexpr const char* kAlphaGmsRsk =
    "044b65e36adf22580fbcfc556f8e3a13e88e5183a8710f53eae7cf1e443df7dd43212aefef16a7bbca10268412face831ea26a89"
    "96ab5c3bcb0e1c0f333081eab9"
    "40037a17ffcb6db8facf3604fc56cb30a90a1f6afb8097df339f3731672fdd0cd1c9308af4bb2661e00345b9fd25bb9d8926c6b9"
    "e0b40c8c0b9df766b762e1c81c"
    "5a8f4e17db810fc72ed8c0b3e9e26cbc444f7654b98cbf513006d6862977579b2c1436496633f338f2488fab5957f943778561d7"
    "2d9fea301665d4694219bafd4d"
    "dd43c644930f868bc96ffcc20850ec3c9764e88c044def869a856285717ce45fa4ec51954e7602ff47e83aa3733efb7ed09ec7a0"
    "5599c8bf46da8135db90";

inline const NtpTime kAlphaNow = parse_date_time("2026-03-02T09:30:00Z").value();
inline mcx::McpttId id(const std::string& text) { return mcx::McpttId::parse(text).value(); }

inline const crypto::Vault& vault() {
  static SeededRandom random(7);
  static const crypto::Vault made = crypto::Vault::make(view("a passphrase of the tests"), random);
  return made;
}

// The record "domain" of a KMS store (docs/formats.md).
struct DomainRecord {
  kms::CertificateRecord own;
  std::int64_t changed_in = 0;
  SecretOctets z, ksak;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    kms::certificate_wire(io, self.own);
    io.uint(8, "changed in", self.changed_in);
    io.secret(2, "z_T", self.z);
    io.secret(2, "KSAK", self.ksak);
  }
};
// Of alpha, with its real secrets; `z` and `ksak` may be others.
inline Record alpha_domain(const std::string& z = kAlphaZ, const std::string& ksak = kAlphaKsak) {
  const auto real = crypto::sakke::parse_master_secret(unhex(std::string(kAlphaZ))).value();
  const DomainRecord record{{.kms_uri = "kms.alpha.example",
                             .cert_uri = "cert1.kms.alpha.example",
                             .issuer = "Alpha County KMS operator",
                             .period = 2592000,
                             .offset = 0,
                             .z = to_octets(crypto::sakke::KmsPublicKey::derive(real).octets()),
                             .kpak = unhex(std::string(kAlphaKpak)),
                             .domains = {"alpha.example"},
                             .valid_from = {},
                             .valid_to = {}},
                            1,
                            SecretOctets(unhex(z)),
                            SecretOctets(unhex(ksak))};
  return Record{"domain", "1", encode_record(record)};
}
inline kms::Kms alpha() {
  kms::Stored stored;
  stored.take(alpha_domain()).value();
  kms::Kms out = kms::Kms::open(std::move(stored)).value();
  for (const char* user : {"sip:user.001@alpha.example", "sip:user.002@alpha.example"})
    out.registry().add(id(user), false).value();
  out.registry().add(id("sip:gms.group@alpha.example"), true).value();
  return out;
}

// What a KMS or a part of it keeps, and what comes of it after a restart.
template <class Part>
std::vector<Record> kept(Part& part) {
  std::vector<Record> out;
  for (Write& one : part.take_changes())
    if (one.value)
      out.push_back(Record{std::move(one.kind), std::move(one.id), std::move(one.value).value()});
  return out;
}
inline Result<kms::Kms> reopened(const std::vector<Record>& records) {
  kms::Stored stored;
  for (const Record& one : records) TRY(stored.take(one));
  return kms::Kms::open(std::move(stored));
}
// alpha after a restart: its domain record and these.
inline Result<kms::Kms> reopened_alpha(std::vector<Record> records) {
  records.push_back(alpha_domain());
  return reopened(records);
}

// A certificate of another domain, with keys of its own.
inline kms::CertificateRecord external(const std::string& kms_uri, const std::string& domain,
                                       std::uint64_t seed = 3) {
  SeededRandom random(seed);
  kms::Setup setup{.kms_uri = mcx::KmsUri::parse(kms_uri).value(), .domains = {domain}};
  return kms::Kms::make(setup, random).value().registry().own();
}

}  // namespace regroup::test
