// SPDX-License-Identifier: Apache-2.0
// A look at the raw octets before libxml2 gets them: its duplicate-attribute check is quadratic and its tree
// has no bound on the number of elements, so both are counted here, in one pass and without memory.
#pragma once

#include "xml/element.hpp"

namespace regroup::xml {

// Well-formed as far as tags, quotes, comments and sections go, and within `limits`. No DTD, UTF-8 only.
[[nodiscard]] Result<void> scan(std::string_view document, const Limits& limits);
// The refusal of octets that are no XML.
[[nodiscard]] Error not_well_formed(std::string detail, std::string_view clause = "XML 1.0");

}  // namespace regroup::xml
