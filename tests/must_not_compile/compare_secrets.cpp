// SPDX-License-Identifier: Apache-2.0
// because: use of deleted function|overload resolution selected deleted operator
#include "mcx/srtp_keys.hpp"

bool same(const regroup::mcx::SrtpKeys& a, const regroup::mcx::SrtpKeys& b) {
#ifdef MUST_NOT_COMPILE
  return a.key == b.key;
#endif
  return regroup::ct_equal(a.key.expose(), b.key.expose());
}
