// SPDX-License-Identifier: Apache-2.0
#include "mikey/payload/t.hpp"

#include "base/clock.hpp"

namespace regroup::mikey {

// People are shown the instant nearest to 2036, where the 32-bit seconds roll over: 1968 to 2104.
std::string meaning_of_ntp(OctetsView wire8) {
  if (wire8.size() != 8) return {};
  const NtpTime time = NtpTime::nearest(wire8, NtpTime{std::int64_t{1} << 32, 0});
  return "seconds " + std::to_string(load_be32(wire8.first<4>())) + ", fraction " +
         std::to_string(load_be32(wire8.last<4>())) + ": " + date_time(time);
}

}  // namespace regroup::mikey
