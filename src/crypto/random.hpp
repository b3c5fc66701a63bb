// SPDX-License-Identifier: Apache-2.0
// Randomness of the product: OpenSSL's private DRBG, seeded and reseeded from the operating system.
#pragma once

#include "base/random.hpp"

namespace regroup::crypto {

class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

}  // namespace regroup::crypto
