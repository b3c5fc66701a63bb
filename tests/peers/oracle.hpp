// SPDX-License-Identifier: Apache-2.0
// Another implementation as a child process that answers one line with one line (bench/peers/wolfssl_bench.c,
// mode oracle). A child that dies or stays silent for a minute fails the test instead of hanging it.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

extern char** environ;

namespace regroup::test {

// A new seed, or the one of REGROUP_SEED.
inline std::uint64_t chosen_seed() {
  const char* given = std::getenv("REGROUP_SEED");
  return given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

class Oracle {
 public:
  explicit Oracle(const std::string& program) {
    int to_child[2], from_child[2];
    if (::pipe2(to_child, O_CLOEXEC) != 0 || ::pipe2(from_child, O_CLOEXEC) != 0)
      throw std::runtime_error("no pipe");
    std::signal(SIGPIPE, SIG_IGN);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, to_child[0], 0);
    ::posix_spawn_file_actions_adddup2(&actions, from_child[1], 1);
    std::string name = program, mode = "oracle";
    char* arguments[] = {name.data(), mode.data(), nullptr};
    const int error = ::posix_spawn(&child_, program.c_str(), &actions, nullptr, arguments, environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(to_child[0]);
    ::close(from_child[1]);
    in_ = to_child[1];
    out_ = from_child[0];
    if (error != 0) throw std::runtime_error("cannot start " + program);
  }
  Oracle(const Oracle&) = delete;
  Oracle& operator=(const Oracle&) = delete;
  ~Oracle() {
    ::close(in_);  // the end of its input is the end of the child
    ::close(out_);
    ::waitpid(child_, nullptr, 0);
  }

  // The answer to one line, both without their line ends.
  std::string ask(const std::string& line) {
    const std::string question = line + "\n";
    for (std::size_t at = 0; at < question.size();) {
      const ssize_t n = ::write(in_, question.data() + at, question.size() - at);
      if (n <= 0) throw std::runtime_error("the oracle does not read");
      at += static_cast<std::size_t>(n);
    }
    std::string answer;
    for (char c = 0; (c = next()) != '\n';) answer += c;
    return answer;
  }

 private:
  char next() {
    if (at_ == held_.size()) {
      struct pollfd wait {
        out_, POLLIN, 0
      };
      if (::poll(&wait, 1, 60'000) != 1) throw std::runtime_error("the oracle is silent");
      held_.resize(4096);
      const ssize_t n = ::read(out_, held_.data(), held_.size());
      if (n <= 0) throw std::runtime_error("the oracle has died");
      held_.resize(static_cast<std::size_t>(n));
      at_ = 0;
    }
    return held_[at_++];
  }

  pid_t child_ = 0;
  int in_ = -1, out_ = -1;
  std::vector<char> held_;
  std::size_t at_ = 0;
};

}  // namespace regroup::test
