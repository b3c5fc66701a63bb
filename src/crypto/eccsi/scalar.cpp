// SPDX-License-Identifier: Apache-2.0
#include "crypto/eccsi/scalar.hpp"

#include "crypto/ct.hpp"
#include "crypto/field/inverse.hpp"

namespace regroup::crypto::eccsi {
namespace {

using Limbs = Scalar::Limbs;
__extension__ typedef unsigned __int128 Wide;

constexpr Limbs kOrder = {0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000};

constexpr std::uint64_t low(Wide x) { return static_cast<std::uint64_t>(x); }
constexpr std::uint64_t high(Wide x) { return static_cast<std::uint64_t>(x >> 64); }

// x - q, and the borrow (1 when x < q).
constexpr std::uint64_t subtract_order(const Limbs& x, Limbs& out) {
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const Wide d = Wide{x[i]} - kOrder[i] - borrow;
    out[i] = low(d);
    borrow = high(d) & 1;
  }
  return borrow;
}

// The representative below q of carry * 2^256 + x, which is below 2q.
Limbs settle(const Limbs& x, std::uint64_t carry) {
  Limbs less;
  const std::uint64_t borrow = subtract_order(x, less);
  const std::uint64_t keep =
      ct::barrier(std::uint64_t{0} - (borrow & (carry ^ 1)));  // all ones: x is already below q
  Limbs out;
  for (std::size_t i = 0; i < 4; ++i) out[i] = (x[i] & keep) | (less[i] & ~keep);
  return out;
}

// -q^-1 mod 2^64 by Newton's iteration: each round doubles the number of right bits.
constexpr std::uint64_t negative_inverse() {
  std::uint64_t inverse = 1;
  for (int i = 0; i < 6; ++i) inverse *= 2 - kOrder[0] * inverse;
  return std::uint64_t{0} - inverse;
}
constexpr std::uint64_t kMinusInverse = negative_inverse();
static_assert(low(Wide{kMinusInverse} * kOrder[0]) == ~std::uint64_t{0});

// 2^n mod q, at compile time.
constexpr Limbs power_of_two(int n) {
  Limbs x = {1, 0, 0, 0};
  for (int i = 0; i < n; ++i) {
    const std::uint64_t carry = x[3] >> 63;
    for (std::size_t k = 3; k > 0; --k) x[k] = x[k] << 1 | x[k - 1] >> 63;
    x[0] <<= 1;
    Limbs less{};
    const std::uint64_t borrow = subtract_order(x, less);
    if (carry || !borrow) x = less;
  }
  return x;
}
constexpr Limbs kRSquared = power_of_two(512);  // takes a value into Montgomery form

// x * y / 2^256 mod q (coarsely integrated operand scanning; Koc, Acar, Kaliski 1996).
Limbs montgomery(const Limbs& x, const Limbs& y) {
  std::array<std::uint64_t, 6> t{};
  for (std::size_t i = 0; i < 4; ++i) {
    std::uint64_t carry = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const Wide s = Wide{x[j]} * y[i] + t[j] + carry;
      t[j] = low(s);
      carry = high(s);
    }
    Wide s = Wide{t[4]} + carry;
    t[4] = low(s);
    t[5] = high(s);
    const std::uint64_t m = t[0] * kMinusInverse;
    carry = high(Wide{m} * kOrder[0] + t[0]);
    for (std::size_t j = 1; j < 4; ++j) {
      s = Wide{m} * kOrder[j] + t[j] + carry;
      t[j - 1] = low(s);
      carry = high(s);
    }
    s = Wide{t[4]} + carry;
    t[3] = low(s);
    t[4] = t[5] + high(s);
  }
  return settle({t[0], t[1], t[2], t[3]}, t[4]);
}

Limbs load(std::span<const std::uint8_t, 32> octets) {
  Limbs x{};
  for (std::size_t i = 0; i < 32; ++i) x[3 - i / 8] = x[3 - i / 8] << 8 | octets[i];
  return x;
}

// 1 when x is 0, else 0.
std::uint64_t zero_bit(const Limbs& x) {
  const std::uint64_t any = x[0] | x[1] | x[2] | x[3];
  return ct::barrier(((any | (std::uint64_t{0} - any)) >> 63) ^ 1);
}

}  // namespace

std::optional<Scalar> Scalar::parse(std::span<const std::uint8_t, 32> octets) {
  const Scalar x(load(octets));
  Scalar scratch;
  const std::uint64_t below = subtract_order(x.limbs_, scratch.limbs_);
  const std::uint64_t accepted = ct::declassify(below & (zero_bit(x.limbs_) ^ 1));
  if (!accepted) return std::nullopt;
  return Scalar(x.limbs_);
}

Scalar Scalar::reduce(std::span<const std::uint8_t, 32> octets) {
  const Scalar x(load(octets));
  return Scalar(settle(x.limbs_, 0));  // 2^256 < 2q: one subtraction is enough
}

Secret<32> Scalar::octets() const {
  Secret<32> out;
  const auto octets = out.expose_mutable();
  for (std::size_t i = 0; i < 32; ++i)
    octets[i] = static_cast<std::uint8_t>(limbs_[3 - i / 8] >> (56 - 8 * (i % 8)));
  return out;
}

bool Scalar::is_zero() const { return ct::declassify(zero_bit(limbs_)) != 0; }

Scalar Scalar::plus(const Scalar& other) const {
  Scalar sum;
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const Wide s = Wide{limbs_[i]} + other.limbs_[i] + carry;
    sum.limbs_[i] = low(s);
    carry = high(s);
  }
  return Scalar(settle(sum.limbs_, carry));
}

Scalar Scalar::times(const Scalar& other) const {
  const Scalar half(montgomery(limbs_, other.limbs_));
  return Scalar(montgomery(half.limbs_, kRSquared));
}

Scalar Scalar::inverse() const { return Scalar(DivisionSteps<4>::inverse(limbs_, kOrder, kMinusInverse)); }

}  // namespace regroup::crypto::eccsi
