// SPDX-License-Identifier: Apache-2.0
// From limbs of 64 bits to the limbs of 52 bits of the vector engine, and back.
#pragma once

#include "crypto/field/limbs.hpp"

namespace regroup::crypto::ifma {

inline constexpr std::uint64_t kLow52 = (std::uint64_t{1} << 52) - 1;

template <std::size_t Out, std::size_t N>
void split52(const Limbs<N>& a, std::uint64_t (&out)[Out]) {
  static_assert(52 * Out >= 64 * N);
  for (std::size_t j = 0; j < Out; ++j) {
    const std::size_t at = 52 * j / 64, shift = 52 * j % 64;
    std::uint64_t limb = at < N ? a[at] >> shift : 0;
    if (shift > 12 && at + 1 < N) limb |= a[at + 1] << (64 - shift);
    out[j] = limb & kLow52;
  }
}

// Of a number below 2^(64 N) in limbs below 2^52.
template <std::size_t N, std::size_t In>
[[nodiscard]] Limbs<N> join52(const std::uint64_t (&a)[In]) {
  Limbs<N> out{};
  for (std::size_t j = 0; j < In; ++j) {
    const std::size_t at = 52 * j / 64, shift = 52 * j % 64;
    if (at < N) out[at] |= a[j] << shift;
    if (shift > 12 && at + 1 < N) out[at + 1] |= a[j] >> (64 - shift);
  }
  return out;
}

}  // namespace regroup::crypto::ifma
