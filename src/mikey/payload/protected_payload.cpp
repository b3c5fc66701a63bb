// SPDX-License-Identifier: Apache-2.0
#include "mikey/payload/protected_payload.hpp"

namespace regroup::mikey {

Octets ProtectedPayload::associated_data() const {
  FieldWriter out;
  head(out, *this);
  RG_ASSERT(out.octets().size() == kAssociated);
  return std::move(out).octets();
}

bool ProtectedPayload::starts(OctetsView data) {
  return !data.empty() && (data[0] == kProtectedData || data[0] == kProtectedUnspecified);
}

}  // namespace regroup::mikey
