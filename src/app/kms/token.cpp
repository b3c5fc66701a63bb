// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {  // the header of glibc 2.36 forgets it
#include <sys/pidfd.h>
}

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "app/kms/access.hpp"
#include "base/text.hpp"
#include "crypto/secret_file.hpp"
#include "http/bearer.hpp"
#include "http/jwt.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kClause = "TS 33.180 B.10";
constexpr std::chrono::seconds kCommand(10);
constexpr std::size_t kMostOutput = http::kMaxToken + 2;  // with a line end

// Anything else than a token would end up inside a header field.
Result<SecretOctets> token_in(OctetsView line, const std::string& source) {
  if (line.size() <= http::kMaxToken && http::is_b64token(text_of(line))) return SecretOctets(line);
  return fail(Errc::usage, kClause, source + " gives no access token in its first line",
              "let it write the token alone, without 'Bearer'");
}

// A running command and our end of its output. What still runs when this goes is killed, the group and all.
class Command {
 public:
  explicit Command(const TokenWait& wait)
      : deadline_(std::chrono::steady_clock::now() + wait.limit), stop_(wait.stop) {}
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  ~Command() {
    if (output_ >= 0) ::close(output_);
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  [[nodiscard]] Result<void> start(const std::string& command);
  [[nodiscard]] Result<SecretOctets> output();
  [[nodiscard]] Result<void> end();

 private:
  [[nodiscard]] static Error failed(const std::string& what) {
    return fail(Errc::usage, kClause, "token command: " + what,
                "run it by hand: it must print the token, end soon and with status 0");
  }
  [[nodiscard]] int left() const {
    const auto rest =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
    return static_cast<int>(std::max<std::int64_t>(0, rest.count()));
  }
  [[nodiscard]] Result<void> wait_for(int fd) const;
  std::chrono::steady_clock::time_point deadline_;
  std::stop_token stop_;
  pid_t pid_ = 0;
  int output_ = -1;
};

// In a process group of its own, with nothing of ours: no open file, no blocked or ignored signal. The shell
// gets the text because the operator wrote it for a shell; nothing is ever added to it.
Result<void> Command::start(const std::string& command) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failed(std::strerror(errno));
  output_ = ends[0];
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, ends[1], 1);
  posix_spawn_file_actions_addclosefrom_np(&files, 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::string shell = "/bin/sh", option = "-c", text = command;
  char* const arguments[] = {shell.data(), option.data(), text.data(), nullptr};
  const int fault = ::posix_spawn(&pid_, "/bin/sh", &files, &attributes, arguments, environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  ::close(ends[1]);
  if (fault == 0) return {};
  pid_ = 0;
  return failed(std::strerror(fault));
}

// Until there is something to read; a stop is looked for now and then.
Result<void> Command::wait_for(int fd) const {
  constexpr int kSlice = 50;  // milliseconds
  for (;;) {
    pollfd ready{fd, POLLIN, 0};
    const int polled = ::poll(&ready, 1, std::min(left(), kSlice));
    if (polled > 0) return {};
    if (polled < 0 && errno != EINTR) return failed(std::strerror(errno));
    if (stop_.stop_requested())
      return fail(Errc::transport, kClause, "stopped while the token command ran", "start again");
    if (left() == 0) return failed("did not end in time");
  }
}

Result<SecretOctets> Command::output() {
  SecretOctets buffer(kMostOutput + 1);
  const auto space = buffer.expose_mutable();
  std::size_t size = 0;
  while (size < space.size()) {
    TRY(wait_for(output_));
    const ssize_t n = ::read(output_, space.data() + size, space.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(std::strerror(errno));
    if (n == 0) return SecretOctets(buffer.expose().first(size));
    size += static_cast<std::size_t>(n);
  }
  return failed("printed more than " + std::to_string(kMostOutput) + " octets");
}

// Its output has ended; the process itself should follow at once.
Result<void> Command::end() {
  const int handle = ::pidfd_open(pid_, 0);
  if (handle < 0) return failed(std::strerror(errno));
  const auto over = wait_for(handle);
  ::close(handle);
  if (!over.ok()) return over;
  int status = 0;
  const pid_t ended = ::waitpid(pid_, &status, 0);  // at once: it is over
  pid_ = 0;
  if (ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return failed(WIFEXITED(status) ? "ended with status " + std::to_string(WEXITSTATUS(status))
                                  : "was ended by a signal");
}

}  // namespace

Result<SecretOctets> read_token_file(const std::string& path) {
  const SecretOctets line = TRY(
      crypto::read_secret_line(path, "token file", kMostOutput, "let the token source write it, mode 0600"));
  return token_in(line.expose(), "token file " + printable(path));
}

Result<SecretOctets> run_token_command(const std::string& command, const TokenWait& wait) {
  Command running(wait);
  TRY(running.start(command));
  const SecretOctets output = TRY(running.output());
  TRY(running.end());
  return token_in(crypto::first_line(output.expose()), "token command");
}

Result<SecretOctets> read_token(const KmsAccess& access, const TokenWait& wait) {
  if (access.token_endpoint) return access.token_endpoint->token(wait);
  if (!access.token_command.empty())
    return run_token_command(access.token_command,
                             {std::min<std::chrono::milliseconds>(wait.limit, kCommand), wait.stop});
  return access.token_file.empty() ? SecretOctets() : read_token_file(access.token_file);
}

Result<SecretOctets> read_token_again(const KmsAccess& access, OctetsView refused, const TokenWait& wait) {
  if (access.token_endpoint) access.token_endpoint->refused(refused);
  return read_token(access, wait);
}

}  // namespace regroup::app
