// SPDX-License-Identifier: Apache-2.0
#include "ue/key_ring.hpp"

#include <algorithm>

namespace regroup::ue {
namespace {

constexpr std::int64_t kEarly = 60;  // seconds a key is accepted before its activation
constexpr std::int64_t kGrace = 30;  // seconds it is accepted after its expiry
constexpr std::string_view kWait = "wait for its activation, and compare the clock with that of the GMS";
constexpr std::string_view kFetch = "fetch the group's key document: it holds the key of now";

bool covers(mcx::KeyUse held, mcx::KeyUse needed) { return held == mcx::KeyUse::both || held == needed; }

// A GMK may serve several groups; the signed key parameters name them (TS 33.179 7.3.1).
bool serves(const RingKey& key, std::string_view group) {
  const auto& groups = key.material.parameters.groups;
  return key.group == group || std::find(groups.begin(), groups.end(), group) != groups.end();
}

std::int64_t activation(const RingKey& key) {
  const std::int64_t at = key.material.parameters.activation;
  return at ? at : key.t.unix_seconds();
}

bool expired(const RingKey& key, std::int64_t now) {
  const std::int64_t expiry = key.material.parameters.expiry;
  return expiry && now >= expiry;
}

mcx::KeyUse use_of(const gktp::KeyMaterial& material) {
  return material.parameters.key_type == mcx::Purpose::mkfc ? mcx::KeyUse::floor
                                                            : mcx::use_of(material.parameters.text);
}

}  // namespace

Install KeyRing::install(gktp::Opened opened, const std::string& group) {
  const mcx::GmkId id = opened.material.id;
  const bool revoked = opened.material.parameters.revoked;
  const auto held = keys_.find(id);
  if (held != keys_.end()) {
    RingKey& known = held->second;
    if (known.state != KeyState::active) return Install::tombstone;
    if (!ct_equal(known.material.key.expose(), opened.material.key.expose())) return Install::conflict;
    if (revoked) {
      withdraw(id, KeyState::revoked);
      return Install::revoked;
    }
    if (opened.time <= known.t) return Install::duplicate;
    known.t = opened.time;
    known.material.parameters = std::move(opened.material.parameters);
    known.use = use_of(known.material);
    return Install::updated;
  }
  RingKey key;
  key.use = use_of(opened.material);
  key.material = std::move(opened.material);
  key.guk_id = opened.guk_id;
  key.group = group;
  key.initiator = opened.initiator ? opened.initiator->text() : std::string();
  key.t = opened.time;
  put(std::move(key));
  if (!revoked) return Install::installed;
  withdraw(id, KeyState::revoked);
  return Install::revoked;
}

bool KeyRing::withdraw(mcx::GmkId id, KeyState to) {
  const auto held = keys_.find(id);
  if (held == keys_.end() || held->second.state != KeyState::active) return false;
  held->second.state = to;
  held->second.material.key.clear();
  return true;
}

const RingKey* KeyRing::find(mcx::GmkId id) const {
  const auto held = keys_.find(id);
  return held == keys_.end() ? nullptr : &held->second;
}

Result<const RingKey*> KeyRing::for_transmission(std::string_view group, mcx::KeyUse use, NtpTime now) const {
  const RingKey* best = nullptr;
  bool waiting = false, over = false, gone = false;
  for (const auto& [id, key] : keys_) {
    if (!serves(key, group) || !covers(key.use, use)) continue;
    const bool active = key.state == KeyState::active, early = activation(key) > now.unix_seconds(),
               late = expired(key, now.unix_seconds());
    gone = gone || !active;
    over = over || (active && late);
    waiting = waiting || (active && early && !late);
    if (!active || early || late) continue;
    if (!best || activation(key) >= activation(*best))
      best = &key;  // the map is in order of GMK-ID: ties go to the higher
  }
  if (best) return best;
  if (waiting)
    return fail(Errc::not_yet_valid, "TS 33.179 7.3.1", "no key of " + std::string(group) + " is active yet",
                std::string(kWait));
  if (over)
    return fail(Errc::expired, "TS 33.179 E.6", "every key of " + std::string(group) + " has expired",
                std::string(kFetch));
  if (gone)
    return fail(Errc::revoked, "TS 33.180 5.2.4",
                "every key of " + std::string(group) + " was withdrawn or revoked", std::string(kFetch));
  return fail(Errc::unknown_group, "TS 33.179 7.3.1", "no key of " + std::string(group) + " is held",
              "fetch the group's key document");
}

Result<const RingKey*> KeyRing::for_reception(std::string_view group, mcx::GmkId id, mcx::KeyUse use,
                                              NtpTime now) const {
  const RingKey* key = find(id);
  if (!key || !serves(*key, group))
    return fail(Errc::unknown_group, "TS 33.180 7.4.2",
                "GMK-ID " + id.text() + " is not held for " + std::string(group),
                "fetch the group's key document");
  if (key->state != KeyState::active)
    return fail(Errc::revoked, "TS 33.180 5.2.4", "GMK " + id.text() + " was withdrawn or revoked",
                std::string(kFetch));
  if (!covers(key->use, use))
    return fail(Errc::not_authorised, "TS 33.179 7.3.5.3", "GMK " + id.text() + " is for the other use",
                "choose the key of that use (media or floor control)");
  const std::int64_t unix = now.unix_seconds();
  if (activation(*key) - kEarly > unix)
    return fail(Errc::not_yet_valid, "TS 33.179 7.3.1", "GMK " + id.text() + " is not active yet",
                std::string(kWait));
  if (expired(*key, unix - kGrace))
    return fail(Errc::expired, "TS 33.179 E.6", "GMK " + id.text() + " has expired", std::string(kFetch));
  return key;
}

mcx::SrtpKeys srtp_keys_of(const RingKey& key, mcx::GukId sender) {
  const std::uint8_t cs_id =
      key.material.policy.cs_ids.empty() ? std::uint8_t{4} : key.material.policy.cs_ids.front();
  return mcx::srtp_keys(key.material.key.expose(), cs_id, sender.value, key.material.rand);
}

}  // namespace regroup::ue
