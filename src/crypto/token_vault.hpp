// SPDX-License-Identifier: Apache-2.0
// The other form of a vault header (docs/formats.md, Vault header): the key-encryption key is random, and
// stands in the header sealed by a key that never leaves its token. The seal covers the purpose of the store
// and every other field of the header, so nothing of it can be exchanged or changed.
#pragma once

#include "crypto/token_key.hpp"
#include "crypto/vault.hpp"

namespace regroup::crypto {

// Version(1) || store(16) || token, serial, key and id, each behind a length(1) || sealed(60) || sum(4).
struct TokenVaultHeader {
  static constexpr std::uint8_t kVersion = 2;

  std::uint8_t version = kVersion;
  Fixed<16> store{};  // random: two stores under one key are told apart
  TokenKeyName name;
  Fixed<60> sealed{};  // IV, key-encryption key, tag
  Fixed<4> sum{};      // tells a damaged header; says nothing about who wrote it

  [[nodiscard]] Octets write() const;
  [[nodiscard]] static Result<TokenVaultHeader> parse(OctetsView octets);
};

// Which form a header has, by its first octet.
[[nodiscard]] bool is_token_vault(OctetsView header) noexcept;

// A new vault under `key`, for stores of that purpose.
[[nodiscard]] Result<Vault> make_token_vault(TokenKey& key, std::string_view purpose, Random& random);
// Errc::undecryptable: another key, another purpose, or an altered header.
[[nodiscard]] Result<Vault> open_token_vault(const TokenVaultHeader& header, std::string_view purpose,
                                             const TokenDoor& door);

}  // namespace regroup::crypto
