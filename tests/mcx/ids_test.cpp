// SPDX-License-Identifier: Apache-2.0
#include "mcx/ids.hpp"

#include "vectors.hpp"

namespace regroup::mcx {
namespace {

TEST(Identity, IsKeptAsItsOctets) {
  for (const std::string text :
       {"sip:user.001@mcptt.example.org", "gms@streamwide.com", "tel:+15550100", "SIP:A@B", "x"})
    EXPECT_EQ(McpttId::parse(text).value().text(), text);
  EXPECT_NE(McpttId::parse("sip:a@b").value(), McpttId::parse("sip:A@b").value());
}

TEST(Identity, MayHave2048OctetsAndNotOneMore) {
  EXPECT_TRUE(McpttId::parse(std::string(2048, 'a')).ok());
  EXPECT_EQ(McpttId::parse(std::string(2049, 'a')).error().code, Errc::malformed);
}

TEST(Identity, IsRefusedWhenEmptyOrNotPrintableAscii) {
  EXPECT_FALSE(McpttId::parse("").ok());
  for (int octet = 0; octet < 256; ++octet) {
    const std::string text = std::string("sip:") + static_cast<char>(octet) + "@b";
    EXPECT_EQ(McpttId::parse(text).ok(), octet > 0x20 && octet < 0x7f) << octet;
  }
}

TEST(Identity, RefusalNamesTheFieldAndNeverEchoesRawOctets) {
  const Error error = check_identity("sip:\x01\n@b", "IDRi").error();
  EXPECT_THAT(error.detail, testing::StartsWith("IDRi"));
  EXPECT_EQ(error.detail.find('\n'), std::string::npos);
  EXPECT_FALSE(error.clause.empty());
}

TEST(KeyIdentifier, PrintsEightHexDigitsAndTellsItsTag) {
  EXPECT_EQ(GmkId{0x0abcdef1}.text(), "0abcdef1");
  EXPECT_EQ(GmkId{0x40000001}.tag(), 4);
  EXPECT_EQ(GukId{0xf0000000}.tag(), 15);
  EXPECT_EQ(GukId{1}.octets(), (Fixed<4>{0, 0, 0, 1}));
}

TEST(Fingerprint, IsTheFirstEightOctetsOfAnHmacOfAFixedText) {
  // HMAC-SHA-256(00112233445566778899aabbccddeeff, "regroup fingerprint"), by Python's hmac module.
  const Gmk key = Gmk::parse(test::unhex(std::string("00112233445566778899aabbccddeeff"))).value();
  EXPECT_EQ(fingerprint(key), "1633c88b7e5f31e9");
}

TEST(Gmk, Has16OctetsOrIsALongOneOf32) {
  EXPECT_FALSE(Gmk::parse(Octets(16)).value().is_long());
  EXPECT_TRUE(Gmk::parse(Octets(32)).value().is_long());
  for (const std::size_t size : {0U, 15U, 17U, 31U, 33U}) EXPECT_FALSE(Gmk::parse(Octets(size)).ok()) << size;
  EXPECT_EQ(Gmk().expose().size(), 16U);
}

TEST(Gmk, IsWipedWhenItIsMovedFromAndWhenCleared) {
  Gmk key = Gmk::parse(Octets(16, 0xa5)).value();
  Gmk moved = std::move(key);
  EXPECT_TRUE(ct_equal(key.expose(), Octets(16)));  // NOLINT: the point of the test
  EXPECT_TRUE(ct_equal(moved.expose(), Octets(16, 0xa5)));
  moved.clear();
  EXPECT_TRUE(ct_equal(moved.expose(), Octets(16)));
}

TEST(Gmk, DuplicatesKeepTheLength) {
  const Gmk key = Gmk::parse(Octets(32, 7)).value();
  EXPECT_TRUE(ct_equal(key.duplicate().expose(), key.expose()));
}

}  // namespace
}  // namespace regroup::mcx
