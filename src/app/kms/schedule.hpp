// SPDX-License-Identifier: Apache-2.0
// When a GMS or UE asks its KMS next (TS 33.180 5.3.3, D.2.4): one pure function for both. All clients of a
// domain share the instant at which a key period ends, so every wait has its random part; a KMS that is
// overloaded is left alone as long as it asks for.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "mcx/domain.hpp"

namespace regroup::app {

struct Provisioned;

// What a client holds, as far as the schedule asks.
struct HeldPeriods {
  std::optional<mcx::KeyPeriods> domain;  // of the own KMS; nothing before its certificate is held
  std::vector<std::int64_t> numbers;      // of the key sets
  bool revoked = false;
};
[[nodiscard]] HeldPeriods held_in(const Provisioned& keys);

struct LastFetch {
  enum class Outcome : std::uint8_t {
    keys,
    empty,   // "nothing for you now": what is held stays
    failed,  // not reached, overloaded, refused, or not to be taken
  };
  Outcome outcome = Outcome::keys;
  unsigned in_a_row = 0;  // failed or empty ones up to now
  std::chrono::seconds retry_after{0};

  void took_keys() { *this = LastFetch(); }
  void was(Outcome what, std::chrono::seconds asked_to_wait = std::chrono::seconds(0)) {
    in_a_row = outcome == what ? in_a_row + 1 : 1;
    outcome = what;
    retry_after = asked_to_wait;
  }
};

// From the first to the most: each wait is drawn from the upper half of a span that doubles.
struct Pace {
  std::chrono::milliseconds first{1000}, most{300'000};
};
[[nodiscard]] std::chrono::milliseconds back_off(unsigned in_a_row, double random, const Pace& pace = {});

// The span in which the key set of the next period is asked for by name: three to two days before the period
// ends, of periods below a week in their last third.
struct Window {
  NtpTime from, to;
};
[[nodiscard]] Window window_before(NtpTime boundary, const mcx::KeyPeriods& periods);

// The wait until the next fetch; `random` is in [0, 1). At most six hours after a good one: certificates
// change too. Never less than `pace.first`.
[[nodiscard]] std::chrono::milliseconds next_fetch(NtpTime now, const HeldPeriods& held,
                                                   const LastFetch& last, double random,
                                                   const Pace& pace = {});

// A number in [0, 1) from the system's randomness.
[[nodiscard]] double drawn();

}  // namespace regroup::app
