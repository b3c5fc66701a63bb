// SPDX-License-Identifier: Apache-2.0
#include "mcx/ids.hpp"

#include "base/text.hpp"
#include "crypto/hash/sha256.hpp"

namespace regroup::mcx {

Result<void> check_identity(std::string_view text, std::string_view field) {
  constexpr std::size_t kMost = 2048;
  const std::string name(field);
  if (text.empty())
    return fail(Errc::malformed, "TS 33.179 F.2.1", name + " is empty",
                "name an identity as in sip:anna@mcx.example");
  if (text.size() > kMost)
    return fail(Errc::malformed, "TS 33.179 F.2.1",
                name + " has " + std::to_string(text.size()) + " octets, at most 2048", "give a shorter URI");
  for (const char c : text)
    if (c <= 0x20 || c >= 0x7f)
      return fail(Errc::malformed, "TS 33.220 B.2.1.2",
                  name + " '" + printable(text, 60) + "' holds an octet that is not printable ASCII",
                  "write it as a URI, percent-encoding what is not ASCII");
  return {};
}

Result<Gmk> Gmk::parse(OctetsView octets) {
  if (octets.size() != size && octets.size() != long_size)
    return fail(Errc::malformed, "TS 33.179 E.1.0",
                "a key has 16 octets, not " + std::to_string(octets.size()),
                "give a key of 16 octets, or of 32 where the key type has 256 bits");
  Gmk key;
  key.assign(octets);
  return key;
}

std::string_view name_of(Purpose purpose) {
  switch (purpose) {
    case Purpose::gmk:
      return "GMK";
    case Purpose::pck:
      return "PCK";
    case Purpose::csk:
      return "CSK";
    case Purpose::spk:
      return "SPK";
    case Purpose::mkfc:
      return "MKFC";
    case Purpose::mscck:
      return "MSCCK";
    case Purpose::musik:
      return "MuSiK";
  }
  return "GMK";
}

std::string fingerprint(OctetsView key) {
  return hex(crypto::hmac_sha256(key, view("regroup fingerprint")).expose().first<8>());
}
std::string fingerprint(const Gmk& key) { return fingerprint(OctetsView(key.expose())); }

}  // namespace regroup::mcx
