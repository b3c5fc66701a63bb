// SPDX-License-Identifier: Apache-2.0
#include "crypto/random.hpp"

#include <gtest/gtest.h>
#include <openssl/provider.h>

#include <algorithm>
#include <set>

namespace regroup::crypto {
namespace {

TEST(SystemRandom, FillsTheWholeSpanAndNeverRepeats) {
  SystemRandom random;
  std::set<Fixed<16>> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(random.octets<16>()).second);
}

TEST(SystemRandom, FillsSpansAboveTheSizeOfOneRequest) {
  SystemRandom random;
  constexpr std::size_t kMebi = std::size_t{1} << 20;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, kMebi - 1, kMebi, kMebi + 1, 2 * kMebi + 17}) {
    Octets out(size + 1, 0);
    random.fill(std::span(out).first(size));
    EXPECT_EQ(out[size], 0) << "wrote past the span of " << size;
    // Sixteen zeros in a row at either end would be a hole (chance 2^-128).
    if (size < 32) continue;
    EXPECT_TRUE(std::any_of(out.begin(), out.begin() + 16, [](std::uint8_t o) { return o != 0; }));
    EXPECT_TRUE(std::any_of(out.end() - 17, out.end() - 1, [](std::uint8_t o) { return o != 0; }));
  }
}

TEST(SystemRandomDeathTest, EndsTheProcessWhenTheSourceFails) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        OSSL_PROVIDER_load(nullptr, "null");  // a library without any algorithm: its DRBG cannot be made
        SystemRandom random;
        static_cast<void>(random.octets<32>());
      },
      "source of randomness failed");
}

}  // namespace
}  // namespace regroup::crypto
