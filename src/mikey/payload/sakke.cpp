// SPDX-License-Identifier: Apache-2.0
#include "mikey/payload/sakke.hpp"

namespace regroup::mikey {

Result<Sakke> Sakke::from_encapsulated(OctetsView r_and_h) {
  if (r_and_h.size() != kSakkeLength && r_and_h.size() != kSakkeLengthSsv32)
    return refuse(Errc::malformed, ErrorCode::unspecified, "RFC 6508 6.2.1",
                  "encapsulated data has " + std::to_string(r_and_h.size()) + " octets, expected 273 or 289",
                  "pass R and H on whole");
  Sakke sakke;
  std::copy_n(r_and_h.begin(), kSakkePoint, sakke.r.begin());
  sakke.h = to_octets(r_and_h.subspan(kSakkePoint));
  return sakke;
}

Octets Sakke::encapsulated() const {
  Octets out = to_octets(r);
  append(out, h);
  return out;
}

}  // namespace regroup::mikey
