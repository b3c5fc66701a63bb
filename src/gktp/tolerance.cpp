// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "gktp/open.hpp"

namespace regroup::gktp {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, kTolerances> kNames{
    "accept_sign_without_header", "accept_clear_key_parameters", "accept_no_key_parameters",
    "accept_status_zero",         "accept_expiry_all_ones",      "accept_key_type_mismatch",
    "accept_neighbour_period",    "accept_id_scheme_1",          "accept_ssv32",
    "accept_kms_role_3",          "accept_nul_in_uri",           "accept_prf_other",
    "accept_unix_time",
};

}  // namespace

std::string_view name_of(Tolerance tolerance) { return kNames[static_cast<std::size_t>(tolerance)]; }

Result<Tolerance> parse_tolerance(std::string_view name) {
  std::string all;
  for (std::size_t i = 0; i < kTolerances; ++i) {
    if (kNames[i] == name) return static_cast<Tolerance>(i);
    all += (all.empty() ? "" : ", ") + std::string(kNames[i]);
  }
  return fail(Errc::usage, "", "there is no tolerance of that name", "choose among " + all);
}

std::string_view outward(const Error& error) {
  switch (error.code) {
    case Errc::malformed:
    case Errc::unsupported:
    case Errc::limit:
      return "malformed";
    case Errc::unknown_kms:
      return "unknown-kms";
    case Errc::not_authorised:
    case Errc::not_for_me:
      return "not-authorised";
    case Errc::expired:
    case Errc::not_yet_valid:
      return "expired";
    default:
      return "undecryptable";
  }
}

}  // namespace regroup::gktp
