// SPDX-License-Identifier: Apache-2.0
// `regroup ue run`: one or more clients in a process; and the dispatcher's verbs `regroup ue group ...`.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace regroup::app {

struct UeRunOptions {
  std::vector<std::string> config_files;
  bool json = false;
};
// Runs until SIGTERM or SIGINT. One line for each key event: text, or with `json` the object
// {"event","group","gmk_id", "guk_id","key_fingerprint","use"} (with several clients also "mcptt_id"); the
// events "regrouped" and "released" name in "reason" the temporary group that `group` is part of, or no
// longer; "watching": a new key of `group` now comes inside a NOTIFY. One line of stdout is no event: `ready
// N clients`, {"ready":N}. 0 clean stop, 1 failure, 2 configuration.
int run_ue(const UeRunOptions& options, std::ostream& out, std::ostream& err,
           const Clock& clock = SystemClock());

struct UeGroupOptions {
  std::string config_file;
  std::string group;                    // create, show; temporary group of teardown
  std::vector<std::string> members;     // create
  std::vector<std::string> groups;      // regroup
  std::string floor_key = "none";       // none, gmk, mkfc
  std::string procedure = "one";        // one, two
  std::string request_id;               // regroup, teardown; empty: drawn
  std::optional<std::int64_t> timeout;  // seconds for the whole command; empty: as the verb needs
  bool json = false;
};
// 0 done, 1 failure (network), 2 usage, 3 refused by the GMS. Errors name field, clause and cure on stderr;
// with `json` stdout gets {"error":{"code","clause","detail","cure"}}, inside the answer where there is one.
int run_ue_group_create(const UeGroupOptions& options, std::ostream& out, std::ostream& err);
int run_ue_group_show(const UeGroupOptions& options, std::ostream& out, std::ostream& err);
int run_ue_group_regroup(const UeGroupOptions& options, std::ostream& out, std::ostream& err);
int run_ue_group_teardown(const UeGroupOptions& options, std::ostream& out, std::ostream& err);
// What the ring holds: keys by group, never a key itself. Not while `ue run` holds the ring.
int run_ue_keys(const UeGroupOptions& options, std::ostream& out, std::ostream& err);

}  // namespace regroup::app
