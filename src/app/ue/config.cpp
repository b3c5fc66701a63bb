// SPDX-License-Identifier: Apache-2.0
#include "app/ue/config.hpp"

namespace regroup::app {

Result<UeConfig> read_ue_config(const std::string& path) {
  TomlTable root = TRY(TomlTable::read_file(path));
  UeConfig out;
  out.domain.identity = TRY(mcx::McpttId::parse(TRY(root.text("mcptt_id"))));
  out.gms_uri = TRY(root.text("gms_uri"));
  for (const std::string& one : TRY(root.texts_or("gms_authorised", {out.gms_uri})))
    out.domain.gms_authorised.push_back(TRY(mcx::McpttId::parse(one)));
  for (const std::string& one : TRY(root.texts_or("tolerate", {})))
    out.domain.tolerances.allow(TRY(gktp::parse_tolerance(one)));
  out.xcap_root = TRY(root.text("xcap_root"));
  if (out.xcap_root.rfind("https://", 0) != 0 || out.xcap_root.back() != '/')
    return fail(Errc::usage, "TS 24.484", "xcap_root: must be an https URL that ends with '/'");
  out.group_creation_xui = TRY(root.text_or("group_creation_xui", out.gms_uri));
  if (!TRY(root.text_or("http_proxy", "")).empty())
    return fail(Errc::usage, "TS 24.482 A", "http_proxy: is not built; leave it empty");
  TomlTable tls = TRY(root.table("tls"));
  out.kms.ca_file = TRY(tls.file("kms_ca"));
  out.gms_ca_file = TRY(tls.file("gms_ca"));
  TomlTable store = TRY(root.table("store"));
  out.ring_file = TRY(store.file("ring"));
  out.passphrase_file = TRY(store.file("passphrase_file"));
  TomlTable kms = TRY(root.table("kms"));
  out.kms.uri = TRY(kms.text("uri"));
  out.domain.kms_uri = TRY(mcx::KmsUri::parse(out.kms.uri));
  out.kms.url = TRY(kms.text("url"));
  if (TRY(kms.text_or("policy", "plain")) != "plain")
    return fail(Errc::usage, "TS 33.180 9.3", "kms.policy: only plain is built");
  TRY(kms.text_or("transport_keys", ""));
  TomlTable token = TRY(root.table("token"));
  out.kms.token_file = TRY(token.file("file"));
  TomlTable sip = TRY(root.table("sip"));
  out.sip_route = TRY(sip.text("route"));
  out.sip_contact = TRY(sip.text_or("contact", "127.0.0.1:0"));
  TomlTable keys = TRY(root.table("keys"));
  out.receipts = TRY(keys.flag_or("receipts", true));
  out.key_in_notify = TRY(keys.flag_or("in_notify", true));
  TRY(root.finish());
  return out;
}

}  // namespace regroup::app
