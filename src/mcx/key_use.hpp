// SPDX-License-Identifier: Apache-2.0
// What a GMK is for: media, floor control, or both (TS 33.179 7.3.5.3, last paragraph). No field of the
// message says it; the last token of the key parameters' Text does, which is signed and encrypted (PR-29).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace regroup::mcx {

enum class KeyUse : std::uint8_t { both, media, floor };
[[nodiscard]] std::string_view name_of(KeyUse use);

// The use that the last token "[use=media|floor|both]" names; no token: both.
[[nodiscard]] KeyUse use_of(std::string_view text);
// The text with the token as its last one.
[[nodiscard]] std::string with_use(std::string_view text, KeyUse use);

}  // namespace regroup::mcx
