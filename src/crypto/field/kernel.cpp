// SPDX-License-Identifier: Apache-2.0
#include "crypto/field/kernel.hpp"

#include <atomic>

#include "crypto/adx/arithmetic.hpp"

namespace regroup::crypto::kernel {
namespace {

enum class Choice : std::uint8_t { open, portable, adx };
constinit std::atomic<Choice> choice{Choice::open};

// Constants are made before main: the first question decides, not the order of initialisation.
bool by_adx() noexcept {
  const Choice now = choice.load(std::memory_order_relaxed);
  if (now != Choice::open) [[likely]]
    return now == Choice::adx;
  use_adx(true);
  return by_adx();
}

}  // namespace

void use_adx(bool on) noexcept {
  choice.store(on && adx::supported() ? Choice::adx : Choice::portable, std::memory_order_relaxed);
}

#ifdef __x86_64__

void product16(Limbs<16>& out, const Limbs<16>& a, const Limbs<16>& b, const Modulus<16>& modulus) noexcept {
  if (by_adx())
    adx::regroup_adx_product16(out.data(), a.data(), b.data(), modulus.m.data(), modulus.minus_inverse);
  else
    montgomery_product_by_columns(out, a, b, modulus.m, modulus.minus_inverse);
}

void sum16(Limbs<16>& out, const Limbs<16>& a, const Limbs<16>& b, const Modulus<16>& modulus) noexcept {
  if (by_adx())
    adx::regroup_adx_sum16(out.data(), a.data(), b.data(), modulus.m.data());
  else
    out = add_mod(a, b, modulus.m);
}

void difference16(Limbs<16>& out, const Limbs<16>& a, const Limbs<16>& b,
                  const Modulus<16>& modulus) noexcept {
  if (by_adx())
    adx::regroup_adx_difference16(out.data(), a.data(), b.data(), modulus.m.data());
  else
    out = subtract_mod(a, b, modulus.m);
}

#else

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

#endif

}  // namespace regroup::crypto::kernel
