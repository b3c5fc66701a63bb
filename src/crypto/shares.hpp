// SPDX-License-Identifier: Apache-2.0
// A secret in k-of-n shares (Shamir, over GF(2^8) with x^8+x^4+x^3+x+1): any k of them give it back, fewer
// say nothing about it but its length. Shared is the secret and 8 octets of a hash of it, so that shares that
// do not belong together, or one that is wrong, are found out. In constant time on the secret; the numbers of
// the shares are public. Layout of the printed line in docs/formats.md, "Shares".
#pragma once

#include <span>
#include <vector>

#include "base/octets.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace regroup::crypto {

inline constexpr unsigned kMostShares = 32;
inline constexpr std::size_t kMostShared = 4096;      // octets
inline constexpr std::size_t kMostShareLine = 16384;  // octets, with the white space around it

struct Share {
  std::uint8_t threshold = 0;  // 2 .. 32
  std::uint8_t number = 0;     // 1 .. 32, where its polynomials are taken
  Fixed<8> set{};              // random, the same in all shares of one split
  SecretOctets value;          // 9 .. 4104 octets: 8 more than the secret

  [[nodiscard]] Share duplicate() const { return {threshold, number, set, value.duplicate()}; }
};

// Errc::usage unless 2 <= threshold <= shares <= 32 and the secret has 1 to 4096 octets.
[[nodiscard]] Result<std::vector<Share>> split_secret(OctetsView secret, unsigned shares, unsigned threshold,
                                                      Random& random);
// The same share twice counts once; more than the threshold must all fit. Errc::malformed: a number,
// threshold or size that no share has. Errc::conflict: shares of several sets, thresholds or sizes, or one
// number with two values. Errc::usage: too few. Errc::bad_signature: they do not belong together or one is
// damaged; of more than enough, the first that does not fit those before it is named.
[[nodiscard]] Result<SecretOctets> combine_shares(std::span<const Share> shares);

// One line for paper, without its end: regroup-share-1-K-N-SET-VALUE-CHECK; octets in hex, CHECK finds slips
// of the pen. Secret.
[[nodiscard]] SecretOctets write_share(const Share& share);
// White space around it and capital hex digits are taken. Errc::limit: over 16 KiB. Errc::malformed says
// which part is wrong, never what it is.
[[nodiscard]] Result<Share> parse_share(OctetsView line);

}  // namespace regroup::crypto
