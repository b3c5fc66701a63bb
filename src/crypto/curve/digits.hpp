// SPDX-License-Identifier: Apache-2.0
// The digits of scalars mod q of a parameter set.
#pragma once

#include "crypto/curve/parameters.hpp"
#include "crypto/curve/signed_digits.hpp"

namespace regroup::crypto {

template <class Set, std::size_t W = Set::window>
class Digits : public SignedDigits<(Set::q.bits + W - 1) / W, W> {
  using Base = SignedDigits<(Set::q.bits + W - 1) / W, W>;

 public:
  explicit Digits(const ScalarOf<Set>& k) : Base(*ct::Wiped(k.plain()), kOffset, Set::q.m) {}

 private:
  static constexpr auto kOffset = digit_offset(Base::kCount * W, Set::q);
};

}  // namespace regroup::crypto
