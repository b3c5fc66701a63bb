// SPDX-License-Identifier: Apache-2.0
// regroup kms external list | revoke, regroup kms backup | restore | seal | split | combine
// (docs/operations.md, kms). Exit codes as of the other kms verbs.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "app/kms/store_key.hpp"

namespace regroup::app::cli {

struct KmsExternalOptions {
  std::string directory;
  std::string kms_uri;          // revoke
  std::string passphrase_file;  // empty: the one that `kms init` was given
  bool json = false;
  TokenOptions token = {};
};
[[nodiscard]] int run_kms_external_list(const KmsExternalOptions& options, std::ostream& out,
                                        std::ostream& err);
// For good: every client stops sealing to that domain, and accepting from it, with its next /certcache.
[[nodiscard]] int run_kms_external_revoke(const KmsExternalOptions& options, std::ostream& out,
                                          std::ostream& err);

struct KmsBackupOptions {
  std::string directory;
  std::string file;  // backup: to be made; restore: that was made
  std::string
      passphrase_file;  // restore: this or the token; backup, empty: the one that `kms init` was given
  bool json = false;
  TokenOptions token = {};
};
// A copy of the store, sealed as it is, while the KMS runs. It is opened before the command says that it is
// one.
[[nodiscard]] int run_kms_backup(const KmsBackupOptions& options, std::ostream& out, std::ostream& err);
// A new directory from it: the same certificate, the same RSKs, a cache number above all that were given out.
[[nodiscard]] int run_kms_restore(const KmsBackupOptions& options, std::ostream& out, std::ostream& err);

struct KmsSealOptions {
  std::string directory;
  StoreKey present;  // empty: what the directory remembers
  StoreKey next;     // all of one of the two
  bool json = false;
};
// The store under another key, at once and for good; a running server follows.
[[nodiscard]] int run_kms_seal(const KmsSealOptions& options, std::ostream& out, std::ostream& err);

struct KmsSplitOptions {
  std::string passphrase_file;
  unsigned shares = 5, threshold = 3;
  std::string out_directory;  // share-1.txt, share-2.txt, ... are made in it
  bool json = false;
  std::string directory = {};  // of a KMS that the passphrase must open; empty: not checked
};
// The passphrase in shares for as many safes. With a backup and enough of them a KMS comes back.
[[nodiscard]] int run_kms_split(const KmsSplitOptions& options, std::ostream& out, std::ostream& err);

struct KmsCombineOptions {
  std::vector<std::string> share_files;
  std::string out_file;  // the passphrase file to be made
  bool json = false;
};
[[nodiscard]] int run_kms_combine(const KmsCombineOptions& options, std::ostream& out, std::ostream& err);

}  // namespace regroup::app::cli
