// SPDX-License-Identifier: Apache-2.0
// Integers modulo q, the order of P-256, for the secret scalars of ECCSI (KSAK, SSK, v, j and what is made of
// them). Four 64-bit limbs in Montgomery arithmetic; no branch and no index depends on a value, so secrets
// may be added, multiplied and inverted here (spec: constant-time inverse of RFC 6507 5.2.1 step 6).
// Move-only; wiped.
#pragma once

#include <array>
#include <optional>

#include "base/octets.hpp"
#include "base/secret.hpp"

namespace regroup::crypto::eccsi {

class Scalar {
 public:
  using Limbs = std::array<std::uint64_t, 4>;  // least significant first, always < q

  Scalar() noexcept : limbs_{} {}
  Scalar(const Scalar&) = delete;
  Scalar& operator=(const Scalar&) = delete;
  Scalar(Scalar&& other) noexcept : limbs_(other.limbs_) { other.clear(); }
  Scalar& operator=(Scalar&& other) noexcept {
    if (this != &other) {
      limbs_ = other.limbs_;
      other.clear();
    }
    return *this;
  }
  ~Scalar() { clear(); }

  [[nodiscard]] static Scalar one() { return Scalar(Limbs{1, 0, 0, 0}); }
  // A key or nonce: 1 <= x < q, nothing else. Reveals only whether it was accepted.
  [[nodiscard]] static std::optional<Scalar> parse(std::span<const std::uint8_t, 32> octets);
  // Any 32 octets modulo q (a hash; r, which may lie between q and p).
  [[nodiscard]] static Scalar reduce(std::span<const std::uint8_t, 32> octets);

  [[nodiscard]] Secret<32> octets() const;
  [[nodiscard]] bool is_zero() const;  // reveals the answer, nothing else
  [[nodiscard]] Scalar plus(const Scalar& other) const;
  [[nodiscard]] Scalar times(const Scalar& other) const;
  // The inverse, and 0 for 0; the sequence of operations is fixed.
  [[nodiscard]] Scalar inverse() const;

  bool operator==(const Scalar&) const = delete;

 private:
  explicit Scalar(const Limbs& limbs) noexcept : limbs_(limbs) {}
  void clear() noexcept { wipe(limbs_.data(), sizeof limbs_); }
  Limbs limbs_;
};

}  // namespace regroup::crypto::eccsi
