// SPDX-License-Identifier: Apache-2.0
// Where the wings meet for the KMS: the records of the key room as KMS documents, and KMS documents as
// checked types of the key wing. A received UserID is never trusted, but recomputed (TS 33.180 F.2.1); points
// and keys are checked (RFC 6507 5.1.2, RFC 6508 6.1.2).
#pragma once

#include "kms/kms.hpp"
#include "kmsxml/documents.hpp"
#include "mcx/domain.hpp"

namespace regroup::app {

[[nodiscard]] kmsxml::KmsCertificate document_of(const kms::CertificateRecord& record, kmsxml::Role role);
[[nodiscard]] kmsxml::KmsKeySet document_of(const kms::IssuedKeySet& issued,
                                            const kms::CertificateRecord& own);

// Both points checked. The error names the domain and the element. `profile`: of that domain; it says how its
// periods are counted and what its keys are made for.
[[nodiscard]] Result<mcx::KmsCertificate> certificate_of(const kmsxml::KmsCertificate& document,
                                                         const kmsxml::Profile& profile = {});
// Against the held certificate of the key set's KmsUri. On failure the traps of other KMSs are looked for and
// named (app/kms/traps.hpp). A set that only fits since the certificate was read under T-1 or T-2 is counted.
[[nodiscard]] Result<mcx::KeySet> key_set_of(const kmsxml::KmsKeySet& document, const mcx::Domains& domains,
                                             const kmsxml::Profile& profile = {});

// All of a file: bare elements or a whole KmsResponse (kmsxml::find_certificates, find_key_sets). Revoked key
// sets are left out. An operator hands them over: every form of writing is read (Profile::all_forms).
[[nodiscard]] Result<std::vector<mcx::KmsCertificate>> certificates_in(OctetsView document);
[[nodiscard]] Result<std::vector<mcx::KeySet>> key_sets_in(OctetsView document, const mcx::Domains& domains);

}  // namespace regroup::app
