// SPDX-License-Identifier: Apache-2.0
#include "crypto/curve/weierstrass.hpp"

namespace regroup::crypto {

Error point_error(PointFlaw flaw, std::string_view name) {
  const auto refuse = [name](std::string_view clause, std::string_view what) {
    return fail(Errc::malformed, clause, std::string(name) + " " + std::string(what),
                "ask its sender for the key again; it was damaged or made for other parameters");
  };
  switch (flaw) {
    case PointFlaw::encoding:
      return refuse("RFC 6508 4", "is not an uncompressed point: 257 octets beginning with 04 are expected");
    case PointFlaw::neutral:
      return refuse("RFC 6508 4", "is the neutral element");
    case PointFlaw::coordinate:
      return refuse("RFC 6508 4", "has a coordinate that is not below p");
    case PointFlaw::off_curve:
      return refuse("RFC 6509 Appendix A", "is not on the curve");
    case PointFlaw::wrong_order:
      return refuse("RFC 6508 2.2", "is on the curve but not in the group of order q");
    case PointFlaw::none:
      break;
  }
  return fail(Errc::internal, "", std::string(name) + " was refused without a reason");
}

}  // namespace regroup::crypto
