// SPDX-License-Identifier: Apache-2.0
// Only what verify() returned can be opened; a Message that parses is not that.
// because: invalid initialization|cannot convert|no matching function|no known conversion
#include "gktp/open.hpp"

using namespace regroup;

Result<gktp::Opened> open_it(OctetsView octets, const gktp::Reception& with) {
#ifdef MUST_NOT_COMPILE
  const mikey::Message message = TRY(mikey::parse(octets));
  return gktp::open(message, with);
#endif
  const gktp::Verified verified = TRY(gktp::verify(octets, with));
  return gktp::open(verified, with);
}
