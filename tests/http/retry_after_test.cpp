// SPDX-License-Identifier: Apache-2.0
#include "http/retry_after.hpp"

#include <gtest/gtest.h>

namespace regroup::http {
namespace {

std::optional<std::int64_t> waits(const std::string& value) {
  return retry_after(Headers{{"Retry-After", value}}, parse_date_time("1994-11-06T08:48:37Z").value());
}

TEST(RetryAfter, IsANumberOfSecondsOrADateInThreeForms) {
  EXPECT_EQ(waits("0"), 0);
  EXPECT_EQ(waits("120"), 120);
  EXPECT_EQ(waits("Sun, 06 Nov 1994 08:49:37 GMT"), 60);
  EXPECT_EQ(waits("Sunday, 06-Nov-94 08:49:37 GMT"), 60);
  EXPECT_EQ(waits("Sun Nov  6 08:49:37 1994"), 60);
  EXPECT_EQ(waits("Sat, 06 Nov 1993 08:49:37 GMT"), 0) << "over";
  EXPECT_EQ(waits("99999999999999"), std::int64_t{1} << 31) << "bounded";
}

TEST(RetryAfter, IsNothingWhenItCannotBeRead) {
  for (const char* value :
       {"", "-1", "1.5", "soon", "Sun, 06 Non 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov", "99999999999999999999"})
    EXPECT_EQ(waits(value), std::nullopt) << value;
  EXPECT_EQ(retry_after(Headers(), NtpTime{}), std::nullopt);
}

}  // namespace
}  // namespace regroup::http
