// SPDX-License-Identifier: Apache-2.0
// Evidence of delivery and what it does to the ledger (PR-3, PR-33): a NOTIFY answered 200 proves
// that the stack got it, a GET (or key content inside the NOTIFY) that the payload is there, a key receipt
// that the client verified and installed it. States move to the right only.
#pragma once

#include "gms/gms.hpp"

namespace regroup::gms {

// The 200 to a NOTIFY for `member`; it told of the key documents of `groups`, and `carried` lists the
// payloads that stood in its body as element content.
[[nodiscard]] Outcome notified(Gms& gms, const std::string& member, const std::set<std::string>& groups,
                               const std::vector<Fixed<32>>& carried);
// A 200 or 304 to the GET of the key document of `group` by `member`.
[[nodiscard]] Outcome fetched(Gms& gms, const std::string& member, std::string_view group);

// PR-33. `result` is of the list there; a duplicate, superseded or unknown message is counted and has no
// effect.
struct Receipt {
  Fixed<32> message{};
  std::string result;
  std::string group;
};
[[nodiscard]] Outcome received(Gms& gms, const std::string& member, const Receipt& receipt);
// Has this member ever had a payload of the group (a receipt for one that is gone is still taken)?
[[nodiscard]] bool ever_keyed(const Gms& gms, const std::string& member, std::string_view group);

// A member is done when its payload is known to have arrived: NOTIFIED or better (PR-28 counts these).
[[nodiscard]] bool arrived(const LedgerRow& row);

}  // namespace regroup::gms
