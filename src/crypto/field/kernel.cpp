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

// One number at a time: what is found so far stays in registers.
void choose_portable(Limbs<16>* out, const Limbs<16>* entries, std::size_t count, std::size_t parts,
                     Limb index) noexcept {
  for (std::size_t part = 0; part < parts; ++part) {
    Limbs<16> found{};
    for (std::size_t e = 0; e < count; ++e) {
      const Mask mask = mask_if_equal(e, index);
      const Limbs<16>& limbs = entries[e * parts + part];
      for (std::size_t i = 0; i < limbs.size(); ++i) found[i] |= limbs[i] & mask;
    }
    out[part] = found;
  }
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

void choose16(Limbs<16>* out, const Limbs<16>* entries, std::size_t count, std::size_t parts,
              Limb index) noexcept {
  if (!by_adx())
    choose_portable(out, entries, count, parts, index);
  else if (parts == 3)
    adx::regroup_adx_choose48(out->data(), entries->data(), count, index);
  else
    adx::regroup_adx_choose16(out->data(), entries->data(), count, index);
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

void choose16(Limbs<16>* out, const Limbs<16>* entries, std::size_t count, std::size_t parts,
              Limb index) noexcept {
  choose_portable(out, entries, count, parts, index);
}

#endif

}  // namespace regroup::crypto::kernel
