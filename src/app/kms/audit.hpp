// SPDX-License-Identifier: Apache-2.0
// What a KMS writes into its audit log (kms/audit.hpp): each answer before it leaves, each administrative act
// before it is carried out, a server's start and stop. No key, no token; fields in docs/formats.md, Audit
// log.
#pragma once

#include <nlohmann/json.hpp>

#include "app/kms/front.hpp"
#include "kms/audit.hpp"

namespace regroup::app {

// The record of one answer.
[[nodiscard]] nlohmann::json audit_record(const KmsAnswer& answer, const http::Peer& peer,
                                          const kms::Kms& kms);
// Appends `record` with the event's name and the time.
[[nodiscard]] Result<void> audit(kms::AuditLog& log, std::string_view event, nlohmann::json record,
                                 NtpTime now);
// The same for an administrator's command, with the number of the user who gave it.
[[nodiscard]] Result<void> audit_command(const std::string& directory, std::string_view event,
                                         nlohmann::json record);

}  // namespace regroup::app
