// SPDX-License-Identifier: Apache-2.0
#include "app/kms/transport_ring.hpp"

#include "base/record.hpp"

namespace regroup::app {
namespace {

constexpr std::size_t kMostKeys = 2;

struct RingRecord {
  std::string file_trk_id;
  std::vector<kms::TransportKeys> keys;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.counted(2, "TrK-ID of the file", self.file_trk_id);
    io.list(1, "keys", self.keys, [](auto& inner, auto& key) { kms::TransportKeys::wire(inner, key); });
  }
};

std::vector<kms::TransportKeys> duplicates(const std::vector<kms::TransportKeys>& keys) {
  std::vector<kms::TransportKeys> out;
  for (const kms::TransportKeys& one : keys) out.push_back(one.duplicate());
  return out;
}

}  // namespace

TransportRing::TransportRing(kms::TransportKeys file) : file_trk_id_(file.trk_id) {
  keys_.push_back(std::move(file));
}

std::vector<kms::TransportKeys> TransportRing::keys() const {
  const std::lock_guard lock(mutex_);
  return duplicates(keys_);
}

SecretOctets TransportRing::record_after(const kms::TransportKeys& used,
                                         const std::optional<kms::TransportKeys>& successor) const {
  const std::lock_guard lock(mutex_);
  const bool newest_works = used.trk_id == keys_.back().trk_id;
  if (!successor && (keys_.size() == 1 || !newest_works)) return {};
  RingRecord record{file_trk_id_, {}};
  record.keys.push_back(used.duplicate());
  if (successor) record.keys.push_back(successor->duplicate());
  return encode_record(record);
}

Result<void> TransportRing::take(OctetsView record) {
  RingRecord in = TRY(decode_record<RingRecord>(record, "transport key"));
  if (in.keys.empty() || in.keys.size() > kMostKeys)
    return fail(Errc::malformed, "docs/formats.md, Records", "a transport key record of no use",
                "restore the store from its last good backup");
  const std::lock_guard lock(mutex_);
  if (in.file_trk_id == file_trk_id_) keys_ = std::move(in.keys);
  return {};
}

}  // namespace regroup::app
