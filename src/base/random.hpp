// SPDX-License-Identifier: Apache-2.0
// Where randomness comes from. A parameter of everything that draws keys, so that each published vector
// replays exactly; the only implementation in the product is crypto::SystemRandom.
#pragma once

#include "base/octets.hpp"
#include "base/secret.hpp"

namespace regroup {

class Random {
 public:
  virtual ~Random() = default;
  // Fills all of `out` or ends the process: no key is ever made from a source that failed.
  virtual void fill(std::span<std::uint8_t> out) = 0;

  template <std::size_t N>
  [[nodiscard]] Fixed<N> octets() {
    Fixed<N> out;
    fill(out);
    return out;
  }
  template <class Key>
  [[nodiscard]] Key secret() {
    Key out;
    fill(out.expose_mutable());
    return out;
  }
};

}  // namespace regroup
