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

class KmsStateFile : public testing::Test {
 protected:
  KmsStateFile() {
    std::string name = (fs::temp_directory_path() / "regroup-kms-XXXXXX").string();
    root_ = mkdtemp(name.data());
    directory_ = root_ + "/kms";
  }
  ~KmsStateFile() override { fs::remove_all(root_); }
  [[nodiscard]] std::string state() const { return directory_ + "/state"; }

  std::string root_, directory_;
};

TEST_F(KmsStateFile, IsCreatedOnceReadableByItsOwnerOnly) {
  ASSERT_TRUE(create_state(directory_, test::alpha_state()).ok());
  struct stat about {};
  ASSERT_EQ(::stat(state().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(directory_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0700u);
  const auto opened = Kms::open(read_state(directory_).value(), test::vault());
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->registry().own().kms_uri, "kms.alpha.example");

  const auto again = create_state(directory_, test::alpha_state());
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Errc::conflict);
  EXPECT_FALSE(fs::exists(state() + ".new"));
}

TEST_F(KmsStateFile, MissingOneIsAnErrorAndNeverMade) {
  EXPECT_FALSE(read_state(directory_).ok());
  fs::create_directory(directory_);
  const auto missing = read_state(directory_);
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error().text(), HasSubstr("regroup kms init"));
  EXPECT_FALSE(fs::exists(state()));
}

TEST_F(KmsStateFile, IsRefusedWhenOthersMayReadItOrWriteItsDirectory) {
  create_state(directory_, test::alpha_state()).value();
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

TEST_F(KmsStateFile, IsReplacedWhole) {
  create_state(directory_, test::alpha_state()).value();
  const std::string before = state_stamp(directory_);
  Kms kms = test::alpha();
  kms.registry().add(test::id("sip:new@alpha.example"), false).value();
  test::SeededRandom random(4);
  {
    const auto lock = DirectoryLock::take(directory_);
    ASSERT_TRUE(lock.ok());
    std::ofstream(state() + ".new") << "left by a crash";
    ASSERT_TRUE(replace_state(directory_, kms.seal(test::vault(), random), *lock).ok());
  }
  EXPECT_NE(state_stamp(directory_), before);
  EXPECT_TRUE(
      Kms::open(read_state(directory_).value(), test::vault())->registry().find("sip:new@alpha.example"));
  struct stat about {};
  ASSERT_EQ(::stat(state().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
}

TEST_F(KmsStateFile, RefusesLinksDirectoriesForeignContentAndOtherVersions) {
  create_state(directory_, test::alpha_state()).value();
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
  fs::rename(state(), root_ + "/elsewhere");
  fs::create_symlink(root_ + "/elsewhere", state());
  EXPECT_FALSE(read_state(directory_).ok());
}

TEST_F(KmsStateFile, HoldsNoSecretInTheClear) {
  create_state(directory_, test::alpha_state()).value();
  std::ifstream in(state(), std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(in), {}};
  const Octets z = test::unhex(std::string(test::kAlphaZ)), ksak = test::unhex(std::string(test::kAlphaKsak));
  EXPECT_EQ(content.find(text_of(OctetsView(z).first(16))), std::string::npos);
  EXPECT_EQ(content.find(text_of(OctetsView(ksak).first(16))), std::string::npos);
  EXPECT_EQ(content.find("user.001"), std::string::npos) << "nor who the subscribers are";
}

}  // namespace
}  // namespace regroup::kms
