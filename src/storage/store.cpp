// SPDX-License-Identifier: Apache-2.0
#include "storage/store.hpp"

namespace regroup::storage {
namespace {

constexpr std::size_t kMostKind = 64, kMostId = 4096, kMostValue = 64u << 20;

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

}  // namespace

Result<void> check(std::span<const Write> writes) {
  for (const Write& write : writes) {
    if (write.kind.empty() || write.kind.size() > kMostKind || has_nul(write.kind))
      return fail(Errc::internal, "", "kind of a record has 1 to 64 octets without NUL");
    if (write.id.size() > kMostId || has_nul(write.id))
      return fail(Errc::internal, "",
                  "id of a record of kind " + write.kind + " has at most 4096 octets without NUL");
    if (write.value && write.value->size() > kMostValue)
      return fail(Errc::limit, "", "value of a record of kind " + write.kind + " is larger than 64 MiB",
                  "keep less in one record: fewer members, groups or keys");
  }
  return {};
}

}  // namespace regroup::storage
