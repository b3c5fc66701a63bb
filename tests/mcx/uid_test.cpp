// SPDX-License-Identifier: Apache-2.0
#include "mcx/uid.hpp"

#include "vectors.hpp"

namespace regroup::mcx {
namespace {

using test::unhex;
using test::vectors;

TEST(Uid, MatchesEveryVectorAndItsHashedString) {
  const auto list = vectors("3gpp-derivations.json").at("uid");
  ASSERT_EQ(list.size(), 10U);
  for (const auto& v : list) {
    const std::string uri = v.at("uri"), kms = v.at("kms_uri");
    const std::int64_t period = v.at("key_period_s"), offset = v.at("key_period_offset_s"),
                       number = v.at("key_period_no");
    EXPECT_EQ(hex(uid_input(uri, kms, period, offset, number)), v.at("S"));
    EXPECT_EQ(hex(uid(uri, kms, period, offset, number)), v.at("uid"));
  }
}

TEST(Uid, MatchesWhatVendorsPublishedOffsetBeyondThePeriodIncluded) {
  const auto file = vectors("vendor-messages.json");
  ASSERT_EQ(file.at("uid").size(), 5U);
  for (const auto& v : file.at("uid"))
    EXPECT_EQ(hex(uid(v.at("uri").get<std::string>(), v.at("kms").get<std::string>(), v.at("period"),
                      v.at("offset"), v.at("number"))) == v.at("uid"),
              v.at("verified").get<bool>())
        << v.dump();
  for (const auto& domain : file.at("domains"))
    for (const auto& user : domain.at("users"))
      EXPECT_EQ(hex(uid(user.at("uri").get<std::string>(), domain.at("kms").get<std::string>(),
                        domain.at("period"), domain.at("offset"), domain.at("number"))) == user.at("uid"),
                user.at("uid_ok").get<bool>())
          << user.at("uri");
}

// TS 33.180 F.2.1 as quoted by the KMS digest, 7.1 and 13.
TEST(Uid, MatchesTheKmsExamples) {
  const struct {
    const char *identity, *kms;
    std::int64_t period, offset, number;
    const char* uid;
  } rows[] = {
      {"sip:user@example.org", "kms.example.org", 2592000, 0, 1388,
       "3a81fb14c3b1d0fe43c9c577104d55a6d81788bfd2f09743c4557746a5a0353b"},
      {"sip:user@example.org", "kms.example.org", 2592000, 0, 1,
       "74e2af803ab5d72841bbced0ce319ffe64f6fe23c88a2d258aabcf6ac5658ef4"},
      {"sip:user@example.org", "kms.example.org", 10, 0, 10,
       "94fb1a697c15d7e9d6b7062066affebda2d9e346e0090d67525c0c3ce666eafa"},
      {"sip:user@example.org", "kms.example.org", 25920000, 100, 2048,
       "c88b3fa5e36a08985d10f7b31a631b0265e8249f0312435e4984dbc3765c7f0c"},
      {"sip:user.001@alpha.example", "kms.alpha.example", 2592000, 0, 1536,
       "72db45f98d6287bf2acec5599eb27afb0bff0337423ba3a36639ea3a6408314a"},
      {"sip:user.001@alpha.example", "kms.alpha.example", 2592000, 0, 1537,
       "a4c70631036068884da415b84970914e010cc637ca72f2b5c2a37ca89896c8bd"},
      {"sip:gms.group@alpha.example", "kms.alpha.example", 2592000, 0, 1536,
       "c050ace34d29dfb4c9068ac63215bb1a66173815f25a3ea8af36c484588770de"},
      {"sip:gms.group@alpha.example", "kms.alpha.example", 2592000, 0, 1537,
       "c1e0b1f55242dc28032e1b55c79acbc7baeaf522bed8a9f6591db5e8cf5d109e"},
      {"sip:gms.group@beta.example", "kms.beta.example", 604800, 259200, 6582,
       "f270ae3aa4c65c9a8b03bec4ed6163e349ea280f1a8b0fee19d777548c12d560"},
      {"sip:gms.group@beta.example", "kms.beta.example", 604800, 259200, 6583,
       "16fbe64b954d4227e2733a74ae96f00da9c1ad1172ef5f69df6f0a5ea04439e6"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(hex(uid(row.identity, row.kms, row.period, row.offset, row.number)), row.uid)
        << row.identity << ' ' << row.number;
  EXPECT_EQ(hex(uid_input("sip:user.001@alpha.example", "kms.alpha.example", 2592000, 0, 1536)),
            "004d494b45592d53414b4b452d554944000f7369703a757365722e30303140616c7068612e6578616d706c65001a6b6d"
            "732e616c7068612e"
            "6578616d706c650011278d00000300000106000002");
}

TEST(Uid, WritesIntegersWithTheFewestOctets) {
  const struct {
    std::int64_t number;
    const char* tail;
  } rows[] = {{0, "000001"},
              {1, "010001"},
              {255, "ff0001"},
              {256, "01000002"},
              {65535, "ffff0002"},
              {65536, "0100000003"},
              {0xffffffff, "ffffffff0004"},
              {0x100000000, "01000000000005"},
              {0x7fffffffffffffff, "7fffffffffffffff0008"}};
  for (const auto& row : rows)
    EXPECT_THAT(hex(uid_input("u", "k", 1, 0, row.number)), testing::EndsWith(row.tail));
}

TEST(Uid, DistinguishesEverySpellingAndEveryPart) {
  const Uid one = uid("sip:a@b", "k", 10, 0, 1);
  EXPECT_NE(one, uid("sip:A@b", "k", 10, 0, 1));
  EXPECT_NE(one, uid("a@b", "k", 10, 0, 1));
  EXPECT_NE(one, uid("sip:a@b", "K", 10, 0, 1));
  EXPECT_NE(one, uid("sip:a@b", "k", 11, 0, 1));
  EXPECT_NE(one, uid("sip:a@b", "k", 10, 1, 1));
  EXPECT_NE(one, uid("sip:a@b", "k", 10, 0, 2));
}

TEST(Rfc6509Identifier, IsTheOneOfTheRfcVectors) {
  EXPECT_EQ(hex(rfc6509_identifier("2011-02", "tel:+447700900123")),
            "323031312d30320074656c3a2b34343737303039303031323300");
}

TEST(Uid, TheSelfTestOfProcessStartPasses) { EXPECT_TRUE(self_test().ok()); }

}  // namespace
}  // namespace regroup::mcx
