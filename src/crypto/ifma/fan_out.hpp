// SPDX-License-Identifier: Apache-2.0
// Encapsulation of one SSV to many members of one KMS with the engine of engine.hpp: its tables, and the way
// in and out of its form. The results equal those of curve/scheme.hpp octet for octet.
#pragma once

#include <memory>
#include <vector>

#include "crypto/curve/scheme.hpp"
#include "crypto/ifma/engine.hpp"

namespace regroup::crypto::ifma {

// Whether this processor and system can run the engine (AVX-512 F, DQ, VL, IFMA).
[[nodiscard]] bool supported() noexcept;

using Set = ParameterSet1;
// p and the constants of the Edwards map in the engine's form.
[[nodiscard]] const Field& field();
// Odd multiples of 2^(7i) B: 4.5 MB.
using PointTable8 = std::vector<PointWindow>;
[[nodiscard]] PointTable8 point_table(const Affine<Set>& base);

// scheme::encapsulate for targets of one KMS, at most 256 of them; `z` is the table of its Z.
[[nodiscard]] bool encapsulate(OctetsView ssv, std::span<const OctetsView> identifiers, const PointTable8& z,
                               std::span<Octets> out);

}  // namespace regroup::crypto::ifma
