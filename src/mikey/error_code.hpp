// SPDX-License-Identifier: Apache-2.0
// The error numbers of MIKEY (RFC 3830 6.12) as reasons in our own logs. regroup sends no MIKEY error
// message: it would be unauthenticated. An Error made by refuse() carries its number at the end of the
// detail, where people and error_code() both find it.
#pragma once

#include "base/result.hpp"

namespace regroup::mikey {

enum class ErrorCode : std::uint8_t {
  authentication_failure = 0,
  invalid_timestamp = 1,
  invalid_prf = 2,
  invalid_mac = 3,
  invalid_encryption = 4,
  invalid_hash = 5,
  invalid_dh_group = 6,
  invalid_id = 7,
  invalid_certificate = 8,
  invalid_policy = 9,
  invalid_policy_parameter = 10,
  invalid_data_type = 11,
  unspecified = 12,
};
[[nodiscard]] std::string_view name_of(ErrorCode code) noexcept;

// fail() with a MIKEY error number behind the detail.
[[nodiscard]] Error refuse(Errc errc, ErrorCode code, std::string_view clause, std::string detail,
                           std::string cure);

// The number refuse() left in the Error; for any other Error the one that fits its Errc.
[[nodiscard]] std::uint8_t error_code(const Error& error) noexcept;

}  // namespace regroup::mikey
