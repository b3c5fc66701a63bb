// SPDX-License-Identifier: Apache-2.0
// Keys for a machine that never sees a network: what its KMS would answer to /init, /keyprov and /certcache,
// wrapped and signed with its transport keys (TS 33.180 9.3), as three files in a directory that is carried
// to it. The client reads them as it reads answers; `[kms] url = "file:DIRECTORY"` says so. ClientReqUrl is
// "file:" and the resource, so that no answer of one kind passes for the other.
#pragma once

#include <functional>

#include "app/kms/access.hpp"
#include "app/kms/client.hpp"
#include "kms/kms.hpp"

namespace regroup::app {

inline constexpr std::string_view kOfflineScheme = "file:";

// The three documents, each in the file of its name: init.xml, keyprov.xml, certcache.xml.
struct OfflinePackage {
  SecretOctets init, keyprov, certcache;
};

// For the periods asked, however far ahead: there will be no asking again. Errc::not_authorised for an
// identity without transport keys of policy wrap+sign: nothing else would protect it on its way; otherwise as
// of Kms::provision().
[[nodiscard]] Result<OfflinePackage> offline_package(const kms::Kms& kms, const mcx::McpttId& identity,
                                                     const std::vector<std::int64_t>& periods, NtpTime now,
                                                     Random& random);
// Into a directory, made if it is missing; each file has its name when it is whole, keyprov.xml last.
[[nodiscard]] Result<void> write_offline_package(const std::string& directory, const OfflinePackage& package);

// The keys of the package in the directory that access.url names. Errc::transport when there is none (yet);
// Errc::bad_signature for one that the KMS did not make for this client.
[[nodiscard]] Result<KmsAnswers> read_offline_package(const KmsAccess& access, const std::string& identity,
                                                      NtpTime now);

}  // namespace regroup::app
