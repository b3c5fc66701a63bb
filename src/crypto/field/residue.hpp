// SPDX-License-Identifier: Apache-2.0
// Residues modulo a fixed odd modulus: F_p and the scalars mod q of any parameter set.
// Kept in Montgomery form, always fully reduced, which checked builds assert. The time of every operation
// depends on the modulus alone, never on a value; exponents are public.
#pragma once

#include <optional>

#include "crypto/field/inverse.hpp"
#include "crypto/field/kernel.hpp"

namespace regroup::crypto {

template <const auto& M>
class Residue {
 public:
  static constexpr std::size_t kLimbs = std::tuple_size_v<std::decay_t<decltype(M.m)>>;
  static constexpr std::size_t kOctets = (M.bits + 7) / 8;
  using Plain = Limbs<kLimbs>;

  constexpr Residue() = default;
  [[nodiscard]] static constexpr Residue one() { return Residue(M.r); }
  // Any integer of this many limbs, reduced.
  [[nodiscard]] static constexpr Residue of(const Plain& value) { return Residue(product(value, M.r2)); }
  [[nodiscard]] static constexpr Residue of(Limb value) {
    Plain plain{};
    plain[0] = value;
    return of(plain);
  }
  // A big-endian integer of any length, reduced; constant time in its octets.
  [[nodiscard]] static Residue of_octets(OctetsView octets) {
    Residue sum;
    constexpr std::size_t kChunk = 8 * kLimbs;
    std::size_t size = octets.size() % kChunk ? octets.size() % kChunk : std::min(kChunk, octets.size());
    for (std::size_t at = 0; at < octets.size(); at += size, size = kChunk)
      sum = Residue(product(sum.value_, M.r2)) +  // times R, the weight of one chunk
            of(reduced(limbs_from_octets<kLimbs>(octets.subspan(at, size)), M));
    return sum;
  }
  // Exactly kOctets octets; `canonical` says whether they were below the modulus (else the value is zero).
  [[nodiscard]] static Residue parse(OctetsView octets, Mask& canonical) {
    RG_ASSERT(octets.size() == kOctets);
    const Plain plain = limbs_from_octets<kLimbs>(octets);
    canonical = mask_if_less(plain, M.m);
    return of(select(canonical, plain, Plain{}));
  }

  // The integer 0 <= value < m.
  [[nodiscard]] constexpr Plain plain() const {
    Plain unit{};
    unit[0] = 1;
    return product(value_, unit);
  }
  void write(std::span<std::uint8_t> out) const { write_octets(plain(), out); }
  // The form it is kept in, value R mod m.
  [[nodiscard]] constexpr const Plain& montgomery() const { return value_; }
  [[nodiscard]] static constexpr Residue from_montgomery(const Plain& form) { return Residue(form); }

  [[nodiscard]] constexpr Residue operator+(const Residue& b) const { return Residue(sum(value_, b.value_)); }
  [[nodiscard]] constexpr Residue operator-(const Residue& b) const {
    return Residue(difference(value_, b.value_));
  }
  [[nodiscard]] constexpr Residue operator-() const { return Residue() - *this; }
  [[nodiscard]] constexpr Residue operator*(const Residue& b) const {
    return Residue(product(value_, b.value_));
  }
  [[nodiscard]] constexpr Residue square() const { return *this * *this; }
  [[nodiscard]] constexpr Residue twice() const { return *this + *this; }

  // this^exponent; the exponent is public.
  [[nodiscard]] Residue power(const Plain& exponent) const;
  // The inverse for prime m, and 0 for 0.
  [[nodiscard]] Residue inverse() const {
    // Of x R this is x^-1 R^-1; the factor restores the form.
    static constexpr Plain cube = product(M.r2, M.r2);
    const ct::Wiped<Plain> plain(DivisionSteps<kLimbs>::inverse(value_, M.m, M.minus_inverse));
    return Residue(product(*plain, cube));
  }

  [[nodiscard]] constexpr Mask is_zero() const { return mask_if_zero(value_); }
  [[nodiscard]] static constexpr Mask equal(const Residue& a, const Residue& b) {
    Limb any = 0;
    for (std::size_t i = 0; i < kLimbs; ++i) any |= a.value_[i] ^ b.value_[i];
    return mask_if_zero(any);
  }
  [[nodiscard]] static constexpr Residue choose(Mask mask, const Residue& yes, const Residue& no) {
    return Residue(select(mask, yes.value_, no.value_));
  }

 private:
  explicit constexpr Residue(const Plain& value) : value_(value) { RG_ASSERT(is_reduced(value)); }

  [[gnu::noinline]] static constexpr bool is_reduced(const Plain& value) {
    return mask_if_less(value, M.m) != 0;
  }

  // Set 1 goes through the kernel; the small sets of the tests, and constants, run the same code in place.
  static constexpr bool kKernel = kLimbs == 16;
  static constexpr Plain product(const Plain& a, const Plain& b) {
    Plain out{};
    if constexpr (kKernel) {
      if (!std::is_constant_evaluated()) {
        kernel::product16(out, a, b, M);
        return out;
      }
    }
    montgomery_product_by_columns(out, a, b, M.m, M.minus_inverse);
    return out;
  }
  static constexpr Plain sum(const Plain& a, const Plain& b) {
    if constexpr (kKernel) {
      if (!std::is_constant_evaluated()) {
        Plain out;
        kernel::sum16(out, a, b, M);
        return out;
      }
    }
    return add_mod(a, b, M.m);
  }
  static constexpr Plain difference(const Plain& a, const Plain& b) {
    if constexpr (kKernel) {
      if (!std::is_constant_evaluated()) {
        Plain out;
        kernel::difference16(out, a, b, M);
        return out;
      }
    }
    return subtract_mod(a, b, M.m);
  }

  Plain value_{};
};

template <const auto& M>
Residue<M> Residue<M>::power(const Plain& exponent) const {
  constexpr std::size_t kWindow = 5;
  ct::Wiped<std::array<Residue, 1U << kWindow>> powers;
  (*powers)[0] = one();
  for (std::size_t i = 1; i < powers->size(); ++i) (*powers)[i] = (*powers)[i - 1] * *this;
  Residue out = one();
  for (std::size_t window = (M.bits + kWindow - 1) / kWindow; window-- > 0;) {
    std::size_t digit = 0;
    for (std::size_t i = kWindow; i-- > 0;) {
      const std::size_t at = window * kWindow + i;
      digit = digit << 1 | static_cast<std::size_t>(bit(exponent, at));
      out = out.square();
    }
    out = out * (*powers)[digit];
  }
  return out;
}

// Replaces every value by its inverse at the price of one inversion and three products each (Montgomery's
// trick). All zeros if any of them was zero, and then a zero mask: one zero would spoil the whole batch.
template <const auto& M>
[[nodiscard]] Mask invert_all(std::span<Residue<M>> values) {
  ct::WipedArray<Residue<M>> before(values.size());  // products of all values before this one
  ct::Wiped<Residue<M>> running(Residue<M>::one());
  for (std::size_t i = 0; i < values.size(); ++i) {
    before[i] = *running;
    *running = *running * values[i];
  }
  const Mask usable = ~running->is_zero();
  *running = running->inverse();
  for (std::size_t i = values.size(); i-- > 0;) {
    const Residue<M> inverse = *running * before[i];
    *running = *running * values[i];
    values[i] = inverse;
  }
  return usable;
}

}  // namespace regroup::crypto
