// SPDX-License-Identifier: Apache-2.0
// regroup inspect FILE|- [--json]: a MIKEY message field by field, with offset, octets, name, value, meaning
// and clause. Needs no key. A truncated or hostile message is explained up to the octet where it breaks.
#pragma once

#include <iosfwd>
#include <string>

namespace regroup::app::cli {

struct InspectOptions {
  std::string file;  // "-": standard input
  bool json = false;
};

// Exit code: 0 explained wholly, 2 usage, a file that cannot be read too, 3 the message breaks or is none.
[[nodiscard]] int run_inspect(const InspectOptions& options, std::istream& in, std::ostream& out,
                              std::ostream& err);

}  // namespace regroup::app::cli
