// SPDX-License-Identifier: Apache-2.0
// Key receipts (PR-33): what a client did with payloads it got, by the SHA-256 of each I_MESSAGE.
// Never carries key material or its hash. Refuses unknown results, a gmk-id where it cannot be known or is
// missing where it must be, more than 1 000 receipts.
#pragma once

#include "xcap/names.hpp"

namespace regroup::xcap {

enum class ReceiptResult : std::uint8_t {
  installed,
  withdrawn,
  expired,
  revoked,
  wrong_group,  // up to here the GMK-ID is known and sent
  bad_signature,
  undecryptable,
  malformed,
  unknown_kms,
  not_authorised,
};
[[nodiscard]] std::string_view name_of(ReceiptResult result);
[[nodiscard]] constexpr bool knows_gmk_id(ReceiptResult result) {
  return result <= ReceiptResult::wrong_group;
}

struct Receipt {
  Fixed<32> message{};  // SHA-256 of the I_MESSAGE octets
  ReceiptResult result = ReceiptResult::installed;
  std::optional<std::uint32_t> gmk_id;
  std::string group;  // the temporary group's for a temporary key
  bool operator==(const Receipt&) const = default;
};

[[nodiscard]] Result<std::vector<Receipt>> parse_key_receipt(OctetsView document);
[[nodiscard]] std::string write_key_receipt(std::span<const Receipt> receipts);

}  // namespace regroup::xcap
