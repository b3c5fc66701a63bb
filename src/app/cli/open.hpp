// SPDX-License-Identifier: Apache-2.0
// regroup open --certificate KMSCERT.xml --key-set KEYSET.xml FILE|-: verifies and opens a key message with
// keys from KMS documents and shows what it carries; every kind of key, the key itself only on demand. Judged
// as of the message's own time unless told otherwise. There is no procedure, so no list of authorised
// identities and no group is asked for.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace regroup::app::cli {

struct OpenOptions {
  std::vector<std::string> certificate_files;  // at least one
  std::vector<std::string> key_set_files;      // at least one
  std::string file;                            // "-": standard input
  std::vector<std::string> tolerances;         // names of the closed list
  std::string at;                              // empty: the message's own time; "now"; or a dateTime
  std::string initiator;                       // URI that a hidden initiator must be
  bool show_secrets = false;
  bool json = false;
};

// Exit code: 0 opened (a revocation too), 2 usage, a file that cannot be read too, 3 refused; the reason on
// `err`.
[[nodiscard]] int run_open(const OpenOptions& options, std::istream& in, std::ostream& out,
                           std::ostream& err);

}  // namespace regroup::app::cli
