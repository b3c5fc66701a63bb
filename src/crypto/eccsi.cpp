// SPDX-License-Identifier: Apache-2.0
#include "crypto/eccsi.hpp"

#include <algorithm>
#include <cstdlib>

#include "crypto/ct.hpp"
#include "crypto/eccsi/signing.hpp"
#include "crypto/hash/sha256.hpp"

namespace regroup::crypto::eccsi {
namespace {

// Each attempt fails with a probability below 2^-31: a source that fails all of them does not work.
constexpr int kAttempts = 16;

Scalar scalar_of(std::span<const std::uint8_t, 32> checked) {
  std::optional<Scalar> scalar = Scalar::parse(checked);
  if (!scalar) std::abort();  // every Ksak and Ssk in a Kpak or UserKey has been through parse
  return std::move(*scalar);
}

Error bad_signature(std::string detail) {
  return fail(Errc::bad_signature, "RFC 6507 5.2.2", std::move(detail));
}

}  // namespace

Fixed<32> hash_identity(const PointOctets& kpak, OctetsView identifier, const PointOctets& pvt) {
  return sha256({generator(), kpak, identifier, pvt});
}

Fixed<32> hash_message(const Fixed<32>& hs, OctetsView r, OctetsView message) {
  return sha256({hs, r, message});
}

// Two HMAC blocks would remove the bias of a reduction; rejection removes it with one.
Scalar hedged_nonce(OctetsView key, std::string_view label, OctetsView draw,
                    std::initializer_list<OctetsView> context, std::uint8_t attempt) {
  Sha256 hash;
  for (const OctetsView part : context) hash.update(part);
  Fixed<32> digest;
  hash.finish(digest);
  for (std::uint8_t again = 0; again < kAttempts; ++again) {
    const Fixed<2> counter = {attempt, again};
    const Secret<32> octets = hmac_sha256(key, {view(label), counter, draw, digest});
    if (std::optional<Scalar> nonce = Scalar::parse(octets.expose())) return std::move(*nonce);
  }
  std::abort();
}

std::optional<Ssk> ssk_with_v(const Ksak& ksak, const Fixed<32>& hs, const Scalar& v) {
  const Scalar h = Scalar::reduce(hs);
  const Scalar ssk = scalar_of(ksak.expose()).plus(h.times(v));
  if (h.is_zero() || ssk.is_zero()) return std::nullopt;
  return Ssk(ssk.octets().expose());
}

std::optional<Fixed<kSignature>> sign_with_j(const UserKey& key, OctetsView message, const Scalar& j) {
  const PointOctets big_j = times_generator(j);
  const auto r = std::span(big_j).subspan<1, 32>();
  const Fixed<32> he = hash_message(key.hs(), r, message);
  const Scalar e = Scalar::reduce(he).plus(Scalar::reduce(r).times(scalar_of(key.ssk().expose())));
  if (!is_field_unit(r) || e.is_zero()) return std::nullopt;
  const Secret<32> s = e.inverse().times(j).octets();
  ct::unpoison(s.expose());  // part of the signature
  Fixed<kSignature> out;
  const auto after_r = std::copy(r.begin(), r.end(), out.begin());
  const auto after_s = std::copy(s.expose().begin(), s.expose().end(), after_r);
  std::copy(key.pvt().begin(), key.pvt().end(), after_s);
  return out;
}

Ksak make_ksak(Random& random) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    Ksak ksak = random.secret<Ksak>();
    if (Scalar::parse(ksak.expose())) return ksak;
  }
  std::abort();
}

Result<Ksak> parse_ksak(OctetsView octets) {
  if (octets.empty() || octets.size() > Ksak::size)
    return fail(Errc::malformed, "RFC 6507 4.2",
                "KSAK has " + std::to_string(octets.size()) + " octets, not 1 to 32");
  Ksak ksak;
  std::copy(octets.begin(), octets.end(), ksak.expose_mutable().last(octets.size()).begin());
  if (!Scalar::parse(ksak.expose()))
    return fail(Errc::malformed, "RFC 6507 4.2", "KSAK is not in 1..q-1",
                "use the KSAK that this KMS was set up with");
  return ksak;
}

Result<Kpak> Kpak::parse(OctetsView octets) { return Kpak(TRY(parse_point(octets, "KPAK", "RFC 6507 3.2"))); }

