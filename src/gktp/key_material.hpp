// SPDX-License-Identifier: Apache-2.0
// What a Group Key Transport payload carries (TS 33.179 7.3.1, E.2, E.6; TS 33.180 E.2, E.6): the key, its
// identifier, the RAND that media derivation needs, the crypto sessions and the key parameters.
#pragma once

#include <vector>

#include "mcx/ids.hpp"

namespace regroup::gktp {

// Key parameters (TS 33.180 Table E.6.1-1). Times are Unix seconds (40 bits on the wire).
struct KeyParameters {
  mcx::Purpose key_type = mcx::Purpose::gmk;
  bool revoked = false;           // Status bit 0 cleared
  bool security_gateway = false;  // Status bit 1
  std::int64_t activation = 0;    // 0: the time in T
  std::int64_t expiry = 0;        // 0: does not expire
  std::string text;  // human-readable; its last token [use=media|floor|both] decides the use (PR-29)
  std::vector<std::string> groups;  // group URIs the key is for
  bool operator==(const KeyParameters&) const = default;
};

// The crypto sessions and policies of the message. A partner GMS copies them (TS 33.179 7.3.5.3 step 4).
struct SecurityPolicy {
  enum class Form {
    explicit_policy,  // GENERIC-ID entry per CS ID plus one SP with the table E.2-1 (what we send)
    empty_map,        // #CS = 0, no SP: the default profile
  };
  Form form = Form::explicit_policy;
  std::vector<std::uint8_t> cs_ids{4};  // 4 MCPTT group call media, 5 MCVideo (TS 33.180 E.1.3)
  Octets sp_parameters;  // parameters of the SP as received (type, length, value ...); empty: table E.2-1
  bool operator==(const SecurityPolicy&) const = default;
};

// One key to hand out. Move-only because of the key.
struct KeyMaterial {
  mcx::Gmk key;
  mcx::GmkId id;  // purpose tag 0 (GMK) or 4 (MKFC)
  mcx::Rand rand;
  KeyParameters parameters;
  SecurityPolicy policy;

  [[nodiscard]] KeyMaterial duplicate() const {
    return KeyMaterial{key.duplicate(), id, rand, parameters, policy};
  }
};

}  // namespace regroup::gktp
