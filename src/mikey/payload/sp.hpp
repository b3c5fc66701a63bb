// SPDX-License-Identifier: Apache-2.0
// Security policy, SP (RFC 3830 6.10; TS 33.179 Table E.2-1): numbered SRTP parameters. Refuses a protocol
// other than SRTP, a parameter given twice, a known parameter without a value, a length that runs past the
// payload. Unknown parameters are kept and ignored. Whether the values are a profile we key is judged
// elsewhere (mcx, media).
#pragma once

#include "mikey/codec.hpp"

namespace regroup::mikey {

enum class SpType : std::uint8_t {
  encryption_algorithm = 0,
  session_encryption_key_length = 1,
  authentication_algorithm = 2,
  session_authentication_key_length = 3,
  session_salt_key_length = 4,
  srtp_prf = 5,
  key_derivation_rate = 6,
  srtp_encryption = 7,
  srtcp_encryption = 8,
  fec_order = 9,
  srtp_authentication = 10,
  authentication_tag_length = 11,
  srtp_prefix_length = 12,
  roc_transmission_rate = 13,
  srtp_authentication_tag_length = 18,
  srtcp_authentication_tag_length = 19,
  aead_authentication_tag_length = 20,
};

inline constexpr Field kSpValue{"parameter value", "RFC 3830 6.10.1"};

struct SpParameter {
  std::uint8_t type = 0;
  Octets value;
  bool operator==(const SpParameter&) const = default;

  [[nodiscard]] bool known() const { return type <= 13 || (type >= 18 && type <= 20); }

  template <class Io, class Self>
  static void number(Io& io, Self& self) {
    io.uint(1, Field{"parameter type", "RFC 3830 6.10.1", names::sp_parameter}, self.type);
  }
  template <class Io, class Self>
  static void content(Io& io, Self& self) {
    io.counted(1, Field{"parameter length", "RFC 3830 6.10"}, kSpValue, self.value);
    io.require(!self.known() || (!self.value.empty() && self.value.size() <= 8), Errc::malformed,
               ErrorCode::invalid_policy_parameter, "a number of 1 to 8 octets",
               "the sender must give the value as in RFC 3830 6.10.1, or leave the parameter out");
  }
};

struct Sp {
  static constexpr std::string_view kName = "SP";

  PayloadType next = PayloadType::sakke;
  std::uint8_t policy = 0;
  std::uint8_t prot_type = kProtSrtp;
  std::vector<SpParameter> parameters;
  bool operator==(const Sp&) const = default;

  // TS 33.179 Table E.2-1, in its order: 30 octets of parameters.
  [[nodiscard]] static Sp group_default(std::uint8_t policy = 0);
  // A parameter's number; nothing when it is absent (then the table's default applies).
  [[nodiscard]] std::optional<std::uint64_t> number(SpType type) const;
  // The parameters as they stand on the wire (type, length, value ...), and back.
  [[nodiscard]] Octets parameter_octets() const;
  [[nodiscard]] static Result<Sp> from_parameter_octets(OctetsView parameters, std::uint8_t policy = 0);
  [[nodiscard]] bool gives_a_parameter_twice() const;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.next_payload(self.next);
    io.uint(1, Field{"policy number", "RFC 3830 6.10"}, self.policy);
    io.uint(1, Field{"Prot type", "RFC 3830 6.10", names::prot_type}, self.prot_type);
    io.require(self.prot_type == kProtSrtp, Errc::unsupported, ErrorCode::invalid_policy, "0 (SRTP)",
               "the sender must send a policy for SRTP: no other protocol is keyed here");
    io.region(2, Field{"parameter octets", "RFC 3830 6.10"}, [&self](auto& in) { parameter_list(in, self); });
  }
  template <class Io, class Self>
  static void parameter_list(Io& io, Self& self) {
    io.records(self.parameters, [&self](auto& in, auto& parameter) {
      SpParameter::number(in, parameter);
      in.require(!self.gives_a_parameter_twice(), Errc::malformed, ErrorCode::invalid_policy_parameter,
                 "each parameter once", "the sender must leave one of them out");
      SpParameter::content(in, parameter);
    });
  }
};

}  // namespace regroup::mikey
