// SPDX-License-Identifier: Apache-2.0
// The verbs of SAKKE on many identities at once with the engines of engine.hpp and pairing.hpp: their tables,
// and the way in and out of their form. The results equal those of curve/scheme.hpp octet for octet.
#pragma once

#include <memory>
#include <vector>

#include "crypto/curve/scheme.hpp"
#include "crypto/ifma/engine.hpp"
#include "crypto/ifma/pairing.hpp"

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

// scheme::extract for many identifiers, at most 256. False when one of them is -z; then nothing is of use.
[[nodiscard]] bool extract(const ScalarOf<Set>& z, std::span<const OctetsView> identifiers,
                           std::span<Affine<Set>> out);

// The lines of one RSK for the engine: 429 KiB, wiped.
class KeyLines {
 public:
  explicit KeyLines(const FixedLines<Set>& lines);
  [[nodiscard]] const Line* data() const { return &lines_[0]; }

 private:
  ct::WipedArray<Line> lines_;
};

// A message as received: R stands checked on the curve, with y != 0; H has 16 octets.
struct Closed {
  Affine<Set> r;
  OctetsView h;
  OctetsView identifier;
  const KeyLines* lines;
};
// The pairing and scheme::open for messages of one KMS, at most 256. `good` is all ones where the SSV
// encapsulates to R. False when the batch cannot be computed, which a message of a legitimate sender never
// causes: then each is to be opened alone.
[[nodiscard]] bool open(std::span<const Closed> messages, const PointTable8& z, std::span<Secret<16>> ssvs,
                        std::span<Mask> good);

}  // namespace regroup::crypto::ifma
