// SPDX-License-Identifier: Apache-2.0
// What every long-running role does to its own process: no core files, no tracing by others, and a clean stop
// on SIGTERM and SIGINT.
#pragma once

#include "base/result.hpp"

namespace regroup::app {

// No core dump, not attachable (TS 33.180 5.11: keys are protected while stored; a core file would not be).
// Ignores SIGPIPE. Call before any key is read.
void harden_process();

// Blocks SIGTERM and SIGINT in this thread and those it starts. Call at the start of main, before any thread.
void block_stop_signals();
// Waits for SIGTERM or SIGINT; returns the signal.
int wait_for_stop_signal();

// Prints "ready URL" on stdout and flushes: whoever started us may now connect.
void say_ready(const std::string& what);

}  // namespace regroup::app
