// SPDX-License-Identifier: Apache-2.0
// What a GMS remembers: groups, their keys, who was given which payload, and regroups in progress. Plain
// structs, each described once for reading and writing (docs/formats.md). Keys and payloads exist here only.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "gktp/key_record.hpp"
#include "mcx/key_use.hpp"

namespace regroup::gms {

using mcx::GmkId;
using mcx::GroupId;
using mcx::GukId;
using mcx::McpttId;

// Key plan of a group (PR-27; TS 33.179 7.3.5.3 last paragraph): is there a second key for floor control, and
// is it made in the same procedure or by running the procedure again?
enum class FloorKey : std::uint8_t { none, gmk, mkfc };
enum class Procedure : std::uint8_t { one, two };
struct KeyPlan {
  FloorKey floor = FloorKey::none;
  Procedure procedure = Procedure::one;
  bool operator==(const KeyPlan&) const = default;
};
[[nodiscard]] std::string_view name_of(FloorKey floor);
[[nodiscard]] std::string_view name_of(Procedure procedure);

// The two "levels" of TS 23.179 10.6.2: priority (0..255, larger is more important) and protection.
struct Levels {
  std::uint8_t priority = 0;
  bool protect_media = true;
  bool protect_floor = true;
  bool operator==(const Levels&) const = default;
};

struct Group {
  GroupId id;
  McpttId owner;
  std::vector<McpttId> members;
  Levels levels;
  KeyPlan plan;
  bool disabled = false;
  Octets document;           // as the client wrote it; what the GMS manages is rendered into it on reading
  std::string regrouped_as;  // GroupId of the temporary group it is a constituent of; empty: none
  bool temporary = false;    // the temporary group's own document (PR-44)

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    gktp::wire_uri(io, "group", self.id);
    gktp::wire_uri(io, "owner", self.owner);
    io.list(4, "members", self.members,
            [](auto& inner, auto& member) { gktp::wire_uri(inner, "member", member); });
    wire_levels(io, self.levels);
    wire_plan(io, self.plan);
    io.uint(1, "disabled", self.disabled);
    io.counted(4, "document", self.document);
    io.counted(2, "regrouped as", self.regrouped_as);
    io.uint(1, "temporary", self.temporary);
  }
  template <class Io, class Self>
  static void wire_levels(Io& io, Self& self) {
    io.uint(1, "priority", self.priority);
    io.uint(1, "protect media", self.protect_media);
    io.uint(1, "protect floor", self.protect_floor);
  }
  template <class Io, class Self>
  static void wire_plan(Io& io, Self& self) {
    io.uint(1, "floor key", self.floor);
    io.uint(1, "procedure", self.procedure);
  }
};

// One key of one group. `last_t` keeps T strictly growing per key (RFC 3830 5.4). A withdrawn key is wiped:
// what stays is its identifier, which never comes back, and its fingerprint.
struct Key {
  gktp::KeyMaterial material;
  GroupId group;
  mcx::KeyUse use = mcx::KeyUse::both;
  bool withdrawn = false;
  std::string fingerprint = {};  // mcx::fingerprint of the key, kept when the key itself is gone
  NtpTime created;
  NtpTime last_t;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    gktp::wire_material(io, self.material);
    gktp::wire_uri(io, "group", self.group);
    io.uint(1, "use", self.use);
    io.uint(1, "withdrawn", self.withdrawn);
    io.counted(1, "fingerprint", self.fingerprint);
    gktp::wire_time(io, "created", self.created);
    gktp::wire_time(io, "last T", self.last_t);
  }
};

// The ledger: who holds which key, as far as the evidence goes (PR-3, PR-33). States move to the
// right only, except FAILED, which goes back to PREPARED when the payload is made anew.
enum class Delivery : std::uint8_t { unkeyed, prepared, notified, fetched, installed, failed, withdrawn };
[[nodiscard]] std::string_view name_of(Delivery state);  // upper case, as the ledger is published

struct LedgerRow {
  GmkId key;
  McpttId member;  // or the URI of a partner GMS
  bool partner = false;
  GukId guk_id;
  Octets message;    // the I_MESSAGE; empty when unkeyed or erased
  Fixed<32> hash{};  // SHA-256 of it; names the payload in receipts
  Delivery state = Delivery::unkeyed;
  std::string reason;      // of unkeyed and failed
  bool by_notify = false;  // the payload travelled inside a NOTIFY (else by GET)
  std::uint32_t seq = 0;   // of the C9 that carries it to a partner
  NtpTime changed;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.uint(4, "key", self.key.value);
    gktp::wire_uri(io, "member", self.member);
    io.uint(1, "partner", self.partner);
    io.uint(4, "guk id", self.guk_id.value);
    io.counted(4, "message", self.message);
    io.fixed("hash", self.hash);
    io.uint(1, "state", self.state);
    io.counted(2, "reason", self.reason);
    io.uint(1, "by notify", self.by_notify);
    io.uint(4, "seq", self.seq);
    gktp::wire_time(io, "changed", self.changed);
  }
};

