// SPDX-License-Identifier: Apache-2.0
// `regroup demo` in a process of its own, and what it leaves behind while and after it runs.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "process/traces.hpp"
#include "process/two_systems.hpp"

namespace regroup::process {

inline bool ended_with(std::optional<int> status, int code) {
  return status && WIFEXITED(*status) && WEXITSTATUS(*status) == code;
}

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "regroup-process-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// A demo in a process of its own, whose lines can be waited for.
class Demo {
 public:
  Demo(const Folder& folder, const std::vector<std::string>& more, int members = 2) {
    app::demo::set_program(REGROUP_PROGRAM);
    std::vector<std::string> arguments{"demo", "--members", std::to_string(members)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto started = Child::start(arguments, folder.file("demo.log"), [this](const std::string& line) {
      const std::lock_guard lock(mutex_);
      printed_ += line + "\n";
    });
    EXPECT_TRUE(started.ok());
    if (started.ok()) child_ = std::move(started).value();
  }
  [[nodiscard]] Child& child() { return *child_; }
  [[nodiscard]] std::string printed() {
    const std::lock_guard lock(mutex_);
    return printed_;
  }

 private:
  std::mutex mutex_;
  std::string printed_;
  std::unique_ptr<Child> child_;
};

inline std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> out;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string stat = contents(entry.path().string() + "/stat");
    const std::size_t after_name = stat.rfind(')');  // pid (name) state ppid ...
    if (after_name == std::string::npos) continue;
    std::istringstream rest(stat.substr(after_name + 1));
    char state = 0;
    pid_t of = 0;
    if (rest >> state >> of && of == parent) out.push_back(std::stoi(name));
  }
  return out;
}

// The directory of a demo's lab, from the arguments of one of its processes.
inline std::string lab_directory(const std::vector<pid_t>& processes) {
  const std::string mark = "/tmp/regroup-demo-";
  for (const pid_t process : processes) {
    const std::string arguments = contents("/proc/" + std::to_string(process) + "/cmdline");
    if (const std::size_t at = arguments.find(mark); at != std::string::npos)
      return arguments.substr(at, mark.size() + 6);
  }
  return {};
}

// Processes that work in that directory, zombies not counted: they have no arguments.
inline std::vector<std::string> running_in(const std::string& directory) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (contents(entry.path().string() + "/cmdline").find(directory + "/") != std::string::npos)
      out.push_back(name);
  }
  return out;
}

}  // namespace regroup::process
