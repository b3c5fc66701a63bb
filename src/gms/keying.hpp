// SPDX-License-Identifier: Apache-2.0
// Making a group key and handing it out: a new GMK and GMK-ID (TS 33.179 7.3.1), one payload per receiver,
// signed as this GMS. The sealing of a batch is decided completely before anything is stored.
#pragma once

#include "gktp/seal.hpp"
#include "gms/gms.hpp"

namespace regroup::gms {

// Who gets a key. `partner`: a GMS, treated as one more member (TS 33.179 7.3.5.3 step 3).
struct Addressee {
  McpttId identity;
  bool partner = false;
};

struct NewKey {
  GroupId group;
  mcx::Purpose purpose = mcx::Purpose::gmk;
  mcx::KeyUse use = mcx::KeyUse::both;
  std::vector<std::string> group_ids;  // in the key parameters
};

// A key with its payloads, decided but not stored.
struct Prepared {
  Key key;
  std::vector<LedgerRow> rows;
};

// Draws GMK, GMK-ID and RAND: the identifier is unique among the keys held, no two addressees share a GUK-ID
// (up to 20 000 of them; beyond, collisions are accepted), then seals to each. An addressee
// without a KMS certificate becomes UNKEYED(no-kms) and does not fail the rest. Errc::expired when this GMS
// has no keys of its own for the present period: nothing can be signed.
[[nodiscard]] Result<Prepared> make_key(const Gms& gms, const NewKey& wanted,
                                        const std::vector<Addressee>& addressees);

// Seals an existing key to more addressees (a later joiner, a partner, a payload made anew): the same GMK,
// GMK-ID and RAND, a T later than any before.
[[nodiscard]] Result<Prepared> hand_out(const Gms& gms, const Key& key,
                                        const std::vector<Addressee>& addressees);

// The uses a plan asks for, in the order of making: one key for both, or media first and then floor.
[[nodiscard]] std::vector<NewKey> keys_of_plan(const KeyPlan& plan, const GroupId& group,
                                               std::vector<std::string> group_ids);

// The key without itself: what is kept of a withdrawn one.
[[nodiscard]] Key tombstone_of(const Key& key);

// Puts what was prepared into the edit.
void store(Edit& edit, Prepared prepared);

}  // namespace regroup::gms
