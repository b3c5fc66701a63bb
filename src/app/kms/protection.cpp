// SPDX-License-Identifier: Apache-2.0
#include "app/kms/protection.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "crypto/hash/sha256.hpp"
#include "crypto/key_wrap.hpp"

namespace regroup::app {
namespace {

using crypto::KeyWrap;
using kms::Wrapping;

constexpr std::string_view kClause = "TS 33.180 9.3.4";
constexpr std::size_t kSakkePoint = 257, kP256Point = 65, kScalar = 32;
constexpr std::uint8_t kUncompressed = 0x04;

kmsxml::EncryptedKey wrapped(KeyWrap how, const kms::TransportKeys& keys, OctetsView key) {
  return {.key_name = keys.trk_id, .cipher = crypto::wrap_key(how, keys.trk, key)};
}

kmsxml::EncryptedKey wrapped_point(Wrapping wrapping, const kms::TransportKeys& keys, OctetsView point) {
  if (wrapping != Wrapping::w2) return wrapped(KeyWrap::rfc5649, keys, point);
  return wrapped(KeyWrap::rfc3394, keys, point.subspan(1));
}

Result<SecretOctets> opened(const kmsxml::EncryptedKey& key, const kms::TransportKeys& keys,
                            std::string_view field) {
  if (key.key_name != keys.trk_id)
    return fail(Errc::unknown_group, kClause,
                std::string(field) + ": wrapped under \"" + printable(key.key_name, 80) + "\", held is \"" +
                    printable(keys.trk_id, 80) + "\"",
                "use the transport key file that the KMS wrote for this identity");
  auto out = crypto::unwrap_key(KeyWrap::rfc3394, keys.trk, key.cipher);
  if (!out.ok()) out = crypto::unwrap_key(KeyWrap::rfc5649, keys.trk, key.cipher);
  if (!out.ok()) return std::move(out).error().with(field);
  return out;
}

Error wrong_size(std::string_view field, std::size_t size) {
  return fail(
      Errc::malformed, kClause,
      std::string(field) + ": " + std::to_string(size) + " octets under the wrap, which no such key has",
      "report it to the KMS operator");
}

Result<SecretOctets> opened_point(const kmsxml::EncryptedKey& key, const kms::TransportKeys& keys,
                                  std::size_t size, std::string_view field) {
  SecretOctets out = TRY(opened(key, keys, field));
  if (out.size() == size) return out;
  if (out.size() + 1 != size) return wrong_size(field, out.size());
  SecretOctets whole(size);
  whole.expose_mutable()[0] = kUncompressed;
  std::copy(out.expose().begin(), out.expose().end(), whole.expose_mutable().begin() + 1);
  return whole;
}

// Zeros in front are added or taken off, as of a plain one (trap T-5).
Result<SecretOctets> opened_scalar(const kmsxml::EncryptedKey& key, const kms::TransportKeys& keys,
                                   std::string_view field) {
  const SecretOctets found = TRY(opened(key, keys, field));
  const std::size_t extra = found.size() > kScalar ? found.size() - kScalar : 0;
  std::uint8_t lost = 0;
  for (const std::uint8_t octet : found.expose().first(extra)) lost = static_cast<std::uint8_t>(lost | octet);
  if (lost != 0 || extra > kScalar) return wrong_size(field, found.size());
  SecretOctets out(kScalar);
  const OctetsView kept = found.expose().subspan(extra);
  std::copy(kept.begin(), kept.end(), out.expose_mutable().end() - static_cast<std::ptrdiff_t>(kept.size()));
  return out;
}

}  // namespace

kmsxml::SigningKey signing_key_of(const kms::TransportKeys& keys) {
  return {
      .name = keys.signing_id(),
      .sha256 = [](OctetsView octets) { return crypto::sha256(octets); },
      .hmac_sha256 =
          [&keys](OctetsView octets) { return crypto::hmac_sha256(keys.signing_key().expose(), octets); }};
}

kmsxml::EncryptedKey wrapped_transport_key(const Secret<32>& key, const std::string& name,
                                           const kms::TransportKeys& keys) {
  kmsxml::EncryptedKey out = wrapped(KeyWrap::rfc3394, keys, key.expose());
  out.carried_key_name = name;
  return out;
}

void wrap(kmsxml::KmsKeySet& key_set, const kms::TransportKeys& keys, Wrapping wrapping) {
  const KeyWrap of_scalar = wrapping == Wrapping::w1 ? KeyWrap::rfc5649 : KeyWrap::rfc3394;
  key_set.wrapped = kmsxml::WrappedKeys{
      .user_decrypt_key = wrapped_point(wrapping, keys, key_set.user_decrypt_key.expose()),
      .user_signing_key_ssk = wrapped(of_scalar, keys, key_set.user_signing_key_ssk.expose()),
      .user_pub_token_pvt = wrapped_point(wrapping, keys, key_set.user_pub_token_pvt)};
  key_set.user_decrypt_key.clear();
  key_set.user_signing_key_ssk.clear();
  key_set.user_pub_token_pvt.clear();
}

Result<void> unwrap(kmsxml::KmsKeySet& key_set, const kms::TransportKeys& keys) {
  if (!key_set.wrapped) return {};
  const kmsxml::WrappedKeys& from = *key_set.wrapped;
  key_set.user_decrypt_key =
      TRY(opened_point(from.user_decrypt_key, keys, kSakkePoint, "KmsKeySet/UserDecryptKey"));
  key_set.user_signing_key_ssk =
      TRY(opened_scalar(from.user_signing_key_ssk, keys, "KmsKeySet/UserSigningKeySSK"));
  key_set.user_pub_token_pvt = to_octets(
      TRY(opened_point(from.user_pub_token_pvt, keys, kP256Point, "KmsKeySet/UserPubTokenPVT")).expose());
  key_set.wrapped.reset();
  return {};
}

Result<SecretOctets> unwrap_transport_key(const kmsxml::EncryptedKey& key, const kms::TransportKeys& keys) {
  SecretOctets out = TRY(opened(key, keys, "EncryptedKey"));
  if (out.size() != Secret<32>::size) return wrong_size("EncryptedKey", out.size());
  return out;
}

}  // namespace regroup::app
