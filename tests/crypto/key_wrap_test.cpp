// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_wrap.hpp"

#include <gtest/gtest.h>

#include "vectors.hpp"

namespace regroup::crypto {
namespace {

using test::unhex;

Secret<32> kek_of(const std::string& text) {
  const Octets octets = unhex(text);
  return Secret<32>(OctetsView(octets).first<32>());
}
const std::string kRfc3394Kek = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

TEST(KeyWrap, GivesTheVectorsOfRfc3394) {
  const Secret<32> kek = kek_of(kRfc3394Kek);
  // RFC 3394 4.6
  const Octets key = unhex(std::string("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f"));
  const std::string wrapped =
      "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21";
  EXPECT_EQ(hex(wrap_key(KeyWrap::rfc3394, kek, key)), wrapped);
  EXPECT_EQ(hex(unwrap_key(KeyWrap::rfc3394, kek, unhex(wrapped))->expose()), hex(key));
  // RFC 3394 4.3
  EXPECT_EQ(hex(wrap_key(KeyWrap::rfc3394, kek, unhex(std::string("00112233445566778899aabbccddeeff")))),
            "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7");
}

TEST(KeyWrap, WithPaddingTakesAnyLengthAndGivesItBack) {
  const Secret<32> kek = kek_of(kRfc3394Kek);
  for (const std::size_t size : {1U, 7U, 8U, 9U, 32U, 64U, 65U, 256U, 257U}) {
    Octets key(size);
    for (std::size_t i = 0; i < size; ++i) key[i] = static_cast<std::uint8_t>(i + 3);
    const Octets wrapped = wrap_key(KeyWrap::rfc5649, kek, key);
    EXPECT_EQ(wrapped.size(), (size + 7) / 8 * 8 + 8) << size;
    const auto opened = unwrap_key(KeyWrap::rfc5649, kek, wrapped);
    ASSERT_TRUE(opened.ok()) << size << opened.error().text();
    EXPECT_EQ(hex(opened->expose()), hex(key));
    EXPECT_FALSE(wrapped.size() >= 24 && unwrap_key(KeyWrap::rfc3394, kek, wrapped).ok())
        << "the two initial values differ";
  }
}

TEST(KeyWrap, RefusesEveryAlteredOctetAnotherKeyAndOtherSizes) {
  const Secret<32> kek = kek_of(kRfc3394Kek);
  for (const KeyWrap how : {KeyWrap::rfc3394, KeyWrap::rfc5649}) {
    const Octets wrapped = wrap_key(how, kek, Octets(32, 0x5a));
    ASSERT_TRUE(unwrap_key(how, kek, wrapped).ok());
    for (std::size_t i = 0; i < wrapped.size(); ++i) {
      Octets altered = wrapped;
      altered[i] ^= 1;
      EXPECT_EQ(unwrap_key(how, kek, altered).error().code, Errc::undecryptable) << i;
    }
    Secret<32> other = kek_of(kRfc3394Kek);
    other.expose_mutable()[31] ^= 1;
    EXPECT_EQ(unwrap_key(how, other, wrapped).error().code, Errc::undecryptable);
    for (const std::size_t size : {0U, 8U, 15U, 39U, 41U, 1032U})
      EXPECT_EQ(unwrap_key(how, kek, Octets(size, 1)).error().code, Errc::malformed) << size;
  }
  EXPECT_FALSE(can_wrap(KeyWrap::rfc3394, 8));
  EXPECT_FALSE(can_wrap(KeyWrap::rfc3394, 257));
  EXPECT_FALSE(can_wrap(KeyWrap::rfc5649, 0));
  EXPECT_TRUE(can_wrap(KeyWrap::rfc5649, 257));
}

}  // namespace
}  // namespace regroup::crypto
