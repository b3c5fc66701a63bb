// SPDX-License-Identifier: Apache-2.0
// <R, RSK> for eight messages at once, one in each lane, with the precomputed lines of their receiver keys
// (performance-design 9). Like engine.hpp this holds plain data only, and pairing.cpp shares no inline
// function with the rest of the program.
#pragma once

#include "crypto/ifma/engine.hpp"

namespace regroup::crypto::ifma {

// A line of Miller's loop divided by its scale, slope and then constant, in the engine's Montgomery form. As
// secret as the RSK.
struct alignas(64) Line {
  std::uint64_t limb[2 * kLimbs];
};

// Eight messages on their way from R to w = <R, RSK>.
struct Pairings {
  // Of R: x / y and 1 / y. Dividing every line by y leaves the class as it is and makes its imaginary part 1.
  Residue8 x_over_y, one_over_y;
  const Line* lines[kLanes];
  Residue8 re, im;  // then im = w, plain, below p + p/8
  Residue8 before;  // running product of the shared inversion
};

// `squares[n]` says whether the value is squared before line n enters. False, and nothing is of use, when a
// value is zero, which no R with y != 0 makes.
[[nodiscard]] bool pair_all(Pairings* all, std::size_t vectors, const bool* squares, std::size_t lines,
                            const Field& field) noexcept;

}  // namespace regroup::crypto::ifma
