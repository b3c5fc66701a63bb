// SPDX-License-Identifier: Apache-2.0
// Secrets at rest: AES-256-GCM under a key-encryption key that scrypt (RFC 7914) derives from a passphrase.
// What is sealed is bound to its place by `context` (for example "gmk/0abcdef1"), so that two sealed values
// cannot be exchanged. Layout in docs/formats.md.
#pragma once

#include <memory>
#include <string>

#include "base/random.hpp"
#include "base/result.hpp"

namespace regroup::crypto {

// The parameters that a store keeps beside what it sealed; not secret.
struct VaultHeader {
  std::uint8_t version = 1;
  std::uint8_t log2_n = 15;  // scrypt N = 2^15, r = 8, p = 1: 32 MiB, about 0.1 s
  Fixed<16> salt{};
  Fixed<16> check{};  // tells a wrong passphrase from a damaged store

  [[nodiscard]] Octets write() const;
  [[nodiscard]] static Result<VaultHeader> parse(OctetsView octets);
};

class Vault {
 public:
  // A new vault with a fresh salt.
  [[nodiscard]] static Vault make(OctetsView passphrase, Random& random);
  // The vault of an existing header; Errc::not_authorised when the passphrase is another one.
  [[nodiscard]] static Result<Vault> open(const VaultHeader& header, OctetsView passphrase);

  [[nodiscard]] const VaultHeader& header() const { return header_; }
  // 12-octet IV || ciphertext || tag; the IV is fresh for each call.
  [[nodiscard]] Octets seal(std::string_view context, OctetsView plaintext, Random& random) const;
  [[nodiscard]] Result<SecretOctets> open(std::string_view context, OctetsView sealed) const;

 private:
  Vault(VaultHeader header, Secret<32> kek) : header_(header), kek_(std::move(kek)) {}
  VaultHeader header_;
  Secret<32> kek_;
};

// A passphrase file: mode 0600 or stricter, owned by this user, first line without its line end, not empty.
[[nodiscard]] Result<SecretOctets> read_passphrase_file(const std::string& path);

}  // namespace regroup::crypto
