// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash/kdf.hpp"

#include <algorithm>

#include "base/result.hpp"
#include "crypto/hash/sha256.hpp"

namespace regroup::crypto {
namespace {

// P(s, label, m) of RFC 3830 4.1.2, XORed into `out`, the last block truncated.
void xor_p(OctetsView s, OctetsView label, std::span<std::uint8_t> out) {
  Secret<32> a = hmac_sha256(s, label);
  for (std::size_t at = 0; at < out.size(); at += 32) {
    const Secret<32> block = hmac_sha256(s, {a.expose(), label});
    const std::size_t n = std::min<std::size_t>(32, out.size() - at);
    for (std::size_t i = 0; i < n; ++i) out[at + i] ^= block.expose()[i];
    a = hmac_sha256(s, a.expose());
  }
}

}  // namespace

Secret<32> kdf_33220(OctetsView key, std::uint8_t fc, std::initializer_list<OctetsView> parameters) {
  SecretOctets input(OctetsView(&fc, 1));
  for (const OctetsView parameter : parameters) {
    RG_ASSERT(parameter.size() <= 0xffff);
    input.append(parameter);
    input.append(be16(static_cast<std::uint16_t>(parameter.size())));
  }
  return hmac_sha256(key, input.expose());
}

void prf_hmac_sha256(OctetsView inkey, OctetsView label, std::span<std::uint8_t> out) {
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  constexpr std::size_t kBlock = 32;  // 256-bit blocks of inkey; a 16-octet GMK is a single short one
  for (std::size_t at = 0; at < inkey.size(); at += kBlock)
    xor_p(inkey.subspan(at, std::min(kBlock, inkey.size() - at)), label, out);
}

}  // namespace regroup::crypto
