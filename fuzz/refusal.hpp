// SPDX-License-Identifier: Apache-2.0
// What every refusal owes its reader: a reason, short enough to log, with nothing in it that could end a log
// line or move a terminal's cursor.
#pragma once

#include <algorithm>

#include "base/result.hpp"
#include "expect.hpp"

inline bool is_one_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7f;
  });
}

inline void expect_refusal(const regroup::Error& error) {
  FUZZ_EXPECT(!error.detail.empty() && error.detail.size() <= 8192);
  FUZZ_EXPECT(is_one_line(error.detail) && is_one_line(error.cure));
}
