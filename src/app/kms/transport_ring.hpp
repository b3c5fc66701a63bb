// SPDX-License-Identifier: Apache-2.0
// The transport keys of a client over time (TS 33.180 9.3, D.3): those of its file, and the successors that
// its KMS gave it since. A successor is used once it is stored, and replaces what was before it once the KMS
// has answered under it; until then both are held, so that no lost answer locks the client out. A file with
// other keys (an operator's replacement) starts anew. Any thread may call.
#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "kms/transport_keys.hpp"

namespace regroup::app {

class TransportRing {
 public:
  explicit TransportRing(kms::TransportKeys file);

  // One or two, the newest last.
  [[nodiscard]] std::vector<kms::TransportKeys> keys() const;
  // What is to be stored after an exchange with the KMS under `used`; empty when nothing is new.
  [[nodiscard]] SecretOctets record_after(const kms::TransportKeys& used,
                                          const std::optional<kms::TransportKeys>& successor) const;
  // What was stored. A record that grew from another file is passed over.
  [[nodiscard]] Result<void> take(OctetsView record);

 private:
  mutable std::mutex mutex_;
  const std::string file_trk_id_;
  std::vector<kms::TransportKeys> keys_;
};

}  // namespace regroup::app
