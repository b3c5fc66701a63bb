// SPDX-License-Identifier: Apache-2.0
// SAKKE payload (RFC 6509 4.2; TS 33.180 E.1.2): the encapsulated key, R || H. Refuses a parameter set other
// than 1 and lengths other than 273 (a 16-octet key) and 289 (32 octets: read, and opened only under
// accept_ssv32). The ID scheme is kept as received: the opener accepts 2, and 1 under accept_id_scheme_1.
#pragma once

#include "mikey/codec.hpp"

namespace regroup::mikey {

inline constexpr std::size_t kSakkePoint = 257;  // 04 || x(128) || y(128)
inline constexpr std::size_t kSakkeLength = 273;
inline constexpr std::size_t kSakkeLengthSsv32 = 289;

struct Sakke {
  static constexpr std::string_view kName = "SAKKE";

  PayloadType next = PayloadType::general_ext;
  std::uint8_t params = kSakkeParameterSet1;
  std::uint8_t id_scheme = kIdSchemeHashedUid;
  Fixed<kSakkePoint> r{};
  Octets h = Octets(16);  // 16 octets; 32 with an SSV of 32
  bool operator==(const Sakke&) const = default;

  // From encapsulated data as RFC 6508 6.2.1 gives it, R || H: 273 octets (289).
  [[nodiscard]] static Result<Sakke> from_encapsulated(OctetsView r_and_h);
  [[nodiscard]] Octets encapsulated() const;  // R || H
  [[nodiscard]] bool ssv32() const { return h.size() == 32; }

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.next_payload(self.next);
    io.uint(1, Field{"SAKKE params", "RFC 6509 4.2", names::sakke_params}, self.params);
    io.require(self.params == kSakkeParameterSet1, Errc::unsupported, ErrorCode::unspecified,
               "1 (parameter set 1)", "the sender must encapsulate under the set of RFC 6509 Appendix A");
    io.uint(1, Field{"ID scheme", "TS 33.180 E.1.2", names::id_scheme}, self.id_scheme);
    auto length = static_cast<std::uint16_t>(kSakkePoint + self.h.size());
    io.uint(2, Field{"SAKKE data length", "RFC 6509 4.2"}, length);
    io.require(length == kSakkeLength || length == kSakkeLengthSsv32, Errc::unsupported,
               ErrorCode::unspecified, "273: R (257) and H (16)",
               "the sender must send a key of 16 octets (TS 33.179 E.1.0)");
    io.fixed(Field{"R", "RFC 6508 6.2.1"}, self.r);
    io.octets(length - kSakkePoint, Field{"H", "RFC 6508 6.2.1"}, self.h);
  }
};

}  // namespace regroup::mikey
