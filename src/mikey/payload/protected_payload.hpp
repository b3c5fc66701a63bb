// SPDX-License-Identifier: Apache-2.0
// The MCData protected payload that wraps the key parameters in general extension 7 (TS 33.180 8.5.4, E.6;
// TS 24.282 15.2): the frame only, opened by the DPCK elsewhere. Refuses a first octet other than 43 and 40
// and every algorithm but AEAD_AES_128_GCM. Dates, payload ID and sequence number are not interpreted.
#pragma once

#include "mikey/codec.hpp"

namespace regroup::mikey {

struct ProtectedPayload {
  static constexpr std::string_view kName = "protected payload";
  static constexpr std::uint8_t kProtectedData = 0x43;         // protected | DATA PAYLOAD
  static constexpr std::uint8_t kProtectedUnspecified = 0x40;  // sent by one product
  static constexpr std::uint8_t kAeadAes128Gcm = 1;
  static constexpr std::uint8_t kPayloadIei = 0x78;
  static constexpr std::size_t kAssociated = 32;  // leading octets that the tag covers

  std::uint8_t message_type = kProtectedData;
  std::uint64_t date_time = 0;  // 40 bits, Unix seconds
  std::uint32_t payload_id = 0;
  std::uint8_t sequence = 0;
  std::uint8_t algorithm = kAeadAes128Gcm;
  Fixed<16> iv{};
  std::uint32_t dppk_id = 0;  // equals the CSB ID of HDR; the opener checks
  std::uint8_t iei = kPayloadIei;
  Octets ciphertext;  // without the tag
  Fixed<16> tag{};
  bool operator==(const ProtectedPayload&) const = default;

  // The 32 octets before the Payload element, as written; for received data take its first 32 octets.
  [[nodiscard]] Octets associated_data() const;
  // Extension 7 starts like a protected payload (first octet 43 or 40).
  [[nodiscard]] static bool starts(OctetsView data);

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    head(io, self);
    io.uint(1, Field{"Payload IEI", "TS 24.282 15.2.13", nullptr, nullptr, true}, self.iei);
    io.region(2, Field{"payload length", "TS 33.180 8.5.4"}, [&self](auto& in) {
      in.all_but(16, Field{"ciphertext", "TS 33.180 8.5.4"}, self.ciphertext);
      in.fixed(Field{"GCM tag", "TS 33.180 8.5.4"}, self.tag);
    });
  }
  template <class Io, class Self>
  static void head(Io& io, Self& self) {
    io.uint(1, Field{"message type", "TS 24.282 15.2.2", names::protected_message}, self.message_type);
    io.require(self.message_type == kProtectedData || self.message_type == kProtectedUnspecified,
               Errc::unsupported, ErrorCode::unspecified, "43 or 40 hexadecimal, a protected payload",
               "the sender must protect it; 01, 02 or 03 is the legacy clear form, which "
               "accept_clear_key_parameters takes");
    io.uint(5, Field{"date and time", "TS 24.282 15.2.8", names::unix_time}, self.date_time);
    io.uint(4, Field{"payload ID", "TS 33.180 E.6.1"}, self.payload_id);
    io.uint(1, Field{"payload sequence number", "TS 33.180 8.5.4"}, self.sequence);
    io.uint(1, Field{"payload algorithm", "TS 33.180 8.5.4", names::aead}, self.algorithm);
    io.require(self.algorithm == kAeadAes128Gcm, Errc::unsupported, ErrorCode::invalid_encryption,
               "1 (AEAD_AES_128_GCM)", "the sender must protect with that algorithm (TS 33.180 8.5.4)");
    io.fixed(Field{"IV", "TS 33.180 8.5.4"}, self.iv);
    io.uint(4, Field{"DPPK-ID", "TS 33.180 E.6.1", names::csb_id, nullptr, true}, self.dppk_id);
  }
};

}  // namespace regroup::mikey
