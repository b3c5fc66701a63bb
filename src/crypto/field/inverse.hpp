// SPDX-License-Identifier: Apache-2.0
// The inverse modulo an odd m by Bernstein-Yang division steps ("Fast constant-time gcd computation and
// modular inversion", 2019, in the variant that starts at delta = 1/2): a fixed number of steps of masks,
// additions and shifts, 62 at a time on the low words, then one 2 x 2 matrix applied to the whole numbers.
// Constant time in the value without blinding, at a thirtieth of the price of the power m - 2.
#pragma once

#include "crypto/field/montgomery.hpp"

namespace regroup::crypto {

template <std::size_t N>
class DivisionSteps {
 public:
  // x^-1 mod m for x < m; 0 for x = 0, or when the two have a common divisor.
  [[nodiscard]] static Limbs<N> inverse(const Limbs<N>& x, const Limbs<N>& m, Limb minus_inverse) {
    State s{split(m), split(x), {}, {}};
    s.e[0] = 1;
    const Wide modulus = s.f;
    const Limb inverse62 = (Limb{0} - minus_inverse) & kLow;
    std::int64_t zeta = -1;  // -(delta + 1/2)
    for (std::size_t i = 0; i < kRounds; ++i) {
      const Matrix t = steps(zeta, static_cast<Limb>(s.f[0]), static_cast<Limb>(s.g[0]));
      apply(t, s.f, s.g);
      apply_modulo(t, s.d, s.e, modulus, inverse62);
    }
    const Limbs<N> out = join(normalised(s.d, s.f[kWords - 1] >> 63, modulus), one_of(s.f));
    wipe(&s, sizeof s);
    return out;
  }

 private:
  static constexpr std::size_t kWords =
      (64 * N + 2) / 62 + 1;  // signed, 62 bits each, the top one carries the sign
  static constexpr Limb kLow = (Limb{1} << 62) - 1;
  // Enough steps for any x < m < 2^(64N): floor((45907 b + 26313) / 19929) + 1.
  static constexpr std::size_t kRounds = ((45907 * 64 * N + 26313) / 19929 + 1 + 61) / 62;

  using Wide = std::array<std::int64_t, kWords>;
  __extension__ typedef __int128 Sum;
  struct Matrix {
    std::int64_t u, v, q, r;
  };
  struct State {
    Wide f, g, d, e;
  };

  static Wide split(const Limbs<N>& a) {
    Wide out{};
    for (std::size_t i = 0; i < kWords; ++i) {
      const std::size_t at = 62 * i / 64, shift = 62 * i % 64;
      Limb word = at < N ? a[at] >> shift : 0;
      if (shift > 2 && at + 1 < N) word |= a[at + 1] << (64 - shift);
      out[i] = static_cast<std::int64_t>(word & kLow);
    }
    return out;
  }
  static Limbs<N> join(const Wide& a, Mask keep) {
    Limbs<N> out{};
    for (std::size_t i = 0; i < kWords; ++i) {
      const std::size_t at = 62 * i / 64, shift = 62 * i % 64;
      const Limb word = static_cast<Limb>(a[i]);
      if (at < N) out[at] |= word << shift;
      if (shift > 2 && at + 1 < N) out[at + 1] |= word >> (64 - shift);
    }
    for (Limb& limb : out) limb &= keep;
    return out;
  }

  // 62 steps on the low words of f and g; the product of their matrices, times 2^62.
  static Matrix steps(std::int64_t& zeta, Limb f, Limb g) {
    Limb u = 1, v = 0, q = 0, r = 1, z = static_cast<Limb>(zeta);
    for (int i = 0; i < 62; ++i) {
      Mask swap = mask_of(z >> 63);  // delta > 0
      const Mask odd = mask_of(g & 1);
      g += ((f ^ swap) - swap) & odd;
      q += ((u ^ swap) - swap) & odd;
      r += ((v ^ swap) - swap) & odd;
      swap &= odd;
      z = (z ^ swap) - 1;
      f += g & swap;
      u += q & swap;
      v += r & swap;
      g >>= 1;
      u <<= 1;
      v <<= 1;
    }
    zeta = static_cast<std::int64_t>(z);
    return {static_cast<std::int64_t>(u), static_cast<std::int64_t>(v), static_cast<std::int64_t>(q),
            static_cast<std::int64_t>(r)};
  }

