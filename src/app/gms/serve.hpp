// SPDX-License-Identifier: Apache-2.0
// `regroup gms serve`: one GMS as a process. Keys from its KMS, state from its store, HTTPS and SIP
// listeners, then ready.
#pragma once

#include <iosfwd>
#include <string>

#include "base/clock.hpp"

namespace regroup::app {

struct GmsServeOptions {
  std::string config_file;
  bool json =
      false;  // {"ready":"https://HOST:PORT","sip",...,"keys":true}; "keys" false: writes are answered 503
};

// Runs until SIGTERM or SIGINT. 0 clean stop, 1 failure, 2 configuration.
int run_gms_serve(const GmsServeOptions& options, std::ostream& err, const Clock& clock = SystemClock());

}  // namespace regroup::app
