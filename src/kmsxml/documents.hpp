// SPDX-License-Identifier: Apache-2.0
// The KMS documents of TS 33.180 Annex D (TS 33.179 Annex D): request, response, certificate, key set. Pure
// syntax: public points are Octets, keys are SecretOctets, nothing here knows a curve. Reading is strict but
// for the switches of its Profile; requests are read in any order. Writing is strict (order and types of the
// Rel-14+ schema). Wrapped keys are read and written as they stand: who holds the transport key opens them
// (app/kms/protection.hpp). A signed request or response is Errc::unsupported here: kmsxml/signature.hpp
// reads it, and verifies it first. A SignedKmsCertificate is read as the certificate in it; its signature
// proves nothing.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/octets.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "kmsxml/tolerance.hpp"

namespace regroup::kmsxml {

enum class Role { root, external };

struct KmsCertificate {  // D.3.2
  std::string id = {};
  std::optional<Role> role = {};
  bool is_security_gateway = false;
  std::string cert_uri = {};  // may be empty
  std::string kms_uri = {};   // never empty
  std::string issuer = {};
  std::optional<NtpTime> valid_from = {}, valid_to = {};  // ordered when both are there
  bool revoked = false;
  std::int64_t user_key_period = 0;  // seconds, > 0
  std::int64_t user_key_offset = 0;  // seconds since 1900-01-01T00:00:00Z, 0 <= offset < period
  Octets pub_enc_key = {};           // Z_T, 257 octets
  Octets pub_auth_key = {};          // KPAK, 65 octets
  std::vector<std::string> domains = {};
};

// xenc:EncryptedKey, a key under a transport key (TS 33.180 9.3.4). Which wrap of it fits is found out by
// opening.
struct EncryptedKey {
  std::string key_name = {};          // of the transport key
  std::string carried_key_name = {};  // of the key inside; new transport and integrity keys have one
  Octets cipher = {};                 // 24 to 1024 octets, whole blocks of 8
};

struct WrappedKeys {
  EncryptedKey user_decrypt_key = {};
  EncryptedKey user_signing_key_ssk = {};
  EncryptedKey user_pub_token_pvt = {};
};

struct KmsKeySet {  // D.3.3; holds keys
  std::string id = {};
  std::string kms_uri = {};
  std::string cert_uri = {};
  std::string issuer = {};
  std::string user_uri = {};
  Octets user_id = {};  // 32 octets, or empty when absent or unreadable: it is recomputed anyway
  std::optional<NtpTime> valid_from = {}, valid_to = {};  // informative; the period number decides
  std::int64_t key_period_no = 0;
  bool revoked = false;
  SecretOctets user_decrypt_key = {};       // RSK, 257 octets; this and the next two: empty when revoked
  SecretOctets user_signing_key_ssk = {};   // SSK, 32 octets
  Octets user_pub_token_pvt = {};           // PVT, 65 octets
  std::optional<WrappedKeys> wrapped = {};  // then the three above are empty
};

struct KmsRequest {  // D.2.2
  std::string id = {};
  std::string user_uri = {};
  std::string kms_uri = {};
  NtpTime time = {};
  std::string client_id = {};
  std::string device_id = {};
  std::string client_req_url = {};
  std::string trk_id = {};        // of the transport key the client holds; empty without one
  std::string signature_id = {};  // only in signed requests
};

struct KmsInit {
  KmsCertificate certificate = {};
  std::vector<EncryptedKey> new_transport_keys = {}, new_integrity_keys = {};
};
struct KmsKeyProv {
  std::vector<KmsKeySet> key_sets = {};  // none: "nothing for you now"
  std::vector<EncryptedKey> new_transport_keys = {}, new_integrity_keys = {};
};
struct KmsCertCache {
  std::optional<std::int64_t> cache_num = {};
  std::vector<KmsCertificate> certificates = {};
};
struct KmsError {  // house rule: code = HTTP status, message = reason token, ": ", text
  std::int64_t code = 0;
  std::string message = {};
};

struct KmsResponse {  // D.3.1
  std::string id = {};
  std::string user_uri = {};
  std::string kms_uri = {};
  NtpTime time = {};
  std::string kms_id = {};
  std::string client_req_url = {};
  // monostate: neither a message nor an error, or a message of another namespace.
  std::variant<std::monostate, KmsInit, KmsKeyProv, KmsCertCache, KmsError> content = {};
};

[[nodiscard]] Result<KmsRequest> parse_request(OctetsView document, const Profile& profile = {});
[[nodiscard]] Result<KmsResponse> parse_response(OctetsView document, const Profile& profile = {});

// All certificates, or key sets, of a bare KmsCertificate / SignedKmsCertificate / KmsKeySet or of a whole
// KmsResponse, in order. A document of another kind, a KmsError or one without any is an error, and so is a
// wrapped key set.
[[nodiscard]] Result<std::vector<KmsCertificate>> find_certificates(OctetsView document,
                                                                    const Profile& profile = {});
[[nodiscard]] Result<std::vector<KmsKeySet>> find_key_sets(OctetsView document, const Profile& profile = {});

enum class Layout { compact, indented };
[[nodiscard]] std::string write(const KmsRequest& request, Layout layout = Layout::compact);
[[nodiscard]] std::string write(const KmsCertificate& certificate, Layout layout = Layout::indented);
// Secret: key sets stand in them in the clear.
[[nodiscard]] SecretOctets write(const KmsKeySet& key_set, Layout layout = Layout::indented);
[[nodiscard]] SecretOctets write(const KmsResponse& response, Layout layout = Layout::compact);

}  // namespace regroup::kmsxml
