// SPDX-License-Identifier: Apache-2.0
// ECCSI, RFC 6507, over P-256 with SHA-256: KMS keys, user keys, sign, verify.
// Legend (RFC 6507):  KSAK/KPAK  KMS secret/public authentication key    SSK  secret signing key
//                     PVT  public validation token    HS = SHA-256(G || KPAK || ID || PVT)    signature = r
//                     || s || PVT
#pragma once

#include <vector>

#include "base/octets.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace regroup::crypto::eccsi {

inline constexpr std::size_t kPoint = 65;       // 04 || x(32) || y(32)
inline constexpr std::size_t kSignature = 129;  // r(32) || s(32) || PVT(65)

RG_SECRET(Ksak, 32);
RG_SECRET(Ssk, 32);

[[nodiscard]] Ksak make_ksak(Random& random);
[[nodiscard]] Result<Ksak> parse_ksak(OctetsView octets);  // left-pads; refuses 0 and >= q

// KPAK, checked: prefix, length, coordinates < p, on the curve.
class Kpak {
 public:
  [[nodiscard]] static Result<Kpak> parse(OctetsView octets);
  [[nodiscard]] static Kpak derive(const Ksak& ksak);
  [[nodiscard]] const Fixed<kPoint>& octets() const { return octets_; }
  bool operator==(const Kpak&) const = default;

 private:
  explicit Kpak(const Fixed<kPoint>& octets) : octets_(octets) {}
  Fixed<kPoint> octets_;
};

// A user's signing key pair, validated (RFC 6507 5.1.2) or freshly made (5.1.1), with the HS that signing
// needs.
class UserKey {
 public:
  // 5.1.2 on import, mandatory: PVT a point, 1 <= SSK < q, KPAK = [SSK]G - [HS]PVT for this identifier.
  [[nodiscard]] static Result<UserKey> validate(const Kpak& kpak, OctetsView identifier, Ssk ssk,
                                                OctetsView pvt);
  // 5.1.1, KMS side; v is made for this call only, hedged with KSAK and the identifier: a KMS restored from a
  // snapshot that draws the same octets again for another user still does not give KSAK away.
  [[nodiscard]] static UserKey make(const Ksak& ksak, const Kpak& kpak, OctetsView identifier,
                                    Random& random);
  // The same for many identifiers; with the kernel `ifma` in chunks of 256 that go through all steps
  // together. Draws 32 octets for each, in order.
  [[nodiscard]] static std::vector<UserKey> make_all(const Ksak& ksak, const Kpak& kpak,
                                                     std::span<const OctetsView> identifiers, Random& random);

  [[nodiscard]] const Ssk& ssk() const { return ssk_; }
  [[nodiscard]] const Fixed<kPoint>& pvt() const { return pvt_; }
  [[nodiscard]] const Fixed<32>& hs() const { return hs_; }
  [[nodiscard]] UserKey duplicate() const { return UserKey(ssk_.duplicate(), pvt_, hs_); }

 private:
  UserKey(Ssk ssk, const Fixed<kPoint>& pvt, const Fixed<32>& hs)
      : ssk_(std::move(ssk)), pvt_(pvt), hs_(hs) {}
  [[nodiscard]] static std::vector<UserKey> make_chunk(const Ksak& ksak, const Kpak& kpak,
                                                       std::span<const OctetsView> identifiers,
                                                       OctetsView draws);
  Ssk ssk_;
  Fixed<kPoint> pvt_;
  Fixed<32> hs_;
};

// RFC 6507 5.2.1. A fresh j for every call, hedged: HMAC under the SSK over the draw and the message, so that
// neither a repeated draw nor a predictable one reveals the SSK. Constant time in SSK and j.
[[nodiscard]] Fixed<kSignature> sign(const UserKey& key, OctetsView message, Random& random);

// The same over many messages, each signature verified before it is returned; with the kernel `ifma` a batch
// goes through all steps together. Draws 32 octets for each message, in order. Errc::bad_signature when one
// does not verify: the key is not of this KPAK and identifier, or the machine is broken.
[[nodiscard]] Result<std::vector<Fixed<kSignature>>> sign_all(const UserKey& key, const Kpak& kpak,
                                                              OctetsView identifier,
                                                              std::span<const OctetsView> messages,
                                                              Random& random);

// RFC 6507 5.2.2 with every range check: length, PVT, 0 < r < p, 0 < s < q, the equation. Public data:
// variable time.
[[nodiscard]] Result<void> verify(const Kpak& kpak, OctetsView identifier, OctetsView message,
                                  OctetsView signature);

// The sample signature of RFC 6507 Appendix A verifies and an altered one does not. Run at process start; a
// failure is Errc::internal and the process must not go on.
[[nodiscard]] Result<void> self_test();

}  // namespace regroup::crypto::eccsi
