// SPDX-License-Identifier: Apache-2.0
#include "mikey/payload/idr.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace regroup::mikey {

std::string meaning_of_id(OctetsView data) {
  const bool text =
      std::all_of(data.begin(), data.end(), [](std::uint8_t c) { return c > 0x20 && c < 0x7f; });
  if (text) return "'" + printable(text_of(data), kLongestId) + "'";
  if (data.size() == kUidSize) return "UID " + hex(data);
  return "not text: '" + printable(text_of(data), kLongestId) + "'";
}

}  // namespace regroup::mikey
