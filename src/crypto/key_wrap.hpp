// SPDX-License-Identifier: Apache-2.0
// AES-256 key wrap, by OpenSSL: without padding (RFC 3394, NIST SP 800-38F KW) for keys of whole 8-octet
// blocks, and with it (RFC 5649, KWP) for any length. Both are deterministic and tell a wrong key or altered
// octets by their integrity check. TS 33.180 9.3.4.2 wraps KMS key material with them.
#pragma once

#include "base/octets.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace regroup::crypto {

enum class KeyWrap {
  rfc3394,  // n octets become n + 8; n is a multiple of 8, at least 16
  rfc5649,  // n octets become n rounded up to 8, + 8; n is at least 1
};

inline constexpr std::size_t kMaxWrapped = 1024;  // octets of a wrapped key that are looked at

// Can `size` octets be wrapped that way?
[[nodiscard]] bool can_wrap(KeyWrap how, std::size_t size);
// `key` must be one that can_wrap() allows.
[[nodiscard]] Octets wrap_key(KeyWrap how, const Secret<32>& kek, OctetsView key);
// Errc::malformed for a size that no wrapped key has, Errc::undecryptable when the integrity check fails.
[[nodiscard]] Result<SecretOctets> unwrap_key(KeyWrap how, const Secret<32>& kek, OctetsView wrapped);

}  // namespace regroup::crypto
