// SPDX-License-Identifier: Apache-2.0
#include "base/secret.hpp"

#include <gtest/gtest.h>

namespace regroup {
namespace {

RG_SECRET(Key, 4);

TEST(Secret, IsWipedWhenMovedFrom) {
  Key a(Fixed<4>{1, 2, 3, 4});
  const Key b = std::move(a);
  EXPECT_EQ(a.expose()[0], 0);  // NOLINT(bugprone-use-after-move): the wiping is what is tested
  EXPECT_EQ(b.expose()[3], 4);
}

TEST(Secret, IsWipedWhenDestroyed) {
  alignas(Key) std::uint8_t room[sizeof(Key)];
  Key* key = new (room) Key(Fixed<4>{9, 9, 9, 9});
  key->~Key();
  std::uint8_t seen = 0;
  for (const std::uint8_t octet : room) seen = static_cast<std::uint8_t>(seen | octet);
  EXPECT_EQ(seen, 0);
}

TEST(SecretOctets, KeepsItsContentWhenItGrowsAndIsEmptyWhenMovedFrom) {
  SecretOctets a(Octets{1, 2});
  a.append(Octets{3});
  EXPECT_TRUE(ct_equal(a.expose(), Octets{1, 2, 3}));
  const SecretOctets b = std::move(a);
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(b.size(), 3u);
}

TEST(CtEqual, SeesEverySingleBitAndTheLength) {
  const Octets a(40, 7);
  EXPECT_TRUE(ct_equal(a, a));
  for (std::size_t bit = 0; bit < 320; ++bit) {
    Octets b = a;
    b[bit / 8] = static_cast<std::uint8_t>(b[bit / 8] ^ (1u << bit % 8));
    EXPECT_FALSE(ct_equal(a, b));
  }
  EXPECT_FALSE(ct_equal(a, OctetsView(a).first(39)));
}

}  // namespace
}  // namespace regroup
