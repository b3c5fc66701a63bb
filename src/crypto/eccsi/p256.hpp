// SPDX-License-Identifier: Apache-2.0
// The points of P-256 as ECCSI needs them, by OpenSSL. Points travel as the 65 octets 04 || x || y (RFC
// 6507 3.2 knows no other form); the point at infinity has none and shows as nothing. Secret scalars enter
// OpenSSL in one function only, times_generator(), which is the declared constant-time boundary of this room.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "crypto/eccsi.hpp"
#include "crypto/eccsi/scalar.hpp"

namespace regroup::crypto::eccsi {

using PointOctets = Fixed<kPoint>;

// G, SEC 2 (secp256r1).
[[nodiscard]] const PointOctets& generator();

// Length 65, prefix 04, coordinates < p, on the curve: each its own error, naming `what`.
[[nodiscard]] Result<PointOctets> parse_point(OctetsView octets, std::string_view what,
                                              std::string_view clause);

// [k]G for a secret k, 1 <= k < q. The result is public.
[[nodiscard]] PointOctets times_generator(const Scalar& k);

struct Term {
  const Scalar* factor;
  const PointOctets* point;  // parsed before
};
// [g]G + [a.factor]a.point + [b.factor]b.point for public values; nothing for the point at infinity.
[[nodiscard]] std::optional<PointOctets> combine_vartime(const Scalar& g, Term a, Term b);

// The odd multiples 1, 3 ... 2^bits - 1 of 2^(bits i) base for i = 0 .. windows - 1, for tables.
[[nodiscard]] std::vector<PointOctets> odd_multiples(const PointOctets& base, std::size_t windows,
                                                     std::size_t bits);

// Is x, 32 octets, a non-zero element of F_p as it stands (0 < x < p)?
[[nodiscard]] bool is_field_unit(OctetsView x);

}  // namespace regroup::crypto::eccsi
