// SPDX-License-Identifier: Apache-2.0
#include "kms/state_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "kms/domain_alpha.hpp"

namespace regroup::kms {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::string_view kPassphrase = "passphrase of the previous release";

// A directory as release 0.1 left it (tests/kms/data/README.md).
class KmsStateFile : public testing::Test {
 protected:
  KmsStateFile() {
    std::string name = (fs::temp_directory_path() / "regroup-kms-XXXXXX").string();
    directory_ = mkdtemp(name.data());
    take("state.1");
  }
  ~KmsStateFile() override { fs::remove_all(directory_); }
  void take(const std::string& name) const {
    fs::copy_file(fs::path(REGROUP_TEST_DIR) / "kms/data" / name, state(),
                  fs::copy_options::overwrite_existing);
    ::chmod(state().c_str(), 0600);
  }
  [[nodiscard]] std::string state() const { return directory_ + "/state"; }
  [[nodiscard]] Result<Kms> opened(std::string_view passphrase = kPassphrase) const {
    const SealedState sealed = TRY(read_state(directory_));
    const crypto::Vault vault = TRY(crypto::Vault::open(sealed.header, view(passphrase)));
    return Kms::open(TRY(open_state(sealed, vault)));
  }

  std::string directory_;
};

TEST_F(KmsStateFile, OfTheReleaseBeforeIsRead) {
  auto kms = opened();
  ASSERT_TRUE(kms.ok()) << kms.error().text();
  const Registry& registry = kms->registry();
  EXPECT_EQ(registry.own().kms_uri, "kms.old.example");
  EXPECT_EQ(registry.own().issuer, "Old County");
  EXPECT_EQ(registry.subscribers(), 2U);
  ASSERT_TRUE(registry.find("sip:gms.group@old.example"));
  EXPECT_TRUE(registry.find("sip:gms.group@old.example")->server);
  EXPECT_EQ(registry.find("sip:alice@old.example")->standing, Standing::active);
  EXPECT_EQ(registry.cache_num(), 2);
  EXPECT_EQ(registry.certificates_of("kms.partner.example").size(), 1U);
  EXPECT_EQ(kms->transport_keys().size(), 0U);
}

TEST_F(KmsStateFile, WithTransportKeysIsReadToo) {
  take("state.2");
  auto kms = opened();
  ASSERT_TRUE(kms.ok()) << kms.error().text();
  const ClientKeys* keys = kms->transport_keys().find("sip:bob@old.example");
  ASSERT_TRUE(keys);
  EXPECT_TRUE(keys->signs);
  EXPECT_EQ(keys->present().trk_id, "tk.0001.bob@old.example");
  EXPECT_EQ(keys->present().ink_id, "ink.0001.bob@old.example");
}

TEST_F(KmsStateFile, IsAllToBeKept) {
  take("state.2");
  auto kms = opened();
  ASSERT_TRUE(kms.ok());
  const auto again = test::reopened(test::kept(*kms));
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_EQ(again->registry().own(), kms->registry().own());
  EXPECT_EQ(again->registry().subscribers(), 3U);
  EXPECT_EQ(again->registry().cache_num(), 2);
  EXPECT_EQ(again->registry().externals(), kms->registry().externals());
  EXPECT_TRUE(again->transport_keys().find("sip:bob@old.example"));
}

TEST_F(KmsStateFile, OpensWithItsPassphraseOnly) {
  EXPECT_EQ(opened("another passphrase").error().code, Errc::not_authorised);
}

TEST_F(KmsStateFile, IsRefusedWhenOthersMayReadIt) {
  for (const mode_t mode : {0640U, 0604U, 0620U, 0644U}) {
    ASSERT_EQ(::chmod(state().c_str(), mode), 0);
    const auto read = read_state(directory_);
    ASSERT_FALSE(read.ok()) << mode;
    EXPECT_THAT(read.error().text(), HasSubstr("chmod 0600"));
  }
  ASSERT_EQ(::chmod(state().c_str(), 0600), 0);
  EXPECT_TRUE(read_state(directory_).ok());
  ASSERT_EQ(::chmod(directory_.c_str(), 0770), 0);
  EXPECT_FALSE(read_state(directory_).ok());
}

TEST_F(KmsStateFile, RefusesLinksForeignContentAndOtherVersions) {
  std::ifstream in(state(), std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(in), {}};
  const auto with = [&](const std::string& text) {
    std::ofstream(state(), std::ios::binary | std::ios::trunc) << text;
    return read_state(directory_);
  };
  EXPECT_THAT(with("something else entirely").error().text(), HasSubstr("is no KMS state"));
  std::string newer = content;
  newer[12] = 3;
  EXPECT_THAT(with(newer).error().text(), HasSubstr("has version 3"));
  newer[12] = 2;
  EXPECT_FALSE(with(newer).ok()) << "a record is missing";
  for (std::size_t size = 0; size < content.size(); size += 7)
    EXPECT_FALSE(with(content.substr(0, size)).ok()) << size;
  EXPECT_FALSE(with(content + "x").ok());
  EXPECT_TRUE(with(content).ok());
  fs::rename(state(), directory_ + "/elsewhere");
  fs::create_symlink(directory_ + "/elsewhere", state());
  EXPECT_TRUE(has_state(directory_));
  EXPECT_FALSE(read_state(directory_).ok());
}

TEST_F(KmsStateFile, RecordsThatWereExchangedOrDamagedDoNotOpen) {
  SealedState sealed = read_state(directory_).value();
  const crypto::Vault vault = crypto::Vault::open(sealed.header, view(kPassphrase)).value();
  std::swap(sealed.master, sealed.registry);
  EXPECT_FALSE(open_state(sealed, vault).ok());
  std::swap(sealed.master, sealed.registry);
  ASSERT_TRUE(open_state(sealed, vault).ok());
  sealed.registry.back() ^= 1;
  EXPECT_FALSE(open_state(sealed, vault).ok());
}

}  // namespace
}  // namespace regroup::kms
