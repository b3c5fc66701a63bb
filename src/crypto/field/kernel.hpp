// SPDX-License-Identifier: Apache-2.0
// The arithmetic that dominates everything else, modulo p and q of parameter set 1 (16 limbs). It stands out
// of line, in one place, so that another implementation for a given processor has one door to come in by.
// The portable one is the reference: every other equals it limb for limb.
#pragma once

#include "crypto/field/montgomery.hpp"

namespace regroup::crypto::kernel {

// out = a b 2^-1024 mod m; a b < 2^1024 m; out may be a or b.
void product16(Limbs<16>& out, const Limbs<16>& a, const Limbs<16>& b, const Modulus<16>& modulus) noexcept;
// out = a + b and a - b mod m, for a, b < m.
void sum16(Limbs<16>& out, const Limbs<16>& a, const Limbs<16>& b, const Modulus<16>& modulus) noexcept;
void difference16(Limbs<16>& out, const Limbs<16>& a, const Limbs<16>& b,
                  const Modulus<16>& modulus) noexcept;

// One of `count` entries that follow each other, each of `parts` (1 or 3) numbers; every entry is read.
void choose16(Limbs<16>* out, const Limbs<16>* entries, std::size_t count, std::size_t parts,
              Limb index) noexcept;

// Whether these run on the instructions of crypto/adx where the processor has them (they do until told
// otherwise). crypto/kernel.hpp tells.
void use_adx(bool on) noexcept;

}  // namespace regroup::crypto::kernel
