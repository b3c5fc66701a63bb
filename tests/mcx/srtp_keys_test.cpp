// SPDX-License-Identifier: Apache-2.0
#include "mcx/srtp_keys.hpp"

#include "vectors.hpp"

namespace regroup::mcx {
namespace {

using test::unhex;
using test::vectors;

std::uint32_t number(const nlohmann::json& value) {
  return load_be32(fixed_from_hex<4>(value.get<std::string>()).value());
}

TEST(SrtpKeys, MatchEveryVectorWithSaltsOf12And14Octets) {
  const auto list = vectors("3gpp-derivations.json").at("srtp");
  ASSERT_EQ(list.size(), 8U);
  for (const auto& v : list) {
    const Octets key = unhex(v.at("tgk")), rand = unhex(v.at("rand"));
    const SrtpKeys keys = srtp_keys(key, v.at("cs_id"), number(v.at("csb_id")), rand);
    EXPECT_EQ(hex(keys.key.expose()), v.at("srtp_master_key"));
    EXPECT_EQ(hex(keys.salt.expose()), v.at("srtp_master_salt"));
    EXPECT_EQ(hex(srtp_salt14(key, v.at("cs_id"), number(v.at("csb_id")), rand).expose()),
              v.at("srtp_master_salt_14"));
  }
}

// Vendor C derives the key with the constant of the encryption key: such an entry must not match.
TEST(SrtpKeys, MatchVendorsThatUseTheTekConstantAndNoOther) {
  const auto list = vectors("vendor-messages.json").at("derivation");
  ASSERT_EQ(list.size(), 7U);
  for (const auto& v : list) {
    const SrtpKeys keys =
        srtp_keys(unhex(v.at("key")), v.at("cs_id"), number(v.at("csb_id")), unhex(v.at("rand")));
    EXPECT_EQ(hex(keys.key.expose()) == v.at("master_key"), v.at("key_constant").at(0) == "TEK") << v.dump();
    EXPECT_EQ(hex(keys.salt.expose()) == v.at("master_salt"), v.at("salt_ok").get<bool>()) << v.dump();
  }
}

// Examples V1-V4, V6, V7 of the media keys and the keys that a wrong CS ID gives.
TEST(SrtpKeys, MatchTheMediaExamples) {
  const char* const gmk = "fcfe65cd967c58d260b603ccb9a887a9";
  const char* const rand = "6819e679461120e10ac458cce67b8024";
  const struct {
    const char *key, *rand;
    std::uint8_t cs_id;
    std::uint32_t csb_id;
    const char *master_key, *master_salt;
  } rows[] = {
      {gmk, rand, 4, 0x01c8de7b, "64837d2b4d69a266e4489d3807353ad9", "8b2f081ce8e8bdab1f8d9eb8"},
      {gmk, rand, 0, 0x01c8de7b, "dae2e0fca6b434ce9b0d39a206f6702e", "c149a7a3a077b0c9ac4c5ac7"},
      {gmk, rand, 5, 0x01c8de7b, "937bb0aa44c401e5c54488eb90678e54", "250c6094446c9c5ee5b911f5"},
      {gmk, rand, 4, 0x0abe69d0, "de81b70c4ae0ff3f79364df586c2e0ce", "750ea7422b4d5a8ff475c6d5"},
      {gmk, rand, 4, 0x0c449727, "f097ac3325f1f784bc8ba4112c5e5f88", "97a154fb24efbfb353a265e2"},
      {"07d1a1677ac36d8e81620484689b3c2d", "ca2f5d51ff0866362c1d85a56f84651e", 4, 0x06a12aea,
       "acb1b4e2b2dca12291e1794a8ef84947", "ee2f78e5ef16939d4a938327"},
      {"28ba74447f037dcc09ad7f2576dc2def", "30333032343661303730646133333265", 6, 0x1c5f7886,
       "185d08cb5a226d19d71679adf5e415be", "d1d648b2a0040633a3dd72e5"},
      {"a27b7d578eeb9b1ee7705e385996d300", "4339f62f55aac86348846a482c893802", 4, 0x0633f457,
       "59aaa49ebb54813602b7cc165961b4e8", "745eb4df7d155c473114a799"},
  };
  for (const auto& row : rows) {
    const SrtpKeys keys =
        srtp_keys(unhex(std::string(row.key)), row.cs_id, row.csb_id, unhex(std::string(row.rand)));
    EXPECT_EQ(hex(keys.key.expose()), row.master_key);
    EXPECT_EQ(hex(keys.salt.expose()), row.master_salt);
  }
}

TEST(SrtpKeys, UseTheWholeRandOfWhateverLength) {
  const Octets key(16, 1);
  Octets rand(17, 2);
  const SrtpKeys one = srtp_keys(key, 4, 5, rand);
  rand.back() ^= 1;
  EXPECT_FALSE(ct_equal(one.key.expose(), srtp_keys(key, 4, 5, rand).key.expose()));
}

TEST(Dpck, MatchesOurVectorsAndAVendors) {
  const auto ours = vectors("3gpp-derivations.json").at("dpck"),
             vendor = vectors("vendor-messages.json").at("dpck");
  ASSERT_EQ(ours.size() + vendor.size(), 3U);
  for (const auto& list : {ours, vendor})
    for (const auto& v : list)
      EXPECT_EQ(hex(dpck(unhex(v.at("dppk")), number(v.at("dppk_id"))).expose()), v.at("dpck"));
}

}  // namespace
}  // namespace regroup::mcx
