// SPDX-License-Identifier: Apache-2.0
// An AES-256 key that never leaves a PKCS#11 token and seals small values in it (CKM_AES_GCM). A key that
// could be taken out, or used without a PIN, is refused by name. Tokens keep no GCM state of ours: one
// TokenKey is one session, of one thread, and lives as short as its use.
#pragma once

#include <memory>
#include <string>

#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace regroup::crypto {

// What reaches a token: named, never given as a value.
struct TokenDoor {
  std::string module;    // the shared library of its maker
  std::string pin_file;  // mode 0600, the user PIN in its first line
};

// Which key; not secret. Labels as the token has them, without padding.
struct TokenKeyName {
  std::string token, serial;
  std::string key;
  Octets id;  // CKA_ID
};

class TokenKey {
 public:
  // The key with that label in the token with that label, made there when there is none.
  [[nodiscard]] static Result<TokenKey> make(const TokenDoor& door, const std::string& token,
                                             const std::string& key, Random& random);
  // Errc::not_authorised: another PIN (one try); Errc::storage: no such token or key.
  [[nodiscard]] static Result<TokenKey> open(const TokenDoor& door, const TokenKeyName& name);
  TokenKey(TokenKey&&) noexcept;
  TokenKey& operator=(TokenKey&&) = delete;
  ~TokenKey();

  [[nodiscard]] const TokenKeyName& name() const { return name_; }
  // 12-octet IV || ciphertext || 16-octet tag.
  [[nodiscard]] Result<Octets> seal(OctetsView associated, OctetsView plaintext, Random& random);
  // Errc::undecryptable: altered, or sealed by another key.
  [[nodiscard]] Result<SecretOctets> open(OctetsView associated, OctetsView sealed);

 private:
  struct Held;
  TokenKey(std::unique_ptr<Held> held, TokenKeyName name);
  std::unique_ptr<Held> held_;
  TokenKeyName name_;
};

// Whether this program was built with PKCS#11; without it make() and open() are Errc::unsupported.
[[nodiscard]] bool token_keys_are_built() noexcept;

}  // namespace regroup::crypto
