// SPDX-License-Identifier: Apache-2.0
// A group is never an addressee of a key payload.
// because: invalid initialization|cannot convert|could not convert|no matching function|no known
// conversion|no viable conversion
#include "gktp/seal.hpp"

regroup::gktp::Receiver receiver(const regroup::mcx::McpttId& member, const regroup::mcx::GroupId& group) {
#ifdef MUST_NOT_COMPILE
  return {group, nullptr};
#endif
  static_cast<void>(group);
  return {member, nullptr};
}
