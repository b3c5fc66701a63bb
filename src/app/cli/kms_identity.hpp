// SPDX-License-Identifier: Apache-2.0
// regroup kms identity suspend | resume | revoke | import, regroup kms transport-keys roll | replace
// (docs/operations.md, kms). Exit codes as of the other kms verbs; import with bad lines ends with 3 and has
// taken the others.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "app/kms/store_key.hpp"
#include "kms/registry.hpp"

namespace regroup::app::cli {

struct KmsIdentityOptions {
  std::string directory;
  std::vector<std::string> identities;
  std::string passphrase_file;  // empty: the one that `kms init` was given
  bool json = false;
  TokenOptions token = {};
};
// All of them or, after an error, none.
[[nodiscard]] int run_kms_identity_standing(const KmsIdentityOptions& options, kms::Standing standing,
                                            std::ostream& out, std::ostream& err);

struct KmsIdentityImportOptions {
  std::string directory;
  std::string file;                // CSV: uri,server,suspended,transport_keys
  std::string transport_keys_out;  // a directory for the key files of those that get some
  std::string passphrase_file;     // empty: the one that `kms init` was given
  bool json = false;
  TokenOptions token = {};
};
[[nodiscard]] int run_kms_identity_import(const KmsIdentityImportOptions& options, std::ostream& out,
                                          std::ostream& err);

struct KmsTransportKeysOptions {
  std::string directory;
  std::vector<std::string> identities;  // empty: all that have transport keys
  int older_than_days = 0;              // roll: only those made longer ago
  std::string out_file;                 // replace
  std::string passphrase_file;          // empty: the one that `kms init` was given
  bool json = false;
  TokenOptions token = {};
};
// Offers successors: each client takes its own over with its next request.
[[nodiscard]] int run_kms_transport_keys_roll(const KmsTransportKeysOptions& options, std::ostream& out,
                                              std::ostream& err);
// For a client that lost its keys: others at once, written to a file that is carried to it.
[[nodiscard]] int run_kms_transport_keys_replace(const KmsTransportKeysOptions& options, std::ostream& out,
                                                 std::ostream& err);

}  // namespace regroup::app::cli
