// SPDX-License-Identifier: Apache-2.0
// The transport key file (docs/formats.md): what `kms add-identity --transport-keys-out` writes once and a
// GMS or UE reads at each start. {"trk_id":"..","trk":"<64 hex>","ink_id":"..","ink":"<64 hex>"}, mode 0600.
// The keys go from octets to Secret types without a JSON library between, which would leave copies behind.
// Refused: a file that others can reach, members that are missing, unknown or stand twice, escapes, keys that
// are not 32 octets, an InK that is the TrK.
#pragma once

#include "kms/transport_keys.hpp"

namespace regroup::app {

[[nodiscard]] Result<kms::TransportKeys> read_transport_key_file(const std::string& path);
// What the file says; `name` opens complaints.
[[nodiscard]] Result<kms::TransportKeys> transport_keys_in(OctetsView text, const std::string& name);

// Errc::conflict when there is a file of that name: a key file is never overwritten. Durable before it
// returns.
[[nodiscard]] Result<void> write_transport_key_file(const std::string& path, const kms::TransportKeys& keys);

}  // namespace regroup::app
