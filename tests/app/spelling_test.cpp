// SPDX-License-Identifier: Apache-2.0
#include "app/spelling.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace regroup::app {
namespace {

TEST(Spelling, FindsTheNearestWordThatIsNearEnough) {
  const std::vector<std::string_view> words = {"inspect", "open",    "seal",   "times",
                                               "ca",      "kms_uri", "gms_uri"};
  EXPECT_EQ(nearest("inspekt", words), "inspect");
  EXPECT_EQ(nearest("opne", words), "open") << "two letters exchanged";
  EXPECT_EQ(nearest("timse", words), "times");
  EXPECT_EQ(nearest("gms_urii", words), "gms_uri") << "the nearer of two";
  EXPECT_EQ(nearest("seel", words), "seal");
  EXPECT_EQ(nearest("cb", words), "ca");
  EXPECT_EQ(nearest("xy", words), "") << "all of a short word changed";
  EXPECT_EQ(nearest("inspection", words), "") << "three more";
  EXPECT_EQ(nearest("", words), "");
  EXPECT_EQ(nearest("open", {}), "");
  EXPECT_EQ(nearest(std::string(1000, 'a'), words), "");
}

}  // namespace
}  // namespace regroup::app
