// SPDX-License-Identifier: Apache-2.0
// Secrets at rest: AES-256-GCM under a key-encryption key that scrypt (RFC 7914) derives from a passphrase,
// or that a token keeps (crypto/token_vault.hpp).
// What is sealed is bound to its place by `context` (for example "gmk/0abcdef1"), so that two sealed values
// cannot be exchanged. Layout in docs/formats.md.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "base/random.hpp"
#include "base/result.hpp"

namespace regroup::crypto {

// The cost of scrypt, N = 2^log2_n with r = 8 and p = 1: 2^log2_n KiB of memory. 15 is 32 MiB and about 0.1
// s; 10 is for tests, 20 (1 GiB) the most that a header may ask for.
inline constexpr std::uint8_t kVaultLeastLog2N = 10;
inline constexpr std::uint8_t kVaultLog2N = 15;
inline constexpr std::uint8_t kVaultMostLog2N = 20;

// The parameters that a store keeps beside what it sealed; not secret. 34 octets:
// version(1) || log2_n(1) || salt(16) || check(16).
struct VaultHeader {
  std::uint8_t version = 1;
  std::uint8_t log2_n = kVaultLog2N;
  Fixed<16> salt{};
  // 12 octets that only the right passphrase gives, then 4 of a checksum over the header: a wrong passphrase
  // is told from a damaged header.
  Fixed<16> check{};

  [[nodiscard]] Octets write() const;
  [[nodiscard]] static Result<VaultHeader> parse(OctetsView octets);
};

class Vault {
 public:
  // A new vault with a fresh salt.
  [[nodiscard]] static Vault make(OctetsView passphrase, Random& random, std::uint8_t log2_n = kVaultLog2N);
  // The vault of an existing header; Errc::not_authorised when the passphrase is another one.
  [[nodiscard]] static Result<Vault> open(const VaultHeader& header, OctetsView passphrase);

  // The vault of a key that is kept in another way; `header` says how, in a form of its own.
  [[nodiscard]] static Vault of_key(Secret<32> key, Octets header);

  // Of a vault with a passphrase.
  [[nodiscard]] const VaultHeader& header() const;
  // As a store keeps it, of either kind.
  [[nodiscard]] Octets header_octets() const;
  // 12-octet IV || ciphertext || tag; the IV is fresh for each call.
  [[nodiscard]] Octets seal(std::string_view context, OctetsView plaintext, Random& random) const;
  // Errc::undecryptable when octets were altered, or sealed for another context.
  [[nodiscard]] Result<SecretOctets> open(std::string_view context, OctetsView sealed) const;

 private:
  using Header = std::variant<VaultHeader, Octets>;
  Vault(Header header, Secret<32> kek) : header_(std::move(header)), kek_(std::move(kek)) {}
  Header header_;
  Secret<32> kek_;
};

// A passphrase file: mode 0600 or stricter, owned by this user, first line without its line end, not empty,
// at most 4096 octets. Errc::usage with the command that cures what is wrong.
[[nodiscard]] Result<SecretOctets> read_passphrase_file(const std::string& path);

}  // namespace regroup::crypto
