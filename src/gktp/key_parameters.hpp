// SPDX-License-Identifier: Apache-2.0
// General extension 7, the 3GPP key parameters, under the DPCK (TS 33.180 E.6, 8.5.4, F.1.5). Refused: a
// DPPK-ID that is not the CSB ID, a tag that does not fit, a key type that contradicts the purpose tag, times
// that are not Unix seconds, an expired key, another group than that of the procedure. Every refusal is
// Errc::undecryptable: a peer is not told which. Only for the room.
#pragma once

#include "base/random.hpp"
#include "gktp/open.hpp"

namespace regroup::gktp {

// What the extension is judged against.
struct ParameterContext {
  OctetsView key;
  std::uint32_t csb_id = 0;
  mcx::Purpose purpose = mcx::Purpose::gmk;
  NtpTime time;  // T
};

// Errc::usage when a field does not fit: times beyond 3 000 000 000, 256 groups, long texts.
[[nodiscard]] Result<void> check_writable(const KeyParameters& parameters);

// The extension, ready for one receiver. The IV is fresh for each.
[[nodiscard]] mikey::GeneralExt seal_key_parameters(const KeyParameters& parameters,
                                                    const ParameterContext& context, const Fixed<16>& iv);

[[nodiscard]] Result<KeyParameters> open_key_parameters(const mikey::Unsigned& message,
                                                        const ParameterContext& context,
                                                        const Reception& reception, Fired& fired);

// Notes that a switch was needed; false when it is off.
[[nodiscard]] bool tolerated(Tolerance tolerance, const Reception& reception, Fired& fired);

}  // namespace regroup::gktp
