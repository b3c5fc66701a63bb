// SPDX-License-Identifier: Apache-2.0
// The numbers of MIKEY that a MIKEY-SAKKE I_MESSAGE uses, and their names for people (IANA "Multimedia
// Internet KEYing"; RFC 3830, 4563, 6043, 6509; TS 33.180 Annex E). A name function answers for every value,
// known or not.
#pragma once

#include <cstdint>
#include <string>

#include "base/octets.hpp"

namespace regroup::mikey {

enum class PayloadType : std::uint8_t {
  last = 0,
  kemac = 1,
  pke = 2,
  dh = 3,
  sign = 4,
  t = 5,
  id = 6,
  cert = 7,
  chash = 8,
  v = 9,
  sp = 10,
  rand = 11,
  err = 12,
  idr = 14,
  key_data = 20,
  general_ext = 21,
  sakke = 26,
};

inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::uint8_t kDataTypeError = 6;
inline constexpr std::uint8_t kDataTypeSakke = 26;
inline constexpr std::uint8_t kPrfHmacSha256 = 1;
inline constexpr std::uint8_t kTsNtpUtc = 0;
inline constexpr std::uint8_t kProtSrtp = 0;
inline constexpr std::uint8_t kSakkeParameterSet1 = 1;
inline constexpr std::uint8_t kIdSchemeTelUri = 1;
inline constexpr std::uint8_t kIdSchemeHashedUid = 2;
inline constexpr std::uint8_t kSignEccsi = 2;

enum class MapType : std::uint8_t { srtp_id = 0, empty = 1, generic_id = 2 };
enum class IdType : std::uint8_t { nai = 0, uri = 1, byte_string = 2 };
enum class Role : std::uint8_t {
  initiator = 1,
  responder = 2,
  kms = 3,
  psk = 4,
  application = 5,
  initiator_kms = 6,
  responder_kms = 7,
  initiator_uid = 8,
  responder_uid = 9,
};
enum class ExtType : std::uint8_t {
  vendor_id = 0,
  sdp_ids = 1,
  key_id = 3,
  sakke_to_self = 6,
  key_parameters = 7,
};

// Names of values; "unknown" or "reserved" where the registry has none.
namespace names {
std::string version(std::uint64_t v);
std::string data_type(std::uint64_t v);
std::string payload(std::uint64_t v);
std::string v_bit(std::uint64_t v);
std::string prf(std::uint64_t v);
std::string csb_id(std::uint64_t v);  // the purpose tag in the top four bits (TS 33.180 E.1.3)
std::string map_type(std::uint64_t v);
std::string cs_id(std::uint64_t v);
std::string prot_type(std::uint64_t v);
std::string ts_type(std::uint64_t v);
std::string role(std::uint64_t v);
std::string id_type(std::uint64_t v);
std::string sakke_params(std::uint64_t v);
std::string id_scheme(std::uint64_t v);
std::string sign_type(std::uint64_t v);
std::string ext_type(std::uint64_t v);
std::string error(std::uint64_t v);
std::string sp_parameter(std::uint64_t v);
std::string sp_value(std::uint8_t type, std::uint64_t v);  // a value in the light of its parameter
std::string key_type(std::uint64_t v);
std::string legacy_key_type(std::uint64_t v);
std::string key_status(std::uint64_t v);
std::string protected_message(std::uint64_t v);
std::string aead(std::uint64_t v);
std::string unix_time(std::uint64_t v);
}  // namespace names

}  // namespace regroup::mikey
