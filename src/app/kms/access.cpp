// SPDX-License-Identifier: Apache-2.0
#include "app/kms/access.hpp"

#include "app/config_values.hpp"

namespace regroup::app {

Result<void> read_kms_table(TomlTable& table, KmsAccess& out) {
  out.uri = TRY(table.parsed("uri", kms_uri_value));
  out.url = TRY(table.parsed("url", https_origin));
  const std::string policy = TRY(table.text_or("policy", "plain"));
  if (policy == "wrap" || policy == "wrap+sign")
    return table.wrong("policy", "TS 33.180 9.3.4", policy + " is not built", "write policy = \"plain\"");
  if (policy != "plain")
    return table.wrong("policy", "TS 33.180 9.3.4", "is not plain, wrap or wrap+sign",
                       "write policy = \"plain\"");
  TRY(table.text_or("transport_keys", ""));  // needed unless plain
  return {};
}

Result<void> read_token_table(TomlTable& table, KmsAccess& out) {
  constexpr std::string_view kClause = "TS 33.180 B.10";
  for (const char* key : {"endpoint", "client_id", "secret_file"})
    if (table.has(key))
      return table.wrong(key, kClause, "a token endpoint is not built; use file or command",
                         "write file = \"FILE\" or command = \"COMMAND\"");
  if (table.has("file") && table.has("command"))
    return table.wrong("command", kClause, "stands beside file: a token has one source",
                       "remove one of them");
  if (table.has("command")) {
    out.token_command = TRY(table.text("command"));
    return {};
  }
  if (!table.has("file"))
    return table.wrong("file", kClause, "is missing, and so is command: no access token",
                       "write file = \"FILE\" or command = \"COMMAND\"");
  out.token_file = TRY(table.file("file"));
  return {};
}

}  // namespace regroup::app
