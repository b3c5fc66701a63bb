// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"

#include <gtest/gtest.h>

namespace regroup {
namespace {

TEST(Hex, RoundTripsInLowerAndUpperCase) {
  const Octets octets{0x00, 0x1a, 0xff};
  EXPECT_EQ(hex(octets), "001aff");
  EXPECT_EQ(hex_upper(octets), "001AFF");
  EXPECT_EQ(from_hex("001aFF").value(), octets);
}

TEST(Hex, RefusesOddDigitsForeignCharactersAndUnaskedSpaces) {
  EXPECT_FALSE(from_hex("0").ok());
  EXPECT_FALSE(from_hex("0g").ok());
  EXPECT_FALSE(from_hex("00 1a").ok());
  EXPECT_EQ(from_hex("00 1a\n", Spaces::skip).value(), (Octets{0x00, 0x1a}));
}

TEST(Hex, FixedNeedsTheExactNumberOfOctets) {
  EXPECT_EQ(fixed_from_hex<2>("abcd").value(), (Fixed<2>{0xab, 0xcd}));
  EXPECT_FALSE(fixed_from_hex<2>("ab").ok());
}

TEST(Base64, MatchesRfc4648Section10) {
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : cases) {
    EXPECT_EQ(base64(view(plain)), coded);
    EXPECT_EQ(from_base64(coded).value(), to_octets(view(plain)));
  }
  EXPECT_EQ(from_base64("Zm8").value(), to_octets(view("fo"))) << "padding may be left out";
}

TEST(Base64, RefusesWrongPaddingAlphabetAndTrailingBits) {
  for (const char* bad : {"Z", "Zg=", "Zg===", "Zm=8", "Zm9v=", "Zh==", "Zm9_", "Zm9 v"})
    EXPECT_FALSE(from_base64(bad).ok()) << bad;
  EXPECT_EQ(base64url(Octets{0xfb, 0xff}), "-_8");
  EXPECT_EQ(from_base64url("-_8").value(), (Octets{0xfb, 0xff}));
}

TEST(Printable, ReplacesControlCharactersAndCutsLongText) {
  EXPECT_EQ(printable("a\nb\x7f"), "a?b?");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
}

}  // namespace
}  // namespace regroup
