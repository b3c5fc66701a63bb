// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_wrap.hpp"

#include <openssl/err.h>

#include "crypto/cipher_context.hpp"

namespace regroup::crypto {
namespace {

const EVP_CIPHER* algorithm(KeyWrap how) {
  static const EVP_CIPHER* const plain = EVP_CIPHER_fetch(nullptr, "AES-256-WRAP", nullptr);
  static const EVP_CIPHER* const padded = EVP_CIPHER_fetch(nullptr, "AES-256-WRAP-PAD", nullptr);
  require(plain != nullptr && padded != nullptr);
  return how == KeyWrap::rfc3394 ? plain : padded;
}

// Without an IV of our own: the initial value is the one of the RFC, which is the integrity check.
CipherContext start(KeyWrap how, const Secret<32>& kek, bool wrapping) {
  CipherContext context = make_cipher_context();
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  require(EVP_CipherInit_ex2(context.get(), algorithm(how), kek.expose().data(), nullptr, wrapping ? 1 : 0,
                             nullptr) == 1);
  return context;
}

constexpr std::size_t kBlock = 8;

bool is_wrapped_size(KeyWrap how, std::size_t size) {
  return size % kBlock == 0 && size <= kMaxWrapped && size >= (how == KeyWrap::rfc3394 ? 24U : 16U);
}

}  // namespace

bool can_wrap(KeyWrap how, std::size_t size) {
  if (size + 2 * kBlock > kMaxWrapped) return false;
  return how == KeyWrap::rfc3394 ? size % kBlock == 0 && size >= 2 * kBlock : size >= 1;
}

Octets wrap_key(KeyWrap how, const Secret<32>& kek, OctetsView key) {
  require(can_wrap(how, key.size()));
  const CipherContext context = start(how, kek, true);
  Octets out(key.size() + 2 * kBlock);
  int n = 0;
  require(EVP_CipherUpdate(context.get(), out.data(), &n, key.data(), static_cast<int>(key.size())) == 1);
  out.resize(static_cast<std::size_t>(n));
  return out;
}

Result<SecretOctets> unwrap_key(KeyWrap how, const Secret<32>& kek, OctetsView wrapped) {
  const std::string_view clause = how == KeyWrap::rfc3394 ? "RFC 3394 2.2.2" : "RFC 5649 3";
  if (!is_wrapped_size(how, wrapped.size()))
    return fail(Errc::malformed, clause,
                "a wrapped key of " + std::to_string(wrapped.size()) + " octets; it takes whole blocks of 8",
                "pass the wrapped key on whole");
  const CipherContext context = start(how, kek, false);
  SecretOctets out(wrapped.size() + kBlock);
  int n = 0;
  ERR_set_mark();
  const bool opened = EVP_CipherUpdate(context.get(), out.expose_mutable().data(), &n, wrapped.data(),
                                       static_cast<int>(wrapped.size())) == 1 &&
                      n > 0;
  ERR_pop_to_mark();  // a key that does not fit is no fault of the connection that comes after
  if (!opened)
    return fail(Errc::undecryptable, clause, "the integrity check of a wrapped key fails",
                "compare the transport key with the one that the sender names");
  return SecretOctets(out.expose().first(static_cast<std::size_t>(n)));
}

}  // namespace regroup::crypto
