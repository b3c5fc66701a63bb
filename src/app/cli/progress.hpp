// SPDX-License-Identifier: Apache-2.0
// How far a long command is: one line that is written over, on a terminal only. Quiet in a pipe.
#pragma once

#include <chrono>
#include <iosfwd>
#include <string>

namespace regroup::app::cli {

class Progress {
 public:
  // Shows itself when `out` is this process's stderr and that is a terminal.
  Progress(std::ostream& out, std::string what, std::size_t total);
  ~Progress() { end(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void step();
  void end();  // takes the line away

 private:
  void show();

  std::ostream& out_;
  std::string what_;
  std::size_t total_, done_ = 0;
  bool shown_;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace regroup::app::cli
