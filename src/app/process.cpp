// SPDX-License-Identifier: Apache-2.0
#include "app/process.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdio>
#include <nlohmann/json.hpp>

namespace regroup::app {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

void harden_process() {
  prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  signal(SIGPIPE, SIG_IGN);
}

void block_stop_signals() {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

int wait_for_stop_signal() {
  const sigset_t set = stop_signals();
  int received = 0;
  while (sigwait(&set, &received) != 0) {
  }
  return received;
}

void say_ready(const std::string& what) {
  std::printf("ready %s\n", what.c_str());
  std::fflush(stdout);
}

void say_ready_json(const nlohmann::json& what) {
  std::printf("%s\n", what.dump().c_str());
  std::fflush(stdout);
}

NtpTime build_day() { return NtpTime::from_unix(std::int64_t{REGROUP_BUILD_DAY} * 86400); }

Result<void> check_clock(const Clock& clock) {
  const NtpTime now = clock.now();
  if (now >= build_day()) return {};
  return fail(
      Errc::not_yet_valid, "TS 33.180 F.2.1",
      "the clock says " + date_time(now) + ", but this program was built on " + date_time(build_day()),
      "set the clock (timedatectl set-ntp true) and start again");
}

}  // namespace regroup::app
