// SPDX-License-Identifier: Apache-2.0
// regroup kms roll-over (docs/operations.md, Roll-over of the master secrets). Exit codes as of the other kms
// verbs.
#pragma once

#include <iosfwd>
#include <string>

#include "app/kms/store_key.hpp"

namespace regroup::app::cli {

struct KmsRollOverOptions {
  std::string directory;
  std::string from;             // a time; empty: as early as may be
  std::string passphrase_file;  // empty: the one that `kms init` was given
  TokenOptions token = {};
  bool json = false;
};
// New master secrets beside the present ones, announced to every client at once, in force from the boundary
// of key periods at or after `from`.
[[nodiscard]] int run_kms_roll_over(const KmsRollOverOptions& options, std::ostream& out, std::ostream& err);

}  // namespace regroup::app::cli
