// SPDX-License-Identifier: Apache-2.0
// The vault whose key a token keeps, with a token of SoftHSM; without PKCS#11 in this program its refusal.
#include "crypto/token_vault.hpp"

#include <gmock/gmock.h>

#include "crypto/hash/sha256.hpp"
#include "crypto/random.hpp"
#include "crypto/soft_token.hpp"

namespace regroup::crypto {
namespace {

namespace fs = std::filesystem;

std::string new_folder() {
  std::string name = (fs::temp_directory_path() / "regroup-vault-XXXXXX").string();
  return ::mkdtemp(name.data());
}

class TokenVault : public testing::Test {
 protected:
  void SetUp() override {
    if (!token_keys_are_built()) GTEST_SKIP() << "built without PKCS#11";
    if (test::soft_module().empty()) GTEST_SKIP() << "SoftHSM is not installed";
    TokenKey key = TokenKey::make(door(), "kms", "store", random_).value();
    header_ = make_token_vault(key, "kms", random_).value().header_octets();
  }
  ~TokenVault() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  [[nodiscard]] TokenDoor door() const { return {test::soft_module(), tokens_.pin_file()}; }
  [[nodiscard]] Result<Vault> open(OctetsView header, std::string_view purpose = "kms") const {
    return open_token_vault(TRY(TokenVaultHeader::parse(header)), purpose, door());
  }
  // As one who knows the format would alter it.
  static Octets with_sum(Octets header) {
    const OctetsView covered = OctetsView(header).first(header.size() - 4);
    const Fixed<32> digest = sha256({view("regroup vault header"), covered});
    std::copy_n(digest.begin(), 4, header.end() - 4);
    return header;
  }

  std::string folder_ = new_folder();
  test::SoftTokens tokens_{folder_};
  SystemRandom random_;
  Octets header_;
};

TEST_F(TokenVault, OpensWhatItSealedAlsoAfterTheHeaderWasStored) {
  const Vault first = open(header_).value();
  EXPECT_EQ(first.header_octets(), header_);
  const Octets sealed = first.seal("subscriber/a", view("a value"), random_);
  EXPECT_EQ(text_of(open(header_).value().open("subscriber/a", sealed).value().expose()), "a value");
  EXPECT_EQ(open(header_, "gms").error().code, Errc::undecryptable) << "another purpose";
  TokenKey key = TokenKey::make(door(), "kms", "store", random_).value();
  const Vault other = make_token_vault(key, "kms", random_).value();
  EXPECT_FALSE(other.open("subscriber/a", sealed).ok()) << "each store has a key of its own";
}

TEST_F(TokenVault, RefusesEveryAlteredOctetOfItsHeader) {
  const Vault vault = open(header_).value();
  for (std::size_t i = 0; i < header_.size(); ++i) {
    Octets altered = header_;
    altered[i] ^= 1;
    EXPECT_FALSE(TokenVaultHeader::parse(altered).ok()) << i;
    EXPECT_FALSE(TokenVaultHeader::parse(OctetsView(header_).first(i)).ok()) << i;
    if (i + 4 >= header_.size()) continue;
    const auto opened = open(with_sum(altered));
    ASSERT_FALSE(opened.ok()) << i;
    EXPECT_FALSE(opened.error().cure.empty()) << i;
  }
  Octets longer = header_;
  longer.push_back(0);
  EXPECT_FALSE(TokenVaultHeader::parse(longer).ok());
}

TEST_F(TokenVault, IsToldFromAPassphraseVaultByItsFirstOctet) {
  const Octets passphrase = Vault::make(view("p"), random_, kVaultLeastLog2N).header_octets();
  EXPECT_TRUE(is_token_vault(header_));
  EXPECT_FALSE(is_token_vault(passphrase));
  EXPECT_FALSE(is_token_vault({}));
  EXPECT_FALSE(VaultHeader::parse(header_).ok());
  EXPECT_FALSE(TokenVaultHeader::parse(passphrase).ok());
}

TEST(TokenAbsent, IsRefusedByNameWhereItIsNotBuilt) {
  if (token_keys_are_built()) GTEST_SKIP() << "built with PKCS#11";
  SystemRandom random;
  const auto made = TokenKey::make({"/module.so", "/pin"}, "kms", "store", random);
  EXPECT_EQ(made.error().code, Errc::unsupported);
  EXPECT_THAT(made.error().cure, testing::HasSubstr("REGROUP_WITH_PKCS11"));
}

}  // namespace
}  // namespace regroup::crypto
