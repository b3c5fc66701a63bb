// SPDX-License-Identifier: Apache-2.0
#include "mikey/payload/cs_id_map.hpp"

namespace regroup::mikey {

bool CsIdMap::names_a_session_twice() const {
  for (std::size_t i = 1; i < generic.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (generic[i].cs_id == generic[k].cs_id) return true;
  return false;
}

}  // namespace regroup::mikey
