// SPDX-License-Identifier: Apache-2.0
// The client without its sockets: takes key documents and payloads, verifies, decapsulates, stores,
// acknowledges (TS 33.179 7.3.2-7.3.4; PR-33). Whoever drives it commits Received::writes before
// sending any receipt. Not thread-safe: one thread drives one UE.
#pragma once

#include <set>

#include "base/record.hpp"
#include "ue/key_ring.hpp"

namespace regroup::ue {

struct Settings {
  mcx::McpttId identity;
  mcx::KmsUri kms_uri;
  std::vector<mcx::McpttId> gms_authorised;  // the only identities that may key our groups (PR-1, PR-39)
  gktp::Tolerances tolerances;
};

struct Surroundings {
  const Settings& settings;
  const mcx::Domains& domains;
  const std::vector<mcx::KeySet>& key_sets;
  const Clock& clock;
};

// One payload of a key document (TS 24.481 7.7).
struct Payload {
  Octets message;
  std::string
      temporary;      // of the enclosing on-network-regrouped-GKTPs; empty: a key of the document's own group
  bool mkfc = false;  // under MKFC-GKTPs
};

// PR-33: what the GMS learns. Nothing but the result is outward; the precise reason stays in Received::why.
struct Receipt {
  Fixed<32> message{};
  std::string result;
  std::optional<mcx::GmkId> gmk_id;
  std::string group;     // the group the key is for
  std::string document;  // the group whose key document brought it: where the receipt is POSTed

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.fixed("message", self.message);
    io.counted(1, "result", self.result);
    std::uint32_t id = self.gmk_id ? self.gmk_id->value : UINT32_MAX;
    io.uint(4, "gmk id", id);
    if constexpr (Io::reads) self.gmk_id = id == UINT32_MAX ? std::nullopt : std::optional(mcx::GmkId{id});
    io.counted(2, "group", self.group);
    io.counted(2, "document", self.document);
  }
};

struct KeyEvent {
  std::string event;  // installed, updated, withdrawn, revoked, refused
  std::string group;
  std::string gmk_id = {}, guk_id = {}, key_fingerprint = {}, use = {}, reason = {};
};

// A deviation of another vendor that a message needed to be let through (decision 8: counted per peer).
struct Tolerated {
  std::string initiator;  // its URI, or its UID in hex while it is hidden
  gktp::Tolerance tolerance{};
  std::uint64_t times = 0;  // of this peer and tolerance, since the start
};

struct Received {
  Writes writes;
  std::vector<KeyEvent> events;
  std::vector<Error> why;  // reasons of refusals, for the local log
  std::vector<Tolerated> tolerated;
};

class Ue {
 public:
  explicit Ue(Surroundings with) : with_(with) {}
  [[nodiscard]] Result<void> restore(const Record& record);

  // The key document of `group` as this UE sees it now, whole (by GET) or one of its two parts (an element in
  // a NOTIFY): new payloads are taken in, keys that no document shows any more are withdrawn. No payloads:
  // the part is gone. A part with a payload that was refused withdraws nothing: it does not say which key it
  // was about, so it could be the newer payload of a good key ("keep old keys").
  enum class Part : std::uint8_t { whole, gmk, mkfc };
  [[nodiscard]] Received document(const std::string& group, const std::vector<Payload>& payloads,
                                  Part part = Part::whole);

  // Receipts that are stored but not yet delivered; erased by delivered().
  [[nodiscard]] std::vector<Receipt> receipts() const;
  [[nodiscard]] Writes delivered(const Receipt& receipt);

  [[nodiscard]] const KeyRing& ring() const { return ring_; }
  // How often each tolerance let a message of each initiator through, since the start.
  using ToleranceCounts = std::map<std::pair<std::string, gktp::Tolerance>, std::uint64_t>;
  [[nodiscard]] const ToleranceCounts& tolerated() const { return tolerated_; }
  // Groups whose key documents hold something for us.
  [[nodiscard]] std::vector<std::string> documents() const;

 private:
  // The key a payload is about; none when it was refused or is not for us.
  struct Taken {
    std::optional<mcx::GmkId> id;
    bool refused = false;
  };
  Taken take(const std::string& document, const Payload& payload, Received& out);
  Result<gktp::Opened> open(const Payload& payload, const std::string& group, Received& out);
  Taken refuse(const Error& error, Receipt receipt, Received& out);
  Taken install(gktp::Opened opened, Receipt receipt, Received& out);
  void count(const std::string& initiator, const gktp::Fired& fired, Received& out);
  void show(const std::string& part, std::set<mcx::GmkId> ids, Received& out);
  void acknowledge(Receipt receipt, Received& out);
  void withdraw_unseen(Received& out);
  void store(mcx::GmkId id, Received& out) const;

  Surroundings with_;
  KeyRing ring_;
  std::map<std::string, std::set<mcx::GmkId>> documents_;  // what each part ("gmk|group", "mkfc|group") shows
  std::map<std::string, std::string> seen_;                // SHA-256 of a message -> GMK-ID (8 hex digits)
  std::map<std::string, Receipt> pending_;                 // by message hash and result
  ToleranceCounts tolerated_;
};

[[nodiscard]] std::string_view name_of(KeyState state);
[[nodiscard]] std::string_view name_of(Install result);

}  // namespace regroup::ue
