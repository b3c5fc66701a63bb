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

struct OpenedKey {
  SecretOctets octets;
  KeyWrap how;
};
Result<OpenedKey> opened(const kmsxml::EncryptedKey& key, const kms::TransportKeys& keys,
                         std::string_view field) {
  if (key.key_name != keys.trk_id)
    return fail(Errc::unknown_group, kClause,
                std::string(field) + ": wrapped under \"" + printable(key.key_name, 80) + "\", held is \"" +
                    printable(keys.trk_id, 80) + "\"",
                "use the transport key file that the KMS wrote for this identity");
  if (auto out = crypto::unwrap_key(KeyWrap::rfc3394, keys.trk, key.cipher); out.ok())
    return OpenedKey{std::move(out).value(), KeyWrap::rfc3394};
  auto out = crypto::unwrap_key(KeyWrap::rfc5649, keys.trk, key.cipher);
  if (!out.ok()) return std::move(out).error().with(field);
  return OpenedKey{std::move(out).value(), KeyWrap::rfc5649};
}

Error wrong_size(std::string_view field, std::size_t size) {
  return fail(
      Errc::malformed, kClause,
      std::string(field) + ": " + std::to_string(size) + " octets under the wrap, which no such key has",
      "report it to the KMS operator");
}

Result<OpenedKey> opened_point(const kmsxml::EncryptedKey& key, const kms::TransportKeys& keys,
                               std::size_t size, std::string_view field) {
  OpenedKey out = TRY(opened(key, keys, field));
  if (out.octets.size() == size) return out;
  if (out.octets.size() + 1 != size) return wrong_size(field, out.octets.size());
  SecretOctets whole(size);
  whole.expose_mutable()[0] = kUncompressed;
  std::copy(out.octets.expose().begin(), out.octets.expose().end(), whole.expose_mutable().begin() + 1);
  out.octets = std::move(whole);
  return out;
}

// Zeros in front are added or taken off under the switch, as of a plain one (trap T-5).
Result<OpenedKey> opened_scalar(const kmsxml::EncryptedKey& key, const kms::TransportKeys& keys,
                                std::string_view field, const kmsxml::Profile& profile) {
  OpenedKey found = TRY(opened(key, keys, field));
  const std::size_t size = found.octets.size();
  if (size == kScalar) return found;
  const std::size_t extra = size > kScalar ? size - kScalar : 0;
  std::uint8_t lost = 0;
  for (const std::uint8_t octet : found.octets.expose().first(extra))
    lost = static_cast<std::uint8_t>(lost | octet);
  if (lost != 0 || extra > kScalar || size == 0) return wrong_size(field, size);
  if (!profile.takes(kmsxml::Tolerance::ssk_length)) {
    Error error = wrong_size(field, size);
    error.cure = kmsxml::cure_by(kmsxml::Tolerance::ssk_length);
    return error;
  }
  SecretOctets out(kScalar);
  const OctetsView kept = found.octets.expose().subspan(extra);
  std::copy(kept.begin(), kept.end(), out.expose_mutable().end() - static_cast<std::ptrdiff_t>(kept.size()));
  found.octets = std::move(out);
  return found;
}

// W3 and W1 differ in the SSK only, whose size is the same under both.
WrapSeen seen_in(const OpenedKey& scalar, const OpenedKey& point, const OpenedKey& other) {
  if (point.how != other.how) return WrapSeen::mixed;
  if (point.how == KeyWrap::rfc3394) return scalar.how == KeyWrap::rfc3394 ? WrapSeen::w2 : WrapSeen::mixed;
  return scalar.how == KeyWrap::rfc3394 ? WrapSeen::w3 : WrapSeen::w1;
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

std::string_view name_of(WrapSeen seen) {
  constexpr std::string_view kNames[] = {"plain", "W1", "W2", "W3", "mixed"};
  return kNames[static_cast<std::size_t>(seen)];
}

Result<WrapSeen> unwrap(kmsxml::KmsKeySet& key_set, const kms::TransportKeys& keys,
                        const kmsxml::Profile& profile) {
  if (!key_set.wrapped) return WrapSeen::plain;
  const kmsxml::WrappedKeys& from = *key_set.wrapped;
  OpenedKey rsk = TRY(opened_point(from.user_decrypt_key, keys, kSakkePoint, "KmsKeySet/UserDecryptKey"));
  OpenedKey ssk = TRY(opened_scalar(from.user_signing_key_ssk, keys, "KmsKeySet/UserSigningKeySSK", profile));
  const OpenedKey pvt =
      TRY(opened_point(from.user_pub_token_pvt, keys, kP256Point, "KmsKeySet/UserPubTokenPVT"));
  const WrapSeen seen = seen_in(ssk, rsk, pvt);
  key_set.user_decrypt_key = std::move(rsk.octets);
  key_set.user_signing_key_ssk = std::move(ssk.octets);
  key_set.user_pub_token_pvt = to_octets(pvt.octets.expose());
  key_set.wrapped.reset();
  return seen;
}

Result<SecretOctets> unwrap_transport_key(const kmsxml::EncryptedKey& key, const kms::TransportKeys& keys) {
  OpenedKey out = TRY(opened(key, keys, "EncryptedKey"));
  if (out.octets.size() != Secret<32>::size) return wrong_size("EncryptedKey", out.octets.size());
  return std::move(out.octets);
}

}  // namespace regroup::app
