// SPDX-License-Identifier: Apache-2.0
#include "crypto/shares.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "crypto/ct.hpp"
#include "crypto/hash/sha256.hpp"

namespace regroup::crypto {
namespace {

constexpr std::string_view kClause = "docs/formats.md, shares";
constexpr std::string_view kDomain = "regroup-share-1";
constexpr std::string_view kPrefix = "regroup-share-1-";
constexpr std::size_t kCheck = 8;      // octets of the hash that is shared with the secret
constexpr std::size_t kLineCheck = 4;  // octets of the hash at the end of a line

using Octet = std::uint8_t;
using Points = std::span<const Share* const>;

std::uint64_t mask_of(std::uint64_t value) { return ct::barrier(0 - (value & 1)); }

// Shift and mask: no table, no branch.
Octet times(Octet a, Octet b) {
  std::uint64_t product = 0, left = a;
  for (unsigned bit = 0; bit < 8; ++bit) {
    product ^= left & mask_of(std::uint64_t{b} >> bit);
    left = (left << 1) ^ (0x11b & mask_of(left >> 7));
  }
  return static_cast<Octet>(product);
}

// Of a public value, not zero: a^254.
Octet inverse(Octet a) {
  Octet out = 1;
  for (int i = 0; i < 254; ++i) out = times(out, a);
  return out;
}

template <std::size_t N>
Secret<N> hash_start(std::initializer_list<OctetsView> parts) {
  Sha256 hash;
  for (const OctetsView part : parts) hash.update(part);
  Secret<32> digest;
  hash.finish(digest.expose_mutable());
  return Secret<N>(digest.expose().template first<N>());
}

Secret<kCheck> check_of(OctetsView secret, const Fixed<8>& set) {
  return hash_start<kCheck>({view(kDomain), set, secret});
}

Result<void> can_split(OctetsView secret, unsigned shares, unsigned threshold) {
  if (threshold < 2 || threshold > shares || shares > kMostShares)
    return fail(Errc::usage, kClause,
                std::to_string(threshold) + " of " + std::to_string(shares) + " shares cannot be made",
                "ask for 2 to 32 shares, of which 2 or more, but not more than there are, are needed");
  if (secret.empty() || secret.size() > kMostShared)
    return fail(Errc::usage, kClause, "a secret of " + std::to_string(secret.size()) + " octets",
                "share 1 to 4096 octets");
  return {};
}

// By Horner, the highest row first. A row is `size` octets: one coefficient of each of `size` polynomials.
SecretOctets value_at(Octet x, OctetsView rows, std::size_t size) {
  SecretOctets out(size);
  const auto sum = out.expose_mutable();
  for (std::size_t row = rows.size(); row > 0; row -= size)
    for (std::size_t at = 0; at < size; ++at)
      sum[at] = static_cast<Octet>(times(sum[at], x) ^ rows[row - size + at]);
  return out;
}

// What the value of points[i] counts for at `x` (Lagrange).
Octet weight(Octet x, std::size_t i, Points points) {
  Octet above = 1, below = 1;
  for (const Share* other : points) {
    if (other == points[i]) continue;
    above = times(above, static_cast<Octet>(x ^ other->number));
    below = times(below, static_cast<Octet>(points[i]->number ^ other->number));
  }
  return times(above, inverse(below));
}

SecretOctets interpolated_at(Octet x, Points points) {
  SecretOctets out(points[0]->value.size());
  const auto sum = out.expose_mutable();
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Octet factor = weight(x, i, points);
    const OctetsView value = points[i]->value.expose();
    for (std::size_t at = 0; at < sum.size(); ++at) sum[at] ^= times(value[at], factor);
  }
  return out;
}

std::string called(const Share& share) { return "share " + std::to_string(share.number); }

Error conflict(std::string detail, std::string cure) {
  return fail(Errc::conflict, kClause, std::move(detail), std::move(cure));
}

Result<void> is_possible(const Share& share) {
  constexpr const char* kCure = "read the line again as it was printed";
  if (share.number == 0 || share.number > kMostShares)
    return fail(Errc::malformed, kClause,
                "a share with the number " + std::to_string(share.number) + ", not 1 to 32", kCure);
  if (share.threshold < 2 || share.threshold > kMostShares)
    return fail(Errc::malformed, kClause,
                called(share) + " says that " + std::to_string(share.threshold) + " are needed, not 2 to 32",
                kCure);
  if (share.value.size() <= kCheck || share.value.size() > kMostShared + kCheck)
    return fail(
        Errc::malformed, kClause,
        called(share) + " has a value of " + std::to_string(share.value.size()) + " octets, not 9 to 4104",
        kCure);
  return {};
}

Result<void> is_of_one_split(const Share& share, const Share& first) {
  const std::string both = called(share) + " and " + called(first);
  if (share.set != first.set)
    return conflict(both + " are of different sets, " + hex(share.set) + " and " + hex(first.set),
                    "bring shares with the same set, the 16 digits behind the number");
  if (share.threshold != first.threshold)
    return conflict(both + " say that different numbers of shares are needed, " +
                        std::to_string(share.threshold) + " and " + std::to_string(first.threshold),
                    "compare both with the lines that were printed: one of them was changed");
  if (share.value.size() != first.value.size())
    return conflict(both + " have values of different sizes, " + std::to_string(share.value.size()) +
                        " and " + std::to_string(first.value.size()) + " octets",
                    "compare both with the lines that were printed: one of them was changed");
  return {};
}

// One of each number.
Result<std::vector<const Share*>> distinct(std::span<const Share> shares) {
  std::vector<const Share*> out;
  for (const Share& share : shares) {
    TRY(is_possible(share));
    TRY(is_of_one_split(share, shares[0]));
    const auto same = std::find_if(out.begin(), out.end(),
                                   [&](const Share* other) { return other->number == share.number; });
    if (same == out.end())
      out.push_back(&share);
    else if (!ct_equal((*same)->value.expose(), share.value.expose()))
      return conflict(called(share) + " was given twice, with different values",
                      "compare both with the line that was printed and leave the wrong one out");
  }
  return out;
}

Result<void> are_enough(Points points) {
  if (points.empty()) return fail(Errc::usage, kClause, "no share was given", "bring the shares");
  const std::size_t needed = points[0]->threshold;
  if (points.size() >= needed) return {};
  return fail(Errc::usage, kClause,
              std::to_string(points.size()) + " of the " + std::to_string(needed) +
                  " different shares that are needed",
              "bring " + std::to_string(needed - points.size()) + " more of set " + hex(points[0]->set));
}

// Those beyond the threshold lie on the polynomials through the others.
Result<void> all_fit(Points points) {
  const Points first = points.first(points[0]->threshold);
  for (const Share* further : points.subspan(first.size()))
    if (!ct_equal(interpolated_at(further->number, first).expose(), further->value.expose()))
      return fail(
          Errc::bad_signature, kClause,
          called(*further) + " does not fit the " + std::to_string(first.size()) + " that were given first",
          "leave out this one, then each of those in its place: one of them is not as it was made");
  return {};
}

Result<SecretOctets> opened(Points points) {
  const SecretOctets shared = interpolated_at(0, points);
  const OctetsView octets = shared.expose();
  SecretOctets secret(octets.first(octets.size() - kCheck));
  if (ct_equal(check_of(secret.expose(), points[0]->set).expose(), octets.last(kCheck))) return secret;
  return fail(Errc::bad_signature, kClause, "these shares do not belong together or one is damaged",
              "compare each with its printed line; exchange one after another for a share not yet used");
}

// A table would be indexed by the secret.
Octet hex_digit(unsigned nibble) {
  const std::uint64_t letter = mask_of((9 - std::uint64_t{nibble}) >> 63);
  return static_cast<Octet>('0' + nibble + (letter & ('a' - '0' - 10)));
}

void append_hex(SecretOctets& to, OctetsView octets) {
  SecretOctets text(2 * octets.size());
  const auto digits = text.expose_mutable();
  for (std::size_t i = 0; i < octets.size(); ++i) {
    digits[2 * i] = hex_digit(octets[i] >> 4);
    digits[2 * i + 1] = hex_digit(octets[i] & 15U);
  }
  to.append(text.expose());
}

// All that the check at the end of the line is taken of.
SecretOctets body_of(const Share& share) {
  SecretOctets out(view(std::string(kPrefix) + std::to_string(share.threshold) + "-" +
                        std::to_string(share.number) + "-" + hex(share.set) + "-"));
  append_hex(out, share.value.expose());
  return out;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t from = text.find_first_not_of(kSpace);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kSpace) - from + 1);
}

