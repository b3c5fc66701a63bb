// SPDX-License-Identifier: Apache-2.0
#include "mikey/error_code.hpp"

#include <charconv>

namespace regroup::mikey {

namespace {
constexpr std::string_view kMark = " (MIKEY error ";
}

std::string_view name_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::authentication_failure:
      return "authentication failure";
    case ErrorCode::invalid_timestamp:
      return "invalid timestamp";
    case ErrorCode::invalid_prf:
      return "invalid PRF function";
    case ErrorCode::invalid_mac:
      return "invalid MAC algorithm";
    case ErrorCode::invalid_encryption:
      return "invalid encryption algorithm";
    case ErrorCode::invalid_hash:
      return "invalid hash algorithm";
    case ErrorCode::invalid_dh_group:
      return "invalid DH group";
    case ErrorCode::invalid_id:
      return "invalid ID";
    case ErrorCode::invalid_certificate:
      return "invalid certificate";
    case ErrorCode::invalid_policy:
      return "invalid security policy";
    case ErrorCode::invalid_policy_parameter:
      return "invalid policy parameter";
    case ErrorCode::invalid_data_type:
      return "invalid data type";
    case ErrorCode::unspecified:
      return "unspecified error";
  }
  return "unknown";
}

Error refuse(Errc errc, ErrorCode code, std::string_view clause, std::string detail, std::string cure) {
  detail += kMark;
  detail += std::to_string(static_cast<unsigned>(code));
  detail += ": ";
  detail += name_of(code);
  detail += ")";
  return fail(errc, clause, std::move(detail), std::move(cure));
}

std::uint8_t error_code(const Error& error) noexcept {
  const std::size_t mark = error.detail.rfind(kMark);
  if (mark != std::string::npos) {
    const char* const from = error.detail.data() + mark + kMark.size();
    std::uint8_t code = 0;
    const auto read = std::from_chars(from, error.detail.data() + error.detail.size(), code);
    if (read.ec == std::errc() && code <= static_cast<std::uint8_t>(ErrorCode::unspecified)) return code;
  }
  switch (error.code) {
    case Errc::bad_signature:
      return static_cast<std::uint8_t>(ErrorCode::authentication_failure);
    case Errc::expired:
    case Errc::not_yet_valid:
    case Errc::replayed:
      return static_cast<std::uint8_t>(ErrorCode::invalid_timestamp);
    case Errc::not_for_me:
    case Errc::not_authorised:
    case Errc::unknown_kms:
      return static_cast<std::uint8_t>(ErrorCode::invalid_id);
    default:
      return static_cast<std::uint8_t>(ErrorCode::unspecified);
  }
}

}  // namespace regroup::mikey
