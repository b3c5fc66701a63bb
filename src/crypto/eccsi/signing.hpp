// SPDX-License-Identifier: Apache-2.0
// The steps of RFC 6507 that take their nonce as an argument. Only eccsi.cpp and the tests (which replay the
// values of RFC 6507 Appendix A) include this: a nonce that is used twice, or known, gives the signing key
// away.
#pragma once

#include "crypto/eccsi/p256.hpp"

namespace regroup::crypto::eccsi {

// HS = SHA-256(G || KPAK || ID || PVT), 5.1.1 step 3. Always 32 octets, never an integer.
[[nodiscard]] Fixed<32> hash_identity(const PointOctets& kpak, OctetsView identifier, const PointOctets& pvt);
// HE = SHA-256(HS || r || M), 5.2.1 step 4; r as it stands, not reduced modulo q.
[[nodiscard]] Fixed<32> hash_message(const Fixed<32>& hs, OctetsView r, OctetsView message);

// SSK = KSAK + HS * v; nothing when v does not serve (SSK or HS is 0 modulo q), and another one is needed.
[[nodiscard]] std::optional<Ssk> ssk_with_v(const Ksak& ksak, const Fixed<32>& hs, const Scalar& v);
// r || s || PVT with this j; nothing when j does not serve.
[[nodiscard]] std::optional<Fixed<kSignature>> sign_with_j(const UserKey& key, OctetsView message,
                                                           const Scalar& j);

// A nonce in 1..q-1 from the key it protects, a draw of 32 octets and the context of its use.
[[nodiscard]] Scalar hedged_nonce(OctetsView key, std::string_view label, OctetsView draw,
                                  std::initializer_list<OctetsView> context, std::uint8_t attempt);

}  // namespace regroup::crypto::eccsi
