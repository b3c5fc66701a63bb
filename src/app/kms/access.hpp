// SPDX-License-Identifier: Apache-2.0
// How a role reaches its KMS and proves who it is: the configuration tables [kms] and [token] of a client, as
// ue.toml and gms.toml share them, and the access token itself (TS 33.180 B.10).
#pragma once

#include <atomic>
#include <chrono>
#include <memory>

#include "app/kms/token_endpoint.hpp"
#include "app/kms/transport_ring.hpp"
#include "app/toml.hpp"
#include "kmsxml/tolerance.hpp"

namespace regroup::app {

// The least that an answer of the KMS must be (TS 33.180 9.3).
enum class KmsPolicy {
  plain,      // as it comes over verified TLS
  wrap,       // keys under the transport key
  wrap_sign,  // and every answer signed; an unsigned error is a hint only
};

struct KmsAccess {
  std::string uri;  // pinned: a KMS that calls itself otherwise is refused
  std::string url;  // https://HOST:PORT
  std::string ca_file;
  std::string token_file;                         // one of these three; a server may have none
  std::string token_command;                      // for /bin/sh; the first line it prints is the token
  std::shared_ptr<TokenEndpoint> token_endpoint;  // whoever holds a copy of this uses the same token
  std::string certificate_file, key_file;         // servers: the client certificate with their URI
  KmsPolicy policy = KmsPolicy::plain;
  std::string transport_keys_file;                // empty: none
  std::shared_ptr<TransportRing> transport_keys;  // what it holds, and what came after; they sign requests
  kmsxml::Profile profile = {};                   // what its answers may be otherwise (docs/wire.md, Traps)
  // Seconds that its last refusal asked for in Retry-After, 0 for none; of all who hold a copy of this.
  std::shared_ptr<std::atomic<std::int64_t>> asked_to_wait = std::make_shared<std::atomic<std::int64_t>>(0);
};

// The keys of [kms] that every client has.
inline const TomlTable::Keys kKmsKeys = {"uri", "url", "policy", "transport_keys", "tolerate"};
// Those keys. A policy other than plain needs a transport key file.
[[nodiscard]] Result<void> read_kms_table(TomlTable& table, KmsAccess& out);
// What the file of [kms] transport_keys holds, if one is named; its complaints get their place in the
// configuration.
[[nodiscard]] Result<void> load_transport_keys(TomlTable& root, KmsAccess& out);
// The keys of a token table.
inline const TomlTable::Keys kTokenKeys = {"file",      "command",     "endpoint",
                                           "client_id", "secret_file", "scope"};
// The trust anchor of a token endpoint, and the key that names it.
struct TokenCa {
  std::string file;  // empty: none is configured
  std::string_view key;
};
// Exactly one of `file`, `command` and `endpoint`; the rest belongs to `endpoint`, which needs a CA too.
[[nodiscard]] Result<void> read_token_table(TomlTable& table, const TokenCa& ca, KmsAccess& out);

// The token, empty without a source: a file is read anew at each call, a command runs anew, so that a renewed
// token is found; an endpoint is asked when it has to be. Errc::usage names file or command, never the token.
[[nodiscard]] Result<SecretOctets> read_token(const KmsAccess& access, const TokenWait& wait = {});
// The same after a server has refused that one.
[[nodiscard]] Result<SecretOctets> read_token_again(const KmsAccess& access, OctetsView refused,
                                                    const TokenWait& wait = {});
// First line of a file that nobody but this user can reach.
[[nodiscard]] Result<SecretOctets> read_token_file(const std::string& path);
// First line of what the command prints; it must end in time, with status 0 and after little output.
[[nodiscard]] Result<SecretOctets> run_token_command(const std::string& command, const TokenWait& wait = {});

}  // namespace regroup::app
