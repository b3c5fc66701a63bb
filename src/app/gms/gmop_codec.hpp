// SPDX-License-Identifier: Apache-2.0
// Between the documents of xcap/ and the plain requests of gms/: nothing but names changes here.
#pragma once

#include "gms/ports.hpp"
#include "xcap/gmop.hpp"
#include "xcap/group_document.hpp"

namespace regroup::app {

[[nodiscard]] Result<gms::RegroupRequest> request_of(const xcap::RegroupCreation& creation);
[[nodiscard]] Result<gms::RegroupNotification> notification_of(const xcap::RegroupNotification& notification);
[[nodiscard]] xcap::RegroupCreation creation_of(const gms::RegroupRequest& request,
                                                const std::string& requestor);
// `to`: the partner whose payloads they are; their ids are PR-16's.
[[nodiscard]] xcap::RegroupNotification notification_for(const gms::RegroupNotification& notification,
                                                         const std::string& to);

[[nodiscard]] xcap::GmopResponse response_of(const gms::Answer& answer, std::string operation, std::string id,
                                             std::optional<std::uint32_t> seq);
// Errc::malformed when the response is not to this request. A reason that is not on the list reads as
// "policy".
[[nodiscard]] Result<gms::Answer> answer_of(const xcap::GmopResponse& response, std::string_view operation,
                                            std::string_view id, std::optional<std::uint32_t> seq);

[[nodiscard]] Result<gms::GroupRequest> group_request_of(const xcap::GroupDocument& document,
                                                         OctetsView text);

}  // namespace regroup::app
