// SPDX-License-Identifier: Apache-2.0
// A secret has no <<.
// because: no match for|invalid operands to binary expression
#include <iostream>

#include "mcx/ids.hpp"
#include "mcx/srtp_keys.hpp"

void show(const regroup::mcx::Gmk& gmk, const regroup::mcx::SrtpKeys& keys) {
  std::cout << regroup::mcx::fingerprint(gmk);
#ifdef MUST_NOT_COMPILE
  std::cout << gmk << keys.key;
#endif
  static_cast<void>(keys);
}
