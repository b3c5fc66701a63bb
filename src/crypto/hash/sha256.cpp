// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash/sha256.hpp"

#include <openssl/evp.h>

#include <cstdlib>

namespace regroup::crypto {
namespace {

// A digest that fails leaves nothing safe to continue with.
void require(int ok) {
  if (ok != 1) std::abort();
}

const EVP_MD* algorithm() {
  static const EVP_MD* const md =
      EVP_MD_fetch(nullptr, "SHA256", nullptr);  // fetched once: EVP_sha256() fetches per use
  require(md != nullptr);
  return md;
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  require(context_ != nullptr);
  require(EVP_DigestInit_ex(context_, algorithm(), nullptr));
}

Sha256::~Sha256() { EVP_MD_CTX_free(context_); }  // OpenSSL cleanses the state it frees

Sha256& Sha256::update(OctetsView octets) {
  require(EVP_DigestUpdate(context_, octets.data(), octets.size()));
  return *this;
}

void Sha256::finish(std::span<std::uint8_t, 32> out) {
  require(EVP_DigestFinal_ex(context_, out.data(), nullptr));
  require(EVP_DigestInit_ex(context_, algorithm(), nullptr));
}

Fixed<32> sha256(std::initializer_list<OctetsView> parts) {
  Sha256 hash;
  for (const OctetsView part : parts) hash.update(part);
  Fixed<32> out;
  hash.finish(out);
  return out;
}

Secret<32> hmac_sha256(OctetsView key, std::initializer_list<OctetsView> parts) {
  Secret<64> pad;
  const auto block = pad.expose_mutable();
  Sha256 hash;
  if (key.size() > 64) {
    hash.update(key).finish(block.first<32>());
  } else {
    std::copy(key.begin(), key.end(), block.begin());
  }
  for (std::uint8_t& octet : block) octet ^= 0x36;
  hash.update(block);
  for (const OctetsView part : parts) hash.update(part);
  Secret<32> inner;
  hash.finish(inner.expose_mutable());
  for (std::uint8_t& octet : block) octet ^= 0x36 ^ 0x5c;
  Secret<32> out;
  hash.update(block).update(inner.expose()).finish(out.expose_mutable());
  return out;
}

}  // namespace regroup::crypto
