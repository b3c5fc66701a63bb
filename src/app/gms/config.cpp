// SPDX-License-Identifier: Apache-2.0
#include "app/gms/config.hpp"

#include <algorithm>

#include "app/config_values.hpp"
#include "base/text.hpp"
#include "http/jwt.hpp"
#include "http/server.hpp"

namespace regroup::app {
namespace {

constexpr std::int64_t kDay = 86400;

Result<void> read_floor_key(TomlTable& table, gms::FloorKey& out) {
  const std::string name = TRY(table.text_or("floor_key", "none"));
  for (const gms::FloorKey one : {gms::FloorKey::none, gms::FloorKey::gmk, gms::FloorKey::mkfc})
    if (gms::name_of(one) == name) {
      out = one;
      return {};
    }
  return table.wrong("floor_key", "TS 33.179 7.3.5.3",
                     "'" + printable(name, 40) + "' is no kind of floor key", "write none, gmk or mkfc");
}

Result<std::vector<std::string>> read_domains(TomlTable& table, const char* whose) {
  auto domains = TRY(table.each("domains", domain_value));
  if (domains.empty())
    return table.wrong("domains", "TS 33.179 7.3.5.3",
                       "names no domain of the groups homed " + std::string(whose),
                       "write domains = [\"mcx.example\"]");
  return domains;
}

// Rel-17 and Rel-18 differ in the key-parameter encoding and the activationtime of a GKTP element.
Result<void> read_profile(TomlTable& root) {
  const std::string profile = TRY(root.text_or("release_profile", "rel13"));
  if (profile == "rel13") return {};
  const bool known = profile == "rel17" || profile == "rel18";
  return root.wrong("release_profile", "TS 33.179 E.6",
                    known ? profile + " is not built" : "is not rel13, rel17 or rel18",
                    "write release_profile = \"rel13\"");
}

Result<void> read_policy(TomlTable& root, gms::Settings& out) {
  TomlTable policy =
      TRY(root.table("policy", {"creators", "mcptt_servers", "admins", "max_members", "max_constituents"}));
  const auto creator = [](const std::string& text) {
    return text == "*" ? Result<std::string>(text) : identity_text(text);
  };
  out.creators = TRY(policy.each("creators", creator));
  out.mcptt_servers = TRY(policy.each("mcptt_servers", identity_text));
  out.admins = TRY(policy.each("admins", identity_text));
  const auto count = [&](const char* key, std::size_t& value, std::int64_t least) -> Result<void> {
    value = static_cast<std::size_t>(
        TRY(policy.integer_or(key, static_cast<std::int64_t>(value), least, 100'000)));
    return {};
  };
  TRY(count("max_members", out.max_members, 1));
  return count("max_constituents", out.max_constituents, 2);
}

Result<void> read_keys(TomlTable& root, gms::Settings& out) {
  TRY(read_floor_key(root, out.floor_key));
  for (const gktp::Tolerance one : TRY(root.each("tolerate", gktp::parse_tolerance)))
    out.tolerances.allow(one);
  TomlTable keys = TRY(root.table("keys", {"gmk_cs_id", "empty_map", "key_lifetime"}));
  out.gmk_cs_id = static_cast<std::uint8_t>(TRY(keys.integer_or("gmk_cs_id", out.gmk_cs_id, 0, 255)));
  out.empty_map = TRY(keys.flag_or("empty_map", out.empty_map));
  out.key_lifetime = TRY(keys.integer_or("key_lifetime", 0, 0, 3650 * kDay));
  if (out.key_lifetime > 0 && out.key_lifetime < 60)
    return keys.wrong("key_lifetime", "TS 33.179 E.6.1", "is below a minute: no member could use such a key",
                      "write seconds, or 0 for keys that do not expire");
  return {};
}

Result<void> read_times(TomlTable& root, gms::Settings& out) {
  TomlTable times =
      TRY(root.table("times", {"t_ask", "t_notify", "t_reserve", "c12_wait", "c13_wait", "answer_memory"}));
  out.t_ask = TRY(times.integer_or("t_ask", out.t_ask, 1, 300));
  out.t_notify = TRY(times.integer_or("t_notify", out.t_notify, 10, 30 * kDay));
  out.t_reserve = TRY(times.integer_or("t_reserve", out.t_reserve, 10, kDay));
  out.c12_wait = TRY(times.integer_or("c12_wait", out.c12_wait, 0, 60));
  out.c13_wait = TRY(times.integer_or("c13_wait", out.c13_wait, 0, 60));
  out.answer_memory = TRY(times.integer_or("answer_memory", out.answer_memory, 60, 365 * kDay));
  // A C9 that is still repeated must meet the answer it had (PR-25).
  if (out.answer_memory < out.t_notify)
    return times.wrong("answer_memory", "TS 33.179 7.3.5.3",
                       "is shorter than t_notify: a repeated notification would be worked through again",
                       "write at least " + std::to_string(out.t_notify));
  return {};
}

Result<void> read_domain(TomlTable& root, gms::Settings& out) {
  out.gms_uri = TRY(root.parsed("gms_uri", identity_value));
  out.domains = TRY(read_domains(root, "here"));
  TRY(read_profile(root));
  TRY(read_policy(root, out));
  TRY(read_keys(root, out));
  return read_times(root, out);
}

Result<void> read_listeners(TomlTable& root, GmsConfig& out) {
  TomlTable listen = TRY(root.table("listen", {"https", "sip"}));
  TomlTable https = TRY(listen.table("https", {"ue", "trusted", "admin"}));
  const auto optional = [&](const char* key) -> Result<std::string> {
    if (TRY(https.text_or(key, "")).empty()) return std::string();  // closed
    return https.parsed(key, listen_address);
  };
  out.listen_ue = TRY(https.parsed("ue", listen_address));
  out.listen_trusted = TRY(optional("trusted"));
  out.listen_admin = TRY(optional("admin"));
  out.listen_sip = TRY(listen.each("sip", sip_listen_address));
  if (out.listen_sip.empty())
    return listen.wrong("sip", "RFC 3261 18", "names no address for SUBSCRIBE",
                        "write sip = [\"tcp:192.0.2.10:5060\"]");
  return {};
}

// PR-39: one identity string. Partners and the KMS take this GMS by the URI in its certificate.
TomlTable::FileCheck certificate_of(const std::string& own) {
  return [own](const std::string& path) -> Result<void> {
    TRY(http::check_certificate_file(path));
    if (TRY(http::certificate_in(path)).has_uri(own)) return {};
    return fail(Errc::usage, "PR-39", "certificate file " + path + " does not carry the URI " + own,
                "have a certificate issued whose subjectAltName holds URI:" + own);
  };
}

Result<void> read_tls(TomlTable& root, GmsConfig& out) {
  TomlTable tls = TRY(root.table("tls", {"cert", "key", "ca"}));
  out.certificate_file = out.kms.certificate_file =
      TRY(tls.present_file("cert", certificate_of(out.domain.gms_uri.text())));
  out.key_file = out.kms.key_file =
      TRY(tls.present_file("key", [cert = out.certificate_file](const std::string& path) {
        return http::check_key_file(path, cert);
      }));
  TomlTable ca = TRY(tls.table("ca", {"trusted", "kms", "token", "jwks"}));
  out.kms.ca_file = TRY(ca.present_file("kms", http::check_ca_file));
  if (ca.has("token")) out.token_ca_file = TRY(ca.present_file("token", http::check_ca_file));
  if (ca.has("jwks")) out.jwks.ca_file = TRY(ca.present_file("jwks", http::check_ca_file));
  if (!TRY(ca.text_or("trusted", "")).empty())
    out.trusted_ca_file = TRY(ca.present_file("trusted", http::check_ca_file));
  if ((!out.listen_trusted.empty() || !out.listen_admin.empty()) && out.trusted_ca_file.empty())
    return ca.wrong("trusted", "TS 24.482 A.2",
                    "is missing, but listen.https has a listener that asks for a client certificate",
                    "name the CA of partners, MCPTT servers and operators, or close those listeners");
  return {};
}

Result<void> read_jwks(TomlTable& token, JwksPlace& out) {
  if (is_url(TRY(token.text("jwks")))) {
    out.where = TRY(token.parsed("jwks", jwks_url));
    return {};
  }
  if (!out.ca_file.empty())
    return token.wrong("jwks", "RFC 8414 2", "is a file, but tls.ca.jwks names the trust anchor of a URL",
                       "remove jwks from tls.ca, or write https://HOST/PATH");
  out.where = TRY(token.present_file("jwks", [](const std::string& path) -> Result<void> {
    TRY(http::read_jwks_file(path));
    return {};
  }));
  return {};
}

Result<void> read_trust(TomlTable& root, GmsConfig& out) {
  TomlTable::Keys keys = kKmsKeys;
  keys.push_back("token");
  TomlTable kms = TRY(root.table("kms", keys));
  TRY(read_kms_table(kms, out.kms));
  if (kms.has("token")) {  // without one our certificate must be enough (kms serve --server-auth mtls)
    TomlTable own_token = TRY(kms.table("token", kTokenKeys));
    TRY(read_token_table(own_token, {out.token_ca_file, "tls.ca.token"}, out.kms));
  }
  TomlTable token = TRY(root.table("token", {"jwks", "issuer", "audience", "scopes"}));
  TRY(read_jwks(token, out.jwks));
  out.issuer = TRY(token.text("issuer"));
  out.audience = TRY(token.text_or("audience", ""));
  out.scopes = TRY(token.texts_or(
      "scopes", {"3gpp:mc:ptt_group_management_service", "3gpp:mcptt:group_management_server"}));
  TomlTable kms_of = TRY(root.open_table("kms_of"));
  out.kms_of = TRY(kms_of.all_texts());
  for (const auto& [identity, serving] : out.kms_of) {
    if (const auto good = identity_value(identity); !good.ok()) return kms_of.placed(identity, good.error());
    if (const auto good = kms_uri_value(serving); !good.ok()) return kms_of.placed(identity, good.error());
  }
  return {};
}

Result<void> read_store(TomlTable& root, GmsConfig& out) {
  out.store_file = TRY(root.file("store"));
  if (root.has("pkcs11"))
    return root.wrong("pkcs11", "TS 33.180 5.11", "keys in a PKCS #11 module are not built",
                      "remove [pkcs11] and write kek_passphrase_file = \"FILE\"");
  out.passphrase_file = TRY(root.file("kek_passphrase_file"));
  return {};
}

// One home for each domain, one entry for each partner.
Result<void> check_distinct(const TomlTable& table, const gms::PartnerSettings& added,
                            const gms::Settings& all) {
  constexpr std::string_view kClause = "TS 33.179 7.3.5.3";
  const auto taken = [&](const std::vector<std::string>& domains) {
    return std::any_of(domains.begin(), domains.end(), [&](const std::string& one) {
      return std::find(added.domains.begin(), added.domains.end(), one) != added.domains.end();
    });
  };
  if (added.gms_uri == all.gms_uri)
    return table.wrong("gms_uri", kClause, "is our own: a GMS is no partner of itself", "name the other GMS");
  if (taken(all.domains))
    return table.wrong("domains", kClause, "has a domain that is homed here", "give each domain one home");
  for (const gms::PartnerSettings& other : all.partners) {
    if (other.gms_uri == added.gms_uri)
      return table.wrong("gms_uri", kClause, "is that of another partner too", "merge the two entries");
    if (taken(other.domains))
      return table.wrong("domains", kClause, "has a domain of " + other.gms_uri.text() + " too",
                         "give each domain one home");
  }
  return {};
}

Result<void> read_partner(TomlTable& table, GmsConfig& out) {
  gms::PartnerSettings settings;
  settings.gms_uri = TRY(table.parsed("gms_uri", identity_value));
  settings.domains = TRY(read_domains(table, "at the partner"));
  settings.max_regroups = static_cast<std::size_t>(TRY(table.integer_or("max_regroups", 50, 1, 100'000)));
  settings.tell_members_keyed = TRY(table.flag_or("tell_members_keyed", false));
  PartnerAccess access;
  access.gms_uri = settings.gms_uri.text();
  access.kms_uri = TRY(table.parsed("kms_uri", kms_uri_value));
  access.xcap_root = TRY(table.parsed("xcap_root", xcap_root_value));
  access.ca_file = TRY(table.present_file("ca", http::check_ca_file));
  access.san = settings.san = table.has("san") ? TRY(table.text("san")) : access.gms_uri;
  TRY(check_distinct(table, settings, out.domain));
  out.domain.partners.push_back(std::move(settings));
  out.partners.push_back(std::move(access));
  return {};
}

}  // namespace

Result<GmsConfig> read_gms_config(const std::string& path) {
  TomlTable root = TRY(TomlTable::read_file(path));
  GmsConfig out = TRY(gms_config(root));
  TRY(root.check_files());
  TRY(load_transport_keys(root, out.kms));
  return out;
}

Result<GmsConfig> gms_config(TomlTable& root) {
  TRY(root.only({"gms_uri", "xcap_root", "release_profile", "domains", "store", "kek_passphrase_file",
                 "pkcs11", "floor_key", "tolerate", "listen", "tls", "kms", "token", "policy", "keys",
                 "times", "kms_of", "partner"}));
  GmsConfig out;
  TRY(read_domain(root, out.domain));
  out.xcap_root = TRY(root.parsed("xcap_root", xcap_root_value));
  TRY(read_listeners(root, out));
  TRY(read_tls(root, out));
  TRY(read_trust(root, out));
  TRY(read_store(root, out));
  const TomlTable::Keys kPartner = {"gms_uri", "kms_uri", "domains",      "xcap_root",
                                    "ca",      "san",     "max_regroups", "tell_members_keyed"};
  for (TomlTable& partner : TRY(root.tables("partner", kPartner))) TRY(read_partner(partner, out));
  return out;
}

}  // namespace regroup::app
