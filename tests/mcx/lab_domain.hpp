// SPDX-License-Identifier: Apache-2.0
// Security domains for tests: a KMS with published secrets that issues key sets as a real one does. Domains A
// and B are the worked examples of the KMS digest (test use only).
#pragma once

#include "crypto/random.hpp"
#include "mcx/domain.hpp"
#include "vectors.hpp"

namespace regroup::test {
// The names in here also stand in tests/kms and tests/flow, with other meanings: one program may hold both.
inline namespace lab_domain {

inline mcx::McpttId id(std::string_view text) { return mcx::McpttId::parse(text).value(); }

inline crypto::eccsi::Ssk ssk_of(const nlohmann::json& hex_text) {
  return crypto::eccsi::Ssk(OctetsView(unhex(hex_text)).first<32>());
}

struct LabKms {
  crypto::sakke::MasterSecret z;
  crypto::eccsi::Ksak ksak;
  mcx::KmsCertificate certificate;

  static LabKms make(const std::string& z_hex, const std::string& ksak_hex, std::string_view uri,
                     std::int64_t period, std::int64_t offset, std::vector<std::string> domains) {
    auto z = crypto::sakke::parse_master_secret(unhex(z_hex)).value();
    auto ksak = crypto::eccsi::parse_ksak(unhex(ksak_hex)).value();
    mcx::KmsCertificate certificate{mcx::KmsUri::parse(uri).value(),
                                    "cert1." + std::string(uri),
                                    mcx::KeyPeriods::make(period, offset).value(),
                                    crypto::sakke::KmsPublicKey::derive(z),
                                    crypto::eccsi::Kpak::derive(ksak),
                                    std::move(domains),
                                    {},
                                    {},
                                    false};
    return {std::move(z), std::move(ksak), std::move(certificate)};
  }

  [[nodiscard]] mcx::KeySet issue(std::string_view identity, std::int64_t period_no) const {
    crypto::SystemRandom random;
    const mcx::McpttId who = id(identity);
    const mcx::Uid uid = certificate.uid_of(who, period_no);
    const Octets identifier = certificate.identifier(uid);
    const auto rsk = crypto::sakke::extract(z, identifier).value();
    auto signing = crypto::eccsi::UserKey::make(ksak, certificate.kpak, identifier, random);
    auto ssk = signing.ssk().duplicate();
    return mcx::KeySet::validate(certificate, who, period_no, rsk.octets().expose(), std::move(ssk),
                                 signing.pvt())
        .value();
  }
  [[nodiscard]] mcx::KeySet issue(std::string_view identity, NtpTime time) const {
    return issue(identity, certificate.periods.number_at(time));
  }
};

inline constexpr std::string_view kAlphaZ =
    "021fbe0fe94712520b70cbc3b21211d389f82a936586f4e139c4343b455b5bd287d04a8aca074a8c70938b2129c5124a9c6f4d4c"
    "f8207e5a7b"
    "df29a5e68691af020900cee4627e673c87df0a9a645d8c5b21b996c9b4a0caaaebe4877d918d108d6f584e7d4abb1ae65b10fbb4"
    "4ac93d8b4d"
    "7541e450af725b6528826c180640";
inline constexpr std::string_view kAlphaKsak =
    "85bcff9113175a2ae29eab7d19b3468066f04359cc056745c40b76908b3c97a5";
inline constexpr std::string_view kBetaZ =
    "1523505e43b49126be0b9586c107074e82e93427f59719f5a4c9cf37830b6bbd4931e835d6358a456ab67317a5bae15aa148d130"
    "9db568c3e0"
    "32d7b43206576423a0b65a8df1fd98f14e590c7e95d1aadec4a72047d9b6fa728440ef18f911682a241d2b2474a9f47d15099161"
    "adadfdeaba"
    "8d30672cea99026c2862a53f0e03";
inline constexpr std::string_view kBetaKsak =
    "9f4e941f76fb346f3e2b70e3269e72e3eabb01eed2af23144442c25b74d1fc50";

inline LabKms alpha() {
  return LabKms::make(std::string(kAlphaZ), std::string(kAlphaKsak), "kms.alpha.example", 2592000, 0,
                      {"alpha.example"});
}
inline LabKms beta() {
  return LabKms::make(std::string(kBetaZ), std::string(kBetaKsak), "kms.beta.example", 604800, 259200,
                      {"beta.example"});
}

// 2026-03-02T09:30:00Z: period 1536 of alpha, 6582 of beta.
inline const NtpTime kMarch{0xed4fd718, 0};

}  // namespace lab_domain
}  // namespace regroup::test
