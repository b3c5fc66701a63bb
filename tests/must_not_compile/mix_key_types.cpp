// SPDX-License-Identifier: Apache-2.0
// Two secrets of one length are still two types.
// because: cannot convert|could not convert|no match for|no known conversion|no viable overloaded
#include "mcx/srtp_keys.hpp"

void replace(regroup::mcx::SrtpMasterKey& master, regroup::mcx::Dpck other) {
#ifdef MUST_NOT_COMPILE
  master = std::move(other);
#endif
  static_cast<void>(master);
  static_cast<void>(other);
}
