// SPDX-License-Identifier: Apache-2.0
// What members share and what is personal are both 32 bits and not the same.
// because: invalid initialization|cannot convert|could not convert|no matching function|no known
// conversion|no viable conversion
#include "gktp/seal.hpp"

regroup::mcx::GukId personal(const regroup::gktp::KeyMaterial& key, const regroup::mcx::McpttId& member) {
  const regroup::mcx::GukId id = regroup::gktp::guk_id_of(key.key, key.id, member);
#ifdef MUST_NOT_COMPILE
  return regroup::gktp::guk_id_of(key.key, id, member);
#endif
  return id;
}
