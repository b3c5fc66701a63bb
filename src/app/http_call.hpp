// SPDX-License-Identifier: Apache-2.0
// A blocking HTTP call that a stop ends at once.
#pragma once

#include <stop_token>

#include "http/client.hpp"

namespace regroup::app {

// http::Client::call; Errc::transport when a stop is asked for meanwhile.
[[nodiscard]] Result<http::Response> call_until_stopped(http::Client& client, http::ClientRequest request,
                                                        std::chrono::milliseconds deadline,
                                                        const std::stop_token& stop);

}  // namespace regroup::app