// One regroup, at the primary or at a partner (TS 23.179 10.6.2). Stored before any message
// leaves.
enum class RegroupRole : std::uint8_t { primary, partner };
enum class RegroupState : std::uint8_t { asking, active, rejected, reserved, torn_down };
enum class PartnerState : std::uint8_t {
  asked,
  accepted,
  rejected,
  pending,
  acked,
  failed,
  withdrawing,
  withdrawn
};
[[nodiscard]] std::string_view name_of(RegroupState state);
[[nodiscard]] std::string_view name_of(PartnerState state);  // PR-35, upper case

struct Partner {
  McpttId gms_uri;
  PartnerState state = PartnerState::asked;
  std::string reason;
  std::uint32_t seq_sent = 0;             // C9 made so far
  std::vector<std::uint32_t> unanswered;  // those of them that the partner has not acknowledged
  std::uint32_t attempts = 0;             // of the current message
  std::uint32_t members_keyed = 0;
  bool resealed = false;  // the one re-encapsulation after a rejected C9 was used
  NtpTime next_attempt;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    gktp::wire_uri(io, "gms uri", self.gms_uri);
    io.uint(1, "state", self.state);
    io.counted(2, "reason", self.reason);
    io.uint(4, "seq sent", self.seq_sent);
    io.list(2, "unanswered", self.unanswered, [](auto& inner, auto& seq) { inner.uint(4, "seq", seq); });
    io.uint(4, "attempts", self.attempts);
    io.uint(4, "members keyed", self.members_keyed);
    io.uint(1, "resealed", self.resealed);
    gktp::wire_time(io, "next attempt", self.next_attempt);
  }
};

struct Regroup {
  std::string ref;  // key of the record: the `id` of the partner leg at the primary, "peer|id" at a partner
  std::string leg_id;  // `id` in C3, every C9 and the teardown (PR-25)
  RegroupRole role = RegroupRole::primary;
  RegroupState state = RegroupState::asking;
  McpttId requestor;       // at a partner: the primary GMS
  std::string request_id;  // the requester's own `id`
  GroupId temporary;       // empty until it exists
  std::vector<GroupId> constituents;
  Levels levels;
  KeyPlan plan;
  bool floor_due = false;  // procedure two: the second run is still to come,
  NtpTime floor_due_at;    // at the latest then
  std::vector<Partner> partners;
  NtpTime started, deadline;

  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.counted(2, "ref", self.ref);
    io.counted(2, "leg id", self.leg_id);
    io.uint(1, "role", self.role);
    io.uint(1, "state", self.state);
    gktp::wire_uri(io, "requestor", self.requestor);
    io.counted(2, "request id", self.request_id);
    gktp::wire_uri(io, "temporary", self.temporary);
    io.list(2, "constituents", self.constituents,
            [](auto& inner, auto& group) { gktp::wire_uri(inner, "group", group); });
    Group::wire_levels(io, self.levels);
    Group::wire_plan(io, self.plan);
    io.uint(1, "floor due", self.floor_due);
    gktp::wire_time(io, "floor due at", self.floor_due_at);
    io.list(2, "partners", self.partners, [](auto& inner, auto& partner) { Partner::wire(inner, partner); });
    gktp::wire_time(io, "started", self.started);
    gktp::wire_time(io, "deadline", self.deadline);
  }
};

// The answer to an operation: what goes back to a dispatcher or a partner (docs/wire.md, GMOP).
struct ConstituentState {
  std::string uri;
  std::string state;  // joined, pending, rejected
  std::string reason;
  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.counted(2, "uri", self.uri);
    io.counted(1, "state", self.state);
    io.counted(2, "reason", self.reason);
  }
};
struct Answer {
  bool accepted = false;
  std::string reason;     // of the list in docs/wire.md, GMOP; empty when accepted
  std::string temporary;  // GroupId, when one exists
  std::uint32_t members_keyed = 0;
  std::vector<ConstituentState> constituents;  // those not simply joined
  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    io.uint(1, "accepted", self.accepted);
    io.counted(2, "reason", self.reason);
    io.counted(2, "temporary", self.temporary);
    io.uint(4, "members keyed", self.members_keyed);
    io.list(2, "constituents", self.constituents,
            [](auto& inner, auto& one) { ConstituentState::wire(inner, one); });
  }
};

// What a repeated request is answered with, whatever its body says (PR-25): key "sender|id|operation|seq".
struct Remembered {
  Answer answer;
  NtpTime at;
  template <class Io, class Self>
  static void wire(Io& io, Self& self) {
    Answer::wire(io, self.answer);
    gktp::wire_time(io, "at", self.at);
  }
};

}  // namespace regroup::gms
