// SPDX-License-Identifier: Apache-2.0
// Identity with a role, IDR (RFC 6043 6.6; roles 6 and 7 RFC 6509 4.4; roles 8 and 9 TS 33.180 E.7). Data are
// octets, never normalised. Refuses unknown roles, no data, more than 2048 octets, an identity that is not a
// URI, a hidden identity that is not 32 octets. A NUL behind a KMS URI is kept: only accept_nul_in_uri lets
// it through.
#pragma once

#include "mikey/codec.hpp"

namespace regroup::mikey {

inline constexpr std::size_t kLongestId = 2048;
inline constexpr std::size_t kUidSize = 32;

std::string meaning_of_id(OctetsView data);  // quoted when printable, "raw UID" when 32 binary octets

struct Idr {
  static constexpr std::string_view kName = "IDR";

  PayloadType next = PayloadType::idr;
  Role role = Role::initiator;
  IdType type = IdType::uri;
  Octets data;
  bool operator==(const Idr&) const = default;

  [[nodiscard]] static Idr uri(Role role, std::string_view uri) {
    return Idr{PayloadType::idr, role, IdType::uri, to_octets(view(uri))};
  }
  // Roles 8 and 9; the type stays URI although the content is binary.
  [[nodiscard]] static Idr uid(Role role, OctetsView uid32) {
    return Idr{PayloadType::idr, role, IdType::uri, to_octets(uid32)};
  }

  [[nodiscard]] bool hidden() const { return role == Role::initiator_uid || role == Role::responder_uid; }
  [[nodiscard]] std::string_view text() const { return text_of(data); }  // for identities that are not hidden

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.next_payload(self.next);
    io.uint(1, Field{"role", "RFC 6043 6.6", names::role}, self.role);
    io.require(self.role >= Role::initiator && self.role <= Role::responder_uid, Errc::unsupported,
               ErrorCode::invalid_id, "1 to 9",
               "the sender must use roles 1, 2, 6 and 7, or 8 and 9 for hidden identities (TS 33.180 E.7)");
    io.uint(1, Field{"ID type", "RFC 6043 6.6", names::id_type}, self.type);
    io.require(self.acceptable_type(), Errc::unsupported, ErrorCode::invalid_id,
               "1 (URI); 2 (byte string) only for roles 8 and 9", "the sender must give identities as URIs");
    io.counted(2, Field{"ID length", "RFC 6043 6.6"},
               Field{"ID data", "RFC 6043 6.6", nullptr, meaning_of_id}, self.data);
    io.require(!self.data.empty() && self.data.size() <= kLongestId, Errc::malformed, ErrorCode::invalid_id,
               "1 to 2048 octets", "the sender must give the whole URI, and nothing longer");
    io.require(!self.hidden() || self.data.size() == kUidSize, Errc::malformed, ErrorCode::invalid_id,
               "32 octets, the UID of a hidden identity (TS 33.180 E.7)",
               "the sender must send the UID, or the URI under role 1 or 2");
  }

  [[nodiscard]] bool acceptable_type() const {
    const bool ignored = role == Role::psk || role == Role::application;
    return ignored || type == IdType::uri || (hidden() && type == IdType::byte_string);
  }
};

}  // namespace regroup::mikey
