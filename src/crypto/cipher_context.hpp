// SPDX-License-Identifier: Apache-2.0
// What the files that call OpenSSL's ciphers share. Private to src/crypto.
#pragma once

#include <openssl/evp.h>

#include <cstdlib>
#include <memory>

namespace regroup::crypto {

// A step of OpenSSL that fails for no reason of its input: no memory, or no such algorithm in this build.
inline void require(bool ok) {
  if (!ok) std::abort();
}

struct FreeCipherContext {
  void operator()(EVP_CIPHER_CTX* p) const { EVP_CIPHER_CTX_free(p); }  // cleanses the key schedule
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipherContext>;

[[nodiscard]] inline CipherContext make_cipher_context() {
  CipherContext out(EVP_CIPHER_CTX_new());
  require(out != nullptr);
  return out;
}

}  // namespace regroup::crypto
