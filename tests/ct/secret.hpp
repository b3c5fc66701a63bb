// SPDX-License-Identifier: Apache-2.0
// What the programs of this folder share: marking a secret, and randomness that is secret.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "base/random.hpp"
#include "crypto/ct.hpp"

namespace regroup::crypto::ct {

// A key whose octets count as undefined from here on.
template <class Key>
[[nodiscard]] Key marked(Key key) {
  poison(key.expose());
  return key;
}

// Whether the mark has reached this far: a check of operations that lose it would prove nothing.
[[nodiscard]] inline bool is_marked(OctetsView octets) {
  Octets shadow(octets.size());
  // 1: the answer was given; 0: not under valgrind.
  if (VALGRIND_GET_VBITS(octets.data(), shadow.data(), octets.size()) != 1) return false;
  for (const std::uint8_t bits : shadow)
    if (bits != 0) return true;
  return false;
}

// Repeatable octets, every one of them secret.
class MarkedRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& octet : out) octet = static_cast<std::uint8_t>(state_ = state_ * 29 + 71);
    poison(out);
  }

 private:
  std::uint32_t state_ = 1;
};

// The program is only worth something if it also computed the right thing.
inline void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "wrong result: %s\n", what);
  std::exit(1);
}

}  // namespace regroup::crypto::ct
