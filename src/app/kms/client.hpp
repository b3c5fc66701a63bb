// SPDX-License-Identifier: Apache-2.0
// How a GMS or UE gets its keys (TS 33.180 D.2): /init, /keyprov, /certcache at its own KMS
// over verified TLS with its own token, every certificate and key set checked before use. Nothing else brings
// key material in. With transport keys requests are signed, answers verified before they are read and held
// against the request, keys unwrapped (TS 33.180 9.3). The answers are kept (the caller seals them), so that
// a restart needs neither the KMS nor the transport keys.
#pragma once

#include <functional>
#include <stop_token>

#include "app/kms/answer.hpp"
#include "app/kms/documents.hpp"
#include "base/record.hpp"
#include "http/client.hpp"
#include "mcx/domain.hpp"

namespace regroup::app {

// The three answers, as received or, of a client with transport keys, opened. The second holds keys.
struct KmsAnswers {
  SecretOctets init, keyprov, certcache;
  SecretOctets previous{};    // an earlier `keyprov` with the key sets of the previous period; may be empty
  SecretOctets transport{};   // of TransportRing, when it changed
  SecretOctets next{};        // another `keyprov` with the key set of the next period; may be empty
  bool empty = false;         // the KMS had nothing for us now, and what was held is kept; not stored
  kmsxml::Tally tolerated{};  // to open them; not stored
};

// What they mean: the domains trusted, the own domain first, and the own key sets.
struct Provisioned {
  mcx::Domains domains;
  std::vector<mcx::KeySet> key_sets;
  std::vector<Error> warnings;   // external certificates that cannot be used; they are left out
  bool revoked = false;          // by the KMS, for good: there are no key sets any more
  kmsxml::Tally tolerated = {};  // switches of the profile that the answers needed
};

// Asks the KMS; near the end of a period (app/kms/schedule.hpp) also for the key set of the next one, if it
// does not give that by itself. Errc::transport when it cannot be reached or is overloaded (the error names
// Retry-After), Errc::not_authorised when it refuses the token or the identity. A 401 is answered once with
// the token read again. A stop ends it at once, with Errc::transport.
[[nodiscard]] Result<KmsAnswers> fetch_keys(const KmsAccess& access, const std::string& identity,
                                            std::stop_token stop = {});

// The same over any way to carry a request.
using KmsCall = std::function<Result<http::Response>(http::ClientRequest)>;
// Over TLS as `access` says.
[[nodiscard]] Result<KmsCall> kms_over_tls(const KmsAccess& access, std::stop_token stop = {});

// Any resources, in order, each answer opened; fetch_keys() is this with the three that a client needs.
struct AskedKms {
  std::vector<OpenedAnswer> answers;
  SecretOctets transport = {};  // of TransportRing, when it changed
};
[[nodiscard]] Result<AskedKms> ask_kms(const KmsAccess& access, const std::string& identity,
                                       const std::vector<std::string>& resources, const KmsCall& call,
                                       const Clock& clock, std::stop_token stop = {});
[[nodiscard]] Result<KmsAnswers> fetch_keys(const KmsAccess& access, const std::string& identity,
                                            const KmsCall& call, const Clock& clock,
                                            std::stop_token stop = {});

// The own KMS's certificate is pinned by KmsUri and CertUri: other keys or periods under the same names are
// Errc::conflict, always (TS 33.180 D.3.2). An announced successor has another CertUri. Nothing stored:
// nothing pinned. To be asked before `fresh` is used or stored.
[[nodiscard]] Result<void> check_pinned(const KmsAnswers& fresh, const KmsAnswers& stored,
                                        const kmsxml::Profile& profile = {});
// `fresh`, with the key sets of the period before its first one if `stored` has them: what was sealed just
// before a roll-over must still open. A `fresh` without any key set is "nothing for you now": the stored ones
// stay.
[[nodiscard]] KmsAnswers keep_previous(KmsAnswers fresh, const KmsAnswers& stored,
                                       const kmsxml::Profile& profile = {});

// Reads and validates: KmsUri and UserUri of each answer, points, UIDs recomputed, both key checks
// (RFC 6507 5.1.2, RFC 6508 6.1.2). Key sets of other identities or domains are left out; an answer without
// one for the period of `now` is Errc::expired. A revoked key set is none
// (TS 33.180 D.3.3); when that of the present period is, the identity is revoked and left without any.
// `profile`: of the own domain; of others the answers tell only how they are written.
[[nodiscard]] Result<Provisioned> read_keys(const KmsAnswers& answers, const std::string& identity,
                                            const std::string& kms_uri, NtpTime now,
                                            const kmsxml::Profile& profile = {});
// What a log says of the switches once: which are allowed, and what the answers needed. Empty without any.
[[nodiscard]] std::string tolerated_line(const kmsxml::Profile& profile, const kmsxml::Tally& tolerated);
// The answer to `resource`, if it comes from the KMS `kms_uri`, is for that identity and of the expected
// kind.
template <class Kind>
[[nodiscard]] Result<Kind> content_of(const SecretOctets& document, std::string_view resource,
                                      const std::string& identity, const std::string& kms_uri,
                                      const kmsxml::Profile& profile);

// The answers as records of kind "kms" of the caller's store, and back. Of a revoked identity they hold no
// key and erase what was kept. New transport keys among them are used from the call of use_stored() on: after
// the commit.
[[nodiscard]] Writes writes_of(const KmsAnswers& answers);
void take_record(const Record& record, KmsAnswers& answers);
[[nodiscard]] Result<void> use_stored(const KmsAccess& access, const KmsAnswers& answers);

}  // namespace regroup::app
