// SPDX-License-Identifier: Apache-2.0
#include "crypto/eccsi.hpp"

#include <algorithm>
#include <cstdlib>
#include <list>
#include <memory>
#include <mutex>

#include "base/workers.hpp"
#include "crypto/ct.hpp"
#include "crypto/eccsi/batch.hpp"
#include "crypto/eccsi/signing.hpp"
#include "crypto/hash/sha256.hpp"
#include "crypto/kernel.hpp"

namespace regroup::crypto::eccsi {
namespace {

// Each attempt fails with a probability below 2^-31: a source that fails all of them does not work.
constexpr int kAttempts = 16;
constexpr std::size_t kChunk = 256;  // messages or identities that share an inversion

Scalar scalar_of(std::span<const std::uint8_t, 32> checked) {
  std::optional<Scalar> scalar = Scalar::parse(checked);
  if (!scalar) std::abort();  // every Ksak and Ssk in a Kpak or UserKey has been through parse
  return std::move(*scalar);
}

Fixed<kSignature> signature_of(OctetsView r, const Scalar& s, const PointOctets& pvt) {
  const Secret<32> octets = s.octets();
  ct::unpoison(octets.expose());  // part of the signature
  Fixed<kSignature> out;
  const auto after_r = std::copy(r.begin(), r.end(), out.begin());
  const auto after_s = std::copy(octets.expose().begin(), octets.expose().end(), after_r);
  std::copy(pvt.begin(), pvt.end(), after_s);
  return out;
}

Error bad_signature(std::string detail) {
  return fail(
      Errc::bad_signature, "RFC 6507 5.2.2", std::move(detail),
      "compare signer, KMS URI and key period with the sender's, and see whether the message came whole");
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
  return signature_of(r, e.inverse().times(j), key.pvt());
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
                "KSAK has " + std::to_string(octets.size()) + " octets, not 1 to 32",
                "use the KSAK that this KMS was set up with");
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

// Nothing when a nonce does not serve, which happens to none in practice.
std::vector<UserKey> UserKey::make_chunk(const Ksak& ksak, const Kpak& kpak,
                                         std::span<const OctetsView> identifiers, OctetsView draws) {
  std::vector<Scalar> nonces;
  for (std::size_t i = 0; i < identifiers.size(); ++i)
    nonces.push_back(hedged_nonce(ksak.expose(), "regroup ECCSI v", draws.subspan(32 * i, 32),
                                  {kpak.octets(), identifiers[i]}, 0));
  const auto pvts = multiples_of_generator(nonces);
  std::vector<UserKey> out;
  for (std::size_t i = 0; pvts && i < identifiers.size(); ++i) {
    const PointOctets pvt = ct::declassify((*pvts)[i]);
    const Fixed<32> hs = hash_identity(kpak.octets(), identifiers[i], pvt);
    std::optional<Ssk> ssk = ssk_with_v(ksak, hs, nonces[i]);
    if (!ssk) return {};
    out.push_back(UserKey(std::move(*ssk), pvt, hs));
  }
  return out;
}

std::vector<UserKey> UserKey::make_all(const Ksak& ksak, const Kpak& kpak,
                                       std::span<const OctetsView> identifiers, Random& random) {
  const std::size_t chunks = (identifiers.size() + kChunk - 1) / kChunk;
  std::vector<std::vector<UserKey>> made(chunks);
  if (active_kernel() == Kernel::ifma && identifiers.size() > 1) {
    SecretOctets draws(32 * identifiers.size());
    random.fill(draws.expose_mutable());
    for_each_chunk(chunks, [&](std::size_t i) {
      const ct::StackWiper wiper;
      const auto chunk = identifiers.subspan(i * kChunk, std::min(kChunk, identifiers.size() - i * kChunk));
      made[i] = make_chunk(ksak, kpak, chunk, draws.expose().subspan(32 * i * kChunk));
    });
  }
  std::vector<UserKey> out;
  for (std::size_t i = 0; i < chunks; ++i) {
    std::move(made[i].begin(), made[i].end(), std::back_inserter(out));
    while (out.size() < std::min((i + 1) * kChunk, identifiers.size()))
      out.push_back(make(ksak, kpak, identifiers[out.size()], random));
  }
  return out;
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

namespace {

// Each by its inverse, at the price of one inversion and three products each. False for a zero.
bool invert_all(std::vector<Scalar>& values) {
  std::vector<Scalar> before;
  Scalar running = Scalar::one();
  for (const Scalar& value : values) {
    before.push_back(std::move(running));
    running = before.back().times(value);
  }
  if (running.is_zero()) return false;
  running = running.inverse();
  for (std::size_t i = values.size(); i-- > 0;) {
    Scalar inverse = running.times(before[i]);
    running = running.times(values[i]);
    values[i] = std::move(inverse);
  }
  return true;
}

// The table of Y = [HS]PVT + KPAK, which every signature of this key is verified with; null when the key is
// not of this KPAK and identifier. The last few stay, by HS, which is a hash of all three.
std::shared_ptr<const FixedBase> verifier_of(const UserKey& key, const Kpak& kpak, OctetsView identifier) {
  if (hash_identity(kpak.octets(), identifier, key.pvt()) != key.hs()) return nullptr;
  static std::mutex mutex;
  static std::list<std::pair<Fixed<32>, std::shared_ptr<const FixedBase>>> recent;
  constexpr std::size_t kMost = 8;
  const std::lock_guard lock(mutex);
  const auto known =
      std::find_if(recent.begin(), recent.end(), [&](const auto& one) { return one.first == key.hs(); });
  if (known != recent.end()) {
    recent.splice(recent.begin(), recent, known);
    return recent.front().second;
  }
  const Scalar zero, one = Scalar::one(), h = Scalar::reduce(key.hs());
  const auto y = combine_vartime(zero, {&h, &key.pvt()}, {&one, &kpak.octets()});
  if (!y) return nullptr;
  recent.emplace_front(key.hs(), std::make_shared<const FixedBase>(*y));
  if (recent.size() > kMost) recent.pop_back();
  return recent.front().second;
}

// One chunk with the batch engine; nothing when some step needs the way of a single message.
std::optional<std::vector<Fixed<kSignature>>> sign_chunk(const UserKey& key, const FixedBase& y,
                                                         std::span<const OctetsView> messages,
                                                         OctetsView draws) {
  const Scalar ssk = scalar_of(key.ssk().expose());
  std::vector<Scalar> nonces, inverses, hashes, of_g, of_y;
  for (std::size_t i = 0; i < messages.size(); ++i)
    nonces.push_back(hedged_nonce(key.ssk().expose(), "regroup ECCSI j", draws.subspan(32 * i, 32),
                                  {key.hs(), messages[i]}, 0));
  const auto r = x_of_multiples(nonces);
  if (!r) return std::nullopt;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (!is_field_unit((*r)[i])) return std::nullopt;
    hashes.push_back(Scalar::reduce(hash_message(key.hs(), (*r)[i], messages[i])));
    inverses.push_back(hashes[i].plus(Scalar::reduce((*r)[i]).times(ssk)));
  }
  if (!invert_all(inverses)) return std::nullopt;
  std::vector<Fixed<kSignature>> out;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const Scalar s = inverses[i].times(nonces[i]);
    out.push_back(signature_of((*r)[i], s, key.pvt()));
    of_g.push_back(s.times(hashes[i]));
    of_y.push_back(s.times(Scalar::reduce((*r)[i])));
  }
  // Verified as a receiver would: x([s HE]G + [s r]Y) = r.
  const auto again = x_of_multiples(of_g, of_y, &y);
  if (!again || *again != *r) return std::nullopt;
  return out;
}

}  // namespace

Result<std::vector<Fixed<kSignature>>> sign_all(const UserKey& key, const Kpak& kpak, OctetsView identifier,
                                                std::span<const OctetsView> messages, Random& random) {
  const ct::StackWiper wiper;
  const auto y =
      active_kernel() == Kernel::ifma && messages.size() > 1 ? verifier_of(key, kpak, identifier) : nullptr;
  const std::size_t chunks = y ? (messages.size() + kChunk - 1) / kChunk : 0;
  std::vector<std::optional<std::vector<Fixed<kSignature>>>> made(chunks);
  SecretOctets draws(y ? 32 * messages.size() : 0);
  random.fill(draws.expose_mutable());
  for_each_chunk(chunks, [&](std::size_t i) {
    const ct::StackWiper stack;
    const auto chunk = messages.subspan(i * kChunk, std::min(kChunk, messages.size() - i * kChunk));
    made[i] = sign_chunk(key, *y, chunk, draws.expose().subspan(32 * i * kChunk));
  });
  std::vector<Fixed<kSignature>> out;
  for (const auto& chunk : made) {
    if (!chunk) break;  // from here on one by one
    out.insert(out.end(), chunk->begin(), chunk->end());
  }
  while (out.size() < messages.size()) {
    out.push_back(sign(key, messages[out.size()], random));
    auto verified = verify(kpak, identifier, messages[out.size() - 1], out.back());
    if (!verified.ok()) return std::move(verified).error().with("a signature just made does not verify");
  }
  return out;
}

// J = [s]([HE]G + [r]Y) with Y = [HS]PVT + KPAK is computed as [s HE]G + [s r HS]PVT + [s r]KPAK.
Result<void> verify(const Kpak& kpak, OctetsView identifier, OctetsView message, OctetsView signature) {
  if (signature.size() != kSignature)
    return fail(Errc::malformed, "RFC 6507 3.3",
                "signature has " + std::to_string(signature.size()) + " octets, not 129",
                "pass the signature on whole: r, s and the PVT");
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
