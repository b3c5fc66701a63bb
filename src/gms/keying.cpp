// SPDX-License-Identifier: Apache-2.0
#include "gms/keying.hpp"

#include <set>

#include "crypto/hash/sha256.hpp"

namespace regroup::gms {
namespace {

constexpr std::size_t kRedrawsUpTo = 20'000;  // receivers; beyond, drawing again stops being practical
constexpr int kRedraws = 64;

struct Resolved {
  std::vector<gktp::Receiver> receivers;
  std::vector<const Addressee*> keyed;
  std::vector<LedgerRow> unkeyed;
};

// Which KMS serves each addressee, at the time of the message.
Resolved resolve(const Gms& gms, const std::vector<Addressee>& addressees, GmkId key, NtpTime time) {
  Resolved out;
  for (const Addressee& addressee : addressees) {
    const auto certificate = gms.with().domains.kms_of(addressee.identity, time);
    const auto usable = certificate.ok() ? certificate.value()->usable_at(time) : Result<void>();
    if (certificate.ok() && usable.ok()) {
      out.receivers.push_back({addressee.identity, certificate.value()});
      out.keyed.push_back(&addressee);
      continue;
    }
    LedgerRow row;
    row.key = key;
    row.member = addressee.identity;
    row.partner = addressee.partner;
    row.state = Delivery::unkeyed;
    row.reason = certificate.ok() ? "kms-not-usable" : "no-kms";
    row.changed = time;
    out.unkeyed.push_back(std::move(row));
  }
  return out;
}

bool guk_ids_distinct(const mcx::Gmk& key, GmkId id, const std::vector<Addressee>& addressees) {
  std::set<GukId> seen;
  for (const Addressee& addressee : addressees)
    if (!seen.insert(gktp::guk_id_of(key, id, addressee.identity)).second) return false;
  return true;
}

// GMK, GMK-ID and RAND from the DRBG; nothing of a key is derived from time or counters.
void draw(const Gms& gms, gktp::KeyMaterial& material, mcx::Purpose purpose,
          const std::vector<Addressee>& addressees) {
  Random& random = gms.with().random;
  // Only a GMK has end-point diversity: an MKFC-ID is the same for all.
  const bool redraw = purpose == mcx::Purpose::gmk && addressees.size() <= kRedrawsUpTo;
  for (int attempt = 0; attempt < kRedraws; ++attempt) {
    random.fill(material.key.expose_mutable());
    material.id.value =
        static_cast<std::uint32_t>(purpose) << 28 | (load_be32(random.octets<4>()) & 0x0fffffff);
    if (gms.state().keys.count(material.id)) continue;
    if (!redraw || guk_ids_distinct(material.key, material.id, addressees)) break;
  }
  material.rand.assign(16, 0);
  random.fill(material.rand);
}

const mcx::KeySet* own_keys_at(const Gms& gms, const mcx::KmsCertificate& own, NtpTime time) {
  const std::int64_t period = own.periods.number_at(time);
  for (const mcx::KeySet& keys : gms.with().key_sets)
    if (keys.period_no() == period && keys.kms_uri() == own.kms_uri) return &keys;
  return nullptr;
}

// T of the next message of this key: now, and later than any before.
NtpTime next_t(const Gms& gms, NtpTime last) {
  const NtpTime now = gms.now();
  if (now > last) return now;
  return last.fraction == UINT32_MAX ? NtpTime{last.seconds + 1, 0}
                                     : NtpTime{last.seconds, last.fraction + 1};
}

LedgerRow row_of(const gktp::Sealed& sealed, const Addressee& addressee, GmkId key, NtpTime time) {
  LedgerRow row;
  row.key = key;
  row.member = sealed.receiver;
  row.partner = addressee.partner;
  row.guk_id = sealed.guk_id;
  row.message = sealed.message;
  row.hash = crypto::sha256(OctetsView(sealed.message));
  row.state = Delivery::prepared;
  row.changed = time;
  return row;
}

// A later joiner whose GUK-ID another holder of the key has already: the key goes out all the same, and the
// ledger says so until the next rekey.
void note_collisions(const Gms& gms, Prepared& prepared) {
  std::map<GukId, std::string> taken;
  for (const auto& [at, row] : gms.state().ledger)
    if (at.first == prepared.key.material.id && row.state != Delivery::unkeyed)
      taken.emplace(row.guk_id, row.member.text());
  for (LedgerRow& row : prepared.rows) {
    const auto other = taken.find(row.guk_id);
    if (row.state == Delivery::prepared && other != taken.end() && other->second != row.member.text())
      row.reason = "guk-id-collision";
  }
}

}  // namespace

Result<Prepared> hand_out(const Gms& gms, const Key& key, const std::vector<Addressee>& addressees) {
  Prepared out{Key{key.material.duplicate(), key.group, key.use, key.withdrawn,
                   mcx::fingerprint(key.material.key), key.created, next_t(gms, key.last_t)},
               {}};
  const NtpTime time = out.key.last_t;
  const auto own = gms.with().domains.kms_of(gms.with().settings.gms_uri, time);
  if (!own.ok()) return own.error();
  const mcx::KeySet* keys = own_keys_at(gms, *own.value(), time);
  if (!keys)
    return fail(Errc::expired, "TS 33.179 7.2",
                "this GMS holds no key set of period " +
                    std::to_string(own.value()->periods.number_at(time)) + " of " +
                    own.value()->kms_uri.text(),
                "fetch it from the KMS (/keyprov)");
  Resolved resolved = resolve(gms, addressees, key.material.id, time);
  out.rows = std::move(resolved.unkeyed);
  const auto sealed = TRY(gktp::seal(key.material, gktp::Sender{*own.value(), *keys}, resolved.receivers,
                                     time, gms.with().random));
  for (std::size_t i = 0; i < sealed.size(); ++i)
    out.rows.push_back(row_of(sealed[i], *resolved.keyed[i], key.material.id, time));
  note_collisions(gms, out);
  return out;
}

Key tombstone_of(const Key& key) {
  Key out;
  out.material.id = key.material.id;
  out.material.rand = key.material.rand;
  out.material.parameters = key.material.parameters;
  out.material.policy = key.material.policy;
  out.group = key.group;
  out.use = key.use;
  out.withdrawn = true;
  out.fingerprint = key.fingerprint;
  out.created = key.created;
  out.last_t = key.last_t;
  return out;
}

Result<Prepared> make_key(const Gms& gms, const NewKey& wanted, const std::vector<Addressee>& addressees) {
  const Settings& settings = gms.with().settings;
  Key key;
  key.group = wanted.group;
  key.use = wanted.use;
  key.created = gms.now();
  gktp::KeyMaterial& material = key.material;
  draw(gms, material, wanted.purpose, addressees);
  material.parameters.key_type = wanted.purpose;
  material.parameters.activation = key.created.unix_seconds();
  material.parameters.expiry = settings.key_lifetime ? key.created.unix_seconds() + settings.key_lifetime : 0;
  material.parameters.groups = wanted.group_ids;
  if (wanted.purpose == mcx::Purpose::gmk)
    material.parameters.text = mcx::with_use(wanted.group.text(), wanted.use);
  material.policy.cs_ids = {settings.gmk_cs_id};
  if (settings.empty_map || wanted.purpose == mcx::Purpose::mkfc) {
    material.policy.form = gktp::SecurityPolicy::Form::empty_map;
    material.policy.cs_ids.clear();
  }
  return hand_out(gms, key, addressees);
}

std::vector<NewKey> keys_of_plan(const KeyPlan& plan, const GroupId& group,
                                 std::vector<std::string> group_ids) {
  using mcx::KeyUse;
  using mcx::Purpose;
  switch (plan.floor) {
    case FloorKey::none:
      return {NewKey{group, Purpose::gmk, KeyUse::both, std::move(group_ids)}};
    case FloorKey::gmk:
      return {NewKey{group, Purpose::gmk, KeyUse::media, group_ids},
              NewKey{group, Purpose::gmk, KeyUse::floor, group_ids}};
    case FloorKey::mkfc:
      return {NewKey{group, Purpose::gmk, KeyUse::media, group_ids},
              NewKey{group, Purpose::mkfc, KeyUse::floor, group_ids}};
  }
  return {};
}

void store(Edit& edit, Prepared prepared) {
  edit.put(std::move(prepared.key));
  for (LedgerRow& row : prepared.rows) edit.put(std::move(row));
}

}  // namespace regroup::gms
