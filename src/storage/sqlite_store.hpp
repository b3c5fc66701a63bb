// SPDX-License-Identifier: Apache-2.0
// The Store of the servers: one SQLite file in WAL mode with synchronous=FULL, mode 0600. One process owns
// it: a second server on the same file is refused (lock file FILE.lock, released by the kernel when the owner
// dies, also by SIGKILL), unless the file is shared: then its users keep their changes apart themselves.
// Refuses files that others can read, files of another product or purpose, newer layouts and damaged files,
// each with an error that names the file and the cure. SQLite is known in this room only.
#pragma once

#include <memory>

#include "storage/store.hpp"

namespace regroup::storage {

struct SqliteOptions {
  std::string path;
  std::string purpose;  // "gms", "kms", ...: a file made for one purpose is not opened for another
  int busy_ms = 5000;   // how long a foreign lock on the database (a backup tool, a shell) is waited for
  bool create = true;   // make the file when there is none
  bool shared = false;  // several processes at a time
};

inline constexpr int kSchemaVersion = 1;

[[nodiscard]] Result<std::unique_ptr<Store>> open_sqlite(const SqliteOptions& options);

}  // namespace regroup::storage
