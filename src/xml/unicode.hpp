// SPDX-License-Identifier: Apache-2.0
// UTF-8 as XML 1.0 sees it, one character at a time.
#pragma once

#include <cstdint>
#include <string_view>

namespace regroup::xml {

// Octets of the character that starts at text[at] if XML 1.0 can carry it (production 2), 0 if it cannot or
// the octets are no UTF-8 (overlong, surrogate, truncated, above U+10FFFF).
inline std::size_t character_size(std::string_view text, std::size_t at) {
  const auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = octet(at);
  if (first < 0x80) return first >= 0x20 || first == '\t' || first == '\n' || first == '\r' ? 1 : 0;
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() - at < size) return 0;
  std::uint32_t point = first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((octet(at + i) & 0xC0) != 0x80) return 0;
    point = point << 6 | (octet(at + i) & 0x3FU);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool bad = point < kLeast[size] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF) ||
                   point == 0xFFFE || point == 0xFFFF;
  return bad ? 0 : size;
}

inline bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace regroup::xml
