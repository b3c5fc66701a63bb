// SPDX-License-Identifier: Apache-2.0
// Values that configuration files have in common, read strictly: what is wrong, by which clause, and how it
// should look. Whoever reads the file adds the place (TomlTable::parsed).
#pragma once

#include "mcx/ids.hpp"

namespace regroup::app {

// An identity as configured: a URI with its scheme, octets as they stand (RFC 3986 3.1).
[[nodiscard]] Result<mcx::McpttId> identity_value(const std::string& text);
[[nodiscard]] Result<std::string> identity_text(const std::string& text);
[[nodiscard]] Result<std::string> kms_uri_value(const std::string& text);  // opaque
// "https://HOST[:PORT]" with nothing behind it.
[[nodiscard]] Result<std::string> https_origin(const std::string& text);
// Of a KMS: https_origin, or "file:/DIRECTORY" (docs/operations.md, Machines without a network).
[[nodiscard]] Result<std::string> kms_url_value(const std::string& text);
// An https URL, with a path or without (RFC 6749 3.2).
[[nodiscard]] Result<std::string> https_url(const std::string& text);
// "HOST:PORT" or "https://HOST:PORT" of the home HTTP proxy; gives the first form.
[[nodiscard]] Result<std::string> proxy_value(const std::string& text);
// An https URL that ends with '/' (TS 24.484, GMS-XCAP-root-URI).
[[nodiscard]] Result<std::string> xcap_root_value(const std::string& text);
// "HOST:PORT", HOST numeric.
[[nodiscard]] Result<std::string> listen_address(const std::string& text);
// "tcp:HOST:PORT" or "tls:HOST:PORT".
[[nodiscard]] Result<std::string> sip_listen_address(const std::string& text);
// The domain part of identities, folded to lower case.
[[nodiscard]] Result<std::string> domain_value(const std::string& text);

}  // namespace regroup::app
