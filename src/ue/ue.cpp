// SPDX-License-Identifier: Apache-2.0
#include "ue/ue.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "crypto/hash/sha256.hpp"

namespace regroup::ue {
namespace {

// The set of keys one document shows, as it is stored.
struct Shown {
  std::vector<std::uint32_t> ids;
  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.list(4, "ids", self.ids, [](auto& inner, auto& id) { inner.uint(4, "id", id); });
  }
};

std::string pending_id(const Receipt& receipt) { return hex(receipt.message) + "-" + receipt.result; }

// A record under a name it could not be found by again: it could never be erased.
Error misplaced(const Record& record) {
  return fail(Errc::malformed, "docs/formats.md",
              record.kind + " record has the name \"" + printable(record.id) + "\"",
              "the record is damaged: restore the store from its last backup");
}

bool serves(const RingKey& key, const std::string& group) {
  const auto& groups = key.material.parameters.groups;
  return key.group == group || std::find(groups.begin(), groups.end(), group) != groups.end();
}

KeyEvent event_of(std::string event, const RingKey& key) {
  KeyEvent out;
  out.event = std::move(event);
  out.group = key.group;
  out.gmk_id = key.material.id.text();
  out.guk_id = key.guk_id.text();
  if (key.state == KeyState::active) out.key_fingerprint = mcx::fingerprint(key.material.key);
  out.use = std::string(mcx::name_of(key.use));
  return out;
}

}  // namespace

std::string_view name_of(KeyState state) {
  switch (state) {
    case KeyState::active:
      return "active";
    case KeyState::withdrawn:
      return "withdrawn";
    case KeyState::revoked:
      return "revoked";
  }
  return "active";
}

std::string_view name_of(Install result) {
  switch (result) {
    case Install::installed:
      return "installed";
    case Install::updated:
      return "updated";
    case Install::duplicate:
      return "duplicate";
    case Install::revoked:
      return "revoked";
    case Install::tombstone:
      return "tombstone";
    case Install::conflict:
      return "conflict";
  }
  return "conflict";
}

Result<void> Ue::restore(const Record& record) {
  const OctetsView value = record.value.expose();
  if (record.kind == "ring") ring_.put(TRY(decode_record<RingKey>(value, "ring")));
  if (record.kind == "seen") {
    TRY(fixed_from_hex<32>(record.id));
    TRY(fixed_from_hex<4>(text_of(value)));
    seen_.insert_or_assign(record.id, std::string(text_of(value)));
  }
  if (record.kind == "receipt") {
    Receipt receipt = TRY(decode_record<Receipt>(value, "receipt"));
    if (record.id != pending_id(receipt)) return misplaced(record);
    pending_.insert_or_assign(record.id, std::move(receipt));
  }
  if (record.kind == "document") {
    if (!record.id.starts_with("gmk|") && !record.id.starts_with("mkfc|")) return misplaced(record);
    const Shown shown = TRY(decode_record<Shown>(value, "document"));
    std::set<mcx::GmkId>& ids = documents_[record.id];
    for (const std::uint32_t id : shown.ids) ids.insert(mcx::GmkId{id});
  }
  return {};
}

void Ue::store(mcx::GmkId id, Received& out) const {
  out.writes.push_back(Write{"ring", id.text(), encode_record(*ring_.find(id))});
}

void Ue::acknowledge(Receipt receipt, Received& out) {
  const std::string id = pending_id(receipt);
  out.writes.push_back(Write{"receipt", id, encode_record(receipt)});
  pending_.insert_or_assign(id, std::move(receipt));
}

void Ue::count(const std::string& initiator, const gktp::Fired& fired, Received& out) {
  for (const gktp::Tolerance tolerance : fired)
    out.tolerated.push_back({initiator, tolerance, ++tolerated_[{initiator, tolerance}]});
}

// docs/wire.md, "Order of checks". Tolerances that fired count, although a later step may refuse.
Result<gktp::Opened> Ue::open(const Payload& payload, const std::string& group, Received& out) {
  gktp::Reception reception{with_.settings.identity, with_.settings.kms_uri, with_.domains, with_.key_sets};
  reception.authorised_initiators = with_.settings.gms_authorised;
  reception.group = group;
  reception.expected = {payload.mkfc ? mcx::Purpose::mkfc : mcx::Purpose::gmk};
  reception.now = with_.clock.now();
  reception.tolerances = with_.settings.tolerances;
  const gktp::Verified verified = TRY(gktp::verify(payload.message, reception));
  const std::string initiator =
      verified.initiator() ? verified.initiator()->text() : hex(verified.initiator_uid());
  auto opened = gktp::open(verified, reception);
  count(initiator, opened.ok() ? opened.value().fired : verified.fired(), out);
  return opened;
}

Ue::Taken Ue::refuse(const Error& error, Receipt receipt, Received& out) {
  receipt.result = gktp::outward(error);
  KeyEvent event;
  event.event = "refused";
  event.group = receipt.group;
  event.reason = receipt.result;
  out.events.push_back(std::move(event));
  out.why.push_back(error);
  acknowledge(std::move(receipt), out);
  return {std::nullopt, error.code != Errc::not_for_me};
}

