// SPDX-License-Identifier: Apache-2.0
#include "http/tls.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace regroup::http::tls {
namespace {

constexpr char kSuites12[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305";
constexpr std::string_view kGiveChain = "give a PEM chain, leaf first";
constexpr std::string_view kNameKey = "name the PEM file with the unencrypted private key";
constexpr off_t kMaxKeyFile = 64 * 1024;  // octets

Error wrong_file(std::string_view what, const std::string& path, const std::string& why, std::string cure) {
  ERR_clear_error();
  return fail(Errc::usage, "", std::string(what) + " " + path + ": " + why, std::move(cure));
}

std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code ? ERR_reason_error_string(code) : nullptr;
  return reason ? reason : "unreadable";
}

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

Result<SecretOctets> read_private(const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat about {};
  if (file.fd < 0 || ::fstat(file.fd, &about) != 0)
    return wrong_file("key file", path, std::strerror(errno), std::string(kNameKey));
  if ((about.st_mode & 077) != 0)
    return wrong_file("key file", path, "is accessible to group or others", "chmod 600 " + path);
  if (about.st_size <= 0 || about.st_size > kMaxKeyFile)
    return wrong_file("key file", path, "is empty or too large", std::string(kNameKey));
  SecretOctets out(static_cast<std::size_t>(about.st_size));
  std::size_t at = 0;
  while (at < out.size()) {
    const ssize_t got = ::read(file.fd, out.expose_mutable().data() + at, out.size() - at);
    if (got <= 0) return wrong_file("key file", path, "cannot be read to its end", std::string(kNameKey));
    at += static_cast<std::size_t>(got);
  }
  return out;
}

// No prompt ever: an encrypted key is refused, not asked about on the terminal of a daemon.
int no_passphrase(char*, int, int, void*) { return -1; }

Result<void> use_certificate(SSL_CTX* context, const std::string& certificate_file) {
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1)
    return wrong_file("certificate file", certificate_file, openssl_reason(), std::string(kGiveChain));
  return {};
}

Result<void> use_key(SSL_CTX* context, const std::string& key_file, const std::string& certificate_file) {
  const SecretOctets pem = TRY(read_private(key_file));
  const std::unique_ptr<BIO, Free> in(BIO_new_mem_buf(pem.expose().data(), static_cast<int>(pem.size())));
  const std::unique_ptr<EVP_PKEY, Free> key(
      in ? PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr) : nullptr);
  if (!key)
    return wrong_file("key file", key_file, "holds no unencrypted PEM private key", std::string(kNameKey));
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1)
    return wrong_file("key file", key_file, "does not belong to certificate " + certificate_file,
                      "name the key that this certificate was issued for");
  return {};
}

Result<void> use_identity(SSL_CTX* context, const std::string& certificate_file,
                          const std::string& key_file) {
  TRY(use_certificate(context, certificate_file));
  return use_key(context, key_file, certificate_file);
}

Result<void> trust(SSL_CTX* context, const std::string& ca_file) {
  ERR_clear_error();
  if (ca_file.empty())
    return fail(Errc::usage, "", "no CA file is configured",
                "name the PEM file with the trust anchors of this leg");
  if (SSL_CTX_load_verify_file(context, ca_file.c_str()) != 1)
    return wrong_file("CA file", ca_file, openssl_reason(), "give PEM certificates");
  return {};
}

Result<void> trust_system(SSL_CTX* context) {
  if (SSL_CTX_set_default_verify_paths(context) == 1) return {};
  ERR_clear_error();
  return fail(Errc::internal, "", "OpenSSL cannot read the system's trust store");
}

Result<Context> base_context(const SSL_METHOD* method) {
  Context context(SSL_CTX_new(method));
  if (!context) return fail(Errc::internal, "", "OpenSSL cannot make a TLS context");
  SSL_CTX* c = context.get();
  SSL_CTX_set_options(c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                             SSL_OP_NO_TICKET | SSL_OP_CLEANSE_PLAINTEXT);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_security_level(c, 2);
  const bool set =
      SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1 && SSL_CTX_set_cipher_list(c, kSuites12) == 1 &&
      SSL_CTX_set1_groups_list(c, "X25519:P-256:P-384") == 1 && SSL_CTX_set_num_tickets(c, 0) == 1;
  if (!set) return fail(Errc::internal, "", "this OpenSSL does not offer TLS 1.2 with ECDHE and AEAD");
  return context;
}

