// SPDX-License-Identifier: Apache-2.0
#include "mcx/srtp_keys.hpp"

#include "crypto/hash/kdf.hpp"

namespace regroup::mcx {
namespace {

constexpr std::uint32_t kTek = 0x2ad01c64, kSalt = 0x39a2c14b;  // RFC 3830 4.1.3

Octets label(std::uint32_t constant, std::uint8_t cs_id, std::uint32_t csb_id, OctetsView rand) {
  Octets out;
  append(out, be32(constant));
  out.push_back(cs_id);
  append(out, be32(csb_id));
  append(out, rand);
  return out;
}

}  // namespace

SrtpKeys srtp_keys(OctetsView key, std::uint8_t cs_id, std::uint32_t csb_id, OctetsView rand) {
  SrtpKeys out;
  crypto::prf_hmac_sha256(key, label(kTek, cs_id, csb_id, rand), out.key.expose_mutable());
  crypto::prf_hmac_sha256(key, label(kSalt, cs_id, csb_id, rand), out.salt.expose_mutable());
  return out;
}

SrtpMasterSalt14 srtp_salt14(OctetsView key, std::uint8_t cs_id, std::uint32_t csb_id, OctetsView rand) {
  SrtpMasterSalt14 out;
  crypto::prf_hmac_sha256(key, label(kSalt, cs_id, csb_id, rand), out.expose_mutable());
  return out;
}

Dpck dpck(OctetsView key, std::uint32_t csb_id) {
  return Dpck(crypto::kdf_33220(key, 0x53, {be32(csb_id)}).expose().last<16>());
}

}  // namespace regroup::mcx
