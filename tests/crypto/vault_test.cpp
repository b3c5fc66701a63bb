// SPDX-License-Identifier: Apache-2.0
#include "crypto/vault.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "vectors.hpp"

namespace regroup::crypto {
namespace {

using test::SeededRandom;

constexpr std::uint8_t kFast = kVaultLeastLog2N;

Vault make_vault(std::string_view passphrase = "correct horse") {
  SeededRandom random(7);
  return Vault::make(view(passphrase), random, kFast);
}

TEST(Vault, OpensWhatItSealedAlsoAfterTheHeaderWasStored) {
  SeededRandom random(8);
  const Vault vault = make_vault();
  const Octets sealed = vault.seal("gmk/0abcdef1", view("sixteen octets!!"), random);
  const Octets stored = vault.header().write();
  ASSERT_EQ(stored.size(), 34U);
  const auto header = VaultHeader::parse(stored);
  ASSERT_TRUE(header.ok()) << header.error().text();
  const auto again = Vault::open(*header, view("correct horse"));
  ASSERT_TRUE(again.ok());
  const auto opened = again->open("gmk/0abcdef1", sealed);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(text_of(opened->expose()), "sixteen octets!!");
}

TEST(Vault, DerivesItsKeyAsRfc7914Says) {
  // RFC 7914 section 12, third vector: P "pleaseletmein", S "SodiumChloride", N 16384, r 8, p 1, first 32
  // octets. The salt of a vault has 16 octets, so the key is checked against an independent derivation of the
  // whole header: python3 -c 'import hashlib,hmac;
  // d=hashlib.scrypt(b"pleaseletmein",salt=b"SodiumChlorideXY",n=16384,r=8,p=1,
  //   maxmem=2**26,dklen=64); print(hmac.new(d[32:],b"regroup vault check","sha256").digest()[:12].hex())'
  class Salt final : public Random {
   public:
    void fill(std::span<std::uint8_t> out) override {
      constexpr std::string_view salt = "SodiumChlorideXY";
      std::copy_n(salt.begin(), out.size(), out.begin());
    }
  } salt;
  const Vault vault = Vault::make(view("pleaseletmein"), salt, 14);
  EXPECT_EQ(hex(OctetsView(vault.header().check).first(12)), "64201e457b7dc98458b81fde");
}

TEST(Vault, TellsAWrongPassphraseFromADamagedHeader) {
  const Vault vault = make_vault();
  const auto wrong = Vault::open(vault.header(), view("correct horsf"));
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, Errc::not_authorised);
  EXPECT_FALSE(wrong.error().cure.empty());
  EXPECT_EQ(wrong.error().text().find("horsf"), std::string::npos);

  const Octets stored = vault.header().write();
  for (std::size_t bit = 0; bit < 8 * stored.size(); ++bit) {
    Octets damaged = stored;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1U << (bit % 8)));
    const auto result = VaultHeader::parse(damaged);
    ASSERT_FALSE(result.ok()) << bit;
    EXPECT_NE(result.error().code, Errc::not_authorised) << bit;
    EXPECT_FALSE(result.error().cure.empty()) << bit;
  }
  VaultHeader header = vault.header();
  header.salt[0] ^= 1;  // altered in memory, not read through parse
  EXPECT_EQ(Vault::open(header, view("correct horse")).error().code, Errc::storage);
}

TEST(Vault, RefusesHeadersOfOtherLengthsAndCosts) {
  Octets stored = make_vault().header().write();
  for (std::size_t size = 0; size < stored.size(); ++size)
    EXPECT_FALSE(VaultHeader::parse(OctetsView(stored).first(size)).ok()) << size;
  Octets longer = stored;
  longer.push_back(0);
  EXPECT_FALSE(VaultHeader::parse(longer).ok());
  for (const int log2_n : {0, 1, 9, 21, 30, 63, 64, 255}) {  // 30 would ask for a TiB
    stored[1] = static_cast<std::uint8_t>(log2_n);
    const auto result = VaultHeader::parse(stored);
    ASSERT_FALSE(result.ok()) << log2_n;
    EXPECT_NE(result.error().detail.find("log2_n"), std::string::npos) << result.error().detail;
  }
  stored[0] = 2;
  EXPECT_EQ(VaultHeader::parse(stored).error().code, Errc::unsupported);
}

TEST(Vault, BindsAValueToItsPlace) {
  SeededRandom random(9);
  const Vault vault = make_vault();
  const Octets sealed = vault.seal("gmk/1", view("secret"), random);
  for (const std::string_view other : {"gmk/2", "gmk/", "", "gmk/10"}) {
    const auto result = vault.open(other, sealed);
    ASSERT_FALSE(result.ok()) << other;
    EXPECT_EQ(result.error().code, Errc::undecryptable);
  }
}

