// SPDX-License-Identifier: Apache-2.0
// The access token of a client, which must be its own (docs/operations.md, "Tokens"): with another's the GMS
// would show another's documents, and everything that they do not show would be withdrawn.
#pragma once

#include "app/ue/config.hpp"

namespace regroup::app {

// Reads the token as read_token does. Errc::usage when it says that it is another identity's: the claim
// `mcptt_id` of a JWT (RFC 7519), not verified here, for that is the servers' part. A token without it, or
// an opaque one, says nothing and is taken.
[[nodiscard]] Result<std::string> own_token(const UeConfig& config);

}  // namespace regroup::app