  static std::int64_t low62(Sum s) { return static_cast<std::int64_t>(static_cast<Limb>(s) & kLow); }

  // (f, g) = t (f, g) / 2^62, exactly.
  static void apply(const Matrix& t, Wide& f, Wide& g) {
    Sum cf = static_cast<Sum>(t.u) * f[0] + static_cast<Sum>(t.v) * g[0];
    Sum cg = static_cast<Sum>(t.q) * f[0] + static_cast<Sum>(t.r) * g[0];
    cf >>= 62;
    cg >>= 62;
    for (std::size_t i = 1; i < kWords; ++i) {
      cf += static_cast<Sum>(t.u) * f[i] + static_cast<Sum>(t.v) * g[i];
      cg += static_cast<Sum>(t.q) * f[i] + static_cast<Sum>(t.r) * g[i];
      f[i - 1] = low62(cf);
      g[i - 1] = low62(cg);
      cf >>= 62;
      cg >>= 62;
    }
    f[kWords - 1] = static_cast<std::int64_t>(cf);
    g[kWords - 1] = static_cast<std::int64_t>(cg);
  }

  // (d, e) = t (d, e) / 2^62 mod m; both stay in (-2m, m).
  static void apply_modulo(const Matrix& t, Wide& d, Wide& e, const Wide& m, Limb inverse62) {
    const std::int64_t sd = d[kWords - 1] >> 63, se = e[kWords - 1] >> 63;
    std::int64_t md = (t.u & sd) + (t.v & se), me = (t.q & sd) + (t.r & se);
    Sum cd = static_cast<Sum>(t.u) * d[0] + static_cast<Sum>(t.v) * e[0];
    Sum ce = static_cast<Sum>(t.q) * d[0] + static_cast<Sum>(t.r) * e[0];
    md -= static_cast<std::int64_t>((inverse62 * static_cast<Limb>(cd) + static_cast<Limb>(md)) & kLow);
    me -= static_cast<std::int64_t>((inverse62 * static_cast<Limb>(ce) + static_cast<Limb>(me)) & kLow);
    cd += static_cast<Sum>(m[0]) * md;
    ce += static_cast<Sum>(m[0]) * me;
    cd >>= 62;
    ce >>= 62;
    for (std::size_t i = 1; i < kWords; ++i) {
      cd += static_cast<Sum>(t.u) * d[i] + static_cast<Sum>(t.v) * e[i] + static_cast<Sum>(m[i]) * md;
      ce += static_cast<Sum>(t.q) * d[i] + static_cast<Sum>(t.r) * e[i] + static_cast<Sum>(m[i]) * me;
      d[i - 1] = low62(cd);
      e[i - 1] = low62(ce);
      cd >>= 62;
      ce >>= 62;
    }
    d[kWords - 1] = static_cast<std::int64_t>(cd);
    e[kWords - 1] = static_cast<std::int64_t>(ce);
  }

  static void carry(Wide& a) {
    for (std::size_t i = 0; i + 1 < kWords; ++i) {
      a[i + 1] += a[i] >> 62;
      a[i] = static_cast<std::int64_t>(static_cast<Limb>(a[i]) & kLow);
    }
  }
  static void add_if_negative(Wide& a, const Wide& m) {
    const std::int64_t below = a[kWords - 1] >> 63;
    for (std::size_t i = 0; i < kWords; ++i) a[i] += m[i] & below;
    carry(a);
  }
  // d in (-2m, m), negated under the mask, into 0 .. m - 1.
  static Wide normalised(Wide d, std::int64_t negate, const Wide& m) {
    add_if_negative(d, m);
    for (std::int64_t& word : d) word = (word ^ negate) - negate;
    carry(d);
    add_if_negative(d, m);
    add_if_negative(d, m);
    return d;
  }
  // All ones if f is 1 or -1: then the two had no common divisor.
  static Mask one_of(const Wide& f) {
    const std::int64_t sign = f[kWords - 1] >> 63;
    Limb other = 0;
    Wide a = f;
    for (std::int64_t& word : a) word = (word ^ sign) - sign;
    carry(a);
    for (std::size_t i = 0; i < kWords; ++i) other |= static_cast<Limb>(a[i]) ^ (i == 0 ? 1U : 0U);
    return mask_if_zero(other);
  }
};

}  // namespace regroup::crypto
