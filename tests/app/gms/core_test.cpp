// SPDX-License-Identifier: Apache-2.0
// Stored before spoken: an event's records in one transaction, then its effects; a commit that fails ends the
// process.
#include "app/gms/core.hpp"

#include <gmock/gmock.h>

#include "app/gms/gms_lab.hpp"

namespace regroup::test {
namespace {

TEST(GmsCore, CommitsAllRecordsOfAnEventAtOnceAndBeforeItsEffects) {
  GmsLab lab;
  std::vector<std::size_t> stored;
  lab.loop().run([&] {
    lab.core().documents_changed = [&](const gms::DocumentsChanged&) { stored.push_back(lab.commits()); };
  });
  const std::size_t before = lab.commits();
  lab.create(kFire, {kAnn, kBob});
  EXPECT_THAT(stored, testing::ElementsAre(before + 1)) << "group, key and two payloads";
  EXPECT_EQ(lab.commits(), before + 1);
}

// At its start and once an hour.
TEST(GmsCore, ForgetsWhatIsOverForLong) {
  GmsLab lab;
  lab.create(kFire, {kAnn});
  lab.create(kRescue, {kBob});
  const auto made = gmop_in(lab.gmop(kDispatch, regroup_request("req-00000001", {kFire, kRescue})));
  ASSERT_TRUE(made.accepted) << made.reason;
  ASSERT_TRUE(
      gmop_in(lab.gmop(kDispatch, xcap::RegroupTeardown{"down-0000001", made.temporary, {}}, made.temporary))
          .accepted);
  const auto regroups = [&] { return lab.on_loop([&] { return lab.core().gms().state().regroups.size(); }); };
  lab.restart();
  EXPECT_EQ(regroups(), 1u);
  lab.advance(62 * 86400);
  lab.restart();
  EXPECT_EQ(regroups(), 0u);
  EXPECT_EQ(lab.keys(), 2u) << "those of the groups";
}

TEST(GmsCoreDeathTest, AFailedCommitEndsTheProcessBeforeAnythingIsSpoken) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto fail_to_store = [] {
    GmsLab lab;
    lab.loop().run([&] {
      lab.core().documents_changed = [](const gms::DocumentsChanged&) { std::fputs("spoken\n", stderr); };
    });
    lab.disk->fail_commit_after(0);
    lab.create(kFire, {kAnn});
    std::fputs("spoken\n", stderr);
  };
  EXPECT_EXIT(fail_to_store(), testing::ExitedWithCode(1), testing::Not(testing::HasSubstr("spoken")));
}

}  // namespace
}  // namespace regroup::test
