// SPDX-License-Identifier: Apache-2.0
#include "app/cli/progress.hpp"

#include <unistd.h>

#include <iostream>

namespace regroup::app::cli {
namespace {

constexpr std::size_t kWidth = 30;
constexpr auto kPause = std::chrono::milliseconds(100);

}  // namespace

Progress::Progress(std::ostream& out, std::string what, std::size_t total)
    : out_(out),
      what_(std::move(what)),
      total_(total),
      shown_(&out == &std::cerr && ::isatty(STDERR_FILENO) == 1) {}

void Progress::step() {
  ++done_;
  if (!shown_ || std::chrono::steady_clock::now() < next_) return;
  next_ = std::chrono::steady_clock::now() + kPause;
  show();
}

void Progress::show() {
  const std::size_t full = total_ == 0 ? kWidth : kWidth * done_ / total_;
  out_ << "\r[" << std::string(full, '#') << std::string(kWidth - full, ' ') << "] " << done_ << " of "
       << total_ << " " << what_ << std::flush;
}

void Progress::end() {
  if (!shown_) return;
  shown_ = false;
  out_ << "\r\x1b[K" << std::flush;
}

}  // namespace regroup::app::cli
