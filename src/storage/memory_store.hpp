// SPDX-License-Identifier: Apache-2.0
// A Store in memory for tests of flows: it keeps its promises as the disk does, and breaks on demand. Commits
// can fail cleanly, can be done although the answer was lost, and can be cut off together with the power, so
// that everything not yet synced is gone.
#pragma once

#include <map>
#include <mutex>

#include "storage/store.hpp"

namespace regroup::storage {

class MemoryStore final : public Store {
 public:
  using Store::commit;
  // What a commit that is made to fail leaves behind: nothing (the disk refused), or everything (the disk did
  // it, and the process died or timed out before it heard). Callers must live with both.
  enum class Fate { lost, kept };

  [[nodiscard]] Result<void> commit(std::span<const Write> writes) override;
  [[nodiscard]] Result<std::optional<Octets>> get(std::string_view kind, std::string_view id) override;
  [[nodiscard]] Result<void> for_each(std::string_view kind, const Visit& visit) override;
  [[nodiscard]] Result<void> backup(const std::string& path) override;
  [[nodiscard]] Result<std::string> generation() override { return std::string("only"); }

  // The commit after `successes` more good ones fails with Errc::storage; then all is well again.
  void fail_commit_after(std::size_t successes, Fate fate = Fate::lost);
  // While true, commits are answered before they are synced, as on a disk that lies. False syncs.
  void delay_sync(bool delayed);
  // Everything not synced is gone, and every call fails until power_on().
  void power_cut();
  void power_on();

  [[nodiscard]] std::size_t commits() const;  // that succeeded
  // Whether `needle` occurs in a live value, an id, or a backup: for tests that look for secrets.
  [[nodiscard]] bool contains(OctetsView needle) const;

 private:
  using Key = std::pair<std::string, std::string>;
  using Records = std::map<Key, Octets>;

  [[nodiscard]] Result<void> powered() const;
  void apply(std::span<const Write> writes);

  mutable std::mutex mutex_;
  Records live_, synced_;
  std::map<std::string, Records> backups_;
  std::optional<std::size_t> until_failure_;
  Fate fate_ = Fate::lost;
  bool delayed_ = false, dark_ = false;
  std::size_t commits_ = 0;
};

}  // namespace regroup::storage
