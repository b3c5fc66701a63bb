// SPDX-License-Identifier: Apache-2.0
#include "app/process.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdio>

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

}  // namespace regroup::app
