// SPDX-License-Identifier: Apache-2.0
// What every Store promises, run against each implementation.
#include "storage/store.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "folder.hpp"
#include "storage/memory_store.hpp"
#include "storage/sqlite_store.hpp"

namespace regroup::storage {
namespace {

class AnyStore : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (std::string_view(GetParam()) == "memory") {
      store_ = std::make_unique<MemoryStore>();
      return;
    }
    auto opened = open_sqlite({folder_.file("a.db"), "test"});
    ASSERT_TRUE(opened.ok()) << opened.error().text();
    store_ = std::move(opened).value();
  }
  std::optional<std::string> at(std::string_view kind, std::string_view id) {
    const auto found = store_->get(kind, id);
    EXPECT_TRUE(found.ok());
    if (!found.ok() || !found.value()) return std::nullopt;
    return std::string(text_of(*found.value()));
  }

  Folder folder_;
  std::unique_ptr<Store> store_;
};
INSTANTIATE_TEST_SUITE_P(Each, AnyStore, testing::Values("memory", "sqlite"),
                         [](const auto& one) { return std::string(one.param); });

TEST_P(AnyStore, KeepsPutsReplacesAndErases) {
  ASSERT_TRUE(store_->commit(Write::put("group", "sip:g@x", view("one"))).ok());
  EXPECT_EQ(at("group", "sip:g@x"), "one");
  ASSERT_TRUE(store_->commit(Write::put("group", "sip:g@x", view("two"))).ok());
  EXPECT_EQ(at("group", "sip:g@x"), "two");
  EXPECT_EQ(at("key", "sip:g@x"), std::nullopt) << "kinds are separate";
  ASSERT_TRUE(store_->commit(Write::erase("group", "sip:g@x")).ok());
  EXPECT_EQ(at("group", "sip:g@x"), std::nullopt);
  EXPECT_TRUE(store_->commit(Write::erase("group", "sip:g@x")).ok());
}

TEST_P(AnyStore, KeepsEmptyValuesEmptyIdsAndAnyOctetInAValue) {
  Octets all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<std::uint8_t>(i));
  ASSERT_TRUE(store_->commit(Write::put("k", "", {})).ok());
  ASSERT_TRUE(store_->commit(Write::put("k", "all", all)).ok());
  EXPECT_EQ(at("k", ""), "");
  EXPECT_EQ(store_->get("k", "all").value(), all);
}

TEST_P(AnyStore, AppliesOneCommitInItsOrder) {
  const Write writes[] = {Write::put("k", "a", view("1")), Write::erase("k", "a"),
                          Write::put("k", "b", view("1")), Write::put("k", "b", view("2"))};
  ASSERT_TRUE(store_->commit(writes).ok());
  EXPECT_EQ(at("k", "a"), std::nullopt);
  EXPECT_EQ(at("k", "b"), "2");
}

TEST_P(AnyStore, RefusesACommitOutOfBoundsWhole) {
  const Write bad[] = {Write::put("", "a", {}), Write::put(std::string(65, 'k'), "a", {}),
                       Write::put("k", std::string_view("a\0b", 3), {}),
                       Write::put("k", std::string(4097, 'i'), {})};
  for (const Write& write : bad) {
    const Write writes[] = {Write::put("k", "good", {}), write};
    const auto done = store_->commit(writes);
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().code, Errc::internal);
    EXPECT_EQ(at("k", "good"), std::nullopt);
  }
}

TEST_P(AnyStore, WalksTenThousandRecordsInOrderOfIds) {
  std::vector<Write> writes;
  for (int i = 9999; i >= 0; --i) {
    const std::string id = std::to_string(10000 + i);
    writes.push_back(Write::put("member", id, view("of " + id)));
  }
  writes.push_back(Write::put("membes", "x", {}));
  writes.push_back(Write::put("membe", "x", {}));
  ASSERT_TRUE(store_->commit(writes).ok());
  int next = 10000;
  const auto walked = store_->for_each("member", [&](std::string_view id, OctetsView value) -> Result<void> {
    EXPECT_EQ(id, std::to_string(next++));
    EXPECT_EQ(text_of(value), "of " + std::string(id));
    return {};
  });
  EXPECT_TRUE(walked.ok());
  EXPECT_EQ(next, 20000);
}

TEST_P(AnyStore, AVisitorMayChangeTheStoreAndMayStopTheWalk) {
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(store_->commit(Write::put("k", id, view("1"))).ok());
  ASSERT_TRUE(store_
                  ->for_each("k", [&](std::string_view id,
                                      OctetsView) { return store_->commit(Write::erase("k", id)); })
                  .ok());
  EXPECT_EQ(at("k", "a"), std::nullopt);
  EXPECT_EQ(at("k", "c"), std::nullopt);

  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(store_->commit(Write::put("k", id, view("1"))).ok());
  int seen = 0;
  const auto stopped = store_->for_each("k", [&](std::string_view id, OctetsView) -> Result<void> {
    ++seen;
    if (id == "b") return fail(Errc::conflict, "", "enough");
    return {};
  });
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, Errc::conflict);
  EXPECT_EQ(seen, 2);
}

}  // namespace
}  // namespace regroup::storage
