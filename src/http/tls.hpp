// SPDX-License-Identifier: Apache-2.0
// Private to this room: OpenSSL contexts for server.cpp and client.cpp, free of Boost. TLS 1.2 and 1.3, ECDHE
// with AEAD, no compression, no renegotiation, no resumption (a resumed session would skip the look at the
// certificate). Key files are read through one descriptor whose mode is checked first; group or others
// reading it is refused.
#pragma once

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>

#include "http/server.hpp"

namespace regroup::http::tls {

struct Free {
  void operator()(SSL_CTX* at) const noexcept { SSL_CTX_free(at); }
  void operator()(X509* at) const noexcept { X509_free(at); }
  void operator()(EVP_PKEY* at) const noexcept { EVP_PKEY_free(at); }
  void operator()(BIO* at) const noexcept { BIO_free_all(at); }
  void operator()(GENERAL_NAMES* at) const noexcept { GENERAL_NAMES_free(at); }
};
using Context = std::unique_ptr<SSL_CTX, Free>;

struct ServerSide {
  std::string certificate_file;
  std::string key_file;
  ClientCertificate client_certificate = ClientCertificate::none;
  std::string client_ca_file;
};
[[nodiscard]] Result<Context> server_context(const ServerSide& side);

struct ClientSide {
  std::string ca_file;
  std::string certificate_file;  // empty = none
  std::string key_file;
  bool system_store = false;
};
[[nodiscard]] Result<Context> client_context(const ClientSide& side);

// Arms the check of the peer's name (DNS or numeric) and SNI for one connection.
[[nodiscard]] bool expect_host(SSL* ssl, const std::string& host);

// The verified peer certificate; `presented` is false when there is none or it did not verify.
[[nodiscard]] PeerCertificate peer_certificate(const SSL* ssl);

// "hostname mismatch" and the like for a failed handshake; empty if the certificate was not the reason.
[[nodiscard]] std::string verify_problem(const SSL* ssl);

}  // namespace regroup::http::tls
