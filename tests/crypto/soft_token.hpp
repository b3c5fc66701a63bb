// SPDX-License-Identifier: Apache-2.0
// Tokens of SoftHSM in a folder that goes with the test. Its configuration is found by SOFTHSM2_CONF.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace regroup::test {

inline constexpr const char* kSoftPin = "pin-471108";

inline std::string soft_module() {
  for (const char* path :
       {"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"})
    if (::access(path, R_OK) == 0) return path;
  return {};
}

class SoftTokens {
 public:
  explicit SoftTokens(const std::string& folder) : folder_(folder + "/softhsm") {
    std::filesystem::create_directory(folder_);
    write("conf", "directories.tokendir = " + folder_ + "\nobjectstore.backend = file\nlog.level = ERROR\n",
          0600);
    ::setenv("SOFTHSM2_CONF", (folder_ + "/conf").c_str(), 1);
    write("pin", std::string(kSoftPin) + "\n", 0600);
    if (!soft_module().empty()) add("kms");
  }
  // A further one; labels may be alike.
  void add(const std::string& label) const {
    run({"softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "so-471108", "--pin",
         kSoftPin});
  }
  [[nodiscard]] std::string pin_file() const { return folder_ + "/pin"; }
  [[nodiscard]] const std::string& folder() const { return folder_; }
  void write(const std::string& name, const std::string& text, mode_t mode) const {
    std::ofstream(folder_ + "/" + name) << text;
    ::chmod((folder_ + "/" + name).c_str(), mode);
  }

 private:
  void run(std::vector<std::string> words) const {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 1, (folder_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                     0600);
    pid_t child = 0;
    int status = -1;
    EXPECT_EQ(::posix_spawnp(&child, arguments[0], &quiet, nullptr, arguments.data(), environ), 0);
    posix_spawn_file_actions_destroy(&quiet);
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  std::string folder_;
};

}  // namespace regroup::test
