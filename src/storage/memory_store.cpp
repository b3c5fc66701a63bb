// SPDX-License-Identifier: Apache-2.0
#include "storage/memory_store.hpp"

#include <algorithm>

namespace regroup::storage {

Result<void> MemoryStore::powered() const {
  if (dark_) return fail(Errc::storage, "", "the store has lost its power", "power it on");
  return {};
}

void MemoryStore::apply(std::span<const Write> writes) {
  for (const Write& write : writes) {
    live_.erase({write.kind, write.id});
    if (write.value) live_.emplace(Key{write.kind, write.id}, *write.value);
  }
  if (!delayed_) synced_ = live_;
}

Result<void> MemoryStore::commit(std::span<const Write> writes) {
  TRY(check(writes));
  const std::lock_guard lock(mutex_);
  TRY(powered());
  if (until_failure_ && (*until_failure_)-- == 0) {
    until_failure_.reset();
    if (fate_ == Fate::kept) apply(writes);
    return fail(Errc::storage, "", "the commit failed", "see whether it is there before it is repeated");
  }
  apply(writes);
  ++commits_;
  return {};
}

Result<std::optional<Octets>> MemoryStore::get(std::string_view kind, std::string_view id) {
  const std::lock_guard lock(mutex_);
  TRY(powered());
  const auto found = live_.find({std::string(kind), std::string(id)});
  if (found == live_.end()) return std::optional<Octets>();
  return std::optional<Octets>(found->second);
}

Result<void> MemoryStore::for_each(std::string_view kind, const Visit& visit) {
  Records seen;  // a copy, so that `visit` may use the store
  {
    const std::lock_guard lock(mutex_);
    TRY(powered());
    for (auto at = live_.lower_bound({std::string(kind), ""}); at != live_.end() && at->first.first == kind;
         ++at)
      seen.insert(*at);
  }
  for (const auto& [key, value] : seen) TRY(visit(key.second, value));
  return {};
}

Result<void> MemoryStore::backup(const std::string& path) {
  const std::lock_guard lock(mutex_);
  TRY(powered());
  if (!backups_.emplace(path, live_).second)
    return fail(Errc::storage, "", path + " exists already", "name a new file");
  return {};
}

void MemoryStore::fail_commit_after(std::size_t successes, Fate fate) {
  const std::lock_guard lock(mutex_);
  until_failure_ = successes;
  fate_ = fate;
}

void MemoryStore::delay_sync(bool delayed) {
  const std::lock_guard lock(mutex_);
  delayed_ = delayed;
  if (!delayed) synced_ = live_;
}

void MemoryStore::power_cut() {
  const std::lock_guard lock(mutex_);
  live_ = synced_;
  dark_ = true;
}

void MemoryStore::power_on() {
  const std::lock_guard lock(mutex_);
  dark_ = false;
}

std::size_t MemoryStore::commits() const {
  const std::lock_guard lock(mutex_);
  return commits_;
}

bool MemoryStore::contains(OctetsView needle) const {
  const std::lock_guard lock(mutex_);
  const auto in = [&](OctetsView text) {
    return std::search(text.begin(), text.end(), needle.begin(), needle.end()) != text.end();
  };
  const auto in_records = [&](const Records& records) {
    return std::any_of(records.begin(), records.end(), [&](const auto& record) {
      return in(view(record.first.second)) || in(record.second);
    });
  };
  return in_records(live_) || std::any_of(backups_.begin(), backups_.end(),
                                          [&](const auto& backup) { return in_records(backup.second); });
}

}  // namespace regroup::storage
