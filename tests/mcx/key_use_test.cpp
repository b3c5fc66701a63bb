// SPDX-License-Identifier: Apache-2.0
#include "mcx/key_use.hpp"

#include <gtest/gtest.h>

namespace regroup::mcx {
namespace {

TEST(KeyUse, ComesFromTheLastTokenOnly) {
  EXPECT_EQ(use_of("TG-7 [use=floor]"), KeyUse::floor);
  EXPECT_EQ(use_of("[use=media]"), KeyUse::media);
  EXPECT_EQ(use_of("TG-7 [use=both]"), KeyUse::both);
  EXPECT_EQ(use_of("[use=floor] TG-7"), KeyUse::both);
  EXPECT_EQ(use_of("TG-7 [use=floor] "), KeyUse::both);
  EXPECT_EQ(use_of("TG-7[use=floor]"), KeyUse::both);
  EXPECT_EQ(use_of(""), KeyUse::both);
  EXPECT_EQ(use_of("[use=media] [use=floor]"), KeyUse::floor);
}

TEST(KeyUse, IsReadAsItWasWritten) {
  for (const KeyUse use : {KeyUse::both, KeyUse::media, KeyUse::floor})
    for (const char* text : {"", "TG 7", "[use=floor]"}) EXPECT_EQ(use_of(with_use(text, use)), use) << text;
  EXPECT_EQ(with_use("TG-7", KeyUse::media), "TG-7 [use=media]");
  EXPECT_EQ(with_use("", KeyUse::floor), "[use=floor]");
}

}  // namespace
}  // namespace regroup::mcx
