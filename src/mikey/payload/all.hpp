// SPDX-License-Identifier: Apache-2.0
// The registry: every payload that has a layout here, where it may stand in an I_MESSAGE, how often, and what
// its absence means. Reading, explaining, the tests and the fuzzers walk this list; a new payload is one
// struct, one line here. Types without a line (1, 2, 3, 6, 8, 20) cannot be read past and refuse the message.
#pragma once

#include <array>
#include <tuple>

#include "mikey/payload/cert.hpp"
#include "mikey/payload/err.hpp"
#include "mikey/payload/general_ext.hpp"
#include "mikey/payload/hdr.hpp"
#include "mikey/payload/idr.hpp"
#include "mikey/payload/key_parameters.hpp"
#include "mikey/payload/protected_payload.hpp"
#include "mikey/payload/rand.hpp"
#include "mikey/payload/sakke.hpp"
#include "mikey/payload/sign.hpp"
#include "mikey/payload/sp.hpp"
#include "mikey/payload/t.hpp"
#include "mikey/payload/v.hpp"

namespace regroup::mikey {

enum class Place : std::uint8_t {
  between,        // any order between HDR and SIGN
  last,           // ends the message
  error_message,  // only behind an HDR with data type 6
  nowhere,        // not in MIKEY-SAKKE: refuses the message
};

struct PayloadInfo {
  PayloadType number;
  std::string_view name;
  Place place;
  bool required;               // in an I_MESSAGE
  bool repeats;                // may stand more than once
  std::string_view if_absent;  // what its absence means
};

inline constexpr std::array<PayloadInfo, 10> kPayloads{{
    {PayloadType::t, T::kName, Place::between, true, false, "refuse: the key period is unknown"},
    {PayloadType::rand, Rand::kName, Place::between, true, false, "refuse: no media key can be derived"},
    {PayloadType::idr, Idr::kName, Place::between, true, true,
     "refuse: initiator, responder and both KMSs are needed"},
    {PayloadType::cert, Cert::kName, Place::between, false, true, "nothing: it has no meaning here"},
    {PayloadType::sp, Sp::kName, Place::between, false, true,
     "the default profile of TS 33.179 Table E.2-1 applies"},
    {PayloadType::sakke, Sakke::kName, Place::between, true, false, "refuse: there is no key"},
    {PayloadType::general_ext, GeneralExt::kName, Place::between, false, true,
     "without type 7 a GMK is not bound to a group: the opener refuses it"},
    {PayloadType::sign, Sign::kName, Place::last, true, false, "refuse: the sender is not authenticated"},
    {PayloadType::err, Err::kName, Place::error_message, false, false,
     "nothing: it stands in error messages only"},
    {PayloadType::v, V::kName, Place::nowhere, false, false, "nothing: it is never sent"},
}};

// The entry of a payload type; nullptr for a type without a layout.
[[nodiscard]] constexpr const PayloadInfo* info_of(PayloadType type) {
  for (const PayloadInfo& info : kPayloads)
    if (info.number == type) return &info;
  return nullptr;
}

// Every structure that reads and writes on its own: HDR, the payloads above, and the two contents of
// extension 7.
using AllStructures =
    std::tuple<Hdr, T, Rand, Idr, Cert, Sp, Sakke, GeneralExt, Sign, Err, V, ProtectedPayload, KeyParameters>;

// Calls visit.template operator()<Structure>() for each.
template <class Visit>
void for_each_structure(Visit visit) {
  [&]<class... Each>(std::tuple<Each...>*) {
    (visit.template operator()<Each>(), ...);
  }(static_cast<AllStructures*>(nullptr));
}

}  // namespace regroup::mikey
