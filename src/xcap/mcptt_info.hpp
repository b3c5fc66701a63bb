// SPDX-License-Identifier: Apache-2.0
// application/vnd.3gpp.mcptt-info+xml (TS 24.379 annex F.1) as far as SUBSCRIBE and MESSAGE need it: the
// access token of the sender and the MCPTT ID of the target. Matched by local names (the
// namespace is unconfirmed). The token is a credential: held as a secret, wiped from what was parsed.
// Encrypted values are recognised, not read.
#pragma once

#include "base/secret.hpp"
#include "xcap/names.hpp"

namespace regroup::xcap {

struct McpttInfo {
  SecretOctets access_token;  // empty: none
  bool token_encrypted = false;
  std::string request_uri;  // mcptt-request-uri; empty: none
};

[[nodiscard]] Result<McpttInfo> parse_mcptt_info(OctetsView document);
// The text holds the token: whoever takes it wipes it (xml::wipe) after sending.
[[nodiscard]] std::string write_mcptt_info(const McpttInfo& info);

}  // namespace regroup::xcap
