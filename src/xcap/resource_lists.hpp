// SPDX-License-Identifier: Apache-2.0
// What a subscriber wants to hear about: one entry/@uri per document, element or collection (RFC 4826,
// application/resource-lists+xml; TS 24.481 6.3.13). Lists may be nested; other children are skipped. Refuses
// more than 2 000 entries or 64 KiB (PR-31).
#pragma once

#include "xcap/names.hpp"

namespace regroup::xcap {

inline constexpr std::size_t kMostWatched = 2'000;

// The URIs in document order, as they stand (raw or percent-encoded), each once.
[[nodiscard]] Result<std::vector<std::string>> parse_resource_lists(OctetsView document);
[[nodiscard]] std::string write_resource_lists(std::span<const std::string> uris);

}  // namespace regroup::xcap
