// SPDX-License-Identifier: Apache-2.0
// What every long-running role does to its own process: no core files, no tracing by others, a clock
// that can be right, and a clean stop on SIGTERM and SIGINT.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/clock.hpp"
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
// The same for programs: one JSON object in a line.
void say_ready_json(const nlohmann::json& what);

// Refuses a clock before the day this program was built: key periods, certificates and tokens would all be
// judged by a wrong time. To be asked once, before anything is read or fetched.
[[nodiscard]] Result<void> check_clock(const Clock& clock);
// The first second (UTC) of that day; it honours SOURCE_DATE_EPOCH.
[[nodiscard]] NtpTime build_day();

}  // namespace regroup::app
