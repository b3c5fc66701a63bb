// SPDX-License-Identifier: Apache-2.0
// The octets of an input as choices: when they run out, octets made from the whole input go on, so that a
// short input makes full operands too.
#pragma once

#include "crypto/field/montgomery.hpp"

namespace regroup::crypto {

class Choices {
 public:
  explicit Choices(OctetsView input) : input_(input) {
    for (const std::uint8_t octet : input) state_ = (state_ ^ octet) * 0x100000001b3;
  }
  [[nodiscard]] std::uint8_t octet() {
    if (at_ < input_.size()) return input_[at_++];
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<std::uint8_t>(state_ >> 24);
  }
  [[nodiscard]] std::size_t below(std::size_t count) { return octet() % count; }
  template <std::size_t N>
  [[nodiscard]] Fixed<N> octets() {
    Fixed<N> out;
    for (std::uint8_t& one : out) one = octet();
    return out;
  }
  // 0, 1, 2, m - 2, m - 1, limbs of all ones or zeros, single bits, any number: below m.
  template <std::size_t N>
  [[nodiscard]] Limbs<N> residue(const Modulus<N>& m) {
    Limbs<N> out{};
    const std::size_t edge = below(8);
    if (edge < 3) out[0] = edge;
    if (edge == 3 || edge == 4) subtract(out, m.m, Limbs<N>{edge - 2});
    if (edge == 5)
      for (Limb& limb : out) limb = octet() % 2 == 0 ? 0 : ~Limb{0};
    if (edge == 6) out[below(N)] = Limb{1} << (octet() % 64);
    if (edge == 7) out = limbs_from_octets<N>(octets<8 * N>());
    return reduced(out, m);
  }

 private:
  OctetsView input_;
  std::size_t at_ = 0;
  std::uint64_t state_ = 0xcbf29ce484222325;
};

}  // namespace regroup::crypto
