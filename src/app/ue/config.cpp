// SPDX-License-Identifier: Apache-2.0
#include "app/ue/config.hpp"

#include "app/config_values.hpp"
#include "http/server.hpp"

namespace regroup::app {
namespace {

Result<void> read_identities(TomlTable& root, UeConfig& out) {
  out.domain.identity = TRY(root.parsed("mcptt_id", identity_value));
  out.gms_uri = TRY(root.parsed("gms_uri", identity_text));
  out.domain.gms_authorised = TRY(root.each("gms_authorised", identity_value));
  if (!root.has("gms_authorised")) out.domain.gms_authorised.push_back(TRY(identity_value(out.gms_uri)));
  for (const gktp::Tolerance one : TRY(root.each("tolerate", gktp::parse_tolerance)))
    out.domain.tolerances.allow(one);
  out.xcap_root = TRY(root.parsed("xcap_root", xcap_root_value));
  out.group_creation_xui =
      root.has("group_creation_xui") ? TRY(root.parsed("group_creation_xui", identity_text)) : out.gms_uri;
  if (!TRY(root.text_or("http_proxy", "")).empty())
    out.http_proxy = TRY(root.parsed("http_proxy", proxy_value));
  return {};
}

Result<void> read_files(TomlTable& root, UeConfig& out) {
  TomlTable tls = TRY(root.table("tls", {"kms_ca", "gms_ca", "token_ca"}));
  if (tls.has("token_ca")) out.token_ca_file = TRY(tls.present_file("token_ca", http::check_ca_file));
  out.kms.ca_file = TRY(tls.present_file("kms_ca", http::check_ca_file));
  out.gms_ca_file = TRY(tls.present_file("gms_ca", http::check_ca_file));
  TomlTable store = TRY(root.table("store", {"ring", "passphrase_file"}));
  out.ring_file = TRY(store.file("ring"));
  out.passphrase_file = TRY(store.file("passphrase_file"));
  return {};
}

Result<std::string> route_value(const std::string& text) {
  const bool sip = text.rfind("sip:", 0) == 0 || text.rfind("sips:", 0) == 0;
  if (sip && identity_value(text).ok()) return text;
  return fail(Errc::usage, "RFC 3261 8.1.2", "is no SIP URI of the next hop",
              "write it as in sip:192.0.2.10:5060;transport=tcp");
}

}  // namespace

Result<UeConfig> read_ue_config(const std::string& path) {
  TomlTable root = TRY(TomlTable::read_file(path));
  UeConfig out = TRY(ue_config(root));
  TRY(root.check_files());
  TRY(load_transport_keys(root, out.kms));
  return out;
}

Result<UeConfig> ue_config(TomlTable& root) {
  TRY(root.only({"mcptt_id", "gms_uri", "gms_authorised", "tolerate", "xcap_root", "group_creation_xui",
                 "http_proxy", "tls", "store", "kms", "token", "sip", "keys"}));
  UeConfig out;
  TRY(read_identities(root, out));
  TRY(read_files(root, out));
  TomlTable kms = TRY(root.table("kms", kKmsKeys));
  TRY(read_kms_table(kms, out.kms));
  out.domain.kms_uri = TRY(kms.parsed("uri", mcx::KmsUri::parse));
  TomlTable token = TRY(root.table("token", kTokenKeys));
  TRY(read_token_table(token, {out.token_ca_file, "tls.token_ca"}, out.kms));
  TomlTable sip = TRY(root.table("sip", {"route", "contact"}));
  out.sip_route = TRY(sip.parsed("route", route_value));
  out.sip_contact = sip.has("contact") ? TRY(sip.parsed("contact", listen_address)) : "127.0.0.1:0";
  TomlTable keys = TRY(root.table("keys", {"receipts", "in_notify"}));
  out.receipts = TRY(keys.flag_or("receipts", true));
  out.key_in_notify = TRY(keys.flag_or("in_notify", true));
  return out;
}

}  // namespace regroup::app
