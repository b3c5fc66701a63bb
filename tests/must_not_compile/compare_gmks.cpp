// SPDX-License-Identifier: Apache-2.0
// Keys are compared by ct_equal, never by ==.
// because: use of deleted function|overload resolution selected deleted operator
#include "mcx/ids.hpp"

bool same(const regroup::mcx::Gmk& a, const regroup::mcx::Gmk& b) {
#ifdef MUST_NOT_COMPILE
  return a == b;
#endif
  return regroup::ct_equal(a.expose(), b.expose());
}
