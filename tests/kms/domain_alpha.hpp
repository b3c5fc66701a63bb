// SPDX-License-Identifier: Apache-2.0
// The worked example domain kms.alpha.example (own test values; see tests/kmsxml/data/README.md): its master
// secrets, and the key set of its GMS that an independent script derived from them.
#pragma once

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

// The alpha KMS as it lies on disk, with its real secrets.
inline kms::SealedState alpha_state() {
  SeededRandom random(8);
  const auto z = crypto::sakke::parse_master_secret(unhex(std::string(kAlphaZ))).value();
  kms::Registry registry({.kms_uri = "kms.alpha.example",
                          .cert_uri = "cert1.kms.alpha.example",
                          .issuer = "Alpha County KMS operator",
                          .period = 2592000,
                          .offset = 0,
                          .z = to_octets(crypto::sakke::KmsPublicKey::derive(z).octets()),
                          .kpak = unhex(std::string(kAlphaKpak)),
                          .domains = {"alpha.example"},
                          .valid_from = {},
                          .valid_to = {}});
  for (const char* user : {"sip:user.001@alpha.example", "sip:user.002@alpha.example"})
    registry.add(id(user), false).value();
  registry.add(id("sip:gms.group@alpha.example"), true).value();
  const Octets master = unhex(std::string(kAlphaZ) + kAlphaKsak);
  return {vault().header(), vault().seal("kms/master", master, random),
          vault().seal("kms/registry", registry.write(), random)};
}
inline kms::Kms alpha() { return kms::Kms::open(alpha_state(), vault()).value(); }

// A certificate of another domain, with keys of its own.
inline kms::CertificateRecord external(const std::string& kms_uri, const std::string& domain,
                                       std::uint64_t seed = 3) {
  SeededRandom random(seed);
  kms::Setup setup{.kms_uri = mcx::KmsUri::parse(kms_uri).value(), .domains = {domain}};
  return kms::Kms::make(setup, random).value().registry().own();
}

}  // namespace regroup::test
