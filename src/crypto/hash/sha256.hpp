// SPDX-License-Identifier: Apache-2.0
// SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104), by OpenSSL. Inputs may be secret; a result is public only
// when the caller says so, hence Secret<32> out of HMAC.
#pragma once

#include <initializer_list>

#include "base/octets.hpp"
#include "base/secret.hpp"

struct evp_md_ctx_st;

namespace regroup::crypto {

class Sha256 {
 public:
  Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  ~Sha256();

  Sha256& update(OctetsView octets);
  // Writes the 32 octets and starts anew.
  void finish(std::span<std::uint8_t, 32> out);

 private:
  evp_md_ctx_st* context_;
};

// The hash of the parts, one after the other.
[[nodiscard]] Fixed<32> sha256(std::initializer_list<OctetsView> parts);
[[nodiscard]] inline Fixed<32> sha256(OctetsView octets) { return sha256({octets}); }

[[nodiscard]] Secret<32> hmac_sha256(OctetsView key, std::initializer_list<OctetsView> parts);
[[nodiscard]] inline Secret<32> hmac_sha256(OctetsView key, OctetsView data) {
  return hmac_sha256(key, {data});
}

}  // namespace regroup::crypto
