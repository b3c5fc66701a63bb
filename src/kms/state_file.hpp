// SPDX-License-Identifier: Apache-2.0
// The `state` file in which releases up to 0.1 kept a KMS whole: read once, to be moved into the store
// (layout in docs/formats.md, KMS store). Refused: a file that others may read, one of another owner, one
// that is not a regular file, an unknown version, more than 256 MiB.
#pragma once

#include "crypto/vault.hpp"
#include "kms/kms.hpp"

namespace regroup::kms {

// Records sealed under one vault, each bound to its place.
struct SealedState {
  crypto::VaultHeader header;
  Octets master;
  Octets registry;
  Octets transport = {};  // empty when no client had transport keys
};

[[nodiscard]] bool has_state(const std::string& directory);
[[nodiscard]] Result<SealedState> read_state(const std::string& directory);
[[nodiscard]] Result<Stored> open_state(const SealedState& state, const crypto::Vault& vault);

}  // namespace regroup::kms
