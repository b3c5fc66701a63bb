// SPDX-License-Identifier: Apache-2.0
// ue.toml (docs/operations.md): who this client is, which GMS and KMS it belongs to.
#pragma once

#include "app/gms/config.hpp"
#include "ue/ue.hpp"

namespace regroup::app {

struct UeConfig {
  ue::Settings domain;
  std::string gms_uri;
  std::string xcap_root;
  std::string group_creation_xui;
  std::string gms_ca_file;
  std::string token_ca_file;  // of the token endpoint; empty: none
  std::string http_proxy;     // HOST:PORT on the way to the GMS; empty: none
  KmsAccess kms;              // with the one token for KMS and GMS
  std::string ring_file, passphrase_file;
  std::string sip_route;      // "sip:192.0.2.10:5060;transport=tcp"
  std::string sip_contact;    // "HOST:PORT" to listen at; port 0 picks one
  bool receipts = true;       // key receipts (PR-3)
  bool key_in_notify = true;  // subscribe to the key element, so that the payload comes in the NOTIFY
};

// The CA files that it names must be there.
[[nodiscard]] Result<UeConfig> read_ue_config(const std::string& path);
// What a text says, whether or not those files are there.
[[nodiscard]] Result<UeConfig> ue_config(TomlTable& root);

}  // namespace regroup::app
