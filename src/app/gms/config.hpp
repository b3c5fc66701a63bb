// SPDX-License-Identifier: Apache-2.0
// gms.toml (docs/operations.md): who this GMS is, where it listens, whom it trusts. Secrets are file names.
#pragma once

#include "app/jwks_source.hpp"
#include "app/kms/access.hpp"
#include "gms/ports.hpp"

namespace regroup::app {

struct PartnerAccess {
  std::string gms_uri, kms_uri;
  std::string xcap_root;  // its trusted listener, ends with '/'
  std::string ca_file;
  std::string san;  // URI or DNS name that its certificate must carry; default gms_uri
};

struct GmsConfig {
  gms::Settings domain;
  std::string xcap_root;
  std::string store_file, passphrase_file;
  std::string listen_ue, listen_trusted, listen_admin;  // HOST:PORT; empty: closed
  std::vector<std::string> listen_sip;                  // "tcp:HOST:PORT"
  std::string certificate_file, key_file, trusted_ca_file;
  std::string token_ca_file;  // of the endpoint that gives us our own token; empty: none
  KmsAccess kms;
  JwksPlace jwks;
  std::string issuer, audience;
  std::vector<std::string> scopes;
  std::vector<PartnerAccess> partners;
  std::vector<std::pair<std::string, std::string>> kms_of;  // exact identity -> KmsUri (PR-37)
};

// The files that it names for TLS and tokens must be there.
[[nodiscard]] Result<GmsConfig> read_gms_config(const std::string& path);
// What a text says, whether or not those files are there.
[[nodiscard]] Result<GmsConfig> gms_config(TomlTable& root);

}  // namespace regroup::app
