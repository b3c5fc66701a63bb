// SPDX-License-Identifier: Apache-2.0
#include "app/demo/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <nlohmann/json.hpp>

namespace regroup::app::demo {
namespace {

constexpr int kStopSignals[] = {SIGINT, SIGTERM, SIGHUP};
std::atomic<bool> stopping{false};
void on_signal(int) { stopping = true; }

std::string& program() {
  static std::string path = "/proc/self/exe";
  return path;
}

// No signal in this thread while it lives.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_;
};

// In the new process: what came since the fork ends it now, as it will end the program.
void take_signals() {
  for (const int signal : kStopSignals) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

// What follows "ready", or stands in {"ready":...}.
std::optional<std::string> ready_in(const std::string& line) {
  if (line.rfind("ready ", 0) == 0) return line.substr(6);
  if (line.rfind('{', 0) != 0) return std::nullopt;
  const auto object = nlohmann::json::parse(line, nullptr, false);
  if (!object.is_object() || !object.contains("ready")) return std::nullopt;
  const auto& what = object["ready"];
  return what.is_string() ? what.get<std::string>() : what.dump();
}

// In the new process: output to the pipe, errors to the log, end with the parent, then become the program.
// The parent has threads, so nothing here may take a lock that one of them held at the fork: no allocation.
[[noreturn]] void become(const char* path, char* const* argv, int output, int log, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);
  setpgid(0, 0);  // Ctrl-C reaches the demo alone, which then stops its children in order
  dup2(output, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  take_signals();
  execv(path, argv);
  _exit(127);
}

}  // namespace

void watch_for_stop() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (const int signal : kStopSignals) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if (signal != SIGHUP || before.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
}
bool stop_wanted() { return stopping; }
Result<void> go_on() {
  if (stopping) return fail(Errc::transport, "", "stopped", "start again");
  return {};
}
void set_program(const std::string& path) { program() = path; }

Result<std::unique_ptr<Child>> Child::start(const std::vector<std::string>& arguments,
                                            const std::string& log_file,
                                            std::function<void(const std::string&)> on_line) {
  TRY(go_on());
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) return fail(Errc::internal, "", "no pipe for a child process");
  const int log = open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const pid_t parent = getpid();
  const std::string path = program();
  std::vector<char*> argv{const_cast<char*>("regroup")};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_t pid = -1;
  {
    const NoSignals held;  // the new process would swallow them in our handler until it is the program
    pid = fork();
    if (pid == 0) become(path.c_str(), argv.data(), pipe_ends[1], log, parent);
  }
  close(pipe_ends[1]);
  if (log >= 0) close(log);
  if (pid < 0) {
    close(pipe_ends[0]);
    return fail(Errc::internal, "", "no child process could be started");
  }
  return std::unique_ptr<Child>(new Child(pid, pipe_ends[0], log_file, std::move(on_line)));
}

Child::Child(pid_t pid, int output, std::string log_file, std::function<void(const std::string&)> on_line)
    : pid_(pid),
      log_file_(std::move(log_file)),
      on_line_(std::move(on_line)),
      reader_([this, output] { read(output); }) {}

Child::~Child() { stop(); }

void Child::read(int output) {
  std::string line;
  char buffer[4096];
  for (ssize_t n; (n = ::read(output, buffer, sizeof buffer)) > 0;) {
    for (ssize_t i = 0; i < n; ++i) {
      if (buffer[i] != '\n') {
        line += buffer[i];
        continue;
      }
      take(line);
      line.clear();
    }
  }
  close(output);
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

void Child::take(const std::string& line) {
  auto ready = ready_.empty() ? ready_in(line) : std::nullopt;  // written by this thread alone
  if (!ready) return on_line_ ? on_line_(line) : void();
  const std::lock_guard lock(mutex_);
  ready_ = *std::move(ready);
  changed_.notify_all();
}

Result<std::string> Child::wait_ready(int seconds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  std::unique_lock lock(mutex_);
  while (ready_.empty() && !ended_ && !stop_wanted() && std::chrono::steady_clock::now() < until)
    changed_.wait_for(lock, std::chrono::milliseconds(100));
  if (!ready_.empty()) return ready_;
  TRY(go_on());
  return fail(Errc::transport, "",
              ended_ ? "a process ended before it was ready" : "a process was not ready in time",
              "see " + log_file_);
}

// True when it has ended and its status is known.
bool Child::reap_within(int milliseconds) {
  for (int waited = 0; !reaped_; waited += 10) {
    reaped_ = waitpid(pid_, &status_, WNOHANG) != 0;
    if (reaped_ || waited >= milliseconds) break;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(10));
  }
  return reaped_;
}

std::optional<int> Child::wait_end(int seconds) {
  if (!reap_within(seconds * 1000)) return std::nullopt;
  if (reader_.joinable()) reader_.join();
  return status_;
}

void Child::ask_to_stop() {
  if (!reaped_) kill(pid_, SIGTERM);
}

int Child::stop() {
  ask_to_stop();
  if (!reap_within(4000)) return kill_now();
  if (reader_.joinable()) reader_.join();
  return status_;
}

int Child::kill_now() {
  if (!reaped_) kill(pid_, SIGKILL);
  reap_within(10'000);
  reaped_ = true;  // or it hangs in the kernel; there is no more that we could do
  if (reader_.joinable()) reader_.join();
  return status_;
}

}  // namespace regroup::app::demo
