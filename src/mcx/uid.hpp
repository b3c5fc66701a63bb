// SPDX-License-Identifier: Apache-2.0
// The MIKEY-SAKKE UID of TS 33.179 F.2.1 (= TS 33.180 F.2.1): what ECCSI signs as and SAKKE encrypts to.
#pragma once

#include "mcx/ids.hpp"

namespace regroup::mcx {

// SHA-256 over 00 || P0 || L0 ... P5 || L5: each length follows its parameter, integers take the fewest
// octets (zero is one octet 00). Numbers are not negative; offset >= period is hashed as it is. Texts are at
// most 65535 octets.
[[nodiscard]] Uid uid(std::string_view identity, std::string_view kms_uri, std::int64_t period,
                      std::int64_t offset, std::int64_t period_no);
// The string S that is hashed.
[[nodiscard]] Octets uid_input(std::string_view identity, std::string_view kms_uri, std::int64_t period,
                               std::int64_t offset, std::int64_t period_no);

// One published value (a GMS URI of TS 33.180's form, key period 1533) made again; run at process start.
[[nodiscard]] Result<void> self_test();

// The identifier of RFC 6509 3.2 ("2011-02" NUL "tel:+447700900123" NUL), ID scheme 1: for its vectors only,
// never sent.
[[nodiscard]] Octets rfc6509_identifier(std::string_view year_month, std::string_view tel_uri);

}  // namespace regroup::mcx
