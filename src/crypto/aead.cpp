// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.hpp"

#include "crypto/cipher_context.hpp"

namespace regroup::crypto {
namespace {

constexpr std::size_t kMostIv = 64;
constexpr std::size_t kMostData = std::size_t{1} << 30;  // OpenSSL counts in int

// Fetched once: the implicit fetch of EVP_aes_128_gcm() costs more than the encryption of a short payload.
const EVP_CIPHER* algorithm(std::size_t key_size) {
  static const EVP_CIPHER* const aes128 = EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr);
  static const EVP_CIPHER* const aes256 = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  require(aes128 != nullptr && aes256 != nullptr);
  return key_size == 16 ? aes128 : aes256;
}

bool is_usable(OctetsView key, OctetsView iv) {
  return (key.size() == 16 || key.size() == 32) && !iv.empty() && iv.size() <= kMostIv;
}

enum class Direction { open = 0, seal = 1 };

// A context that has key, IV and associated data behind it.
CipherContext start(Direction direction, OctetsView key, OctetsView iv, OctetsView associated) {
  CipherContext context = make_cipher_context();
  const int enc = static_cast<int>(direction);
  require(EVP_CipherInit_ex2(context.get(), algorithm(key.size()), nullptr, nullptr, enc, nullptr) == 1);
  // The length is said before the IV: OpenSSL would otherwise take the first 12 octets.
  require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(iv.size()), nullptr) ==
          1);
  require(EVP_CipherInit_ex2(context.get(), nullptr, key.data(), iv.data(), enc, nullptr) == 1);
  int n = 0;
  if (!associated.empty())
    require(EVP_CipherUpdate(context.get(), nullptr, &n, associated.data(),
                             static_cast<int>(associated.size())) == 1);
  return context;
}

void run(EVP_CIPHER_CTX* context, OctetsView in, std::span<std::uint8_t> out) {
  int n = 0;
  if (in.empty()) return;
  require(EVP_CipherUpdate(context, out.data(), &n, in.data(), static_cast<int>(in.size())) == 1);
  require(static_cast<std::size_t>(n) == in.size());
}

}  // namespace

Octets gcm_seal(OctetsView key, OctetsView iv, OctetsView associated, OctetsView plaintext) {
  require(is_usable(key, iv) && associated.size() <= kMostData && plaintext.size() <= kMostData);
  const CipherContext context = start(Direction::seal, key, iv, associated);
  Octets out(plaintext.size() + kGcmTag);
  run(context.get(), plaintext, std::span(out).first(plaintext.size()));
  int n = 0;
  std::uint8_t none[kGcmTag];
  require(EVP_CipherFinal_ex(context.get(), none, &n) == 1 && n == 0);
  require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kGcmTag, out.data() + plaintext.size()) ==
          1);
  return out;
}

Result<SecretOctets> gcm_open(OctetsView key, OctetsView iv, OctetsView associated, OctetsView sealed) {
  constexpr std::string_view clause = "NIST SP 800-38D 7.2";
  if (!is_usable(key, iv))
    return fail(Errc::malformed, clause,
                "AES-GCM takes a key of 16 or 32 octets and an IV of 1 to 64, not " +
                    std::to_string(key.size()) + " and " + std::to_string(iv.size()),
                "give a key and an IV of those lengths");
  if (associated.size() > kMostData || sealed.size() > kMostData)
    return fail(Errc::limit, clause, "more than 2^30 octets in one AES-GCM ciphertext",
                "send less in one ciphertext");
  if (sealed.size() < kGcmTag)
    return fail(Errc::undecryptable, clause,
                "ciphertext of " + std::to_string(sealed.size()) + " octets is shorter than its tag",
                "pass the ciphertext on whole, its 16 octets of tag at the end");
  const CipherContext context = start(Direction::open, key, iv, associated);
  const OctetsView ciphertext = sealed.first(sealed.size() - kGcmTag);
  Fixed<kGcmTag> tag;
  std::copy(sealed.end() - kGcmTag, sealed.end(), tag.begin());
  SecretOctets out(ciphertext.size());
  run(context.get(), ciphertext, out.expose_mutable());
  require(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kGcmTag, tag.data()) == 1);
  int n = 0;
  std::uint8_t none[kGcmTag];
  if (EVP_CipherFinal_ex(context.get(), none, &n) != 1)
    return fail(Errc::undecryptable, clause,
                "the authentication tag does not fit: another key, or altered octets",
                "compare the key with the sender's, and see whether the octets came whole");
  return out;
}

}  // namespace regroup::crypto
