// SPDX-License-Identifier: Apache-2.0
// Public octet strings: what may be printed, compared and hashed freely.
// Anything secret is a Secret<N> or SecretOctets (base/secret.hpp), never one of these.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace regroup {

using Octets = std::vector<std::uint8_t>;
using OctetsView = std::span<const std::uint8_t>;
template <std::size_t N>
using Fixed = std::array<std::uint8_t, N>;

// The octets of a text, without a terminator.
inline OctetsView view(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view text_of(OctetsView octets) {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}
inline Octets to_octets(OctetsView v) { return {v.begin(), v.end()}; }

inline void append(Octets& to, OctetsView more) { to.insert(to.end(), more.begin(), more.end()); }

// Big-endian integers.
inline Fixed<2> be16(std::uint16_t v) {
  return {static_cast<std::uint8_t>(v >> 8), static_cast<std::uint8_t>(v)};
}
inline Fixed<4> be32(std::uint32_t v) {
  return {static_cast<std::uint8_t>(v >> 24), static_cast<std::uint8_t>(v >> 16),
          static_cast<std::uint8_t>(v >> 8), static_cast<std::uint8_t>(v)};
}
inline std::uint32_t load_be32(std::span<const std::uint8_t, 4> v) {
  return static_cast<std::uint32_t>(v[0]) << 24 | static_cast<std::uint32_t>(v[1]) << 16 |
         static_cast<std::uint32_t>(v[2]) << 8 | v[3];
}

}  // namespace regroup
