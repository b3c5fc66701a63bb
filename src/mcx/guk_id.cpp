// SPDX-License-Identifier: Apache-2.0
#include "mcx/guk_id.hpp"

#include "crypto/hash/kdf.hpp"

namespace regroup::mcx {

std::uint32_t user_salt(OctetsView key, std::string_view uri) {
  const Secret<32> output = crypto::kdf_33220(key, 0x50, {view(uri)});
  return load_be32(output.expose().last<4>()) & 0x0fffffff;
}

GukId guk_id(OctetsView key, GmkId gmk_id, std::string_view uri) {
  return GukId{gmk_id.value ^ user_salt(key, uri)};
}
GmkId gmk_id(OctetsView key, GukId guk_id, std::string_view uri) {
  return GmkId{guk_id.value ^ user_salt(key, uri)};
}

Mki mki(GmkId gmk_id, GukId guk_id) {
  Mki out;
  const Fixed<4> high = gmk_id.octets(), low = guk_id.octets();
  std::copy(high.begin(), high.end(), out.begin());
  std::copy(low.begin(), low.end(), out.begin() + 4);
  return out;
}

Result<Purpose> purpose_of(std::uint8_t tag) {
  if (tag <= 6) return static_cast<Purpose>(tag);
  return fail(Errc::unsupported, "TS 33.180 5.2.2",
              "purpose tag " + std::to_string(tag) + " of the key identifier is not assigned",
              "the sender must use an assigned one: 0 is a GMK, 4 an MKFC");
}

}  // namespace regroup::mcx
