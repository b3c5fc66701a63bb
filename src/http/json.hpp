// SPDX-License-Identifier: Apache-2.0
// Private to this room: a JSON object read within bounds. Nesting is counted before the parser runs, because
// nlohmann's has no limit of its own; an object that names a member twice is refused, because readers differ
// in which one they believe (RFC 7515 4, RFC 7519 4).
#pragma once

#include <nlohmann/json.hpp>

#include "base/result.hpp"

namespace regroup::http {

inline constexpr int kMaxJsonDepth = 8;

[[nodiscard]] Result<nlohmann::json> parse_json_object(std::string_view text, std::string_view clause,
                                                       std::string_view what);

// A member that is a string; empty text if absent or of another type.
[[nodiscard]] std::string text_member(const nlohmann::json& object, const char* name);

}  // namespace regroup::http
