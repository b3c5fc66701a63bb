// SPDX-License-Identifier: Apache-2.0
// Receiving Group Key Transport payloads in the order of docs/wire.md: parse, addresses and policy,
// signature, replay, decapsulation, identifier, key parameters. Each stage has its own type: what is not
// Verified cannot be opened. Every refusal from the signature on has one of the codes bad_signature, replayed
// and undecryptable, whatever was wrong: outward() makes one token of them. The detail of an Error is for our
// own log.
#pragma once

#include <optional>
#include <set>

#include "gktp/key_material.hpp"
#include "mcx/domain.hpp"
#include "mikey/message.hpp"

namespace regroup::gktp {

// The closed list of deviations of other vendors (docs/wire.md, "Tolerances"): off by default,
// counted.
enum class Tolerance : std::uint8_t {
  accept_sign_without_header,
  accept_clear_key_parameters,
  accept_no_key_parameters,
  accept_status_zero,
  accept_expiry_all_ones,
  accept_key_type_mismatch,
  accept_neighbour_period,
  accept_id_scheme_1,
  accept_ssv32,
  accept_kms_role_3,
  accept_nul_in_uri,
  accept_prf_other,
  accept_unix_time,
};
inline constexpr std::size_t kTolerances = 13;
[[nodiscard]] std::string_view name_of(Tolerance tolerance);
[[nodiscard]] Result<Tolerance> parse_tolerance(std::string_view name);  // the error lists the names

class Tolerances {
 public:
  void allow(Tolerance t) { allowed_.insert(t); }
  [[nodiscard]] bool allows(Tolerance t) const { return allowed_.count(t) != 0; }

 private:
  std::set<Tolerance> allowed_;
};
// Which switches a message needed; counted per peer by whoever opens it.
using Fired = std::vector<Tolerance>;

// The window of T (docs/wire.md, "Order of checks"). Whoever forgets a key sooner would take its payload
// again.
inline constexpr std::int64_t kMaxFutureSkew = 300;  // seconds
inline constexpr std::int64_t kMaxAgePeriods =
    1;  // T in the current or this many previous periods of the own KMS

// What the receiver knows before it reads a message.
struct Reception {
  mcx::McpttId own_identity;
  mcx::KmsUri own_kms;
  const mcx::Domains& domains;
  const std::vector<mcx::KeySet>& key_sets;  // own, of every period still held
  // Identities that may key the group of the notification (PR-1, PR-39): an explicit list, octets.
  std::vector<mcx::McpttId> authorised_initiators = {};
  // The group the notification is about; empty for a lab tool that has no procedure.
  std::string group = {};
  // Purpose tags the procedure expects; {gmk} for GMK-GKTPs, {mkfc} for MKFC-GKTPs; a lab tool passes all.
  std::vector<mcx::Purpose> expected = {mcx::Purpose::gmk};
  // Resolves role 8 (hidden initiator): candidate URIs; the authorised list is always tried as well.
  std::vector<mcx::McpttId> initiator_candidates = {};
  bool require_authorised_initiator = true;  // false only in lab tools
  NtpTime now = {};
  std::int64_t max_future_skew = kMaxFutureSkew;
  std::int64_t max_age_periods = kMaxAgePeriods;
  Tolerances tolerances = {};
};

// Seen messages: SHA-256 of the octets with the previous outcome (RFC 3830 5.4). Storage is the caller's.
class ReplayCache {
 public:
  virtual ~ReplayCache() = default;
  // The outcome stored for this message, if it was handled before.
  [[nodiscard]] virtual std::optional<std::string> find(const Fixed<32>& message_hash) const = 0;
};

// Signature, addresses, time and replay have been checked; nothing has been decapsulated.
class Verified {
 public:
  [[nodiscard]] const mikey::Message& message() const { return message_; }
  // Absent when the initiator is hidden (role 8) and no candidate matched: then `initiator_uid` alone is
  // known.
  [[nodiscard]] const std::optional<mcx::McpttId>& initiator() const { return initiator_; }
  [[nodiscard]] const mcx::Uid& initiator_uid() const { return initiator_uid_; }
  // The KMS that IDRkmsi names, and its key period that the signer's UID is of.
  [[nodiscard]] const mcx::KmsUri& initiator_kms() const { return *initiator_kms_; }
  [[nodiscard]] std::int64_t initiator_period() const { return initiator_period_; }
  [[nodiscard]] NtpTime time() const { return time_; }
  [[nodiscard]] const Fixed<32>& hash() const { return hash_; }
  [[nodiscard]] const Fired& fired() const { return fired_; }

 private:
  friend Result<Verified> verify(OctetsView, const Reception&, const ReplayCache*);
  explicit Verified(mikey::Message message) : message_(std::move(message)) {}
  mikey::Message message_;
  std::optional<mcx::McpttId> initiator_;
  mcx::Uid initiator_uid_{};
  std::optional<mcx::KmsUri> initiator_kms_;
  std::int64_t initiator_period_ = 0;
  NtpTime time_;
  Fixed<32> hash_{};
  Fired fired_;
  friend Result<struct Opened> open(const Verified&, const Reception&);
};

struct Opened {
  KeyMaterial material;  // a revocation has parameters.revoked set: not an error, never an install
  mcx::GukId guk_id;     // as carried
  std::optional<mcx::McpttId> initiator;
  mcx::McpttId responder;
  NtpTime time;  // T, in full seconds of all eras
  Fixed<32> message_hash{};
  Fired fired;
};

// Steps 1-7. Errc::replayed carries the earlier outcome in its detail.
[[nodiscard]] Result<Verified> verify(OctetsView message, const Reception& reception,
                                      const ReplayCache* replay = nullptr);
// Steps 8-10. What is stored (step 11-12) is the caller's: see ue/key_ring and gms/keying. Keys without
// end-point diversity (all but the GMK) have their CSB ID as material.id.
[[nodiscard]] Result<Opened> open(const Verified& verified, const Reception& reception);

// What a peer may be told: "malformed", "unknown-kms", "not-authorised", "expired" (steps 1-5), else
// "undecryptable".
[[nodiscard]] std::string_view outward(const Error& error);

// T as Unix seconds in the forms products have sent: 32 bits in either half, big- or little-endian (64-bit
// values fall under these). For accept_unix_time and for tools.
[[nodiscard]] std::vector<NtpTime> unix_readings(const Fixed<8>& t);

}  // namespace regroup::gktp
