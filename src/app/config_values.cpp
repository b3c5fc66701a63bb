// SPDX-License-Identifier: Apache-2.0
#include "app/config_values.hpp"

#include <arpa/inet.h>

#include <algorithm>

#include "base/text.hpp"
#include "http/target.hpp"

namespace regroup::app {
namespace {

Error wrong(std::string_view clause, const std::string& text, const std::string& what, std::string cure) {
  return fail(Errc::usage, clause, "'" + printable(text, 80) + "' " + what, std::move(cure));
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// scheme ":" something (RFC 3986 3.1).
bool has_scheme(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size() || !is_letter(text[0]))
    return false;
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  });
}

bool is_numeric(const std::string& host) {
  in6_addr ignored{};
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1 || inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

}  // namespace

Result<mcx::McpttId> identity_value(const std::string& text) {
  auto parsed = mcx::McpttId::parse(text);
  if (!parsed.ok()) return parsed;
  if (!has_scheme(text))
    return wrong(
        "RFC 3986 3.1", text, "is not a URI",
        "write it with its scheme, for example sip:" +
            (text.find('@') == std::string::npos ? std::string("bob@mcx.example") : printable(text, 80)));
  return parsed;
}

Result<std::string> identity_text(const std::string& text) { return TRY(identity_value(text)).text(); }

Result<std::string> kms_uri_value(const std::string& text) { return TRY(mcx::KmsUri::parse(text)).text(); }

Result<std::string> https_origin(const std::string& text) {
  const auto url = http::parse_url(text);
  if (url.ok() && url->target.query.empty() && (url->target.path.empty() || url->target.path == "/"))
    return text;
  return wrong("TS 33.180 D.2", text, "is not an https URL without a path",
               "write https://HOST:PORT, for example https://kms.mcx.example:8444");
}

Result<std::string> kms_url_value(const std::string& text) {
  if (!text.starts_with("file:")) return https_origin(text);
  if (text.size() > 5 && text[5] == '/') return text;
  return wrong("docs/operations.md, Machines without a network", text, "names no absolute directory",
               "write file:/DIRECTORY, where the package of regroup kms issue lies");
}

Result<std::string> https_url(const std::string& text) {
  if (http::parse_url(text).ok()) return text;
  return wrong("RFC 6749 3.2", text, "is not an https URL",
               "write https://HOST/PATH, for example https://idms.mcx.example/token");
}

Result<std::string> proxy_value(const std::string& text) {
  constexpr std::string_view scheme = "https://";
  std::string_view address = text;
  if (address.starts_with(scheme)) address.remove_prefix(scheme.size());
  if (address.ends_with('/') && address.size() < text.size()) address.remove_suffix(1);
  if (http::parse_host_port(address).ok()) return std::string(address);
  return wrong("TS 24.482 A", text, "is no address of an HTTP proxy that speaks TLS",
               "write HOST:PORT, for example proxy.mcx.example:8443");
}

Result<std::string> xcap_root_value(const std::string& text) {
  const auto url = http::parse_url(text);
  if (url.ok() && url->target.query.empty() && text.back() == '/') return text;
  return wrong("TS 24.484", text, "is not an https URL that ends with '/'",
               "write it as in https://gms.mcx.example:8443/xcap-root/");
}

Result<std::string> listen_address(const std::string& text) {
  const auto parsed = http::parse_host_port(text);
  if (parsed.ok() && is_numeric(parsed->host)) return text;
  return wrong("docs/operations.md", text, "is not a numeric address with a port",
               "write HOST:PORT, for example 192.0.2.10:8443 or [2001:db8::1]:8443");
}

Result<std::string> sip_listen_address(const std::string& text) {
  const bool known = text.rfind("tcp:", 0) == 0 || text.rfind("tls:", 0) == 0;
  if (known && listen_address(text.substr(4)).ok()) return text;
  return wrong("RFC 3261 18", text, "is no SIP address to listen at",
               "write tcp:HOST:PORT, for example tcp:192.0.2.10:5060");
}

Result<std::string> domain_value(const std::string& text) {
  std::string out = text;
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  const bool good = !out.empty() && out.size() <= 253 && std::all_of(out.begin(), out.end(), [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
  if (good) return out;
  return wrong("docs/operations.md", text, "is no domain name",
               "write the part of the group IDs after the '@', for example mcx.example");
}

}  // namespace regroup::app
