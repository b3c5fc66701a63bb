// SPDX-License-Identifier: Apache-2.0
// The file that holds a client's key ring. It belongs to one MCPTT ID at one KMS and one GMS: under another
// configuration the old ring is kept aside, still encrypted, and an empty one begins, but not before the KMS
// of that configuration has answered: a mistyped name moves nothing. If an earlier start has set a ring of
// this configuration aside, that one comes back at once.
#pragma once

#include "app/sealed_store.hpp"
#include "app/ue/config.hpp"

namespace regroup::app {

struct OpenedRing {
  SealedStore store;
  std::string kept_aside = {};  // where the old ring went; empty: it is ours
  bool came_back = false;       // the ring of this configuration had been set aside before
  Writes owner = {};            // of a new ring: to be committed with its first keys, not before
  // It is another configuration's: nothing of it is ours to read or write. replace_ring() before anything
  // else.
  bool of_another = false;
};
// Errc::storage when another process holds the ring; the error says what to do.
[[nodiscard]] Result<OpenedRing> open_ring(const UeConfig& config, Random& random);
// Sets a ring of another configuration aside and begins an empty one. Killed at any point, the next start
// finds the old ring aside or in its place.
[[nodiscard]] Result<OpenedRing> replace_ring(OpenedRing opened, const UeConfig& config, Random& random);
// The same as open_ring to look at: moves and makes nothing. Errc::usage when there is none, or when it is
// another identity's.
[[nodiscard]] Result<OpenedRing> look_into_ring(const UeConfig& config, Random& random);

}  // namespace regroup::app
