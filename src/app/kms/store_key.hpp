// SPDX-License-Identifier: Apache-2.0
// What opens the store of a KMS: a passphrase file, or a key in a PKCS#11 token. Which of the two it is
// stands in the header of the store; where the files are that it takes, the KMS directory remembers
// (docs/formats.md, KMS directory): their names, never a passphrase or a PIN.
#pragma once

#include "crypto/token_vault.hpp"

namespace regroup::app {

struct TokenOptions {
  std::string module;  // the PKCS#11 module, a shared library
  std::string token;   // labels; only where a store is sealed, its header has them afterwards
  std::string key;
  std::string pin_file;  // mode 0600

  [[nodiscard]] bool any() const {
    return !module.empty() || !token.empty() || !key.empty() || !pin_file.empty();
  }
};

// One of the two. Of what is empty the directory remembers the rest.
struct StoreKey {
  std::string passphrase_file;
  TokenOptions token = {};
};

inline constexpr const char* kKmsPurpose = "kms";

// A vault for a new store, or for a store that is sealed anew. Errc::usage unless it is all of one of the
// two.
[[nodiscard]] Result<crypto::Vault> make_vault(const StoreKey& key, Random& random);
// The vault of that header. Errc::usage when `key` is of the other kind.
[[nodiscard]] Result<crypto::Vault> open_vault(const std::string& directory, const StoreKey& key,
                                               OctetsView header);

// `passphrase-file` or `token-files` in the directory, mode 0600: absolute names.
[[nodiscard]] Result<void> remember_store_key(const std::string& directory, const StoreKey& key);
// The same for a store that is about to get another header: what is written first holds for that header only;
// once the store has it, what was remembered before is forgotten.
[[nodiscard]] Result<void> remember_next_store_key(const std::string& directory, const StoreKey& key,
                                                   OctetsView next_header);
[[nodiscard]] Result<void> forget_former_store_key(const std::string& directory, const StoreKey& key);

// For people and records: "a passphrase", or "the key K in the token T".
[[nodiscard]] std::string sealing_of(OctetsView header);

}  // namespace regroup::app
