// SPDX-License-Identifier: Apache-2.0
// Identities and key identifiers of TS 33.179 / 33.180 as types that cannot be exchanged by accident.
// Identities are octets: compared and hashed as they are, never normalised (a different spelling is a
// different user). A value of one of these types has passed its checks.
#pragma once

#include <algorithm>
#include <compare>
#include <string>

#include "base/octets.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace regroup::mcx {

// The key of a group: 16 octets (TS 33.179 E.1.0); also the MKFC of a floor plan `mkfc`. Some products send
// 32: such a key exists on receive only, under accept_ssv32, and cannot be sealed again. Move-only, wiped,
// never compared with ==.
class Gmk {
 public:
  static constexpr std::size_t size = 16;
  static constexpr std::size_t long_size = 32;

  Gmk() noexcept = default;
  explicit Gmk(std::span<const std::uint8_t, size> octets) noexcept { assign(octets); }
  // Refuses every length but 16 and 32.
  [[nodiscard]] static Result<Gmk> parse(OctetsView octets);

  [[nodiscard]] OctetsView expose() const noexcept { return octets_.expose().first(size_); }
  [[nodiscard]] std::span<std::uint8_t> expose_mutable() noexcept {
    return octets_.expose_mutable().first(size_);
  }
  [[nodiscard]] bool is_long() const noexcept { return size_ == long_size; }
  [[nodiscard]] Gmk duplicate() const noexcept {
    Gmk copy;
    copy.assign(expose());
    return copy;
  }
  void clear() noexcept { octets_.clear(); }

  bool operator==(const Gmk&) const = delete;

 private:
  void assign(OctetsView octets) noexcept {
    size_ = octets.size();
    std::copy(octets.begin(), octets.end(), octets_.expose_mutable().begin());
  }
  Secret<long_size> octets_;
  std::size_t size_ = size;
};

// A URI of a user, group, server or KMS: 1..2048 printable ASCII characters without space. `Tag` keeps kinds
// apart.
template <class Tag>
class Uri {
 public:
  Uri() = default;  // empty: none; only where a record is about to be read
  [[nodiscard]] static Result<Uri> parse(std::string_view text);
  [[nodiscard]] bool empty() const { return text_.empty(); }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] OctetsView octets() const { return view(text_); }
  auto operator<=>(const Uri&) const = default;
  bool operator==(const Uri&) const = default;

 private:
  explicit Uri(std::string_view text) : text_(text) {}
  std::string text_;
};
struct McpttTag;
struct GroupTag;
struct KmsTag;
using McpttId = Uri<McpttTag>;  // a person, or the URI of a server such as a GMS: whoever holds a key set
using GroupId = Uri<GroupTag>;  // a group or temporary group; never an addressee of a key payload
using KmsUri = Uri<KmsTag>;     // a security domain; opaque, not an address

[[nodiscard]] Result<void> check_identity(std::string_view text, std::string_view field);
template <class Tag>
Result<Uri<Tag>> Uri<Tag>::parse(std::string_view text) {
  TRY(check_identity(text, "identity"));
  return Uri(text);
}

// Purpose tag: the top 4 bits of a key identifier (TS 33.180 5.2.2, Annex G). 7-15 are
// refused.
enum class Purpose : std::uint8_t { gmk = 0, pck = 1, csk = 2, spk = 3, mkfc = 4, mscck = 5, musik = 6 };
[[nodiscard]] std::string_view name_of(Purpose purpose);

// 32 bits: purpose tag and 28 bits. GmkId (what members share) and GukId (personal) are not interchangeable.
template <class Tag>
struct KeyId {
  std::uint32_t value = 0;
  [[nodiscard]] std::uint8_t tag() const { return static_cast<std::uint8_t>(value >> 28); }
  [[nodiscard]] Fixed<4> octets() const { return be32(value); }
  [[nodiscard]] std::string text() const;  // 8 hex digits, lower case
  auto operator<=>(const KeyId&) const = default;
};
struct GmkTag;
struct GukTag;
using GmkId = KeyId<GmkTag>;
using GukId = KeyId<GukTag>;
template <class Tag>
std::string KeyId<Tag>::text() const {
  std::string out;
  for (int shift = 28; shift >= 0; shift -= 4) out += "0123456789abcdef"[value >> shift & 15];
  return out;
}

using Uid = Fixed<32>;  // MIKEY-SAKKE UID, TS 33.179 F.2.1
using Rand = Octets;    // RAND of the I_MESSAGE, 16..64 octets, one per GMK
using Mki = Fixed<8>;   // GMK-ID || GUK-ID(sender)

// First 8 octets of HMAC-SHA-256(key, "regroup fingerprint"), lower-case hex: names a key without showing it.
[[nodiscard]] std::string fingerprint(const Gmk& key);
[[nodiscard]] std::string fingerprint(OctetsView key);

}  // namespace regroup::mcx
