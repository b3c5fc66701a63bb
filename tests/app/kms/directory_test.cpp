// SPDX-License-Identifier: Apache-2.0
#include "app/kms/directory.hpp"

#include <sys/stat.h>

#include "app/kms/verbs.hpp"

namespace regroup::app::cli {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

// A directory of release 0.1 (tests/kms/data/README.md).
class KmsOfRelease01 : public KmsVerbs {
 protected:
  KmsOfRelease01() {
    write("old-pass", "passphrase of the previous release\n", 0600);
    fs::create_directory(path("kms"));
    ::chmod(path("kms").c_str(), 0700);
    fs::copy_file(fs::path(REGROUP_TEST_DIR) / "kms/data/state.2", path("kms/state"));
    ::chmod(path("kms/state").c_str(), 0600);
  }
  [[nodiscard]] Result<OpenedKms> opened(const std::string& passphrase = "old-pass") const {
    return open_kms(path("kms"), {path(passphrase)});
  }
};

TEST_F(KmsOfRelease01, MovesIntoTheStoreWhenItIsOpened) {
  const auto first = opened();
  ASSERT_TRUE(first.ok()) << first.error().text();
  EXPECT_EQ(first->kms.registry().own().kms_uri, "kms.old.example");
  EXPECT_FALSE(fs::exists(path("kms/state")));
  EXPECT_TRUE(fs::exists(path("kms/state.old")));
  const auto again = opened();
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_EQ(again->kms.registry().subscribers(), 3U);
  EXPECT_TRUE(again->kms.transport_keys().find("sip:bob@old.example"));
  EXPECT_EQ(again->kms.registry().own(), first->kms.registry().own());
}

TEST_F(KmsOfRelease01, ACrashBetweenTheTwoStepsIsMended) {
  ASSERT_TRUE(opened().ok());
  fs::rename(path("kms/state.old"), path("kms/state"));
  write("kms/kms.sqlite.new", "left by a crash", 0600);
  const auto again = opened();
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_FALSE(fs::exists(path("kms/state")));
}

TEST_F(KmsOfRelease01, StaysAsItIsUnderAnotherPassphrase) {
  EXPECT_EQ(opened("pass").error().code, Errc::not_authorised);
  EXPECT_TRUE(fs::exists(path("kms/state")));
  EXPECT_FALSE(fs::exists(path("kms/kms.sqlite")));
}

TEST_F(KmsOfRelease01, IsNotOverwrittenByANewOne) { EXPECT_EQ(init("kms", "kms.mcx.example"), 3); }

class KmsDirectoryInUse : public KmsVerbs {
 protected:
  KmsDirectoryInUse() { EXPECT_EQ(init("kms", "kms.mcx.example"), 0) << err.str(); }
  [[nodiscard]] LiveKms live() const { return {path("kms"), open_kms(path("kms"), {path("pass")}).value()}; }
};

TEST_F(KmsDirectoryInUse, AStoreOfALaterReleaseIsRefusedByName) {
  {
    std::fstream file(path("kms/kms.sqlite"), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(63).put(99);  // the last octet of user_version
  }
  const auto later = open_kms(path("kms"), {path("pass")});
  ASSERT_FALSE(later.ok());
  EXPECT_THAT(later.error().text(), HasSubstr("layout version 99"));
}

TEST_F(KmsDirectoryInUse, AServerFollowsAdministratorsAndTheyFollowIt) {
  LiveKms server = live();
  EXPECT_FALSE(server.refresh().value());
  ASSERT_EQ(add(kBob), 0);
  EXPECT_TRUE(server.refresh().value());
  EXPECT_TRUE(server.kms().registry().find(kBob));
  ASSERT_TRUE(server
                  .change([](kms::Kms& kms) {
                    return kms.registry().add(mcx::McpttId::parse("sip:ann@mcx.example").value(), false);
                  })
                  .ok());
  EXPECT_FALSE(server.refresh().value()) << "its own change is no news";
  ASSERT_EQ(add("sip:carol@mcx.example"), 0);
  EXPECT_TRUE(server.refresh().value());
  EXPECT_EQ(server.kms().registry().subscribers(), 3U);
}

TEST_F(KmsDirectoryInUse, ARestoreThatWasCutOffIsDoneAgain) {
  const StoreKey key{path("pass")};
  open_kms(path("kms"), key)->store.backup(path("kms.backup")).value();
  const auto cut = restore_kms(path("again"), path("kms.backup"), key, [](const kms::Kms&) -> Result<void> {
    return fail(Errc::storage, "", "the power went");
  });
  ASSERT_FALSE(cut.ok());
  EXPECT_FALSE(std::filesystem::exists(path("again/kms.sqlite"))) << "nothing has the name of a store";
  const auto again =
      restore_kms(path("again"), path("kms.backup"), key, [](const kms::Kms&) { return Result<void>(); });
  EXPECT_TRUE(again.ok()) << again.error().text();
}

TEST_F(KmsDirectoryInUse, AChangeThatCannotBeKeptIsTakenBack) {
  LiveKms server = live();
  const auto refused = server.change([](kms::Kms& kms) -> Result<void> {
    TRY(kms.registry().add(mcx::McpttId::parse("sip:ann@mcx.example").value(), false));
    return fail(Errc::storage, "", "the disk is full", "make room");
  });
  EXPECT_EQ(refused.error().code, Errc::storage);
  EXPECT_FALSE(server.kms().registry().find("sip:ann@mcx.example"));
}

}  // namespace
}  // namespace regroup::app::cli
