// SPDX-License-Identifier: Apache-2.0
// The transport keys of the worked examples (tests/kmsxml/data/README.md); test keys, they protect nothing.
#pragma once

#include "kms/transport_keys.hpp"
#include "vectors.hpp"

namespace regroup::test {

inline constexpr const char* kWorkedTrk = "beb698d5e6204b6f895b539c8683eaed456309856c96a34603cdb376890bd418";
inline constexpr const char* kWorkedInk = "349ffc302baeb35f4c027a5bc7700652c0c4492a11a1c67a1fa783475a44477a";

inline kms::TransportKeys worked_keys() {
  const Octets trk = unhex(std::string(kWorkedTrk)), ink = unhex(std::string(kWorkedInk));
  return {"tk.0007.user.001@alpha.example", Secret<32>(OctetsView(trk).first<32>()),
          "ink.0007.user.001@alpha.example", Secret<32>(OctetsView(ink).first<32>())};
}

}  // namespace regroup::test
