// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash/kdf.hpp"

#include <gtest/gtest.h>

#include "crypto/hash/sha256.hpp"
#include "vectors.hpp"

namespace regroup::crypto {
namespace {

using test::unhex;
using test::vectors;

TEST(HmacSha256, MatchesRfc4231) {
  EXPECT_EQ(hex(hmac_sha256(Octets(20, 0x0b), view("Hi There")).expose()),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac_sha256(Octets(131, 0xaa), view("Test Using Larger Than Block-Size Key - Hash Key First"))
                    .expose()),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Sha256, IsTheHashOfThePartsInOrder) {
  EXPECT_EQ(hex(sha256({view("a"), view("bc")})),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(PrfHmacSha256, MatchesEveryPublishedSrtpKeyAndSalt) {
  const auto file = vectors("3gpp-derivations.json");
  for (const auto& entry : file.at("srtp")) {
    Octets key(16), salt(12);
    prf_hmac_sha256(unhex(entry.at("tgk")), unhex(entry.at("label_tek")), key);
    prf_hmac_sha256(unhex(entry.at("tgk")), unhex(entry.at("label_salt")), salt);
    EXPECT_EQ(hex(key), entry.at("srtp_master_key").get<std::string>());
    EXPECT_EQ(hex(salt), entry.at("srtp_master_salt").get<std::string>());
  }
}

TEST(PrfHmacSha256, SplitsALongKeyAndGivesManyBlocks) {
  const auto entry = vectors("3gpp-derivations.json").at("prf_long");
  Octets out(entry.at("outlen").get<std::size_t>());
  prf_hmac_sha256(unhex(entry.at("inkey")), unhex(entry.at("label")), out);
  EXPECT_EQ(hex(out), entry.at("out").get<std::string>());
}

TEST(Kdf33220, MatchesEveryPublishedUserSaltAndProtectionKey) {
  const auto file = vectors("3gpp-derivations.json");
  for (const auto& entry : file.at("user_salt_guk_id"))
    EXPECT_EQ(
        hex(kdf_33220(unhex(entry.at("gmk")), 0x50, {view(entry.at("uri").get<std::string>())}).expose()),
        entry.at("kdf_output").get<std::string>());
  for (const auto& entry : file.at("dpck"))
    EXPECT_EQ(hex(kdf_33220(unhex(entry.at("dppk")), 0x53, {unhex(entry.at("dppk_id"))}).expose()),
              entry.at("kdf_output").get<std::string>());
}

}  // namespace
}  // namespace regroup::crypto
