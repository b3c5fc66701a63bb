// SPDX-License-Identifier: Apache-2.0
#include "app/gms/config.hpp"

namespace regroup::app {
namespace {

Result<mcx::McpttId> identity(TomlTable& table, const std::string& key) {
  auto parsed = mcx::McpttId::parse(TRY(table.text(key)));
  if (!parsed.ok()) return std::move(parsed).error().with(key);
  return parsed;
}

Result<gms::FloorKey> floor_key(TomlTable& table) {
  const std::string name = TRY(table.text_or("floor_key", "none"));
  for (const gms::FloorKey one : {gms::FloorKey::none, gms::FloorKey::gmk, gms::FloorKey::mkfc})
    if (gms::name_of(one) == name) return one;
  return fail(Errc::usage, "README decision 1", "floor_key: '" + name + "' is not none, gmk or mkfc");
}

Result<void> read_domain(TomlTable& root, gms::Settings& out) {
  out.gms_uri = TRY(identity(root, "gms_uri"));
  out.domains = TRY(root.texts_or("domains", {}));
  if (out.domains.empty())
    return fail(Errc::usage, "", "domains: name at least one domain whose groups are homed here");
  out.floor_key = TRY(floor_key(root));
  const std::string profile = TRY(root.text_or("release_profile", "rel13"));
  if (profile != "rel13") return fail(Errc::usage, "", "release_profile: only rel13 is built");
  TomlTable policy = TRY(root.table("policy"));
  out.creators = TRY(policy.texts_or("creators", {}));
  out.max_members = static_cast<std::size_t>(TRY(policy.integer_or("max_members", 3000, 1, 100'000)));
  TomlTable times = TRY(root.table("times"));
  out.t_ask = TRY(times.integer_or("t_ask", out.t_ask, 1, 300));
  out.t_notify = TRY(times.integer_or("t_notify", out.t_notify, 10, 30 * 86400));
  out.t_reserve = TRY(times.integer_or("t_reserve", out.t_reserve, 10, 86400));
  out.c12_wait = TRY(times.integer_or("c12_wait", out.c12_wait, 0, 60));
  out.c13_wait = TRY(times.integer_or("c13_wait", out.c13_wait, 0, 60));
  return {};
}

Result<void> read_network(TomlTable& root, GmsConfig& out) {
  out.xcap_root = TRY(root.text("xcap_root"));
  if (out.xcap_root.rfind("https://", 0) != 0 || out.xcap_root.back() != '/')
    return fail(Errc::usage, "TS 24.484", "xcap_root: must be an https URL that ends with '/'");
  TomlTable listen = TRY(root.table("listen"));
  TomlTable https = TRY(listen.table("https"));
  out.listen_ue = TRY(https.text("ue"));
  out.listen_trusted = TRY(https.text_or("trusted", ""));
  out.listen_admin = TRY(https.text_or("admin", ""));
  out.listen_sip = TRY(listen.texts_or("sip", {}));
  if (out.listen_sip.empty())
    return fail(Errc::usage, "", "listen.sip: name at least one address, for example tcp:192.0.2.10:5060");
  TomlTable tls = TRY(root.table("tls"));
  out.certificate_file = out.kms.certificate_file = TRY(tls.file("cert"));
  out.key_file = out.kms.key_file = TRY(tls.file("key"));
  TomlTable ca = TRY(tls.table("ca"));
  out.kms.ca_file = TRY(ca.file("kms"));
  out.trusted_ca_file = TRY(ca.file_or("trusted", ""));
  if (!out.listen_trusted.empty() && out.trusted_ca_file.empty())
    return fail(Errc::usage, "", "tls.ca.trusted: is missing, but listen.https.trusted is open");
  return {};
}

Result<void> read_trust(TomlTable& root, GmsConfig& out) {
  TomlTable kms = TRY(root.table("kms"));
  out.kms.uri = TRY(kms.text("uri"));
  out.kms.url = TRY(kms.text("url"));
  if (TRY(kms.text_or("policy", "plain")) != "plain")
    return fail(Errc::usage, "TS 33.180 9.3", "kms.policy: only plain is built");
  TRY(kms.text_or("transport_keys", ""));
  TomlTable own_token = TRY(kms.table("token"));
  out.kms.token_file = TRY(own_token.file("file"));
  TomlTable token = TRY(root.table("token"));
  out.jwks_file = TRY(token.file("jwks"));
  out.issuer = TRY(token.text("issuer"));
  out.audience = TRY(token.text_or("audience", ""));
  out.scopes = TRY(token.texts_or(
      "scopes", {"3gpp:mc:ptt_group_management_service", "3gpp:mcptt:group_management_server"}));
  TomlTable kms_of = TRY(root.table("kms_of"));
  out.kms_of = TRY(kms_of.all_texts());
  return {};
}

Result<void> read_partner(TomlTable& table, GmsConfig& out) {
  gms::PartnerSettings settings;
  settings.gms_uri = TRY(identity(table, "gms_uri"));
  settings.domains = TRY(table.texts_or("domains", {}));
  settings.max_regroups = static_cast<std::size_t>(TRY(table.integer_or("max_regroups", 50, 1, 100'000)));
  PartnerAccess access;
  access.gms_uri = settings.gms_uri.text();
  access.kms_uri = TRY(table.text("kms_uri"));
  access.xcap_root = TRY(table.text("xcap_root"));
  access.ca_file = TRY(table.file("ca"));
  access.san = TRY(table.text_or("san", access.gms_uri));
  out.domain.partners.push_back(std::move(settings));
  out.partners.push_back(std::move(access));
  return {};
}

}  // namespace

Result<GmsConfig> read_gms_config(const std::string& path) {
  TomlTable root = TRY(TomlTable::read_file(path));
  GmsConfig out;
  TRY(read_domain(root, out.domain));
  TRY(read_network(root, out));
  TRY(read_trust(root, out));
  out.store_file = TRY(root.file("store"));
  out.passphrase_file = TRY(root.file("kek_passphrase_file"));
  for (TomlTable& partner : TRY(root.tables("partner"))) TRY(read_partner(partner, out));
  TRY(root.finish());
  return out;
}

}  // namespace regroup::app
