// SPDX-License-Identifier: Apache-2.0
// regroup kms init | add-identity | list | import-certificate | certificate | serve (docs/operations.md,
// kms). Secrets come from files only. Exit codes of all: 0 done, 1 failure, 2 usage (a file that cannot be
// read too), 3 refused (it exists already, a reserved name, a conflict, a document that is none). With `json`
// every verb prints one object on `out`, on a refusal
// {"error":{"code","clause","detail","cure"}}.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "app/kms/store_key.hpp"
#include "base/clock.hpp"

namespace regroup::app::cli {

struct KmsInitOptions {
  std::string directory;
  std::string kms_uri;               // opaque; hashed into every UID, need not be an address
  std::int64_t period = 2'592'000;   // seconds, TS 33.180 F.2.1
  std::int64_t offset = 0;           // seconds
  std::vector<std::string> domains;  // KmsDomainList; empty: kms_uri without scheme, port and leading "kms."
  std::string issuer;
  std::string passphrase_file;
  bool json = false;
  TokenOptions token = {};  // in place of the passphrase file: all of it
};
// Makes the master secrets of a new KMS, once. Prints what was made.
[[nodiscard]] int run_kms_init(const KmsInitOptions& options, std::ostream& out, std::ostream& err);

struct KmsAddIdentityOptions {
  std::string directory;
  std::string identity;
  bool server = false;          // a GMS or MC server
  std::string passphrase_file;  // empty: the one that `kms init` was given
  bool json = false;
  std::string transport_keys_out =
      {};                     // a file to be made: the identity gets transport keys, written there once
  std::string policy = {};    // with them: wrap+sign (empty) or wrap
  std::string wrapping = {};  // with them: w3 (empty), w1 or w2
  TokenOptions token = {};    // here and below module and PIN file; empty: those that `kms init` was given
};
// An identity that is there already gets transport keys too, if it has none.
[[nodiscard]] int run_kms_add_identity(const KmsAddIdentityOptions& options, std::ostream& out,
                                       std::ostream& err);

struct KmsListOptions {
  std::string directory;
  std::string passphrase_file;  // empty: the one that `kms init` was given
  bool json = false;
  TokenOptions token = {};
};
// The registered identities, each with its kind, user or server, and its policy.
[[nodiscard]] int run_kms_list(const KmsListOptions& options, std::ostream& out, std::ostream& err);

struct KmsImportCertificateOptions {
  std::string directory;
  std::string file;             // what the partner's `kms certificate` printed
  std::string passphrase_file;  // empty: the one that `kms init` was given
  bool json = false;
  TokenOptions token = {};
};
// Prints the SHA-256 of the file: compare it with the partner by voice.
[[nodiscard]] int run_kms_import_certificate(const KmsImportCertificateOptions& options, std::ostream& out,
                                             std::ostream& err);

struct KmsCertificateOptions {
  std::string directory;
  bool successor = false;  // the announced one instead of the one in force
  bool json = false;
};
// The own KMS certificate as XML on `out`, its SHA-256 on `err`; no passphrase needed.
[[nodiscard]] int run_kms_certificate(const KmsCertificateOptions& options, std::ostream& out,
                                      std::ostream& err);

struct KmsServeOptions {
  std::string directory;
  std::string listen;  // HOST:PORT, numeric; port 0 picks a free one
  std::string tls_cert, tls_key;
  std::string client_ca;    // PEM; then server identities need a client certificate that names them
  std::string server_auth;  // mtls+token, mtls or token; empty: mtls+token with a client CA, else token
  std::string jwks;         // keys of the token issuer: a file or an https URL
  std::string jwks_ca;      // PEM, trust anchor of that URL; empty: the system's store
  std::string issuer, audience;
  std::string passphrase_file;  // empty: the one that `kms init` was given
  std::uint32_t rate = 120;     // requests of one identity a minute, then 429; 0: no limit
  std::uint32_t waiting = 256;  // requests that may wait for a thread, then 503
  std::string watch;            // HOST:PORT for /metrics, /health and /ready; empty: none
  bool json_log = false;        // each line of the log as one JSON object
  bool json = false;
  TokenOptions token = {};
};
// Serves until SIGTERM or SIGINT; "ready https://HOST:PORT" on stdout ({"ready":"https://HOST:PORT"} with
// `json`), one line per request on `err`.
[[nodiscard]] int run_kms_serve(const KmsServeOptions& options, std::ostream& err,
                                const Clock& clock = SystemClock());

// Says on `err`, and with `json` on `out`, why a verb was refused; returns the exit code.
[[nodiscard]] int refuse_kms_verb(const char* verb, const Error& error, bool json, std::ostream& out,
                                  std::ostream& err);

}  // namespace regroup::app::cli