Error unreadable(const char* part) {
  return fail(Errc::malformed, kClause, std::string(part) + " of the share cannot be read",
              "compare the line with the one that was printed");
}

struct Parts {
  std::string_view threshold, number, set, value, check;
};

Result<Parts> parts_of(std::string_view text) {
  if (!text.starts_with(kPrefix)) return unreadable("the beginning (regroup-share-1-)");
  Parts out;
  std::string_view rest = text.substr(kPrefix.size());
  for (std::string_view* part : {&out.threshold, &out.number, &out.set, &out.value}) {
    const std::size_t end = rest.find('-');
    if (end == std::string_view::npos) return unreadable("one of the five parts behind the beginning");
    *part = rest.substr(0, end);
    rest.remove_prefix(end + 1);
  }
  out.check = rest;
  return out;
}

// Decimal, in the one form in which it is written.
Result<std::uint8_t> number_in(std::string_view text, unsigned least, const char* part) {
  for (unsigned value = least; value <= kMostShares; ++value)
    if (text == std::to_string(value)) return static_cast<std::uint8_t>(value);
  return unreadable(part);
}

Result<SecretOctets> octets_in(std::string_view text, std::size_t least, std::size_t most, const char* part) {
  auto out = secret_from_hex(text);
  if (!out.ok() || out->size() < least || out->size() > most) return unreadable(part);
  return out;
}

