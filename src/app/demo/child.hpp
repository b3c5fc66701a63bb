// SPDX-License-Identifier: Apache-2.0
// A process that the demo started: this very program with other arguments. Its lines are read as they come;
// it ends with the demo, whatever way the demo ends. (Precisely: with the thread that started it.)
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.hpp"

namespace regroup::app::demo {

class Child {
 public:
  // `log_file` gets its standard error. `on_line`: each line of its output, on a thread of the child's own.
  [[nodiscard]] static Result<std::unique_ptr<Child>> start(
      const std::vector<std::string>& arguments, const std::string& log_file,
      std::function<void(const std::string&)> on_line = {});
  ~Child();            // SIGTERM, and SIGKILL for one that does not end within seconds
  void ask_to_stop();  // SIGTERM, without waiting
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Waits for its line "ready ..." or {"ready":...} and gives what follows the word.
  [[nodiscard]] Result<std::string> wait_ready(int seconds);
  [[nodiscard]] pid_t pid() const { return pid_; }
  // SIGTERM and wait; the exit status (of waitpid).
  int stop();
  // SIGKILL and wait: the end that nothing can prepare for.
  int kill_now();
  // Waits for an end that somebody else asked for; the exit status, nothing when it goes on running.
  [[nodiscard]] std::optional<int> wait_end(int seconds);

 private:
  Child(pid_t pid, int output, std::string log_file, std::function<void(const std::string&)> on_line);
  void read(int output);
  void take(const std::string& line);
  bool reap_within(int milliseconds);
  pid_t pid_;
  std::string log_file_;
  std::function<void(const std::string&)> on_line_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string ready_;
  bool ended_ = false, reaped_ = false;
  int status_ = 0;
  std::thread reader_;
};

// The program that children become; this very one unless a test names another. Before the first start().
void set_program(const std::string& path);

// True once the user has asked the demo to stop, or has closed its terminal (SIGINT, SIGTERM, SIGHUP); every
// wait of the demo looks at it. A SIGHUP that is ignored (nohup) stays so.
void watch_for_stop();
[[nodiscard]] bool stop_wanted();
// Errc::transport "stopped" when it is so: before each thing that takes time.
[[nodiscard]] Result<void> go_on();

}  // namespace regroup::app::demo
