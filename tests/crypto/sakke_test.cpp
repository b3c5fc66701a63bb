// SPDX-License-Identifier: Apache-2.0
// SAKKE as its callers meet it: keys of several KMSs, batches, refusals, random round trips.
#include "crypto/sakke.hpp"

#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "vectors.hpp"

namespace regroup::crypto::sakke {
namespace {

using test::unhex;

struct Kms {
  explicit Kms(Random& random) : z(make_master_secret(random)), key(KmsPublicKey::derive(z)) {}
  MasterSecret z;
  KmsPublicKey key;
};

constexpr char kQ[] =
    "265eaec7c2958ff69971846636b4195e905b0338672d20986fa6b8d62cf8068bbd02aac9f8bf03c6c8a1cc354c69672c"
    "39e46ce7fdf222864d5b49fd2999a9b4389b1921cc9ad335144ab173595a07386dabfd2a0c614aa0a9f3cf14870f026a"
    "a7e535abd5a5c7c7ff38fa08e2615f6c203177c42b1eb3a1d99b601ebfaa17fb";

TEST(MasterSecret, TakesTwoToQMinusOneAndNothingElse) {
  Octets q = unhex(std::string(kQ));
  EXPECT_FALSE(parse_master_secret(q).ok());
  q[127] = 0xfa;
  EXPECT_TRUE(parse_master_secret(q).ok());
  EXPECT_FALSE(parse_master_secret(Octets(128, 0xff)).ok());
  for (const std::uint8_t small : Octets{0, 1}) EXPECT_FALSE(parse_master_secret(Octets{small}).ok());
  EXPECT_FALSE(parse_master_secret({}).ok());
  EXPECT_FALSE(parse_master_secret(Octets(129, 0)).ok());
  const auto two = parse_master_secret(Octets{2});
  ASSERT_TRUE(two.ok());
  EXPECT_EQ(two->expose()[127], 2);
  EXPECT_EQ(two->expose()[0], 0);
}

TEST(MasterSecret, IsDrawnAgainWhenItFallsOutsideTheRange) {
  Octets draws(256, 0xff);  // the first, without its two top bits, is above q
  for (std::size_t i = 128; i < 256; ++i) draws[i] = 0x11;
  test::QueuedRandom random(draws);
  const auto z = make_master_secret(random);
  EXPECT_EQ(z.expose()[0], 0x11);
}

TEST(KmsPublicKey, ParsedTwiceSharesItsTablesAndAnotherKeyDoesNot) {
  test::SeededRandom random(1);
  const Kms a(random), b(random);
  const auto again = KmsPublicKey::parse(a.key.octets());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(&again->tables(), &a.key.tables());
  EXPECT_NE(&a.key.tables(), &b.key.tables());
  EXPECT_EQ(again->octets(), a.key.octets());
}

TEST(KmsPublicKey, StaysUsableWhenManyOthersFollow) {
  test::SeededRandom random(2);
  const Kms first(random);
  const Fixed<1> id{7};
  const Recipient to{id, &first.key};
  const auto before = encapsulate(Octets(16, 1), {&to, 1});
  for (int i = 0; i < 20; ++i) (void)KmsPublicKey::derive(make_master_secret(random));
  EXPECT_EQ(encapsulate(Octets(16, 1), {&to, 1}).value(), before.value());
  const auto parsed = KmsPublicKey::parse(first.key.octets());
  ASSERT_TRUE(parsed.ok());
  EXPECT_NE(&parsed->tables(), &first.key.tables());  // it had left the list, and was made anew
}

TEST(Encapsulate, ABatchOverTwoKmsIsTheSingleResultsInOrder) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  test::SeededRandom random(seed);
  const Kms a(random), b(random);
  const auto ssv = random.octets<16>();
  std::vector<Fixed<32>> ids(5);
  for (auto& id : ids) id = random.octets<32>();
  std::vector<Recipient> to;
  for (std::size_t i = 0; i < ids.size(); ++i) to.push_back({ids[i], i % 2 ? &a.key : &b.key});
  const auto batch = encapsulate(ssv, to);
  ASSERT_TRUE(batch.ok());
  ASSERT_EQ(batch->size(), to.size());
  for (std::size_t i = 0; i < to.size(); ++i) {
    EXPECT_EQ(encapsulate(ssv, {&to[i], 1})->front(), (*batch)[i]);
    const Kms& kms = i % 2 ? a : b;
    const auto rsk = extract(kms.z, ids[i]);
    EXPECT_EQ(hex(decapsulate(kms.key, ids[i], rsk.value(), (*batch)[i])->expose()), hex(ssv));
    const Kms& other = i % 2 ? b : a;
    EXPECT_FALSE(decapsulate(other.key, ids[i], rsk.value(), (*batch)[i]).ok());
    EXPECT_FALSE(verify(other.key, ids[i], rsk.value()).ok());
  }
}

TEST(Encapsulate, TakesNobodyAndMoreThanOneChunk) {
  test::SeededRandom random(3);
  const Kms kms(random);
  EXPECT_TRUE(encapsulate(Octets(16), {})->empty());
  std::vector<Fixed<2>> ids;
  for (std::uint8_t i = 0; i < 2; ++i)
    for (int j = 0; j < 129; ++j) ids.push_back({i, static_cast<std::uint8_t>(j)});
  std::vector<Recipient> to;
  for (const auto& id : ids) to.push_back({id, &kms.key});
  const auto all = encapsulate(Octets(16, 9), to);
  ASSERT_TRUE(all.ok());
  for (const std::size_t i : {0U, 255U, 256U, 257U})
    EXPECT_EQ((*all)[i], encapsulate(Octets(16, 9), {&to[i], 1})->front()) << i;
}

TEST(Encapsulate, RefusesAnSsvOfAnotherSizeAndAnIdentifierThatIsMinusZ) {
  const auto z = parse_master_secret(Octets{5}).value();
  const auto key = KmsPublicKey::derive(z);
  Octets minus_z = unhex(std::string(kQ));
  minus_z[127] = static_cast<std::uint8_t>(minus_z[127] - 5);
  const Recipient to{minus_z, &key};
  EXPECT_EQ(encapsulate(Octets(16, 1), {&to, 1}).error().code, Errc::conflict);
  EXPECT_EQ(extract(z, minus_z).error().code, Errc::conflict);
  const Fixed<1> id{1};
  const Recipient good{id, &key};
  for (const std::size_t size : {0U, 15U, 17U, 31U, 33U})
    EXPECT_EQ(encapsulate(Octets(size), {&good, 1}).error().code, Errc::usage);
  EXPECT_EQ(decapsulate(key, id, extract(z, id).value(), Octets(273), 24).error().code, Errc::usage);
}

TEST(Rsk, TravelsAsOctetsAndRefusesEachFlaw) {
  test::SeededRandom random(4);
  const Kms kms(random);
  const auto id = random.octets<32>();
  const auto rsk = extract(kms.z, id).value();
  const auto octets = rsk.octets();
  const auto parsed = Rsk::parse(octets.expose());
  ASSERT_TRUE(parsed.ok());
  EXPECT_TRUE(verify(kms.key, id, parsed.value()).ok());
  EXPECT_TRUE(verify(kms.key, id, parsed->duplicate()).ok());
  EXPECT_EQ(hex(parsed->octets().expose()), hex(octets.expose()));

  Octets flawed = to_octets(octets.expose());
  flawed[200] ^= 1;
  EXPECT_NE(Rsk::parse(flawed).error().detail.find("not on the curve"), std::string::npos);
  EXPECT_NE(KmsPublicKey::parse(flawed).error().detail.find("not on the curve"), std::string::npos);
  Octets origin(257);
  origin[0] = 4;
  EXPECT_NE(Rsk::parse(origin).error().detail.find("order q"), std::string::npos);
  EXPECT_NE(KmsPublicKey::parse(origin).error().detail.find("order q"), std::string::npos);
  EXPECT_NE(Rsk::parse(Octets(128, 4)).error().detail.find("uncompressed"), std::string::npos);
  EXPECT_NE(KmsPublicKey::parse(Octets{0}).error().detail.find("neutral"), std::string::npos);
  // A refusal shows nothing of the octets.
  EXPECT_EQ(Rsk::parse(flawed).error().text().find(hex(OctetsView(flawed).subspan(1, 4))), std::string::npos);
}

TEST(Decapsulate, RefusesEveryFlippedOctetOfTheMessageWithOneAnswer) {
  test::SeededRandom random(5);
  const Kms kms(random);
  const auto id = random.octets<32>();
  const Recipient to{id, &kms.key};
  const auto message = encapsulate(random.octets<16>(), {&to, 1})->front();
  const auto rsk = extract(kms.z, id).value();
  std::set<std::string> answers;
  for (const std::size_t at : {0U, 1U, 128U, 129U, 256U, 257U, 272U}) {
    Octets changed = message;
    changed[at] ^= 0x40;
    const auto opened = decapsulate(kms.key, id, rsk, changed);
    ASSERT_FALSE(opened.ok()) << at;
    answers.insert(opened.error().text());
  }
  for (std::size_t size : {0U, 257U, 272U}) {
    const auto opened = decapsulate(kms.key, id, rsk, OctetsView(message).first(size));
    ASSERT_FALSE(opened.ok());
    answers.insert(opened.error().text());
  }
  EXPECT_EQ(answers.size(), 1U);
}

TEST(Decapsulate, OpensFromSeveralThreadsAtOnceWithAndWithoutLines) {
  test::SeededRandom random(6);
  const Kms kms(random);
  const auto id = random.octets<32>();
  const Recipient to{id, &kms.key};
  const auto ssv = random.octets<16>();
  const auto message = encapsulate(ssv, {&to, 1})->front();
  const auto with = extract(kms.z, id).value();
  const auto without = with.duplicate();
  set_line_budget(0);
  EXPECT_EQ(hex(decapsulate(kms.key, id, without, message)->expose()), hex(ssv));
  set_line_budget(64);
  std::vector<std::thread> threads;
  std::array<bool, 4> opened{};
  for (std::size_t i = 0; i < opened.size(); ++i)
    threads.emplace_back([&, i] {
      const auto found = decapsulate(kms.key, id, i % 2 ? with : without, message);
      opened[i] = found.ok() && ct_equal(found->expose(), ssv);
    });
  for (auto& thread : threads) thread.join();
  for (const bool ok : opened) EXPECT_TRUE(ok);
}

TEST(SelfTest, Passes) { EXPECT_TRUE(self_test().ok()); }

}  // namespace
}  // namespace regroup::crypto::sakke
