// SPDX-License-Identifier: Apache-2.0
// multipart/mixed bodies (RFC 2046 section 5.1), binary-safe: a part's octets are carried as they are,
// whatever they contain. Bounded: at most kMostParts parts and kMostPartHeaders headers each. Refuses nested
// encodings: Content-Transfer-Encoding other than 7bit, 8bit and binary is `unsupported`.
#pragma once

#include "base/random.hpp"
#include "sip/message.hpp"

namespace regroup::sip {

inline constexpr std::size_t kMostParts = 16;
inline constexpr std::size_t kMostPartHeaders = 16;
inline constexpr std::size_t kMostPartHeaderOctets = 4096;  // of one part's whole header

struct Part {
  std::string content_type;     // empty means text/plain (RFC 2046 5.1)
  std::vector<Header> headers;  // the others, without Content-Type
  Octets body;
};

struct Multipart {
  std::string content_type;  // "multipart/mixed;boundary=…"
  Octets body;
};

// `content_type` is the whole header value. Errc::malformed names the part and the offset.
[[nodiscard]] Result<std::vector<Part>> parse_multipart(std::string_view content_type, OctetsView body);
// The boundary is drawn until no part contains it.
[[nodiscard]] Result<Multipart> write_multipart(const std::vector<Part>& parts, Random& random);

[[nodiscard]] bool is_multipart(std::string_view content_type);
// type/subtype equal, case folded, parameters ignored.
[[nodiscard]] bool has_type(std::string_view content_type, std::string_view type);
// The first part of that type, or nothing.
[[nodiscard]] const Part* find_part(const std::vector<Part>& parts, std::string_view type);

}  // namespace regroup::sip
