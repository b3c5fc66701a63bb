// SPDX-License-Identifier: Apache-2.0
// regroup kms issue --offline (docs/operations.md, Machines without a network). Exit codes as of the other
// kms verbs.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "app/kms/store_key.hpp"

namespace regroup::app::cli {

struct KmsIssueOptions {
  std::string directory;
  std::vector<std::string> identities;
  bool offline = false;       // must be said: keys leave the KMS without a request
  unsigned periods = 2;       // the present one and those after it, 1 .. 60
  std::string out_directory;  // one directory for each identity is made in it
  std::string passphrase_file;
  TokenOptions token = {};
  bool json = false;
};
// Wrapped and signed packages for clients with transport keys of policy wrap+sign; all of them or none.
[[nodiscard]] int run_kms_issue(const KmsIssueOptions& options, std::ostream& out, std::ostream& err);

}  // namespace regroup::app::cli
