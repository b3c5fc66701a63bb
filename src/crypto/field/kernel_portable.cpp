// SPDX-License-Identifier: Apache-2.0
#include "crypto/field/kernel.hpp"

namespace regroup::crypto::kernel {

void product16(Limbs<16>& out, const Limbs<16>& a, const Limbs<16>& b, const Modulus<16>& modulus) noexcept {
  montgomery_product_by_columns(out, a, b, modulus.m, modulus.minus_inverse);
}

void sum16(Limbs<16>& out, const Limbs<16>& a, const Limbs<16>& b, const Modulus<16>& modulus) noexcept {
  out = add_mod(a, b, modulus.m);
}

void difference16(Limbs<16>& out, const Limbs<16>& a, const Limbs<16>& b,
                  const Modulus<16>& modulus) noexcept {
  out = subtract_mod(a, b, modulus.m);
}

}  // namespace regroup::crypto::kernel
