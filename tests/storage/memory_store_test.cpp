// SPDX-License-Identifier: Apache-2.0
#include "storage/memory_store.hpp"

#include <gtest/gtest.h>

namespace regroup::storage {
namespace {

TEST(MemoryStore, ACommitMadeToFailLeavesNothingAndTheNextOneWorks) {
  MemoryStore store;
  store.fail_commit_after(1);
  ASSERT_TRUE(store.commit(Write::put("k", "a", view("1"))).ok());
  const auto failed = store.commit(Write::put("k", "a", view("2")));
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, Errc::storage);
  EXPECT_EQ(store.get("k", "a").value(), to_octets(view("1")));
  EXPECT_TRUE(store.commit(Write::put("k", "a", view("3"))).ok());
  EXPECT_EQ(store.commits(), 2u);
}

TEST(MemoryStore, ACommitWhoseAnswerIsLostIsThere) {
  MemoryStore store;
  store.fail_commit_after(0, MemoryStore::Fate::kept);
  EXPECT_FALSE(store.commit(Write::put("k", "a", view("1"))).ok());
  EXPECT_EQ(store.get("k", "a").value(), to_octets(view("1")));
}

TEST(MemoryStore, APowerCutTakesWhatWasNotSyncedAndKeepsWhatWas) {
  MemoryStore store;
  ASSERT_TRUE(store.commit(Write::put("k", "safe", view("1"))).ok());
  store.delay_sync(true);
  ASSERT_TRUE(store.commit(Write::put("k", "cached", view("1"))).ok());
  ASSERT_TRUE(store.commit(Write::erase("k", "safe")).ok());
  store.power_cut();
  EXPECT_FALSE(store.get("k", "safe").ok());
  EXPECT_FALSE(store.commit(Write::put("k", "x", view("1"))).ok());
  store.power_on();
  EXPECT_TRUE(store.get("k", "safe").value().has_value());
  EXPECT_FALSE(store.get("k", "cached").value().has_value());
}

TEST(MemoryStore, FindsANeedleInLiveRecordsAndBackups) {
  MemoryStore store;
  ASSERT_TRUE(store.commit(Write::put("k", "a", view("hay needle hay"))).ok());
  EXPECT_TRUE(store.contains(view("needle")));
  ASSERT_TRUE(store.backup("b").ok());
  EXPECT_FALSE(store.backup("b").ok()) << "a backup is never overwritten";
  ASSERT_TRUE(store.commit(Write::erase("k", "a")).ok());
  EXPECT_TRUE(store.contains(view("needle")));
  EXPECT_FALSE(store.contains(view("pin")));
}

}  // namespace
}  // namespace regroup::storage
