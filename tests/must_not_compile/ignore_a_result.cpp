// SPDX-License-Identifier: Apache-2.0
// A refusal cannot be overlooked (warnings are errors in the presets dev and tsan).
// because: ignoring return(ed)? value
#ifdef MUST_NOT_COMPILE
#pragma GCC diagnostic error "-Wunused-result"
#endif
#include "gktp/open.hpp"

void overlook(regroup::OctetsView octets, const regroup::gktp::Reception& with) {
#ifdef MUST_NOT_COMPILE
  regroup::gktp::verify(octets, with);
#endif
  static_cast<void>(regroup::gktp::verify(octets, with));
}
