// SPDX-License-Identifier: Apache-2.0
// How a GMS or UE gets its keys (bootstrap.md 5, kms.md 3, 7.3): /init, /keyprov, /certcache at its own KMS
// over verified TLS with its own token, every certificate and key set checked before use. Nothing else brings
// key material in. The answers are kept as they came (the caller seals them), so that a restart does not need
// the KMS.
#pragma once

#include <functional>

#include "app/gms/config.hpp"
#include "app/kms/documents.hpp"
#include "base/record.hpp"
#include "http/client.hpp"
#include "mcx/domain.hpp"

namespace regroup::app {

// The three answers, as received. The second holds keys.
struct KmsAnswers {
  SecretOctets init, keyprov, certcache;
};

// What they mean: the domains trusted, the own domain first, and the own key sets.
struct Provisioned {
  mcx::Domains domains;
  std::vector<mcx::KeySet> key_sets;
  std::vector<Error> warnings;  // external certificates that cannot be used; they are left out
};

// Asks the KMS. Errc::transport when it cannot be reached or is overloaded (the error names Retry-After),
// Errc::not_authorised when it refuses the token or the identity. A 401 is answered once with the token file
// read again.
[[nodiscard]] Result<KmsAnswers> fetch_keys(const KmsAccess& access, const std::string& identity);

// The same over any way to carry a request.
using KmsCall = std::function<Result<http::Response>(http::ClientRequest)>;
[[nodiscard]] Result<KmsAnswers> fetch_keys(const KmsAccess& access, const std::string& identity,
                                            const KmsCall& call, const Clock& clock);

// Reads and validates: KmsUri and UserUri of each answer, points, UIDs recomputed, both key checks
// (kms.md 7.3 item 7). Key sets of other identities or domains are left out; an answer without one for the
// period of `now` is Errc::expired.
[[nodiscard]] Result<Provisioned> read_keys(const KmsAnswers& answers, const std::string& identity,
                                            const std::string& kms_uri, NtpTime now);

// The answers as records of kind "kms" of the caller's store, and back.
[[nodiscard]] Writes writes_of(const KmsAnswers& answers);
void take_record(const Record& record, KmsAnswers& answers);

}  // namespace regroup::app
