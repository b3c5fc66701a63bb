// SPDX-License-Identifier: Apache-2.0
#include "app/kms/access.hpp"

#include "app/config_values.hpp"
#include "app/kms/transport_file.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kProtectionClause = "TS 33.180 9.3.4";

}  // namespace

Result<void> read_kms_table(TomlTable& table, KmsAccess& out) {
  out.uri = TRY(table.parsed("uri", kms_uri_value));
  out.url = TRY(table.parsed("url", kms_url_value));
  const std::string policy = TRY(table.text_or("policy", "plain"));
  if (policy != "plain" && policy != "wrap" && policy != "wrap+sign")
    return table.wrong("policy", kProtectionClause, "is not plain, wrap or wrap+sign",
                       "write policy = \"wrap+sign\", or \"plain\" without transport keys");
  out.policy = policy == "plain"  ? KmsPolicy::plain
               : policy == "wrap" ? KmsPolicy::wrap
                                  : KmsPolicy::wrap_sign;
  if (out.url.starts_with("file:") && out.policy != KmsPolicy::wrap_sign)
    return table.wrong("policy", kProtectionClause, "is " + policy + ", but url names a directory",
                       "write policy = \"wrap+sign\": nothing else vouches for files that were carried");
  if (!TRY(table.text_or("transport_keys", "")).empty())
    out.transport_keys_file = TRY(table.present_file("transport_keys"));
  else if (out.policy != KmsPolicy::plain)
    return table.wrong("transport_keys", kProtectionClause, "is missing, but policy is " + policy,
                       "name the file that regroup kms add-identity --transport-keys-out wrote");
  const auto allow = [&](const std::string& entry) -> Result<bool> {
    TRY(out.profile.allow(entry));
    return true;
  };
  (void)TRY(table.each("tolerate", allow));
  return {};
}

Result<void> load_transport_keys(TomlTable& root, KmsAccess& out) {
  if (out.transport_keys_file.empty()) return {};
  auto keys = read_transport_key_file(out.transport_keys_file);
  if (!keys.ok()) return TRY(root.open_table("kms")).placed("transport_keys", keys.error());
  out.transport_keys = std::make_shared<TransportRing>(std::move(keys).value());
  return {};
}

namespace {

constexpr std::string_view kTokenClause = "TS 33.180 B.10";

Result<void> read_endpoint(TomlTable& table, const TokenCa& ca, KmsAccess& out) {
  static const SystemClock clock;
  TokenEndpointSettings settings;
  settings.url = TRY(table.parsed("endpoint", https_url));
  settings.client_id = TRY(table.text("client_id"));
  settings.secret_file = TRY(table.file("secret_file"));
  settings.scope = TRY(table.text_or("scope", ""));
  settings.ca_file = ca.file;
  if (ca.file.empty())
    return table.wrong("endpoint", "RFC 6749 3.2",
                       "needs " + std::string(ca.key) + ", the trust anchor of the token endpoint",
                       "name its CA there; the system's store is never used");
  out.token_endpoint = std::make_shared<TokenEndpoint>(std::move(settings), clock);
  return {};
}

}  // namespace

Result<void> read_token_table(TomlTable& table, const TokenCa& ca, KmsAccess& out) {
  std::vector<std::string> sources;
  for (const char* key : {"file", "command", "endpoint"})
    if (table.has(key)) sources.emplace_back(key);
  if (sources.size() > 1)
    return table.wrong(sources[1], kTokenClause, "stands beside " + sources[0] + ": a token has one source",
                       "remove " + sources[0] + " or " + sources[1]);
  for (const char* key : {"client_id", "secret_file", "scope"})
    if (table.has(key) && !table.has("endpoint"))
      return table.wrong(key, kTokenClause, "belongs to endpoint, which is missing",
                         "write endpoint = \"https://HOST/PATH\", or remove it");
  if (sources.empty())
    return table.wrong("file", kTokenClause, "is missing, and so are command and endpoint: no access token",
                       "write file = \"FILE\", command = \"COMMAND\" or endpoint = \"https://HOST/PATH\"");
  if (sources[0] == "endpoint") return read_endpoint(table, ca, out);
  if (sources[0] == "command")
    out.token_command = TRY(table.text("command"));
  else
    out.token_file = TRY(table.file("file"));
  return {};
}

}  // namespace regroup::app
