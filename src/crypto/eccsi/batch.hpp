// SPDX-License-Identifier: Apache-2.0
// Many multiples of a fixed point of P-256 at once, for the kernel `ifma` (crypto/kernel.hpp): the digits,
// the tables, and the way back to octets. eccsi.cpp signs batches with it.
#pragma once

#include <vector>

#include "crypto/eccsi/p256.hpp"
#include "crypto/ifma/p256.hpp"

namespace regroup::crypto::eccsi {

// The odd multiples 1, 3 ... 63 of 2^(6i) B: 110 KB, made in about 2 ms.
class FixedBase {
 public:
  explicit FixedBase(const PointOctets& base);
  [[nodiscard]] static const FixedBase& generator();
  [[nodiscard]] const ifma::p256::Window* windows() const { return windows_.data(); }

 private:
  std::vector<ifma::p256::Window> windows_;
};

// x([a_i]G), or with a second base x([a_i]G + [b_i]B), for up to 256 scalars; constant time in them. Nothing
// when one of the points is neutral.
[[nodiscard]] std::optional<std::vector<Fixed<32>>> x_of_multiples(std::span<const Scalar> a,
                                                                   std::span<const Scalar> b = {},
                                                                   const FixedBase* base = nullptr);

// [a_i]G as points, for up to 256 scalars; constant time in them. Nothing when one of them is 0.
[[nodiscard]] std::optional<std::vector<PointOctets>> multiples_of_generator(std::span<const Scalar> a);

}  // namespace regroup::crypto::eccsi
