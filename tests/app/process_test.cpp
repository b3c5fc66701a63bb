// SPDX-License-Identifier: Apache-2.0
// No role starts with a clock that cannot be right.
#include "app/process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "app/cli/kms.hpp"
#include "app/gms/serve.hpp"
#include "app/ue/run.hpp"

namespace regroup::app {
namespace {

using testing::HasSubstr;

// The roles block the stop signals; the test program must not keep that.
class Roles : public testing::Test {
 protected:
  Roles() { ::pthread_sigmask(SIG_BLOCK, nullptr, &mask_); }
  ~Roles() override { ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr); }
  sigset_t mask_{};
  FixedClock stale{build_day().plus(-1)};
  std::ostringstream out, err;
};

TEST(BuildDay, IsAWholeDayNotInTheFuture) {
  EXPECT_EQ(build_day().unix_seconds() % 86400, 0);
  EXPECT_LE(build_day(), SystemClock().now());
  EXPECT_GT(build_day(), parse_date_time("2025-01-01T00:00:00Z").value());
}

TEST(BuildDay, AClockBeforeItIsRefusedFromTheLastSecondOn) {
  EXPECT_TRUE(check_clock(FixedClock(build_day())).ok());
  EXPECT_TRUE(check_clock(SystemClock()).ok());
  const auto refused = check_clock(FixedClock(build_day().plus(-1)));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::not_yet_valid);
  EXPECT_THAT(refused.error().text(), HasSubstr("set the clock"));
  EXPECT_FALSE(check_clock(FixedClock(NtpTime::from_unix(0))).ok());
}

TEST_F(Roles, KmsDoesNotStartWithAClockBeforeTheBuildDate) {
  EXPECT_EQ(cli::run_kms_serve({}, err, stale), 1);
  EXPECT_THAT(err.str(), HasSubstr("set the clock"));
}

TEST_F(Roles, GmsDoesNotStartWithAClockBeforeTheBuildDate) {
  EXPECT_EQ(run_gms_serve({.config_file = "/nowhere/gms.toml"}, err, stale), 1);
  EXPECT_THAT(err.str(), HasSubstr("set the clock"));
}

TEST_F(Roles, UeDoesNotStartWithAClockBeforeTheBuildDate) {
  EXPECT_EQ(run_ue({.config_files = {"/nowhere/ue.toml"}}, out, err, stale), 1);
  EXPECT_THAT(err.str(), HasSubstr("set the clock"));
}

TEST_F(Roles, GmsPrintsItsRefusalAsJson) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(run_gms_serve({.config_file = "/nowhere/gms.toml", .json = true}, err), 2);
  const auto said = nlohmann::json::parse(testing::internal::GetCapturedStdout());
  EXPECT_EQ(said["error"]["code"], "usage");
  EXPECT_THAT(said["error"]["detail"].get<std::string>(), HasSubstr("/nowhere/gms.toml"));
}

}  // namespace
}  // namespace regroup::app
