// SPDX-License-Identifier: Apache-2.0
#include "kms/directory_lock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

namespace regroup::kms {
namespace {

namespace fs = std::filesystem;

class KmsDirectory : public testing::Test {
 protected:
  KmsDirectory() {
    std::string name = (fs::temp_directory_path() / "regroup-kms-XXXXXX").string();
    root_ = mkdtemp(name.data());
    directory_ = root_ + "/kms";
  }
  ~KmsDirectory() override { fs::remove_all(root_); }
  std::string root_, directory_;
};

TEST_F(KmsDirectory, IsMadeForItsOwnerOnly) {
  EXPECT_EQ(check_directory(directory_).error().code, Errc::usage);
  ASSERT_TRUE(make_directory(directory_).ok());
  EXPECT_TRUE(make_directory(directory_).ok()) << "once more";
  struct stat about {};
  ASSERT_EQ(::stat(directory_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0700U);
}

TEST_F(KmsDirectory, IsRefusedWhenOthersMayWriteToIt) {
  make_directory(directory_).value();
  for (const mode_t mode : {0770U, 0702U}) {
    ASSERT_EQ(::chmod(directory_.c_str(), mode), 0);
    const auto checked = check_directory(directory_);
    ASSERT_FALSE(checked.ok());
    EXPECT_THAT(checked.error().text(), testing::HasSubstr("chmod 0700"));
  }
}

TEST_F(KmsDirectory, HasOneWriterAtATime) {
  make_directory(directory_).value();
  std::optional<DirectoryLock> first(DirectoryLock::take(directory_).value());
  bool taken = false;
  std::thread second([&] { taken = DirectoryLock::take(directory_).ok(); });
  first.reset();
  second.join();
  EXPECT_TRUE(taken);
}

}  // namespace
}  // namespace regroup::kms
