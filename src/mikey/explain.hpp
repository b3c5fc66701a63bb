// SPDX-License-Identifier: Apache-2.0
// A MIKEY message told to people, field by field: the same layouts and the same rules that parse() runs,
// watched. A truncated or hostile message is explained up to the octet where it breaks, with the reason. The
// content of general extensions 6 and 7 is explained as well, so a message that parses can still break there.
// Needs no key and shows no secret: keys are encapsulated on the wire. Output is bounded by the 16384 octets
// that a message may have.
#pragma once

#include "base/octets.hpp"
#include "base/result.hpp"

namespace regroup::mikey {

struct Line {
  std::size_t offset = 0;
  Octets octets;
  std::string payload;  // "HDR", "IDR", ...
  std::string field;
  std::string value;    // decimal; hexadecimal for identifiers and opaque octets; quoted text for identities
  std::string meaning;  // may be empty
  std::string clause;
};

struct Explanation {
  std::vector<Line> lines;
  std::optional<Error> error;  // why the explanation ends before the message does
  std::size_t breaks_at = 0;   // the offset it is about
  [[nodiscard]] bool complete() const { return !error.has_value(); }
};

// Explains I_MESSAGEs and error messages.
[[nodiscard]] Explanation explain(OctetsView octets);

}  // namespace regroup::mikey
