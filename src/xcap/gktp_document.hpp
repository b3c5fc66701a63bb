// SPDX-License-Identifier: Apache-2.0
// The GKTP document (AUID org.3gpp.MCPTT-GKTP, TS 24.481 7.7): group key payloads as hexBinary,
// for media below GMK-GKTPs, for multicast floor control below MKFC-GKTPs, those of a temporary group inside
// on-network-regrouped-GKTPs. Carries octets, does not know what is in them. `id` is opaque on reading;
// writing takes it from the caller (PR-16). Refuses text that is not hexBinary and payloads over 64 KiB.
#pragma once

#include "base/clock.hpp"
#include "xcap/names.hpp"

namespace regroup::xcap {

enum class GktpParent : std::uint8_t { gmk, mkfc };
[[nodiscard]] std::string_view name_of(GktpParent parent);  // "GMK-GKTPs", "MKFC-GKTPs"

struct GktpPayload {
  std::string id;         // unique within its parent element
  Octets message;         // the whole I_MESSAGE
  std::string temporary;  // temporary group ID; empty: the key is the document's own group's
  GktpParent parent = GktpParent::gmk;
  std::optional<NtpTime> activation;  // attribute of Rel-18
  bool operator==(const GktpPayload&) const = default;
};

// GKTPs with the payloads in their order, blocks of temporary groups in the order of their first payload. The
// prefix may be empty (a document of its own) or "mgktp" (inside another document).
[[nodiscard]] xml::Element gktp_element(std::span<const GktpPayload> payloads, std::string_view prefix = {});
[[nodiscard]] std::string write_gktp(std::span<const GktpPayload> payloads);

[[nodiscard]] Result<std::vector<GktpPayload>> parse_gktp(OctetsView document);
// The payloads of GKTPs, or of a part of it as it travels inside a NOTIFY: GMK-GKTPs, MKFC-GKTPs, one block
// of a temporary group, or one GKTP. The last two do not say which parent they have: `parent` does.
[[nodiscard]] Result<std::vector<GktpPayload>> read_gktp(const xml::Element& element,
                                                         GktpParent parent = GktpParent::gmk);

}  // namespace regroup::xcap
