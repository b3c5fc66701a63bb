// SPDX-License-Identifier: Apache-2.0
// The file that holds a client's key ring. It belongs to one MCPTT ID at one KMS and one GMS: under another
// configuration the old ring is kept aside, still encrypted, and an empty one begins, unless an earlier start
// has set one of this configuration aside: then that comes back.
#pragma once

#include "app/sealed_store.hpp"
#include "app/ue/config.hpp"

namespace regroup::app {

struct OpenedRing {
  SealedStore store;
  std::string kept_aside;  // where the old ring went; empty: it is ours
  bool came_back = false;  // the ring of this configuration had been set aside before
  Writes owner = {};       // of a new ring: to be committed with its first keys, not before
};
// Errc::storage when another process holds the ring; the error says what to do.
[[nodiscard]] Result<OpenedRing> open_ring(const UeConfig& config, Random& random);
// The same to look at: moves and makes nothing. Errc::usage when there is none, or when it is another
// identity's.
[[nodiscard]] Result<OpenedRing> look_into_ring(const UeConfig& config, Random& random);

}  // namespace regroup::app
