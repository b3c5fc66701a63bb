// SPDX-License-Identifier: Apache-2.0
// regroup kms-client init | keyprov | certcache | cert | check (docs/operations.md, kms-client): asks a KMS
// as our GMS and UE do, with the same client, and says what came: what an operator looks at before a foreign
// KMS is configured. Prints no key and stores nothing. Exit codes: 0 good, 1 failure, 2 usage, 3 refused by
// the KMS or by us.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "app/kms/client.hpp"

namespace regroup::app::cli {

struct KmsClientOptions {
  std::string kms_url;   // https://HOST:PORT
  std::string kms_uri;   // what it must call itself; empty: the host of the URL
  std::string identity;  // exactly as it is registered
  std::string ca_file;
  std::string token_file, token_command;   // one of them, or none with a client certificate
  std::string certificate_file, key_file;  // for mutual TLS
  std::string policy;                      // empty: plain, or with transport keys wrap+sign
  std::string transport_keys_file;         // as `kms add-identity --transport-keys-out` writes it
  std::vector<std::string> tolerate;       // docs/wire.md, Traps
  std::string time;                        // keyprov: the period of that time; empty: what the KMS gives
  std::optional<std::int64_t> since;       // certcache: only what changed after that CacheNum
  std::string wanted;                      // cert: the KMS URI
  bool json = false;
};

enum class KmsClientVerb { init, keyprov, certcache, cert, check };

// `call`: how requests travel; empty: over TLS as the options say.
[[nodiscard]] int run_kms_client(KmsClientVerb verb, const KmsClientOptions& options, std::ostream& out,
                                 std::ostream& err, const KmsCall& call = {},
                                 const Clock& clock = SystemClock());

}  // namespace regroup::app::cli
