// SPDX-License-Identifier: Apache-2.0
// One group management server without its sockets: the state, how it is restored and changed, and what each
// reader may see of it. Procedures stand in flow/, the making of keys in gms/keying, evidence in
// gms/delivery. A change is decided completely before its first put(): a request that fails has changed
// nothing. Not thread-safe: one thread drives one GMS.
#pragma once

#include <set>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "gms/ports.hpp"

namespace regroup::gms {

struct State {
  std::map<std::string, Group> groups;                        // by group ID
  std::map<GmkId, Key> keys;                                  // by GMK-ID (MKFC-ID)
  std::map<std::pair<GmkId, std::string>, LedgerRow> ledger;  // by key and member
  std::map<std::string, std::set<GmkId>> keys_of_member;      // index into the ledger; not stored
  std::map<std::string, Regroup> regroups;                    // by Regroup::ref
  std::map<std::string, Remembered> answers;                  // by "sender|id|operation|seq"
};

// Who is listening now: a live subscription is the practical meaning of "reachable".
class Presence {
 public:
  virtual ~Presence() = default;
  [[nodiscard]] virtual bool subscribed(const std::string& member) const = 0;
};

struct Surroundings {
  const Settings& settings;
  const mcx::Domains& domains;               // own certificate and those of others
  const std::vector<mcx::KeySet>& key_sets;  // own, of every period held
  const Presence& presence;
  const Clock& clock;
  Random& random;
};

// Changes the state and collects what must be stored and done. Made by Gms::edit().
class Edit {
 public:
  explicit Edit(State& state) : state_(state) {}
  void put(Group group);
  void erase_group(const GroupId& id);
  void put(Key key);
  void put(LedgerRow row);
  void put(Regroup regroup);
  void erase_regroup(const std::string& ref);
  // The key's record and its rows of the ledger.
  void erase_key(GmkId id);
  void remember(const std::string& key, Answer answer, NtpTime at);
  void forget(const std::string& key);
  void effect(Effect effect) { outcome_.effects.push_back(std::move(effect)); }
  void more() { outcome_.more = true; }
  [[nodiscard]] Outcome take() { return std::move(outcome_); }

 private:
  void write(std::string kind, std::string id, std::optional<SecretOctets> value);
  State& state_;
  Outcome outcome_;
};

// One payload as a reader of the key document sees it (PR-16, PR-17).
struct VisiblePayload {
  std::string id;         // `GKTP/@id`
  std::string temporary;  // inside on-network-regrouped-GKTPs of this temporary group; empty: plain
  bool mkfc = false;      // under MKFC-GKTPs
  GmkId key;
  const Octets* message;
};

class Gms {
 public:
  explicit Gms(Surroundings surroundings) : with_(surroundings) {}

  // Takes one stored record; called for each before anything else.
  [[nodiscard]] Result<void> restore(const Record& record);
  [[nodiscard]] Edit edit() { return Edit(state_); }

  [[nodiscard]] const State& state() const { return state_; }
  // Requests that wait for an answer, by the `ref` of their regroup. Lost in a restart: the sender repeats
  // its id.
  [[nodiscard]] std::multimap<std::string, Ticket>& waiting() { return waiting_; }
  [[nodiscard]] const std::multimap<std::string, Ticket>& waiting() const { return waiting_; }
  [[nodiscard]] const Surroundings& with() const { return with_; }
  [[nodiscard]] NtpTime now() const { return with_.clock.now(); }

  [[nodiscard]] const Group* group(std::string_view id) const;
  // The active regroup with this temporary group, in either role.
  [[nodiscard]] const Regroup* regroup_of(std::string_view temporary) const;
  // Live keys of a group (a temporary group's key belongs to the temporary group), newest activation first.
  [[nodiscard]] std::vector<const Key*> keys_of(std::string_view group) const;

  // What `reader` (a member, or a partner GMS) may see in the key document of `group` (PR-18): only what is
  // addressed to it. A constituent's document also shows the temporary group's keys (PR-17). Empty: answer
  // 404 (PR-36).
  [[nodiscard]] std::vector<VisiblePayload> visible(const std::string& reader, std::string_view group) const;
  // Groups whose key document shows something to `reader` (the collection of PR-26).
  [[nodiscard]] std::vector<std::string> collection(const std::string& reader) const;
  [[nodiscard]] std::vector<const LedgerRow*> ledger_of(std::string_view group) const;

 private:
  State state_;
  std::multimap<std::string, Ticket> waiting_;
  Surroundings with_;
};

}  // namespace regroup::gms
