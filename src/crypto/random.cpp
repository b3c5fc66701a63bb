// SPDX-License-Identifier: Apache-2.0
#include "crypto/random.hpp"

#include <openssl/rand.h>

#include <cstdio>
#include <cstdlib>

namespace regroup::crypto {

void SystemRandom::fill(std::span<std::uint8_t> out) {
  constexpr std::size_t kMost = 1 << 20;
  for (std::size_t at = 0; at < out.size(); at += kMost) {
    const std::size_t n = std::min(kMost, out.size() - at);
    if (RAND_priv_bytes(out.data() + at, static_cast<int>(n)) != 1) {
      std::fputs("regroup: the system's source of randomness failed; no key can be made\n", stderr);
      std::abort();
    }
  }
}

}  // namespace regroup::crypto
