// SPDX-License-Identifier: Apache-2.0
// A list of identities as other systems export it: CSV (RFC 4180), UTF-8, first line the names of the
// columns: uri, and in any order, if at all, server, suspended (true or false, empty: false) and
// transport_keys (empty, wrap or wrap+sign). At most 64 MiB, 1,000,000 lines, 4096 octets a line; a field in
// quotes stays on its line.
#pragma once

#include <string>
#include <vector>

#include "base/octets.hpp"
#include "mcx/ids.hpp"

namespace regroup::app {

inline constexpr std::size_t kMaxIdentityList = std::size_t{64} << 20;

struct IdentityLine {
  std::size_t line = 0;  // of the file, from 1
  mcx::McpttId identity;
  bool server = false;
  bool suspended = false;
  std::string transport_keys = {};  // policy; empty: none
};
struct IdentityList {
  std::vector<IdentityLine> lines;
  struct Bad {
    std::size_t line;
    Error why;
  };
  std::vector<Bad> bad;  // lines that cannot be one; the others stand all the same
};

// An error when the first line does not name the columns, or the list is too long.
[[nodiscard]] Result<IdentityList> parse_identity_list(OctetsView text);

}  // namespace regroup::app
