// SPDX-License-Identifier: Apache-2.0
#include "mcx/guk_id.hpp"

#include "vectors.hpp"

namespace regroup::mcx {
namespace {

using test::unhex;
using test::vectors;

std::uint32_t number(const nlohmann::json& value) {
  return load_be32(fixed_from_hex<4>(value.get<std::string>()).value());
}

TEST(GukId, MatchesEveryVectorInBothDirections) {
  const auto list = vectors("3gpp-derivations.json").at("user_salt_guk_id");
  ASSERT_EQ(list.size(), 5U);
  for (const auto& v : list) {
    const Octets key = unhex(v.at("gmk"));
    const std::string uri = v.at("uri");
    const GmkId id{number(v.at("gmk_id"))};
    const GukId personal{number(v.at("guk_id"))};
    EXPECT_EQ(hex(be32(user_salt(key, uri))).substr(1), v.at("user_salt_28bit"));
    EXPECT_EQ(guk_id(key, id, uri), personal);
    EXPECT_EQ(gmk_id(key, personal, uri), id);
    EXPECT_EQ(hex(mki(id, personal)), v.at("mki"));
  }
}

TEST(GukId, MatchesVendorsWhereTheyAreRightAndOnlyThere) {
  const auto list = vectors("vendor-messages.json").at("guk_id");
  ASSERT_EQ(list.size(), 5U);
  for (const auto& v : list)
    EXPECT_EQ(
        guk_id(unhex(v.at("gmk")), GmkId{number(v.at("gmk_id"))}, v.at("uri").get<std::string>()).text() ==
            v.at("guk_id"),
        v.at("verified").get<bool>())
        << v.dump();
}

// Examples V1, V4, V5 of the media keys.
TEST(GukId, MatchesTheMediaExamples) {
  EXPECT_EQ(hex(be32(user_salt(unhex(std::string("fcfe65cd967c58d260b603ccb9a887a9")),
                               "sip:p25user01@etherstack.com"))),
            "0877434c");
  const Octets streamwide = unhex(std::string("07d1a1677ac36d8e81620484689b3c2d"));
  EXPECT_EQ(hex(be32(user_salt(streamwide, "sip:alice@streamwide.com"))), "0b5896d3");
  EXPECT_EQ(guk_id(streamwide, GmkId{0x0df9bc39}, "sip:alice@streamwide.com").text(), "06a12aea");
  EXPECT_EQ(guk_id(unhex(std::string("52079f77690731437e407a5b4845aab3")), GmkId{0x03f3453d},
                   "sip:P25SU-00003002000531@server-dev43-ws.streamwideus.com")
                .text(),
            "0e0e03f2");
}

TEST(GukId, KeepsThePurposeTag) {
  const Octets key = unhex(std::string("00112233445566778899aabbccddeeff"));
  for (std::uint32_t tag = 0; tag < 16; ++tag)
    EXPECT_EQ(guk_id(key, GmkId{tag << 28 | 5}, "sip:a@b").tag(), tag);
}

TEST(PurposeTag, IsAssignedFrom0To6) {
  for (std::uint8_t tag = 0; tag < 16; ++tag) {
    EXPECT_EQ(purpose_of(tag).ok(), tag <= 6);
    if (tag > 6) continue;
    EXPECT_EQ(static_cast<std::uint8_t>(purpose_of(tag).value()), tag);
    EXPECT_FALSE(name_of(purpose_of(tag).value()).empty());
  }
  EXPECT_TRUE(diversified(Purpose::gmk));
  EXPECT_FALSE(diversified(Purpose::mkfc));
}

}  // namespace
}  // namespace regroup::mcx
