// SPDX-License-Identifier: Apache-2.0
#include "mikey/numbers.hpp"

#include <array>
#include <string_view>

#include "base/clock.hpp"
#include "mikey/error_code.hpp"

namespace regroup::mikey::names {

namespace {

struct Name {
  std::uint64_t number;
  std::string_view name;
};

template <std::size_t N>
std::string find(const std::array<Name, N>& table, std::uint64_t number,
                 std::string_view otherwise = "unknown") {
  for (const Name& entry : table)
    if (entry.number == number) return std::string(entry.name);
  return std::string(otherwise);
}

constexpr auto kPurposes = std::to_array<Name>(
    {{0, "GMK"}, {1, "PCK"}, {2, "CSK"}, {3, "SPK"}, {4, "MKFC"}, {5, "MSCCK"}, {6, "MuSiK"}});

}  // namespace

std::string version(std::uint64_t v) { return v == kVersion ? "MIKEY version 1" : "unknown version"; }

std::string data_type(std::uint64_t v) {
  if (v == kDataTypeSakke) return "SAKKE message";
  if (v == kDataTypeError) return "error message";
  return v <= 5 ? "RFC 3830 key exchange" : v <= 25 ? "another MIKEY mode" : "unknown";
}

std::string payload(std::uint64_t v) {
  static constexpr auto kTable = std::to_array<Name>({{0, "last payload"},
                                                      {1, "KEMAC"},
                                                      {2, "PKE"},
                                                      {3, "DH"},
                                                      {4, "SIGN"},
                                                      {5, "T"},
                                                      {6, "ID"},
                                                      {7, "CERT"},
                                                      {8, "CHASH"},
                                                      {9, "V"},
                                                      {10, "SP"},
                                                      {11, "RAND"},
                                                      {12, "ERR"},
                                                      {14, "IDR"},
                                                      {20, "key data"},
                                                      {21, "general extension"},
                                                      {26, "SAKKE"}});
  return find(kTable, v);
}

std::string v_bit(std::uint64_t v) { return v ? "response expected; ignored" : "no response expected"; }

std::string prf(std::uint64_t v) {
  static constexpr auto kTable = std::to_array<Name>({{0, "MIKEY-1, HMAC-SHA-1"},
                                                      {1, "PRF-HMAC-SHA-256"},
                                                      {2, "PRF-HMAC-SHA-384"},
                                                      {3, "PRF-HMAC-SHA-512"}});
  return find(kTable, v);
}

std::string csb_id(std::uint64_t v) {
  const std::uint64_t tag = v >> 28;
  return "purpose tag " + std::to_string(tag) + ": " +
         (tag == 0 ? std::string("GUK-ID") : find(kPurposes, tag, "unassigned") + (tag <= 6 ? "-ID" : ""));
}

std::string map_type(std::uint64_t v) {
  static constexpr auto kTable =
      std::to_array<Name>({{0, "SRTP-ID"}, {1, "empty map, default profile"}, {2, "GENERIC-ID"}});
  return find(kTable, v);
}

std::string cs_id(std::uint64_t v) {
  static constexpr auto kTable = std::to_array<Name>({{0, "MCPTT private call, initiator"},
                                                      {1, "MCPTT private call, receiver"},
                                                      {2, "MCVideo private call, initiator"},
                                                      {3, "MCVideo private call, receiver"},
                                                      {4, "MCPTT group call"},
                                                      {5, "MCVideo group call"},
                                                      {6, "MCPTT SRTCP, CSK"},
                                                      {7, "MCPTT SRTCP, MuSiK"},
                                                      {8, "MCVideo SRTCP, CSK"},
                                                      {9, "MCVideo SRTCP, MuSiK"}});
  return find(kTable, v);
}

std::string prot_type(std::uint64_t v) { return v == kProtSrtp ? "SRTP" : "unknown"; }

std::string ts_type(std::uint64_t v) {
  static constexpr auto kTable = std::to_array<Name>({{0, "NTP-UTC"}, {1, "NTP"}, {2, "counter"}});
  return find(kTable, v);
}

std::string role(std::uint64_t v) {
  static constexpr auto kTable = std::to_array<Name>({{1, "initiator"},
                                                      {2, "responder"},
                                                      {3, "KMS"},
                                                      {4, "pre-shared key"},
                                                      {5, "application"},
                                                      {6, "initiator's KMS"},
                                                      {7, "responder's KMS"},
                                                      {8, "hidden initiator, UID"},
                                                      {9, "hidden responder, UID"}});
  return find(kTable, v);
}

std::string id_type(std::uint64_t v) {
  static constexpr auto kTable = std::to_array<Name>({{0, "NAI"}, {1, "URI"}, {2, "byte string"}});
  return find(kTable, v);
}

std::string sakke_params(std::uint64_t v) {
  return v == kSakkeParameterSet1 ? "parameter set 1"
         : v >= 240               ? "private"
         : v == 0                 ? "reserved"
                                  : "unknown";
}

std::string id_scheme(std::uint64_t v) {
  static constexpr auto kTable =
      std::to_array<Name>({{1, "tel URI with monthly keys"}, {2, "3GPP MCX hashed UID"}});
  return find(kTable, v);
}

std::string sign_type(std::uint64_t v) {
  static constexpr auto kTable = std::to_array<Name>({{0, "RSA PKCS#1"}, {1, "RSA PSS"}, {2, "ECCSI"}});
  return find(kTable, v);
}

std::string ext_type(std::uint64_t v) {
  static constexpr auto kTable = std::to_array<Name>(
      {{0, "vendor ID"}, {1, "SDP IDs"}, {3, "key ID"}, {6, "SAKKE-to-self"}, {7, "3GPP key parameters"}});
  return find(kTable, v, "unknown, skipped");
}

std::string error(std::uint64_t v) {
  return v > 12 ? "unknown" : std::string(name_of(static_cast<ErrorCode>(v)));
}

std::string sp_parameter(std::uint64_t v) {
  static constexpr auto kTable = std::to_array<Name>({{0, "encryption algorithm"},
                                                      {1, "session encryption key length"},
                                                      {2, "authentication algorithm"},
                                                      {3, "session authentication key length"},
                                                      {4, "session salt key length"},
                                                      {5, "SRTP PRF"},
                                                      {6, "key derivation rate"},
                                                      {7, "SRTP encryption on/off"},
                                                      {8, "SRTCP encryption on/off"},
                                                      {9, "FEC order"},
                                                      {10, "SRTP authentication on/off"},
                                                      {11, "authentication tag length"},
                                                      {12, "SRTP prefix length"},
                                                      {13, "ROC transmission rate"},
                                                      {18, "SRTP authentication tag length"},
                                                      {19, "SRTCP authentication tag length"},
                                                      {20, "AEAD authentication tag length"}});
  return find(kTable, v, "unknown parameter, ignored");
}

std::string sp_value(std::uint8_t type, std::uint64_t v) {
  static constexpr auto kEncryption =
      std::to_array<Name>({{0, "NULL"}, {1, "AES-CM"}, {2, "AES-F8"}, {6, "AES-GCM"}});
  static constexpr auto kAuthentication =
      std::to_array<Name>({{0, "NULL"}, {1, "HMAC-SHA-1"}, {2, "RCCm1"}, {3, "RCCm2"}, {4, "RCCm3"}});
  switch (type) {
    case 0:
      return find(kEncryption, v);
    case 2:
      return find(kAuthentication, v);
    case 5:
      return v == 0 ? "AES-CM" : "unknown";
    case 7:
    case 8:
    case 10:
      return v ? "on" : "off";
    case 13:
      return v == 1 ? "every packet" : "packets";
    case 1:
    case 3:
    case 4:
    case 11:
    case 12:
    case 18:
    case 19:
    case 20:
      return "octets";
    default:
      return {};
  }
}

std::string key_type(std::uint64_t v) { return find(kPurposes, v, "unassigned"); }

std::string legacy_key_type(std::uint64_t v) {
  return v >= 1 && v <= 3 ? find(kPurposes, v - 1) + ", 1-based legacy form" : "unknown";
}

std::string key_status(std::uint64_t v) {
  return std::string(v & 1 ? "not revoked" : "revoked") + (v & 2 ? ", shared with a security gateway" : "");
}

std::string protected_message(std::uint64_t v) {
  return std::string(v & 0x40 ? "protected" : "not protected") + (v & 0x80 ? ", authenticated" : "") +
         ((v & 0x3f) == 3 ? ", DATA PAYLOAD" : "");
}

std::string aead(std::uint64_t v) {
  static constexpr auto kTable = std::to_array<Name>({{1, "AEAD_AES_128_GCM"}, {2, "AEAD_AES_256_GCM"}});
  return find(kTable, v);
}

std::string unix_time(std::uint64_t v) {
  constexpr std::uint64_t kYear9999 = 253'402'300'799;
  if (v == 0) return "0";
  return v > kYear9999 ? "beyond the year 9999" : date_time(NtpTime::from_unix(static_cast<std::int64_t>(v)));
}

}  // namespace regroup::mikey::names
