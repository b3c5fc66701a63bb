// SPDX-License-Identifier: Apache-2.0
// What flows between the GMS and the world: requests come in as plain structs, effects go out as plain
// structs. The rooms below do no input or output; whoever drives them commits Outcome::writes in one
// transaction first and only then carries out Outcome::effects, in order ("stored before spoken").
#pragma once

#include <functional>
#include <variant>

#include "gktp/open.hpp"
#include "gms/model.hpp"
#include "mcx/domain.hpp"

namespace regroup::gms {

// Names one waiting request of the transport; never stored.
using Ticket = std::uint64_t;
inline constexpr Ticket kNobody = 0;

struct PartnerSettings {
  McpttId gms_uri;
  std::vector<std::string> domains;  // domain parts of the groups homed there
  std::size_t max_regroups = 50;
  bool tell_members_keyed = false;  // it learns how many of our members hold the key (PR-28); never who
  std::string san;  // what its certificate must carry, a URI or a DNS name; empty: gms_uri (PR-40)
};

// Times in seconds. Names and defaults as in docs/operations.md.
struct Settings {
  McpttId gms_uri;
  std::vector<std::string>
      domains;  // domain parts of the groups homed here; the first names temporary groups
  std::vector<std::string>
      creators;                     // who may create, regroup, tear down; "*": every authenticated requester
  std::vector<std::string> admins;  // URIs of the certificates that may read the ledger; empty: gms_uri alone
  std::vector<std::string> mcptt_servers;  // may read and watch group documents (trusted listener)
  std::vector<PartnerSettings> partners;
  FloorKey floor_key = FloorKey::none;  // for groups without a plan of their own
  std::uint8_t gmk_cs_id = 4;
  bool empty_map = false;  // send the default profile as an empty map
  std::size_t max_members = 3000;
  std::size_t max_constituents = 32;
  std::int64_t t_ask = 10;        // answer of a partner to C3
  std::int64_t t_notify = 86400;  // how long C9 is repeated
  std::int64_t t_reserve = 600;   // how long an accepted C3 holds its groups
  std::int64_t c12_wait = 5;   // a partner waits this long for its own members before it acknowledges (PR-28)
  std::int64_t c13_wait = 10;  // the requester waits this long for silent partners
  std::int64_t answer_memory = 30 * 86400;
  gktp::Tolerances tolerances;    // for key messages of partner GMSs
  std::int64_t key_lifetime = 0;  // seconds until expiry in the key parameters; 0: does not expire
};

// C1/B1 and, between GMSs, C3 (TS 23.179 10.6.2; docs/wire.md, GMOP).
struct RegroupRequest {
  std::string id;
  std::string proposed;  // temporary group ID asked for; may be empty
  std::vector<GroupId> constituents;
  std::optional<std::uint8_t> priority;
  std::optional<bool> protect_media, protect_floor;
  std::optional<KeyPlan> plan;
};
// One payload of a C9; the key it is of is known to the sender only.
struct PartnerPayload {
  GmkId key;
  Octets message;
};
// C9 (group-regroup-notification): the payloads are I_MESSAGEs addressed to the receiving GMS.
struct RegroupNotification {
  std::string id;
  std::uint32_t seq = 0;
  GroupId temporary;
  std::string requestor;
  std::vector<GroupId> constituents;
  Levels levels;
  KeyPlan plan;
  std::vector<PartnerPayload> gmk_messages;
  std::vector<PartnerPayload> mkfc_messages;
};
// group-regroup-teardown; `temporary` is empty before the group exists.
struct TeardownRequest {
  std::string id;
  std::string temporary;
};
// A1 (TS 23.179 10.6.3): the group document, already read and checked for form.
struct GroupRequest {
  GroupId id;
  std::vector<McpttId> members;
  Levels levels;
  std::optional<KeyPlan> plan;
  bool disabled = false;
  Octets document;
};

// Effects.
struct Reply {
  Ticket ticket;
  Answer answer;
};
struct DocumentsChanged {  // these identities now see other key or group documents (GMS to UE: NOTIFY at
                           // once)
  std::vector<McpttId> members;
  std::vector<GroupId> groups;
};
struct AskPartner {  // C3; the answer comes back through flow::partner_answered
  McpttId partner;
  RegroupRequest request;
};
struct NotifyPartner {  // C9; the answer comes back through flow::partner_acknowledged
  McpttId partner;
  RegroupNotification notification;
};
struct TearDownPartner {  // the answer comes back through flow::partner_withdrew
  McpttId partner;
  TeardownRequest request;
  std::string ref;
};
struct Tolerated {  // a key message of this partner needed these switches; counted by who performs it
  McpttId partner;
  gktp::Fired fired;
};
using Effect = std::variant<Reply, DocumentsChanged, AskPartner, NotifyPartner, TearDownPartner, Tolerated>;

struct Outcome {
  Writes writes;
  std::vector<Effect> effects;
  bool more = false;  // call flow::proceed once this is committed (procedure `two`)
};

}  // namespace regroup::gms