Ue::Taken Ue::install(gktp::Opened opened, Receipt receipt, Received& out) {
  const mcx::GmkId id = opened.material.id;
  const Install result = ring_.install(std::move(opened), receipt.group);
  if (result == Install::conflict)
    return refuse(fail(Errc::conflict, "TS 33.179 7.3.1", "GMK-ID " + id.text() + " is held with another key",
                       "the GMS must draw a new key; report it"),
                  std::move(receipt), out);
  const bool gone = result == Install::revoked || result == Install::tombstone;
  receipt.gmk_id = id;
  receipt.result = gone ? "revoked" : "installed";
  if (result != Install::duplicate && result != Install::tombstone) {
    store(id, out);
    out.events.push_back(event_of(std::string(name_of(result)), *ring_.find(id)));
  }
  if (result == Install::tombstone)
    out.why.push_back(fail(Errc::revoked, "TS 33.180 5.2.4",
                           "GMK-ID " + id.text() + " was withdrawn or revoked before",
                           "wait for a new key: an old payload cannot bring it back"));
  seen_.insert_or_assign(hex(receipt.message), id.text());
  out.writes.push_back(Write{"seen", hex(receipt.message), SecretOctets(view(id.text()))});
  acknowledge(std::move(receipt), out);
  return {id, false};
}

Ue::Taken Ue::take(const std::string& document, const Payload& payload, Received& out) {
  Receipt receipt;
  receipt.message = crypto::sha256(OctetsView(payload.message));
  receipt.group = payload.temporary.empty() ? document : payload.temporary;
  receipt.document = document;
  if (const auto before = seen_.find(hex(receipt.message)); before != seen_.end()) {
    const mcx::GmkId id{load_be32(fixed_from_hex<4>(before->second).value())};
    if (const RingKey* held = ring_.find(id); held && serves(*held, receipt.group)) return {id, false};
    return refuse(fail(Errc::unknown_group, "TS 33.179 7.3.1",
                       "GMK-ID " + id.text() + " is not a key of " + printable(receipt.group),
                       "fetch the group's key document"),
                  std::move(receipt), out);
  }
  auto opened = open(payload, receipt.group, out);
  if (!opened.ok()) return refuse(opened.error(), std::move(receipt), out);
  return install(std::move(opened).value(), std::move(receipt), out);
}

void Ue::withdraw_unseen(Received& out) {
  std::set<mcx::GmkId> shown;
  for (const auto& [document, ids] : documents_) shown.insert(ids.begin(), ids.end());
  std::vector<mcx::GmkId> gone;
  for (const auto& [id, key] : ring_.keys())
    if (key.state == KeyState::active && !shown.count(id)) gone.push_back(id);
  for (const mcx::GmkId id : gone) {
    ring_.withdraw(id, KeyState::withdrawn);
    store(id, out);
    out.events.push_back(event_of("withdrawn", *ring_.find(id)));
    for (const auto& [hash, seen_id] : seen_) {
      if (seen_id != id.text()) continue;
      Receipt receipt;
      receipt.message = fixed_from_hex<32>(hash).value();
      receipt.result = "withdrawn";
      receipt.gmk_id = id;
      receipt.group = receipt.document = ring_.find(id)->group;
      acknowledge(std::move(receipt), out);
    }
  }
}

void Ue::show(const std::string& part, std::set<mcx::GmkId> ids, Received& out) {
  const auto known = documents_.find(part);
  if (ids.empty()) {
    if (known == documents_.end()) return;
    documents_.erase(known);
    out.writes.push_back(Write{"document", part, std::nullopt});
    return;
  }
  if (known != documents_.end() && known->second == ids) return;
  Shown stored;
  for (const mcx::GmkId id : ids) stored.ids.push_back(id.value);
  out.writes.push_back(Write{"document", part, encode_record(stored)});
  documents_[part] = std::move(ids);
}

Received Ue::document(const std::string& group, const std::vector<Payload>& payloads, Part part) {
  Received out;
  struct Seen {
    std::set<mcx::GmkId> ids;
    bool refused = false;
  } gmk, mkfc;
  for (const Payload& payload : payloads) {
    Seen& seen = payload.mkfc ? mkfc : gmk;
    const Taken taken = take(group, payload, out);
    if (taken.id) seen.ids.insert(*taken.id);
    seen.refused = seen.refused || taken.refused;
  }
  const auto settle = [&](const std::string& name, Seen seen) {
    if (const auto before = documents_.find(name); seen.refused && before != documents_.end())
      seen.ids.insert(before->second.begin(), before->second.end());
    show(name, std::move(seen.ids), out);
  };
  if (part != Part::mkfc) settle("gmk|" + group, std::move(gmk));
  if (part != Part::gmk) settle("mkfc|" + group, std::move(mkfc));
  withdraw_unseen(out);
  return out;
}

std::vector<Receipt> Ue::receipts() const {
  std::vector<Receipt> out;
  for (const auto& [id, receipt] : pending_) out.push_back(receipt);
  return out;
}

Writes Ue::delivered(const Receipt& receipt) {
  const std::string id = pending_id(receipt);
  pending_.erase(id);
  Writes writes;
  writes.push_back(Write{"receipt", id, std::nullopt});
  return writes;
}

std::vector<std::string> Ue::documents() const {
  std::vector<std::string> out;
  for (const auto& [part, ids] : documents_) {
    const std::string group = part.substr(part.find('|') + 1);
    if (out.empty() || out.back() != group) out.push_back(group);
  }
  return out;
}

}  // namespace regroup::ue