Kpak Kpak::derive(const Ksak& ksak) { return Kpak(times_generator(scalar_of(ksak.expose()))); }

Result<UserKey> UserKey::validate(const Kpak& kpak, OctetsView identifier, Ssk ssk, OctetsView pvt) {
  constexpr std::string_view clause = "RFC 6507 5.1.2";
  const ct::StackWiper wiper;
  const PointOctets point = TRY(parse_point(pvt, "PVT", clause));
  const std::optional<Scalar> secret = Scalar::parse(ssk.expose());
  if (!secret) return fail(Errc::malformed, clause, "SSK is not in 1..q-1", "fetch the key set again");
  // KPAK = [SSK]G - [HS]PVT, written as [SSK]G = KPAK + [HS]PVT: the secret meets G alone, where it is
  // constant time.
  const Fixed<32> hs = hash_identity(kpak.octets(), identifier, point);
  const Scalar zero;
  const Scalar one = Scalar::one();
  const Scalar h = Scalar::reduce(hs);
  const std::optional<PointOctets> expected = combine_vartime(zero, {&h, &point}, {&one, &kpak.octets()});
  if (!expected || times_generator(*secret) != *expected)
    return fail(Errc::bad_signature, clause, "SSK and PVT were not made for this identifier under this KPAK",
                "compare URI, KMS URI and key period with those of the KMS and fetch the key set again");
  return UserKey(std::move(ssk), point, hs);
}

UserKey UserKey::make(const Ksak& ksak, const Kpak& kpak, OctetsView identifier, Random& random) {
  const ct::StackWiper wiper;
  for (std::uint8_t attempt = 0; attempt < kAttempts; ++attempt) {
    const Secret<32> draw = random.secret<Secret<32>>();
    const Scalar v =
        hedged_nonce(ksak.expose(), "regroup ECCSI v", draw.expose(), {kpak.octets(), identifier}, attempt);
    const PointOctets pvt = times_generator(v);
    const Fixed<32> hs = hash_identity(kpak.octets(), identifier, pvt);
    if (std::optional<Ssk> ssk = ssk_with_v(ksak, hs, v)) return UserKey(std::move(*ssk), pvt, hs);
  }
  std::abort();
}

Fixed<kSignature> sign(const UserKey& key, OctetsView message, Random& random) {
  const ct::StackWiper wiper;
  for (std::uint8_t attempt = 0; attempt < kAttempts; ++attempt) {
    const Secret<32> draw = random.secret<Secret<32>>();
    const Scalar j =
        hedged_nonce(key.ssk().expose(), "regroup ECCSI j", draw.expose(), {key.hs(), message}, attempt);
    if (const auto signature = sign_with_j(key, message, j)) return *signature;
  }
  std::abort();
}

// J = [s]([HE]G + [r]Y) with Y = [HS]PVT + KPAK is computed as [s HE]G + [s r HS]PVT + [s r]KPAK.
Result<void> verify(const Kpak& kpak, OctetsView identifier, OctetsView message, OctetsView signature) {
  if (signature.size() != kSignature)
    return fail(Errc::malformed, "RFC 6507 3.3",
                "signature has " + std::to_string(signature.size()) + " octets, not 129");
  const auto r = signature.subspan<0, 32>();
  Result<PointOctets> pvt = parse_point(signature.subspan(64), "PVT in the signature", "RFC 6507 5.2.2");
  if (!pvt) return bad_signature(pvt.error().detail);
  if (!is_field_unit(r)) return bad_signature("r of the signature is not in 1..p-1");
  const std::optional<Scalar> s = Scalar::parse(signature.subspan<32, 32>());
  if (!s) return bad_signature("s of the signature is not in 1..q-1");

  const Fixed<32> hs = hash_identity(kpak.octets(), identifier, *pvt);
  const Scalar s_he = s->times(Scalar::reduce(hash_message(hs, r, message)));
  const Scalar s_r = s->times(Scalar::reduce(r));
  const Scalar s_r_hs = s_r.times(Scalar::reduce(hs));
  const std::optional<PointOctets> j = combine_vartime(s_he, {&s_r_hs, &*pvt}, {&s_r, &kpak.octets()});
  if (!j || !std::equal(r.begin(), r.end(), j->begin() + 1))
    return bad_signature("the signature does not verify for this identifier, message and KPAK");
  return {};
}

}  // namespace regroup::crypto::eccsi
