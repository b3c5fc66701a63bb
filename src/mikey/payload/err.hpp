// SPDX-License-Identifier: Apache-2.0
// ERR (RFC 3830 6.12): the error of an error message (data type 6). Read and logged; anyone can forge it, so
// nothing else happens, and regroup sends none.
#pragma once

#include "mikey/codec.hpp"

namespace regroup::mikey {

struct Err {
  static constexpr std::string_view kName = "ERR";

  PayloadType next = PayloadType::last;
  std::uint8_t error = static_cast<std::uint8_t>(ErrorCode::unspecified);
  std::uint16_t reserved = 0;  // ignored
  bool operator==(const Err&) const = default;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.next_payload(self.next);
    io.uint(1, Field{"error", "RFC 3830 6.12", names::error}, self.error);
    io.uint(2, Field{"reserved", "RFC 3830 6.12"}, self.reserved);
  }
};

}  // namespace regroup::mikey
