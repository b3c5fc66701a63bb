// SPDX-License-Identifier: Apache-2.0
// Nobody but verify() makes a Verified.
// because: is private within this context|calling a private constructor
#include "gktp/open.hpp"

using namespace regroup;

Result<gktp::Verified> pretend(OctetsView octets, const gktp::Reception& with) {
#ifdef MUST_NOT_COMPILE
  return gktp::Verified(TRY(mikey::parse(octets)));
#endif
  return gktp::verify(octets, with);
}
