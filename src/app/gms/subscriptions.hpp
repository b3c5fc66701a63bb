// SPDX-License-Identifier: Apache-2.0
// Who is told, and of what: SUBSCRIBE with event xcap-diff, NOTIFY with what changed for that subscriber, key
// payloads included where the element was subscribed (TS 24.481 6.3.13, RFC 5875, gms.md 7.6, PR-26, PR-31).
// Subscriptions are stored, so that a restarted GMS goes on notifying. Runs on the loop.
#pragma once

#include <set>

#include "app/gms/core.hpp"
#include "app/gms/documents.hpp"
#include "http/jwt.hpp"
#include "sip/subscription.hpp"
#include "xcap/address.hpp"
#include "xcap/xcap_diff.hpp"

namespace regroup::app {

// One subscribed URI: `sel` to the letter as it came, and what the subscriber was last told of it.
struct Watch {
  std::string sel;
  xcap::Address address;
  std::map<std::string, std::string> told;  // document (collections: its name) -> ETag
};

struct Subscription {
  std::string identity;  // of the access token, not of From
  NtpTime token_expires;
  sip::NotifierState notifier;
  sip::Dialog dialog;
  std::vector<Watch> watches;
  // Of the NOTIFY that is out: what becomes true when it is answered 200.
  std::vector<std::map<std::string, std::string>> telling;
  std::set<std::string> told_of;  // groups whose key documents it told of as changed
  std::vector<Fixed<32>> carried;
  bool owed = false;  // a NOTIFY even if nothing changed (the first, after a refresh, the last)
};

class Subscriptions final : public gms::Presence {
 public:
  struct Access {
    http::TokenPolicy policy;
    std::function<http::Jwks()> jwks;
    std::string gms_uri;
    std::string xcap_root;
  };
  Subscriptions(sip::Transport& transport, Loop& loop, Access access, const Clock& clock)
      : transport_(transport), loop_(loop), access_(std::move(access)), clock_(clock) {}

  // The domain behind it; set once, before anything else.
  void attach(GmsCore& core);
  [[nodiscard]] Result<void> restore(const Record& record);
  // After all records: puts the dialogs back and owes each subscriber its present state.
  void resume();

  // A SUBSCRIBE of anybody, in or out of a dialog.
  void incoming(sip::Incoming incoming);
  // These identities may see something else now.
  void changed(const std::vector<gms::McpttId>& members);

  [[nodiscard]] bool subscribed(const std::string& member) const override {
    return by_identity_.count(member) != 0;
  }
  [[nodiscard]] std::size_t size() const { return subscriptions_.size(); }

 private:
  using Map = std::map<sip::DialogId, Subscription>;
  struct Wanted {
    std::string identity;
    NtpTime token_expires;
    std::vector<Watch> watches;
  };
  std::variant<Wanted, sip::Response> read(const sip::Request& request) const;
  void begin(const sip::Incoming& incoming);
  void refresh(const sip::Incoming& incoming, Subscription& subscription);
  void flush(const sip::DialogId& id);
  void send(Subscription& subscription, xcap::XcapDiff diff);
  void answered(const sip::DialogId& id, const Result<sip::Response>& outcome);
  void drop(const sip::DialogId& id);
  void store(const Subscription& subscription);
  void check_times();
  [[nodiscard]] bool permitted(const std::string& identity, const Watch& watch) const;
  // What the subscriber has not been told yet; fills telling and carried.
  xcap::XcapDiff difference(Subscription& subscription) const;
  void make_room_for(const std::string& identity);
  void compare_keys(const Watch& watch, Subscription& subscription,
                    std::map<std::string, std::string>& telling, xcap::XcapDiff& out) const;
  bool compare_document(const Watch& watch, const std::string& name, const std::string& sel,
                        const std::optional<std::string>& etag, std::map<std::string, std::string>& telling,
                        xcap::XcapDiff& out) const;

  sip::Transport& transport_;
  Loop& loop_;
  Access access_;
  const Clock& clock_;
  GmsCore* core_ = nullptr;
  std::optional<Documents> documents_;
  Map subscriptions_;
  std::map<std::string, std::set<sip::DialogId>> by_identity_;
};

}  // namespace regroup::app
