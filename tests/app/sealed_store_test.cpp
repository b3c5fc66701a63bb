// SPDX-License-Identifier: Apache-2.0
// What a reader of the disk, or one who moves records about, gets from a sealed store: nothing.
#include "app/sealed_store.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "storage/memory_store.hpp"

namespace regroup::app {
namespace {

TEST(SealedStore, SealsEveryValueAndBindsItToItsKindAndId) {
  crypto::SystemRandom random;
  auto made = std::make_unique<storage::MemoryStore>();
  storage::MemoryStore& disk = *made;
  SealedStore store = SealedStore::open(std::move(made), view("a passphrase"), random).value();
  Writes writes;
  for (const char* kind : {"key", "group"})
    writes.push_back(Write{kind, "one", SecretOctets(view("a value of some length"))});
  ASSERT_TRUE(store.commit(writes).ok());
  EXPECT_FALSE(disk.contains(view("a value")));
  const auto load = [&](const char* kind) {
    return store.load({kind}, [](const Record& record) -> Result<void> {
      EXPECT_EQ(text_of(record.value.expose()), "a value of some length");
      return {};
    });
  };
  EXPECT_TRUE(load("key").ok());
  EXPECT_TRUE(load("group").ok());

  const Octets sealed = disk.get("key", "one").value().value();
  for (const auto& [kind, id] : {std::pair("key", "two"), std::pair("group", "one")}) {
    ASSERT_TRUE(disk.commit(storage::Write::put(kind, id, sealed)).ok());
    const auto moved = load(kind);
    ASSERT_FALSE(moved.ok()) << kind << "/" << id;
    EXPECT_EQ(moved.error().code, Errc::undecryptable);
  }
}

}  // namespace
}  // namespace regroup::app
