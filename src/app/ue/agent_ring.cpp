// SPDX-License-Identifier: Apache-2.0
#include "app/ue/agent_ring.hpp"

#include <cstdio>
#include <filesystem>

#include "base/text.hpp"
#include "storage/file_lock.hpp"

namespace regroup::app {
namespace {

constexpr std::string_view kKind = "who", kId = "client";
// The side files first: a ring without its log would lose what was committed last.
constexpr std::string_view kFiles[] = {"-wal", "-shm", ""};

// Whose ring it is: what a key of another system or identity must not meet.
struct Who {
  std::string identity, kms_uri, gms_uri;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.counted(2, "mcptt id", self.identity);
    io.counted(2, "kms uri", self.kms_uri);
    io.counted(2, "gms uri", self.gms_uri);
  }
  bool operator==(const Who&) const = default;
};

Result<SealedStore> open_store(const UeConfig& config, Random& random) {
  auto store = SealedStore::open_file(config.ring_file, "ue", config.passphrase_file, random);
  if (store.ok() || store.error().code != Errc::storage ||
      store.error().detail.find(" is held by ") == std::string::npos)
    return store;
  Error error = std::move(store).error();
  error.cure =
      "a `regroup ue run` of this configuration holds the key ring: end it, or read the events it prints "
      "(--json)";
  return error;
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
}

std::string free_name(const std::string& ring) {
  for (int n = 1;; ++n) {
    const std::string name = ring + ".old-" + std::to_string(n);
    bool taken = false;
    for (const std::string_view suffix : kFiles) taken = taken || exists(name + std::string(suffix));
    if (!taken) return name;
  }
}

Who own_of(const UeConfig& config) { return {config.domain.identity.text(), config.kms.uri, config.gms_uri}; }

// Nobody yet: a store without keys.
Result<std::optional<Who>> owner_of(SealedStore& store) {
  std::optional<Who> found;
  TRY(store.load({std::string(kKind)}, [&](const Record& record) -> Result<void> {
    found = TRY(decode_record<Who>(record.value.expose(), kKind));
    return {};
  }));
  return found;
}

// A ring of this very configuration that an earlier start has set aside: somebody mistyped a name then.
std::optional<std::string> own_one_aside(const UeConfig& config, Random& random) {
  constexpr int kMost = 1000;
  for (int n = kMost; n > 0; --n) {  // the newest first; those that came back have left gaps
    UeConfig aside = config;
    aside.ring_file = config.ring_file + ".old-" + std::to_string(n);
    if (!exists(aside.ring_file)) continue;
    auto store = open_store(aside, random);
    if (!store.ok()) continue;
    const auto owner = owner_of(*store);
    if (owner.ok() && *owner == own_of(config)) return aside.ring_file;
  }
  return std::nullopt;
}

Result<void> move_ring(const std::string& from, const std::string& to) {
  for (const std::string_view suffix : kFiles) {
    const std::string source = from + std::string(suffix), target = to + std::string(suffix);
    if (exists(source) && std::rename(source.c_str(), target.c_str()) != 0)
      return fail(Errc::storage, "",
                  "the key ring " + printable(source) + " cannot be moved to " + printable(target),
                  "make its folder writable for this user");
  }
  return storage::sync_path(storage::folder_of(to));
}

Writes ownership(const UeConfig& config) {
  Writes out;
  out.push_back(Write{std::string(kKind), std::string(kId), encode_record(own_of(config))});
  return out;
}

// The opened ring goes aside; in its place comes `own`, or an empty one.
Result<OpenedRing> exchange(OpenedRing opened, const std::optional<std::string>& own, const UeConfig& config,
                            Random& random) {
  { const SealedStore closed = std::move(opened.store); }  // before the file is moved
  const std::string aside = free_name(config.ring_file);
  TRY(move_ring(config.ring_file, aside));
  if (own) TRY(move_ring(*own, config.ring_file));
  OpenedRing out{TRY(open_store(config, random))};
  out.kept_aside = aside;
  out.came_back = own.has_value();
  if (!own) out.owner = ownership(config);
  return out;
}

}  // namespace

Result<OpenedRing> open_ring(const UeConfig& config, Random& random) {
  OpenedRing out{TRY(open_store(config, random))};
  const std::optional<Who> found = TRY(owner_of(out.store));
  if (found && *found == own_of(config)) return out;
  if (const auto own = own_one_aside(config, random)) return exchange(std::move(out), own, config, random);
  out.of_another = found.has_value();
  if (!found) out.owner = ownership(config);
  return out;
}

Result<OpenedRing> replace_ring(OpenedRing opened, const UeConfig& config, Random& random) {
  return exchange(std::move(opened), std::nullopt, config, random);
}

Result<OpenedRing> look_into_ring(const UeConfig& config, Random& random) {
  if (!exists(config.ring_file))
    return fail(Errc::usage, "", "store.ring: " + printable(config.ring_file) + " does not exist",
                "start `regroup ue run` once: it makes it");
  OpenedRing out{TRY(open_store(config, random))};
  const auto found = TRY(owner_of(out.store));
  if (!found || *found == own_of(config)) return out;
  return fail(Errc::usage, "",
              "store.ring: " + printable(config.ring_file) + " is the ring of " + printable(found->identity) +
                  " at " + printable(found->gms_uri),
              "use the configuration it was made with");
}

}  // namespace regroup::app
