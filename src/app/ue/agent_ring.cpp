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

Result<std::string> keep_aside(const std::string& ring) {
  const std::string name = free_name(ring);
  for (const std::string_view suffix : kFiles) {
    const std::string from = ring + std::string(suffix), to = name + std::string(suffix);
    if (exists(from) && std::rename(from.c_str(), to.c_str()) != 0)
      return fail(Errc::storage, "",
                  "the key ring " + printable(ring) + " cannot be moved to " + printable(to),
                  "make its folder writable for this user");
  }
  TRY(storage::sync_path(storage::folder_of(ring)));
  return name;
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

}  // namespace

Result<OpenedRing> open_ring(const UeConfig& config, Random& random) {
  std::string kept_aside;
  std::optional<SealedStore> store(TRY(open_store(config, random)));
  std::optional<Who> found = TRY(owner_of(*store));
  if (found && *found != own_of(config)) {
    store.reset();  // closes the file before it is moved
    kept_aside = TRY(keep_aside(config.ring_file));
    store.emplace(TRY(open_store(config, random)));
    found.reset();
  }
  OpenedRing out{std::move(*store), std::move(kept_aside)};
  if (!found) out.owner.push_back(Write{std::string(kKind), std::string(kId), encode_record(own_of(config))});
  return out;
}

Result<OpenedRing> look_into_ring(const UeConfig& config, Random& random) {
  if (!exists(config.ring_file))
    return fail(Errc::usage, "", "store.ring: " + printable(config.ring_file) + " does not exist",
                "`regroup ue run` makes it");
  OpenedRing out{TRY(open_store(config, random)), {}};
  const auto found = TRY(owner_of(out.store));
  if (!found || *found == own_of(config)) return out;
  return fail(Errc::usage, "",
              "store.ring: " + printable(config.ring_file) + " is the ring of " + printable(found->identity) +
                  " at " + printable(found->gms_uri),
              "use the configuration it was made with");
}

}  // namespace regroup::app
