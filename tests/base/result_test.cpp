// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"

#include <gtest/gtest.h>

namespace regroup {
namespace {

TEST(Errors, ReadAsCodeDetailClauseAndCure) {
  const Error error = fail(Errc::malformed, "RFC 4648", "odd number of digits", "give two for each octet");
  EXPECT_EQ(error.text(), "malformed: odd number of digits [RFC 4648]; give two for each octet");
  EXPECT_EQ(Error(error).with("--rand").detail, "--rand: odd number of digits");
}

TEST(Errors, AFaultOfOursAsksToBeReported) {
  EXPECT_EQ(fail(Errc::internal, "", "no memory").text(),
            "internal: no memory; a fault of regroup itself: report it with this line");
  EXPECT_EQ(fail(Errc::internal, "", "arithmetic", "take this machine out").cure, "take this machine out");
}

}  // namespace
}  // namespace regroup
