// SPDX-License-Identifier: Apache-2.0
// What a server must not forget: records of {kind, id, value}, changed by atomic commits. A commit that was
// answered with success is on disk ("stored before spoken": whatever is sent afterwards can rely on it); one
// that failed has changed nothing. Values arrive sealed or public: a Store does not know what a key is.
// Layout in docs/formats.md. Implementations: SqliteStore (the product), MemoryStore (flow tests).
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/octets.hpp"
#include "base/result.hpp"

namespace regroup::storage {

// The kind of records that describe the store itself, for example the header of the vault that sealed it.
inline constexpr std::string_view kHeaderKind = "header";

// One change. `kind` has 1..64 octets, `id` 0..4096, neither has a NUL octet; a value has at most 64 MiB.
struct Write {
  std::string kind;
  std::string id;
  std::optional<Octets> value;  // none: the record is erased (which succeeds too when there is none)

  [[nodiscard]] static Write put(std::string_view kind, std::string_view id, OctetsView value) {
    return Write{std::string(kind), std::string(id), to_octets(value)};
  }
  [[nodiscard]] static Write erase(std::string_view kind, std::string_view id) {
    return Write{std::string(kind), std::string(id), std::nullopt};
  }
};

// Any thread may call; calls are taken one at a time. All failures are Errc::storage, except Errc::usage for
// a Write outside the bounds above.
class Store {
 public:
  using Visit = std::function<Result<void>(std::string_view id, OctetsView value)>;

  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store() = default;

  // All of `writes` in their order, or none. Durable when it returns success.
  [[nodiscard]] virtual Result<void> commit(std::span<const Write> writes) = 0;
  [[nodiscard]] Result<void> commit(const Write& write) { return commit(std::span(&write, 1)); }

  // The value, or none when there is no such record.
  [[nodiscard]] virtual Result<std::optional<Octets>> get(std::string_view kind, std::string_view id) = 0;

  // Every record of a kind in octet order of ids. `visit` may use the store; its first error ends the walk
  // and is returned. A record changed during the walk is seen in its old state, its new state, or not at all.
  [[nodiscard]] virtual Result<void> for_each(std::string_view kind, const Visit& visit) = 0;

  // Another text once somebody else has committed to the same store; own commits do not change it.
  [[nodiscard]] virtual Result<std::string> generation() = 0;

  // A consistent copy as a new file, mode 0600. An existing file is refused, never overwritten.
  [[nodiscard]] virtual Result<void> backup(const std::string& path) = 0;
};

// The bounds of Write, for implementations.
[[nodiscard]] Result<void> check(std::span<const Write> writes);

}  // namespace regroup::storage
