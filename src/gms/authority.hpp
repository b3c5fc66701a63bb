// SPDX-License-Identifier: Apache-2.0
// Who may do what (TS 33.179 7.3.5.1). Authority is an explicit list of identities, compared as octets;
// nothing is ever inferred from the look of an identity (PR-1).
#pragma once

#include "gms/gms.hpp"

namespace regroup::gms {

[[nodiscard]] bool may_create(const Settings& settings, const std::string& requester);

// The domain part of a group ID: after the last '@', before any ';' (PR-37). Empty when there is
// none.
[[nodiscard]] std::string domain_of(std::string_view identity);
[[nodiscard]] bool homed_here(const Settings& settings, const GroupId& group);
// The partner whose configured domains contain the group's; nullptr: nobody (never asked of DNS).
[[nodiscard]] const PartnerSettings* home_of(const Settings& settings, const GroupId& group);
[[nodiscard]] const PartnerSettings* partner(const Settings& settings, std::string_view gms_uri);

// What keeps groups from being regrouped, looked for in those homed here (docs/rules.md, gms and flow). The
// error's detail is a reason of docs/wire.md, GMOP.
[[nodiscard]] Result<void> check_constituents(const Gms& gms, const std::vector<GroupId>& constituents);

// An error whose detail is the reason sent to the peer.
[[nodiscard]] Error refuse(std::string reason, std::string cure);
// Was it made by refuse()? Then its detail may be told to the peer; others' must not.
[[nodiscard]] bool is_refusal(const Error& error);

// PR-25: 8..64 characters of A-Z a-z 0-9 . _ -
[[nodiscard]] bool good_request_id(std::string_view id);

}  // namespace regroup::gms
