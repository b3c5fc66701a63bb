// SPDX-License-Identifier: Apache-2.0
// How a role reaches its KMS and proves who it is: the configuration tables [kms] and [token] of a client, as
// ue.toml and gms.toml share them, and the access token itself (TS 33.180 B.10).
#pragma once

#include <chrono>

#include "app/toml.hpp"

namespace regroup::app {

struct KmsAccess {
  std::string uri;  // pinned: a KMS that calls itself otherwise is refused
  std::string url;  // https://HOST:PORT
  std::string ca_file;
  std::string token_file;                  // one of these two; a server may have neither
  std::string token_command;               // for /bin/sh; the first line it prints is the token
  std::string certificate_file, key_file;  // servers: the client certificate with their URI
};

// `uri`, `url`, `policy`, `transport_keys` of [kms]. Policies that are not built are refused with the cure.
[[nodiscard]] Result<void> read_kms_table(TomlTable& table, KmsAccess& out);
// The keys of a token table; the last three are refused by name.
inline const TomlTable::Keys kTokenKeys = {"file", "command", "endpoint", "client_id", "secret_file"};
// `file` or `command`; a token endpoint is refused: it is not built.
[[nodiscard]] Result<void> read_token_table(TomlTable& table, KmsAccess& out);

// The token, empty without a source: a file is read anew at each call, a command runs anew, so that a renewed
// token is found. Errc::usage names file or command, never the token. A command blocks for at most ten
// seconds.
[[nodiscard]] Result<std::string> read_token(const KmsAccess& access);
// First line of a file that nobody but this user can reach.
[[nodiscard]] Result<std::string> read_token_file(const std::string& path);
// First line of what the command prints; it must end in time, with status 0 and after little output.
[[nodiscard]] Result<std::string> run_token_command(
    const std::string& command, std::chrono::milliseconds limit = std::chrono::seconds(10));

}  // namespace regroup::app
