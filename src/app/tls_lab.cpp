// SPDX-License-Identifier: Apache-2.0
#include "app/tls_lab.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/octets.hpp"

namespace regroup::app {
namespace {

constexpr long kValid = 2 * 24 * 3600;  // seconds
constexpr long kBefore = -300;          // seconds, for clocks that disagree a little

struct Free {
  void operator()(X509* at) const noexcept { X509_free(at); }
  void operator()(EVP_PKEY* at) const noexcept { EVP_PKEY_free(at); }
  void operator()(BIO* at) const noexcept { BIO_free_all(at); }
  void operator()(X509_EXTENSION* at) const noexcept { X509_EXTENSION_free(at); }
  void operator()(GENERAL_NAMES* at) const noexcept { GENERAL_NAMES_free(at); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Error broken(const std::string& what) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  const std::string why = reason ? std::string(": ") + reason : std::string();
  ERR_clear_error();
  return fail(Errc::internal, "", "lab CA: cannot make " + what + why);
}

Result<void> write_file(const std::string& path, BIO* content, mode_t mode) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(content, &data);
  (void)::unlink(path.c_str());
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0)
    return fail(Errc::storage, "", "cannot create " + path + ": " + std::strerror(errno),
                "name a folder that exists and that this user may write to");
  const bool written = size > 0 && ::write(file, data, static_cast<std::size_t>(size)) == size;
  if (::close(file) != 0 || !written)
    return fail(Errc::storage, "", "cannot write " + path, "check the space and rights of its folder");
  return {};
}

bool add(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool push(GENERAL_NAMES* names, int type, ASN1_STRING* value) {
  GENERAL_NAME* name = GENERAL_NAME_new();
  if (!name || !value) return false;
  GENERAL_NAME_set0_value(name, type, value);
  return sk_GENERAL_NAME_push(names, name) > 0;
}

bool push_text(GENERAL_NAMES* names, int type, const std::string& text) {
  ASN1_IA5STRING* value = ASN1_IA5STRING_new();
  return value && ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())) == 1 &&
         push(names, type, value);
}

bool push_address(GENERAL_NAMES* names, const std::string& address) {
  return push(names, GEN_IPADD, a2i_IPADDRESS(address.c_str()));
}

// Names go in as values, never through OpenSSL's configuration syntax, where a ',' in a URI would start a new
// name.
bool add_names(X509* certificate, const LabSubject& subject) {
  const Owned<GENERAL_NAMES> names(GENERAL_NAMES_new());
  bool good = names != nullptr;
  for (const std::string& dns : subject.dns) good = good && push_text(names.get(), GEN_DNS, dns);
  for (const std::string& uri : subject.uris) good = good && push_text(names.get(), GEN_URI, uri);
  for (const std::string& address : subject.addresses) good = good && push_address(names.get(), address);
  if (!good) return false;
  if (sk_GENERAL_NAME_num(names.get()) == 0) return true;
  return X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

// Version, serial, times, subject and key; the issuer's name is the subject's own when `issuer` is null.
Owned<X509> draft(const std::string& common_name, EVP_PKEY* key, X509* issuer) {
  Owned<X509> certificate(X509_new());
  std::uint64_t serial = 0;
  if (!certificate || RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1)
    return nullptr;
  X509* c = certificate.get();
  X509_NAME* name = X509_get_subject_name(c);
  const bool good = X509_set_version(c, X509_VERSION_3) == 1 &&
                    ASN1_INTEGER_set_uint64(X509_get_serialNumber(c), serial >> 1) == 1 &&
                    X509_gmtime_adj(X509_getm_notBefore(c), kBefore) &&
                    X509_gmtime_adj(X509_getm_notAfter(c), kValid) &&
                    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                               reinterpret_cast<const unsigned char*>(common_name.data()),
                                               static_cast<int>(common_name.size()), -1, 0) == 1 &&
                    X509_set_issuer_name(c, issuer ? X509_get_subject_name(issuer) : name) == 1 &&
                    X509_set_pubkey(c, key) == 1;
  return good ? std::move(certificate) : nullptr;
}

Owned<BIO> certificate_pem(X509* certificate) {
  Owned<BIO> out(BIO_new(BIO_s_mem()));
  if (!out || PEM_write_bio_X509(out.get(), certificate) != 1) return nullptr;
  return out;
}

// In memory that OpenSSL wipes when it is freed.
Owned<BIO> key_pem(EVP_PKEY* key) {
  Owned<BIO> out(BIO_new(BIO_s_secmem()));
  if (!out || PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return nullptr;
  return out;
}

bool usable_stem(const std::string& name) {
  return !name.empty() && name.size() <= 64 && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '.';
         });
}

}  // namespace

struct LabCa::State {
  std::string directory;
  std::string file;
  Owned<EVP_PKEY> key;
  Owned<X509> certificate;
};

LabCa::LabCa(std::unique_ptr<State> state) : state_(std::move(state)) {}
LabCa::LabCa(LabCa&&) noexcept = default;
LabCa& LabCa::operator=(LabCa&&) noexcept = default;
LabCa::~LabCa() = default;

const std::string& LabCa::certificate_file() const { return state_->file; }

Result<LabCa> LabCa::make(std::string directory, const std::string& common_name) {
  auto state = std::make_unique<State>();
  state->directory = std::move(directory);
  state->file = state->directory + "/ca.pem";
  state->key.reset(EVP_EC_gen("P-256"));
  if (!state->key) return broken("a key");
  state->certificate = draft(common_name, state->key.get(), nullptr);
  X509* c = state->certificate.get();
  const bool good = c && add(c, c, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    add(c, c, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    add(c, c, NID_subject_key_identifier, "hash") &&
                    X509_sign(c, state->key.get(), EVP_sha256()) > 0;
  if (!good) return broken("the CA certificate");
  const Owned<BIO> pem = certificate_pem(c);
  if (!pem) return broken("PEM");
  TRY(write_file(state->file, pem.get(), 0644));
  return LabCa(std::move(state));
}

Result<LabFiles> LabCa::issue(const LabSubject& subject) const {
  if (!usable_stem(subject.name))
    return fail(Errc::usage, "", "lab CA: name \"" + subject.name + "\" cannot be part of a file name",
                "use letters, digits, '-' and '.' alone");
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  X509* ca = state_->certificate.get();
  const Owned<X509> certificate = key ? draft(subject.name, key.get(), ca) : nullptr;
  X509* c = certificate.get();
  const bool good = c && add(c, ca, NID_basic_constraints, "critical,CA:FALSE") &&
                    add(c, ca, NID_key_usage, "critical,digitalSignature") &&
                    add(c, ca, NID_ext_key_usage, "serverAuth,clientAuth") &&
                    add(c, ca, NID_subject_key_identifier, "hash") &&
                    add(c, ca, NID_authority_key_identifier, "keyid:always") && add_names(c, subject) &&
                    X509_sign(c, state_->key.get(), EVP_sha256()) > 0;
  if (!good) return broken("a certificate for " + subject.name);
  const std::string stem = state_->directory + "/" + subject.name;
  const LabFiles files{stem + "-cert.pem", stem + "-key.pem"};
  const Owned<BIO> certificate_text = certificate_pem(c);
  const Owned<BIO> key_text = key_pem(key.get());
  if (!certificate_text || !key_text) return broken("PEM");
  TRY(write_file(files.certificate, certificate_text.get(), 0644));
  TRY(write_file(files.key, key_text.get(), 0600));
  return files;
}

}  // namespace regroup::app
