// SPDX-License-Identifier: Apache-2.0
// In place of token_key.cpp where PKCS#11 is not built: every use is refused by name.
#include "crypto/token_key.hpp"

namespace regroup::crypto {
namespace {

Error not_built() {
  return fail(Errc::unsupported, "docs/operations.md, PKCS#11 token",
              "this program was built without PKCS#11 tokens",
              "build it with -DREGROUP_WITH_PKCS11=ON, or use a passphrase file");
}

}  // namespace

struct TokenKey::Held {};

TokenKey::TokenKey(TokenKey&&) noexcept = default;
TokenKey::~TokenKey() = default;

Result<TokenKey> TokenKey::make(const TokenDoor&, const std::string&, const std::string&, Random&) {
  return not_built();
}
Result<TokenKey> TokenKey::open(const TokenDoor&, const TokenKeyName&) { return not_built(); }
Result<Octets> TokenKey::seal(OctetsView, OctetsView, Random&) { return not_built(); }
Result<SecretOctets> TokenKey::open(OctetsView, OctetsView) { return not_built(); }

bool token_keys_are_built() noexcept { return false; }

}  // namespace regroup::crypto
