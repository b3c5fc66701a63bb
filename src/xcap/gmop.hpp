// SPDX-License-Identifier: Apache-2.0
// GMOP (TS 24.481 7.3, application/vnd.3gpp.GMOP+xml): operations between GMC and GMS and between GMSs. Root
// and get-excluding-memberlist are the standard's; the inner content of the regroup operations is the profile
// "regroup-1" of this product (docs/wire.md; PR-20, PR-25, PR-43), kept in this one place so that another
// schema can replace it. Reads leniently: unknown elements are skipped, group IDs are found in
// constituent-MCPTT-group-ID or in a nested group document, payloads as blocks or plain. An operation that is
// not known is Errc::unsupported (501).
#pragma once

#include <variant>

#include "xcap/gktp_document.hpp"
#include "xcap/regrouped.hpp"

namespace regroup::xcap {

struct RegroupCreation {  // B1, C1; with `between_servers` C3
  static constexpr std::string_view kName = "group-regroup-creation";
  std::string id;
  bool between_servers = false;  // phase="request"
  Regrouped regrouped;           // the temporary ID is empty or proposed
};

struct RegroupNotification {  // C9
  static constexpr std::string_view kName = "group-regroup-notification";
  std::string id;
  std::uint32_t seq = 1;
  Regrouped regrouped;
  std::vector<GktpPayload> payloads;
};

struct RegroupTeardown {
  static constexpr std::string_view kName = "group-regroup-teardown";
  std::string id;
  std::string temporary;                  // empty before the group exists: `id` alone names the request
  std::vector<std::string> constituents;  // only these are withdrawn (PR-10); empty: all
};

enum class RekeyCause : std::uint8_t { member_removed, compromise, collision, period };
struct RegroupRekey {  // PR-43
  static constexpr std::string_view kName = "group-regroup-rekey";
  std::string id;
  std::string temporary;
  RekeyCause cause = RekeyCause::member_removed;
};

struct GetExcludingMemberlist {
  static constexpr std::string_view kName = "get-excluding-memberlist";
};

using GmopRequest =
    std::variant<RegroupCreation, RegroupNotification, RegroupTeardown, RegroupRekey, GetExcludingMemberlist>;

[[nodiscard]] Result<GmopRequest> parse_gmop_request(OctetsView document);
[[nodiscard]] std::string write_gmop(const GmopRequest& request);
[[nodiscard]] std::string_view name_of(const GmopRequest& request);

// B6, C5, C12, C13 and the answers to teardown and rekey.
struct ConstituentState {
  std::string uri;
  std::string state;  // joined, pending, rejected
  std::string reason;
  bool operator==(const ConstituentState&) const = default;
};
struct GmopResponse {
  std::string operation;
  std::string id;
  std::optional<std::uint32_t> seq;
  bool accepted = false;
  std::string reason;     // of the list of docs/wire.md, when rejected
  std::string temporary;  // when one exists
  std::vector<ConstituentState> constituents;
  std::optional<std::uint32_t> members_total, members_keyed;  // PR-28, counts only
  bool operator==(const GmopResponse&) const = default;
};

[[nodiscard]] Result<GmopResponse> parse_gmop_response(OctetsView document);
[[nodiscard]] std::string write_gmop(const GmopResponse& response);

// PR-25: 8 to 64 characters of A-Z a-z 0-9 . _ -
[[nodiscard]] bool is_request_id(std::string_view id);

}  // namespace regroup::xcap
