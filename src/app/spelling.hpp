// SPDX-License-Identifier: Apache-2.0
// What somebody may have meant who misspelt a word of a closed list: a key of a configuration file, a verb.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace regroup::app {

// The word of the list that is nearest to `word`, at most two changed, left out, added or exchanged letters
// away (one in a word of up to three letters); empty when none is that near.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> list);

}  // namespace regroup::app
