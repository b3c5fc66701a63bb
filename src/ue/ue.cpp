// SPDX-License-Identifier: Apache-2.0
#include "ue/ue.hpp"

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

// The results a receipt may name (PR-33). After the signature check, one failure looks like another (decision
// 14).
std::string outward(const Error& error) {
  switch (error.code) {
    case Errc::malformed:
    case Errc::unsupported:
      return "malformed";
    case Errc::unknown_kms:
      return "unknown-kms";
    case Errc::not_authorised:
      return "not-authorised";
    case Errc::expired:
    case Errc::not_yet_valid:
      return "expired";
    default:
      return "undecryptable";
  }
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

Result<void> Ue::restore(const Record& record) {
  const OctetsView value = record.value.expose();
  if (record.kind == "ring") ring_.put(TRY(decode_record<RingKey>(value, "ring")));
  if (record.kind == "seen") seen_.insert_or_assign(record.id, std::string(text_of(value)));
  if (record.kind == "receipt")
    pending_.insert_or_assign(record.id, TRY(decode_record<Receipt>(value, "receipt")));
  if (record.kind == "document") {
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

// Steps 1-12 of mikey.md 12 for one payload.
std::optional<mcx::GmkId> Ue::take(const std::string& document, const Payload& payload, Received& out) {
  const std::string group = payload.temporary.empty() ? document : payload.temporary;
  Receipt receipt;
  receipt.message = crypto::sha256(OctetsView(payload.message));
  receipt.group = group;
  receipt.document = document;
  if (const auto before = seen_.find(hex(receipt.message)); before != seen_.end()) {
    const auto id = fixed_from_hex<4>(before->second);
    return id.ok() ? std::optional(mcx::GmkId{load_be32(id.value())}) : std::nullopt;
  }
  gktp::Reception reception{with_.settings.identity, with_.settings.kms_uri, with_.domains, with_.key_sets};
  reception.authorised_initiators = with_.settings.gms_authorised;
  reception.group = group;
  reception.expected = {payload.mkfc ? mcx::Purpose::mkfc : mcx::Purpose::gmk};
  reception.now = with_.clock.now();
  reception.tolerances = with_.settings.tolerances;

  const auto refused = [&](const Error& error) {
    receipt.result = outward(error);
    KeyEvent event;
    event.event = "refused";
    event.group = group;
    event.reason = receipt.result;
    out.events.push_back(std::move(event));
    out.why.push_back(error);
    acknowledge(receipt, out);
    return std::optional<mcx::GmkId>();
  };
  const auto verified = gktp::verify(payload.message, reception);
  if (!verified.ok()) return refused(verified.error());
  auto opened = gktp::open(verified.value(), reception);
  if (!opened.ok()) return refused(opened.error());

  const mcx::GmkId id = opened.value().material.id;
  const bool known = ring_.find(id) != nullptr;
  const Install result = ring_.install(std::move(opened).value(), group);
  if (result == Install::conflict)
    return refused(fail(Errc::conflict, "mikey.md 12 step 11",
                        "GMK-ID " + id.text() + " is held with another key",
                        "the GMS must draw a new key; report it"));
  receipt.gmk_id = id;
  receipt.result = result == Install::revoked ? "revoked" : "installed";
  if (result != Install::duplicate) store(id, out);
  if (result == Install::installed || result == Install::updated || (result == Install::revoked && !known))
    out.events.push_back(event_of(result == Install::installed ? "installed"
                                  : result == Install::updated ? "updated"
                                                               : "revoked",
                                  *ring_.find(id)));
  if (result == Install::revoked && known)
    out.why.push_back(fail(Errc::revoked, "gms.md 11",
                           "GMK-ID " + id.text() + " was withdrawn or revoked before",
                           "an old payload cannot bring it back"));
  seen_.insert_or_assign(hex(receipt.message), id.text());
  out.writes.push_back(Write{"seen", hex(receipt.message), SecretOctets(view(id.text()))});
  acknowledge(std::move(receipt), out);
  return id;
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
  std::set<mcx::GmkId> gmk, mkfc;
  for (const Payload& payload : payloads)
    if (const auto taken = take(group, payload, out)) (payload.mkfc ? mkfc : gmk).insert(*taken);
  if (part != Part::mkfc) show("gmk|" + group, std::move(gmk), out);
  if (part != Part::gmk) show("mkfc|" + group, std::move(mkfc), out);
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
