// SPDX-License-Identifier: Apache-2.0
#include "app/cli/progress.hpp"

#include <gmock/gmock.h>
#include <pty.h>
#include <unistd.h>

#include <iostream>
#include <sstream>

namespace regroup::app::cli {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;

// What 3 steps of 4 write when `to` is this process's stderr and `from` its other end.
std::string written(int to, int from) {
  const int kept = dup(STDERR_FILENO);
  dup2(to, STDERR_FILENO);
  {
    Progress progress(std::cerr, "identities", 4);
    for (int i = 0; i < 3; ++i) progress.step();
  }
  dup2(kept, STDERR_FILENO);
  close(kept);
  close(to);
  std::string out;
  char some[256];
  for (ssize_t size = 0; (size = read(from, some, sizeof some)) > 0;)  // until nobody can write any more
    out.append(some, static_cast<std::size_t>(size));
  close(from);
  return out;
}

TEST(Progress, IsDrawnOnATerminalAlone) {
  int master = -1, slave = -1, ends[2];
  ASSERT_EQ(openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
  EXPECT_THAT(written(slave, master), AllOf(HasSubstr("1 of 4 identities"), EndsWith("\r\x1b[K")));
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_THAT(written(ends[1], ends[0]), IsEmpty());
  std::ostringstream text;
  Progress(text, "identities", 4).step();
  EXPECT_THAT(text.str(), IsEmpty());
}

}  // namespace
}  // namespace regroup::app::cli
