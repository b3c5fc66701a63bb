// SPDX-License-Identifier: Apache-2.0
// regroup seal --certificate KMSCERT.xml --key-set GMS.xml --to URI --group URI: Group Key Transport payloads
// for a new or a given GMK, one per receiver (TS 33.179 7.3.1). A key is never an argument: it comes from a
// file of mode 0600, 32 hex digits on its first line. What it writes, `regroup open` opens.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace regroup::app::cli {

struct SealOptions {
  std::vector<std::string> certificate_files;  // of the sender's KMS and of every receiver's
  std::vector<std::string> key_set_files;      // of the sender
  std::vector<std::string> to;                 // receivers; their KMS by PR-37, or the only certificate given
  std::vector<std::string> groups;             // at least one
  std::string gmk_file;                        // empty: a fresh GMK
  std::string gmk_id;                          // 8 hex digits; empty: drawn
  std::string rand;                // hex, 16..64 octets; empty: drawn. The same for all of one GMK
  std::string text;                // name of the key for people
  std::string use;                 // empty, "media", "floor" or "both"
  std::string activation, expiry;  // dateTime; empty: the time in T, none
  std::string at;                  // T; empty or "now": the clock
  bool revoke = false;             // withdraw the GMK instead
  bool hide_initiator = false, hide_responder = false;
  bool empty_map = false;
  std::string out_directory;  // empty: one line per message on `out`
  bool force = false;         // overwrite files that are there
  bool json = false;
};

// Exit code: 0 written, 1 a file cannot be written, 2 usage (a file that cannot be read too), 3 refused; the
// reason on `err`. Lines are "URI GUK-ID mikey BASE64", which `open` and `inspect` take; with a directory the
// octets go to 0001.mikey and so on, and the line names the file.
[[nodiscard]] int run_seal(const SealOptions& options, std::istream& in, std::ostream& out,
                           std::ostream& err);

}  // namespace regroup::app::cli
