// SPDX-License-Identifier: Apache-2.0
// Private to this room: verification keys as OpenSSL objects (RFC 7517, RFC 7518 6) and what algorithm each
// one fits.
#pragma once

#include <openssl/evp.h>

#include "http/jwt.hpp"

namespace regroup::http {

struct FreeKey {
  void operator()(EVP_PKEY* at) const noexcept { EVP_PKEY_free(at); }
};

enum class KeyKind { p256, p384, rsa };

struct Jwks::Key {
  std::string id;         // `kid`, may be empty
  std::string algorithm;  // `alg` if the key is bound to one, else empty
  KeyKind kind = KeyKind::p256;
  std::shared_ptr<EVP_PKEY> key;
};

// Signature algorithms this system knows (RFC 7518 3.1).
struct SignatureAlgorithm {
  std::string_view name;
  KeyKind kind;
  std::string_view digest;  // OpenSSL's name
  bool pss;                 // RSASSA-PSS, salt as long as the digest
  std::size_t half_size;    // octets of r and of s for ECDSA; 0 for RSA
};
[[nodiscard]] const SignatureAlgorithm* find_algorithm(std::string_view name) noexcept;

[[nodiscard]] bool signature_holds(const SignatureAlgorithm& algorithm, EVP_PKEY* key, OctetsView signed_text,
                                   OctetsView signature);

}  // namespace regroup::http
