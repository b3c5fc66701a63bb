// SPDX-License-Identifier: Apache-2.0
// F_p^2 = F_p[i], i^2 = -1, and its quotient PF_p = F_p^2* / F_p* (RFC 6508 2.1), where
// the values of the pairing live. A class is represented by t = im / re. Powers here are not powers of
// integers mod p.
#pragma once

#include "crypto/field/residue.hpp"

namespace regroup::crypto {

template <class F>
struct Fp2 {
  F re;
  F im;

  [[nodiscard]] static Fp2 one() { return {F::one(), F()}; }
  // The class of t: 1 + i t.
  [[nodiscard]] static Fp2 of(const F& t) { return {F::one(), t}; }

  [[nodiscard]] Fp2 operator*(const Fp2& b) const {
    const F rere = re * b.re, imim = im * b.im;
    return {rere - imim, (re + im) * (b.re + b.im) - rere - imim};
  }
  [[nodiscard]] Fp2 square() const { return {(re + im) * (re - im), (re * im).twice()}; }
  // Times 1 + i t: two products.
  [[nodiscard]] Fp2 times(const F& t) const { return {re - im * t, im + re * t}; }

  // Whether this is in the class of t.
  [[nodiscard]] Mask represents(const F& t) const { return F::equal(im, re * t) & ~re.is_zero(); }
};

// The class of base^exponent, for public exponents.
template <class F>
[[nodiscard]] Fp2<F> power_vartime(const Fp2<F>& base, const typename F::Plain& exponent) {
  Fp2<F> out = Fp2<F>::one();
  for (std::size_t at = bit_length_vartime(exponent); at-- > 0;) {
    out = out.square();
    if (bit(exponent, at)) out = out * base;
  }
  return out;
}

}  // namespace regroup::crypto
