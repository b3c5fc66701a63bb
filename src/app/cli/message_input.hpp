// SPDX-License-Identifier: Apache-2.0
// The forms in which people hold a MIKEY message: the octets themselves, hexadecimal (spaces and newlines
// anywhere), base64 with or without padding, the SDP forms `mikey BASE64` and `a=key-mgmt:mikey BASE64`
// (RFC 4567 3.1), and a line of `regroup seal`, `RECEIVER GUK-ID mikey BASE64`. Refuses input of more than
// 1 MiB, several messages and text that is none of them. What the octets mean is not
// looked at.
#pragma once

#include <iosfwd>

#include "base/octets.hpp"
#include "base/result.hpp"

namespace regroup::app::cli {

enum class InputForm { binary, hexadecimal, base64, sdp, seal_line };
[[nodiscard]] std::string_view name_of(InputForm form) noexcept;

struct MessageInput {
  InputForm form = InputForm::binary;
  Octets octets;
};

inline constexpr std::size_t kLargestInput = 1 << 20;

[[nodiscard]] Result<MessageInput> detect_message(OctetsView input);

// The content of a file, or of `in` when the name is "-". Errc::storage when it cannot be read.
[[nodiscard]] Result<Octets> read_input(const std::string& file, std::istream& in);

}  // namespace regroup::app::cli
