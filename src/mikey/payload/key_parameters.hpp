// SPDX-License-Identifier: Apache-2.0
// Content of the 3GPP key parameters (TS 33.180 Table E.6.1-1), and the legacy clear form that general
// extension 7 carried before it was protected. Values are kept as received: polarity of Status, times out of
// range and a key type that contradicts the purpose tag are the opener's to judge. Refuses lengths that run
// past and unknown key types.
#pragma once

#include "mikey/codec.hpp"

namespace regroup::mikey {

std::string meaning_of_text(OctetsView text);

// Key types equal the purpose tags of key identifiers.
enum class KeyType : std::uint8_t { gmk = 0, pck = 1, csk = 2, spk = 3, mkfc = 4, mscck = 5, musik = 6 };

struct GroupId {
  std::uint8_t iei = 0x7b;  // ignored on receipt
  Octets uri;
  bool operator==(const GroupId&) const = default;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.uint(1, Field{"group IEI", "TS 24.282 15.2.14"}, self.iei);
    io.counted(2, Field{"group URI length", "TS 24.282 15.2.14"},
               Field{"group URI", "TS 33.180 E.6.3", nullptr, meaning_of_text}, self.uri);
  }
};

struct KeyParameters {
  static constexpr std::string_view kName = "key parameters";
  static constexpr std::uint32_t kNotRevoked = 1;  // Status bit 0
  static constexpr std::uint32_t kShared = 2;      // Status bit 1: with a security gateway
  // A later time is NTP-scaled or worse.
  static constexpr std::uint64_t kLatestTime = 3'000'000'000;

  KeyType key_type = KeyType::gmk;
  std::uint32_t status = kNotRevoked;
  std::uint64_t activation = 0;  // 40 bits, Unix seconds; 0: the time in T
  std::uint64_t expiry = 0;      // 40 bits, Unix seconds; 0: does not expire
  Octets text;                   // name of the key for people
  std::vector<GroupId> groups;   // only with GMK, MKFC, MuSiK
  Octets reserved;               // ignored
  bool operator==(const KeyParameters&) const = default;

  [[nodiscard]] bool has_groups() const {
    return key_type == KeyType::gmk || key_type == KeyType::mkfc || key_type == KeyType::musik;
  }

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.uint(1, Field{"Key Type", "TS 33.180 E.6.11", names::key_type}, self.key_type);
    io.require(self.key_type <= KeyType::musik, Errc::unsupported, ErrorCode::unspecified,
               "a key type 0 to 6", "the sender must name a type of TS 33.180 E.6.11");
    validity(io, self);
    text_field(io, self);
    if (self.has_groups()) {
      io.region(2, Field{"Group IDs length", "TS 33.180 E.6.3"}, [&self](auto& in) {
        auto count = static_cast<std::uint8_t>(self.groups.size());
        in.uint(1, Field{"number of groups", "TS 33.180 E.6.3"}, count);
        in.repeat(count, Field{"groups", "TS 33.180 E.6.3"}, self.groups,
                  [](auto& each, auto& group) { GroupId::wire(each, group); });
      });
    }
    io.all_but(0, Field{"Reserved", "TS 33.180 E.6.6"}, self.reserved);
  }
  template <class Io, class Self>
  static void validity(Io& io, Self& self) {
    io.uint(4, Field{"Status", "TS 33.180 E.6.9", names::key_status, nullptr, true}, self.status);
    io.uint(5, Field{"Activation Time", "TS 33.180 E.6.4", names::unix_time}, self.activation);
    io.uint(5, Field{"Expiry Time", "TS 33.180 E.6.10", names::unix_time}, self.expiry);
  }
  template <class Io, class Self>
  static void text_field(Io& io, Self& self) {
    io.counted(2, Field{"Text length", "TS 33.180 E.6.5"},
               Field{"Text", "TS 33.180 E.6.5", nullptr, meaning_of_text}, self.text);
  }
};

// The content as opened from a ProtectedPayload. When it does not read as it stands and octets 1-2 count the
// rest, a type-6 wrapper (IEI, 2-octet length) is skipped.
[[nodiscard]] Result<KeyParameters> parse_key_parameters(OctetsView content);

// The legacy clear form of extension 7: a 1-based key type (mapped here to the table's),
// Status, times, then nothing (15 octets) or Text and whatever follows (17, 21); no Group IDs. Only under
// accept_clear_key_parameters.
struct LegacyKeyParameters : KeyParameters {
  static constexpr std::string_view kName = "key parameters in clear";
  std::uint8_t legacy_type = 1;  // 1 GMK, 2 PCK, 3 CSK

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.uint(1, Field{"Key Type", "legacy form", names::legacy_key_type}, self.legacy_type);
    io.require(self.legacy_type >= 1 && self.legacy_type <= 3, Errc::unsupported, ErrorCode::unspecified,
               "1 (GMK), 2 (PCK) or 3 (CSK) of the legacy form",
               "the sender must protect its key parameters (TS 33.180 E.6)");
    validity(io, self);
    if (io.more(self.text)) text_field(io, self);
    io.all_but(0, Field{"Reserved", "legacy form"}, self.reserved);
  }
};
[[nodiscard]] bool starts_legacy_key_parameters(OctetsView data);
[[nodiscard]] Result<KeyParameters> parse_legacy_key_parameters(OctetsView data);

}  // namespace regroup::mikey