void collect(const GENERAL_NAMES* names, PeerCertificate& out) {
  const int count = sk_GENERAL_NAME_num(names);
  for (int i = 0; i < count; ++i) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
    if (type != GEN_URI && type != GEN_DNS) continue;
    const auto* text = static_cast<const ASN1_STRING*>(value);
    const std::string name(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                           static_cast<std::size_t>(ASN1_STRING_length(text)));
    // An embedded zero octet is a known trick to look like another name.
    if (name.find('\0') != std::string::npos) continue;
    (type == GEN_URI ? out.uris : out.dns).push_back(name);
  }
}

std::string subject_of(X509* certificate) {
  const std::unique_ptr<BIO, Free> out(BIO_new(BIO_s_mem()));
  if (!out || X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) < 0)
    return {};
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

}  // namespace

Result<Context> server_context(const ServerSide& side) {
  Context context = TRY(base_context(TLS_server_method()));
  TRY(use_identity(context.get(), side.certificate_file, side.key_file));
  if (side.client_certificate == ClientCertificate::none) return context;
  TRY(trust(context.get(), side.client_ca_file));
  SSL_CTX_set_client_CA_list(context.get(), SSL_load_client_CA_file(side.client_ca_file.c_str()));
  const bool required = side.client_certificate == ClientCertificate::required;
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     nullptr);
  return context;
}

Result<Context> client_context(const ClientSide& side) {
  Context context = TRY(base_context(TLS_client_method()));
  const bool system = side.system_store && side.ca_file.empty();
  TRY(system ? trust_system(context.get()) : trust(context.get(), side.ca_file));
  if (!side.certificate_file.empty()) TRY(use_identity(context.get(), side.certificate_file, side.key_file));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return context;
}

bool expect_host(SSL* ssl, const std::string& host) {
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str()) == 1) return true;
  ERR_clear_error();
  X509_VERIFY_PARAM_set_hostflags(param,
                                  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  std::string sni = host;  // OpenSSL copies it, behind an interface without const
  return X509_VERIFY_PARAM_set1_host(param, host.data(), host.size()) == 1 &&
         SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, sni.data()) == 1;
}

namespace {

PeerCertificate names_of(X509* certificate) {
  PeerCertificate out;
  out.presented = true;
  out.subject = subject_of(certificate);
  const std::unique_ptr<GENERAL_NAMES, Free> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (names) collect(names.get(), out);
  return out;
}

}  // namespace

PeerCertificate peer_certificate(const SSL* ssl) {
  const std::unique_ptr<X509, Free> certificate(SSL_get1_peer_certificate(ssl));
  if (!certificate || SSL_get_verify_result(ssl) != X509_V_OK) return {};
  return names_of(certificate.get());
}

std::string verify_problem(const SSL* ssl) {
  const long result = SSL_get_verify_result(ssl);
  return result == X509_V_OK ? std::string() : X509_verify_cert_error_string(result);
}

}  // namespace regroup::http::tls

namespace regroup::http {

Result<void> check_certificate_file(const std::string& file) {
  return tls::use_certificate(TRY(tls::base_context(TLS_method())).get(), file);
}

Result<void> check_key_file(const std::string& file, const std::string& certificate_file) {
  return tls::use_identity(TRY(tls::base_context(TLS_method())).get(), certificate_file, file);
}

Result<void> check_ca_file(const std::string& file) {
  return tls::trust(TRY(tls::base_context(TLS_method())).get(), file);
}

Result<PeerCertificate> certificate_in(const std::string& file) {
  const std::unique_ptr<BIO, tls::Free> in(BIO_new_file(file.c_str(), "r"));
  const std::unique_ptr<X509, tls::Free> certificate(
      in ? PEM_read_bio_X509(in.get(), nullptr, tls::no_passphrase, nullptr) : nullptr);
  if (!certificate)
    return tls::wrong_file("certificate file", file, tls::openssl_reason(), std::string(tls::kGiveChain));
  return tls::names_of(certificate.get());
}

}  // namespace regroup::http
