// SPDX-License-Identifier: Apache-2.0
// AES in Galois/Counter Mode (NIST SP 800-38D), 16-octet tag, by OpenSSL.
#pragma once

#include "base/octets.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace regroup::crypto {

inline constexpr std::size_t kGcmTag = 16;

// AES-128-GCM for a 16-octet key, AES-256-GCM for a 32-octet key. The IV may be 1..64 octets (TS 24.282
// payloads use 16: GCM then hashes it with GHASH). The result is ciphertext || tag. An (IV, key) pair is used
// once.
[[nodiscard]] Octets gcm_seal(OctetsView key, OctetsView iv, OctetsView associated, OctetsView plaintext);

// Errc::undecryptable when the tag does not fit; nothing of the plaintext is returned then.
[[nodiscard]] Result<SecretOctets> gcm_open(OctetsView key, OctetsView iv, OctetsView associated,
                                            OctetsView sealed);

}  // namespace regroup::crypto