Result<Share> share_of(const Parts& parts) {
  Share out;
  out.threshold = TRY(number_in(parts.threshold, 2, "the number of shares needed"));
  out.number = TRY(number_in(parts.number, 1, "the number"));
  const auto set = fixed_from_hex<8>(parts.set);
  if (!set.ok()) return unreadable("the set");
  out.set = *set;
  out.value = TRY(octets_in(parts.value, kCheck + 1, kMostShared + kCheck, "the value"));
  return out;
}

}  // namespace

Result<std::vector<Share>> split_secret(OctetsView secret, unsigned shares, unsigned threshold,
                                        Random& random) {
  const ct::StackWiper wiper;
  TRY(can_split(secret, shares, threshold));
  const auto set = random.octets<8>();
  const std::size_t size = secret.size() + kCheck;
  SecretOctets rows(threshold * size);
  const auto room = rows.expose_mutable();
  std::copy(secret.begin(), secret.end(), room.begin());
  std::ranges::copy(check_of(secret, set).expose(), room.subspan(secret.size()).begin());
  random.fill(room.subspan(size));
  std::vector<Share> out;
  for (unsigned number = 1; number <= shares; ++number) {
    const auto x = static_cast<Octet>(number);
    out.push_back({static_cast<Octet>(threshold), x, set, value_at(x, rows.expose(), size)});
  }
  return out;
}

Result<SecretOctets> combine_shares(std::span<const Share> shares) {
  const ct::StackWiper wiper;
  const std::vector<const Share*> given = TRY(distinct(shares));
  const Points points(given);
  TRY(are_enough(points));
  TRY(all_fit(points));
  return opened(points.first(points[0]->threshold));
}

SecretOctets write_share(const Share& share) {
  SecretOctets out = body_of(share);
  const auto check = hash_start<kLineCheck>({out.expose()});
  out.append(view("-"));
  append_hex(out, check.expose());
  return out;
}

Result<Share> parse_share(OctetsView line) {
  if (line.size() > kMostShareLine)
    return fail(Errc::limit, kClause, "the line has more than 16 KiB", "give one share");
  const Parts parts = TRY(parts_of(trimmed(text_of(line))));
  Share out = TRY(share_of(parts));
  const SecretOctets check = TRY(octets_in(parts.check, kLineCheck, kLineCheck, "the check at the end"));
  if (ct_equal(hash_start<kLineCheck>({body_of(out).expose()}).expose(), check.expose())) return out;
  return fail(Errc::malformed, kClause, "the share does not fit its check, the 8 digits at the end",
              "compare the line with the one that was printed: a digit is wrong or two are exchanged");
}

}  // namespace regroup::crypto
