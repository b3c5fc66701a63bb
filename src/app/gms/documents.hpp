// SPDX-License-Identifier: Apache-2.0
// What a reader sees: the XCAP documents of the GMS rendered from its state for one authenticated requester
// (PR-18), with the ETag of that very rendering. Nothing here changes anything.
#pragma once

#include "gms/gms.hpp"
#include "xcap/gktp_document.hpp"
#include "xcap/group_document.hpp"
#include "xcap/selector.hpp"

namespace regroup::app {

struct Rendered {
  std::string text;
  std::string etag;  // without quotes
};

class Documents {
 public:
  explicit Documents(const gms::Gms& gms) : gms_(gms) {}

  // The group document of `id`, or nothing when `reader` may not know it: neither member nor owner, creator,
  // MCPTT server or partner. `with_list`: as a plain GET, where rules decide about <list>; false: without it
  // (TS 24.481 6.3.16).
  [[nodiscard]] std::optional<Rendered> group(const std::string& reader, const std::string& id,
                                              bool with_list = true) const;
  // The key document: only what is addressed to `reader`; nothing when that is empty (PR-36).
  [[nodiscard]] std::optional<Rendered> keys(const std::string& reader, const std::string& id) const;
  // One part of it, GMK-GKTPs or MKFC-GKTPs, as the content of an <element> in a NOTIFY.
  struct Part {
    xml::Element element;
    std::string etag;
    std::vector<Fixed<32>> hashes;  // of the payloads in it
  };
  // One element of the key document, as this reader sees it; nothing when no or several elements match.
  [[nodiscard]] std::optional<Part> key_part(const std::string& reader, const std::string& id,
                                             std::span<const xcap::Step> steps) const;
  // Groups whose key document shows something to `reader` (PR-26).
  [[nodiscard]] std::vector<std::string> collection(const std::string& reader) const {
    return gms_.collection(reader);
  }

  [[nodiscard]] bool knows(const std::string& reader, const gms::Group& group) const;

 private:
  [[nodiscard]] std::vector<xcap::GktpPayload> payloads(const std::string& reader,
                                                        const std::string& id) const;
  const gms::Gms& gms_;
};

// The on-network-regrouped content of a regroup, as members see it.
[[nodiscard]] xcap::Regrouped regrouped_of(const gms::Regroup& regroup);
[[nodiscard]] std::string etag_of(std::string_view text);

}  // namespace regroup::app