TEST(Vault, RefusesEveryAlterationOfASealedValue) {
  SeededRandom random(10);
  const Vault vault = make_vault();
  Octets sealed = vault.seal("k", view("secret"), random);
  for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
    sealed[bit / 8] ^= mask;
    EXPECT_FALSE(vault.open("k", sealed).ok()) << bit;
    sealed[bit / 8] ^= mask;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_FALSE(vault.open("k", OctetsView(sealed).first(size)).ok()) << size;
  EXPECT_TRUE(vault.open("k", sealed).ok());
}

TEST(Vault, NeverUsesAnIvTwiceAndHidesEqualValues) {
  SeededRandom random(11);
  const Vault vault = make_vault();
  std::set<Octets> ivs;
  for (int i = 0; i < 200; ++i) {
    const Octets sealed = vault.seal("k", view("same"), random);
    EXPECT_TRUE(ivs.insert(Octets(sealed.begin(), sealed.begin() + 12)).second);
  }
}

TEST(Vault, SealsEmptyValuesAndLongOnes) {
  SeededRandom random(12);
  const Vault vault = make_vault();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{100'000}}) {
    Octets value(size);
    random.fill(value);
    const auto opened = vault.open("k", vault.seal("k", value, random));
    ASSERT_TRUE(opened.ok());
    EXPECT_TRUE(ct_equal(opened->expose(), value));
  }
}

TEST(Vault, TwoVaultsOfOnePassphraseDoNotShareAKey) {
  SeededRandom random(13);
  const Vault a = Vault::make(view("p"), random, kFast), b = Vault::make(view("p"), random, kFast);
  EXPECT_NE(a.header().salt, b.header().salt);
  EXPECT_FALSE(b.open("k", a.seal("k", view("x"), random)).ok());
}

class PassphraseFile : public testing::Test {
 protected:
  PassphraseFile() {
    char name[] = "/tmp/regroup-vault-XXXXXX";
    folder_ = ::mkdtemp(name);
    path_ = folder_ + "/passphrase";
  }
  ~PassphraseFile() override { std::filesystem::remove_all(folder_); }
  void write(std::string_view content, mode_t mode = 0600) {
    std::ofstream(path_, std::ios::binary) << content;
    ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
  }
  void expect_refused(const std::string& reason, const std::string& cure) {
    const auto result = read_passphrase_file(path_);
    ASSERT_FALSE(result.ok()) << reason;
    EXPECT_EQ(result.error().code, Errc::usage);
    EXPECT_NE(result.error().detail.find(reason), std::string::npos) << result.error().detail;
    EXPECT_NE(result.error().cure.find(cure), std::string::npos) << result.error().cure;
  }
  std::string folder_, path_;
};

TEST_F(PassphraseFile, GivesTheFirstLineWithoutItsEnd) {
  for (const std::string_view content :
       {"open sesame", "open sesame\n", "open sesame\r\n", "open sesame\nsecond\n"}) {
    write(content);
    const auto result = read_passphrase_file(path_);
    ASSERT_TRUE(result.ok()) << result.error().text();
    EXPECT_EQ(text_of(result->expose()), "open sesame");
  }
  write(" spaces stay \n", 0400);
  EXPECT_EQ(text_of(read_passphrase_file(path_).value().expose()), " spaces stay ");
}

TEST_F(PassphraseFile, IsRefusedWhenOthersCanReachIt) {
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0644U, 0666U}) {
    write("open sesame\n", mode);
    expect_refused("other users", "chmod 600 " + path_);
  }
}

TEST_F(PassphraseFile, IsRefusedWhenItBelongsToAnotherUser) {
  write("open sesame\n");
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(path_.c_str(), 65534, 65534), 0);
  } else {
    path_ = "/etc/hostname";  // root's
  }
  expect_refused("belongs to user", "chown");
}

TEST_F(PassphraseFile, IsRefusedWhenEmpty) {
  for (const std::string_view content : {"", "\n", "\r\n", "\nsecond line\n"}) {
    write(content);
    expect_refused("empty first line", "write the secret");
  }
}

TEST_F(PassphraseFile, IsRefusedWhenMissingOrNoFile) {
  expect_refused("cannot be opened", "umask 077");
  path_ = folder_;
  expect_refused("not a regular file", "regular file");
  path_ = folder_ + "/fifo";
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);  // nobody writes: a blocking open would hang here
  expect_refused("not a regular file", "regular file");
}

TEST_F(PassphraseFile, BoundsTheFirstLine) {
  write(std::string(4096, 'x') + "\n");
  EXPECT_EQ(read_passphrase_file(path_).value().size(), 4096U);
  write(std::string(4097, 'x') + "\n");
  expect_refused("more than 4096", "shorten");
  write(std::string(1 << 20, 'x'));
  expect_refused("more than 4096", "shorten");
}

}  // namespace
}  // namespace regroup::crypto
