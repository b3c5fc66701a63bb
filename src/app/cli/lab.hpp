// SPDX-License-Identifier: Apache-2.0
// `regroup lab`: the key side as a line protocol, for cross-checks with other software. One line in, one line
// out: "OK hex ..." or "ERR text". Octets and texts are hex, numbers decimal; points are read with and
// without their 04.
// lab_help() lists the verbs (RFC 6508, RFC 6507, TS 33.179 F.2.1, F.1.3, 7.4.2).
// Refuses whatever the clauses refuse; keeps nothing between two lines. It prints secrets: that is its
// purpose.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "base/random.hpp"

namespace regroup::app {

// The most octets of a line, its end not counted; a longer line is answered with ERR and skipped to its end.
inline constexpr std::size_t kMostLabLine = 65536;

// Every verb with its fields and its answer.
[[nodiscard]] std::string lab_help();

// The answer to one line, without a line end; empty for a line without words. The caller wipes it.
[[nodiscard]] std::string answer_lab_line(std::string_view line, Random& random);

// Answers line by line, each flushed, until the input ends (0) or the output cannot be written (1).
int run_lab(std::istream& in, std::ostream& out, Random& random);
// On standard input and output, with the system's randomness.
int run_lab();

}  // namespace regroup::app
