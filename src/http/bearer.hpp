// SPDX-License-Identifier: Apache-2.0
// The Bearer credential of a request (RFC 6750 2.1; TS 33.180 B.10) and the answer to a bad one.
// A missing credential is not an error here: the KMS answers it 401, the GMS 403 (RFC 6750 3.1; TS 24.482 A).
#pragma once

#include "base/result.hpp"
#include "http/message.hpp"

namespace regroup::http {

// nullopt: no Authorization field. Errors (malformed): two fields, another scheme, an empty or ill-formed
// token.
[[nodiscard]] Result<std::optional<std::string_view>> bearer_token(const Headers& headers);

// Sends `token` as the credential. The field's value is wiped with the Headers; no other copy is left.
void add_bearer(Headers& headers, OctetsView token);
// What a token consists of.
[[nodiscard]] bool is_b64token(std::string_view text) noexcept;

// Status and WWW-Authenticate of a refused token: 401 invalid_token, 403 insufficient_scope. The text says no
// more. 503 where the fault is ours: no keys to judge it by, and no WWW-Authenticate then.
[[nodiscard]] unsigned refusal_status(const Error& error) noexcept;
[[nodiscard]] std::string challenge(const Error& error);

}  // namespace regroup::http
