// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.hpp"

#include <gtest/gtest.h>

#include "crypto/hash/kdf.hpp"
#include "vectors.hpp"

namespace regroup::crypto {
namespace {

using test::SeededRandom;
using test::unhex;
using test::vectors;

struct Case {
  std::string name, key, iv, associated, plaintext, sealed;
};

// McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)", appendix B: the cases of 96-, 64- and
// 480-bit IVs.
const std::string kKey = "feffe9928665731c6d6a8f9467308308";
const std::string kText =
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
const std::string kAssociated = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
const std::vector<Case> kCases = {
    {"1", std::string(32, '0'), std::string(24, '0'), "", "", "58e2fccefa7e3061367f1d57a4e7455a"},
    {"2", std::string(32, '0'), std::string(24, '0'), "", std::string(32, '0'),
     "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"},
    {"4", kKey, "cafebabefacedbaddecaf888", kAssociated, kText,
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05"
     "1ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47"},
    {"5", kKey, "cafebabefacedbad", kAssociated, kText,
     "61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c742373806900e49f24b22b097544d4896b42"
     "4989b5e1ebac0f07c23f45983612d2e79e3b0785561be14aaca2fccb"},
    {"6", kKey,
     "9313225df88406e555909c5aff5269aa6a7a9538534f7da1e4c303d2a318a728c3c0c95156809539fcf0e2429a6b5254"
     "16aedbf5a0de6a57a637b39b",
     kAssociated, kText,
     "8ce24998625615b603a033aca13fb894be9112a5c3a211a8ba262a3cca7e2ca701e4a9a4fba43c90ccdcb281d48c7c6f"
     "d62875d2aca417034c34aee5619cc5aefffe0bfa462af43c1699d050"},
    {"13", std::string(64, '0'), std::string(24, '0'), "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"14", std::string(64, '0'), std::string(24, '0'), "", std::string(32, '0'),
     "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"16", kKey + kKey, "cafebabefacedbaddecaf888", kAssociated, kText,
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
     "c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"},
};

TEST(AesGcm, MatchesThePublishedCasesOfShortUsualAndLongIvs) {
  for (const Case& c : kCases) {
    const Octets sealed = gcm_seal(unhex(c.key), unhex(c.iv), unhex(c.associated), unhex(c.plaintext));
    EXPECT_EQ(hex(sealed), c.sealed) << c.name;
    const auto opened = gcm_open(unhex(c.key), unhex(c.iv), unhex(c.associated), unhex(c.sealed));
    ASSERT_TRUE(opened.ok()) << c.name;
    EXPECT_EQ(hex(opened->expose()), c.plaintext) << c.name;
  }
}

TEST(AesGcm, SealsKeyParametersUnderTheProtectionKeyWithASixteenOctetIv) {
  const auto file = vectors("3gpp-derivations.json");
  const auto& entry = file.at("key_parameters");
  for (const auto& derivation : file.at("dpck")) {
    const Secret<32> kdf = kdf_33220(unhex(derivation.at("dppk")), 0x53, {unhex(derivation.at("dppk_id"))});
    EXPECT_EQ(hex(kdf.expose().last<16>()), derivation.at("dpck").get<std::string>());
  }
  const Octets key = unhex(entry.at("dpck")), iv = unhex(entry.at("iv")), aad = unhex(entry.at("aad"));
  ASSERT_EQ(iv.size(), 16U);
  EXPECT_EQ(hex(gcm_seal(key, iv, aad, unhex(entry.at("plaintext")))),
            entry.at("ciphertext_and_tag").get<std::string>());
  const auto opened = gcm_open(key, iv, aad, unhex(entry.at("ciphertext_and_tag")));
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(hex(opened->expose()), entry.at("plaintext").get<std::string>());
}

TEST(AesGcm, OpensTheKeyParametersOfAnotherVendor) {
  // vendor A, first message: key type(1) 00(0) .. || IV(16) || CSB ID(4) are the 32 associated octets, then
  // length(3).
  int opened = 0;
  const auto file = vectors("vendor-messages.json");
  for (const auto& domain : file.at("domains"))
    for (const auto& message : domain.at("messages")) {
      if (!message.contains("key_parameters") || !message.at("key_parameters").contains("protected"))
        continue;
      const auto& parameters = message.at("key_parameters");
      const Octets all = unhex(parameters.at("protected"));
      const OctetsView aad = OctetsView(all).first(32), sealed = OctetsView(all).subspan(35);
      const Secret<32> kdf = kdf_33220(unhex(message.at("key")), 0x53, {unhex(message.at("csb_id"))});
      const auto clear = gcm_open(kdf.expose().last<16>(), aad.subspan(12, 16), aad, sealed);
      ASSERT_TRUE(clear.ok()) << message.at("csb_id");
      EXPECT_EQ(hex(clear->expose()), parameters.at("clear").get<std::string>());
      ++opened;
    }
  EXPECT_GE(opened, 3);
}

TEST(AesGcm, RefusesEverySingleBitFlip) {
  const Case& c = kCases[3];
  const auto refused_everywhere = [&](int which) {
    Octets parts[] = {unhex(c.key), unhex(c.iv), unhex(c.associated), unhex(c.sealed)};
    Octets& part = parts[which];
    for (std::size_t bit = 0; bit < 8 * part.size(); ++bit) {
      const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
      part[bit / 8] ^= mask;
      const auto result = gcm_open(parts[0], parts[1], parts[2], parts[3]);
      ASSERT_FALSE(result.ok()) << "part " << which << " bit " << bit;
      EXPECT_EQ(result.error().code, Errc::undecryptable);
      part[bit / 8] ^= mask;
    }
  };
  for (int which = 0; which < 4; ++which) refused_everywhere(which);
}

TEST(AesGcm, RefusesOtherLengthsThanWereSealed) {
  const Case& c = kCases[2];
  Octets sealed = unhex(c.sealed);
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    const auto result =
        gcm_open(unhex(c.key), unhex(c.iv), unhex(c.associated), OctetsView(sealed).first(size));
    ASSERT_FALSE(result.ok()) << size;
    EXPECT_EQ(result.error().code, Errc::undecryptable);
  }
  sealed.push_back(0);
  EXPECT_FALSE(gcm_open(unhex(c.key), unhex(c.iv), unhex(c.associated), sealed).ok());
}

TEST(AesGcm, TakesAnIvOfEveryLengthFromOneTo64) {
  SeededRandom random(20);
  const auto key = random.octets<16>();
  for (std::size_t size = 1; size <= 64; ++size) {
    Octets iv(size);
    random.fill(iv);
    const Octets sealed = gcm_seal(key, iv, view("a"), view("text"));
    ASSERT_TRUE(gcm_open(key, iv, view("a"), sealed).ok()) << size;
    iv.back() ^= 1;  // the last octet counts: OpenSSL would silently use 12 of them if it were not told
    ASSERT_FALSE(gcm_open(key, iv, view("a"), sealed).ok()) << size;
  }
  for (const std::size_t size : {0U, 65U}) {
    const auto result = gcm_open(key, Octets(size), {}, Octets(40));
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, Errc::malformed);
  }
  EXPECT_FALSE(gcm_open(Octets(24), Octets(12), {}, Octets(40)).ok());
}

TEST(AesGcmDeathTest, NeverSealsUnderAKeyOrIvOfAnotherSize) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(static_cast<void>(gcm_seal(Octets(24), Octets(12), {}, {})), "");
  EXPECT_DEATH(static_cast<void>(gcm_seal(Octets(16), Octets(), {}, {})), "");
}

}  // namespace
}  // namespace regroup::crypto
