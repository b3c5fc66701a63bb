// SPDX-License-Identifier: Apache-2.0
// A process that holds keys leaves no core file and lets nobody of the same user look into its memory.
#include <gmock/gmock.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "process/traces.hpp"
#include "process/two_systems.hpp"

namespace regroup::process {
namespace {

// Root may look into everything. Without capabilities this thread, and what it starts, is like the processes
// of any one user; for another user than root nothing changes.
void become_ordinary() {
  prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  syscall(SYS_capset, &header, none);
}

// True when this thread may trace the process; it then does until one of them ends.
bool can_trace(pid_t process) { return ptrace(PTRACE_SEIZE, process, nullptr, nullptr) == 0; }
bool can_read_memory_of(pid_t process) {
  return std::ifstream("/proc/" + std::to_string(process) + "/mem").good();
}

std::string core_limit(pid_t process) {
  std::istringstream limits(contents("/proc/" + std::to_string(process) + "/limits"));
  for (std::string line; std::getline(limits, line);)
    if (line.rfind("Max core file size", 0) == 0) return line;
  return {};
}

// A program without secrets and without protection: what is refused for ours must be possible for it.
pid_t start_unprotected(const std::string& directory) {
  const pid_t child = fork();
  if (child == 0) {
    if (chdir(directory.c_str()) == 0) execl("/bin/sleep", "sleep", "60", nullptr);
    _exit(127);
  }
  const std::string exe = "/proc/" + std::to_string(child) + "/cmdline";
  EXPECT_TRUE(wait_until([&] { return contents(exe).rfind("sleep", 0) == 0; }, seconds(10)));
  return child;
}

class Hardening : public TwoSystems {
 protected:
  // Our own roles anew as children of this thread, with core files allowed to whoever does not forbid them.
  static void restart_all() {
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_CORE, &unlimited);               // root only; ./test runs as root
    setenv("ASAN_OPTIONS", "disable_coredump=0", 1);  // the sanitizer would forbid them
    become_ordinary();
    restart();
    unsetenv("ASAN_OPTIONS");
  }
  static void restart() {
    for (const auto& started :
         {lab().restart_kms(alpha()), lab().restart_gms(alpha()), lab().restart_client(alpha(), 0)})
      ASSERT_TRUE(started.ok()) << started.error().text();
  }
  static std::vector<Child*> roles() {
    return {alpha().kms.get(), alpha().gms.get(), alpha().clients[0].get()};
  }
};

TEST_F(Hardening, EveryRoleRefusesToBeTracedAndDumpsNoCore) {
  // The roles end with the thread that started them; those of the other tests come back afterwards.
  std::thread([&] {
    restart_all();
    if (HasFatalFailure()) return;
    const pid_t unprotected = start_unprotected(lab().directory());
    const bool memory = can_read_memory_of(unprotected), trace = can_trace(unprotected);
    EXPECT_TRUE(memory);  // some sandboxes forbid ptrace to everybody, but not this
    for (Child* role : roles()) {
      EXPECT_FALSE(can_read_memory_of(role->pid()));
      EXPECT_FALSE(trace && can_trace(role->pid()));
      EXPECT_THAT(core_limit(role->pid()), testing::ContainsRegex("size +0 +0 "));
    }
    kill(unprotected, SIGKILL);
    waitpid(unprotected, nullptr, 0);

    const pid_t dumps = start_unprotected(lab().directory());
    int status = 0;
    kill(dumps, SIGQUIT);
    waitpid(dumps, &status, 0);
    RecordProperty("unprotected_dumps_core", WCOREDUMP(status) ? "yes" : "no");
    for (Child* role : roles()) {
      kill(role->pid(), SIGQUIT);
      const auto ended = role->wait_end(10);
      ASSERT_TRUE(ended);
      EXPECT_TRUE(WIFSIGNALED(*ended));
      EXPECT_FALSE(WCOREDUMP(*ended));
    }
  }).join();
  restart();
}

}  // namespace
}  // namespace regroup::process
