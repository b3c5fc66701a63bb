// SPDX-License-Identifier: Apache-2.0
// The two sides of a subscription (RFC 6665; event package xcap-diff, RFC 5875) as pure logic: no sockets, no
// threads, time is a parameter. The caller moves requests through sip::Transport and stores the state
// structs, which are plain data. Notifier: the server of one subscription. Subscriber: the client of one.
// Refuses: other events (489), too short intervals (423), a second NOTIFY before the answer to the last
// (RFC 5875 4.7). Coalescing what waits for may_send() is the caller's task.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "sip/transport.hpp"

namespace regroup::sip {

inline constexpr std::uint32_t kShortestBackOff = 1;   // seconds, PR-31
inline constexpr std::uint32_t kLongestBackOff = 300;  // seconds, PR-31

inline constexpr std::uint32_t kMostFailures = 3;  // NOTIFYs in a row, then the subscription is gone

struct SubscribePolicy {
  std::string event = "xcap-diff";
  std::string body_type = "application/xcap-diff+xml";  // of the NOTIFY; Accept must allow it
  std::uint32_t shortest = 60;                          // seconds; Min-Expires of 423
  std::uint32_t usual = 3600;                           // when Expires is absent
  std::uint32_t longest = 86400;
};

// What the SIP side of a SUBSCRIBE comes to; whether the subscriber may is the caller's question.
struct Verdict {
  std::optional<Response> refusal;  // 400, 406, 423, 489: answer with it, the subscription stays as it was
  std::uint32_t expires = 0;        // granted seconds; 0 ends the subscription
};
// `ceiling`: seconds the grant must not pass, for example the remaining life of a token.
[[nodiscard]] Verdict judge_subscribe(const Request& request, const SubscribePolicy& policy,
                                      std::optional<std::uint32_t> ceiling = {});
// 200 with Expires, to answer a SUBSCRIBE that was granted.
[[nodiscard]] Response granted(std::uint32_t expires);

// ---- server side
// -------------------------------------------------------------------------------------------

enum class NotifierPhase : std::uint8_t {
  active,   // NOTIFYs flow
  closing,  // one NOTIFY with Subscription-State: terminated is owed
  gone,     // nothing more to send; forget the dialog
};

struct NotifierState {
  DialogId dialog;
  std::string event;  // as subscribed, with its parameters
  NtpTime expires_at;
  NotifierPhase phase = NotifierPhase::active;
  std::string reason;       // of termination: "timeout", "deactivated", "noresource", …
  bool awaiting = false;    // a NOTIFY is out and not answered
  bool closed_out = false;  // that NOTIFY is the one that says "terminated"
  std::uint32_t failures = 0;
  NtpTime retry_at;  // not before this instant, after a failure

  bool operator==(const NotifierState&) const = default;
};

class Notifier {
 public:
  explicit Notifier(NotifierState state, SubscribePolicy policy = {});
  // A new subscription; the caller owes it a full-state NOTIFY at once (RFC 6665 4.2.1.2).
  [[nodiscard]] static Notifier begin(DialogId dialog, const Request& subscribe, std::uint32_t expires,
                                      NtpTime now, SubscribePolicy policy = {});
  [[nodiscard]] const NotifierState& state() const { return state_; }

  // A SUBSCRIBE in the dialog. When it is not refused the subscription has its new end, and a NOTIFY is owed.
  [[nodiscard]] Verdict refresh(const Request& subscribe, NtpTime now,
                                std::optional<std::uint32_t> ceiling = {});
  // Ends it from our side; the last NOTIFY is owed.
  void close(std::string reason);
  // After a restart: the answer to an outstanding NOTIFY can no longer come, so it may be sent again.
  void resume();
  // Moves to closing when the time is over. Call before may_send and on a timer.
  void tick(NtpTime now);

  [[nodiscard]] bool may_send(NtpTime now) const;
  // A NOTIFY without body: Event and Subscription-State as they are now. Then sent().
  [[nodiscard]] Request notify(NtpTime now) const;
  void sent();
  // What became of it. 481 and its kin (RFC 5057: 404, 405, 410, 416, 480 … 485, 489, 501, 604) end the
  // subscription, and so does the third failure in a row of any other kind, transport errors included; in
  // between may_send backs off. What was in a NOTIFY that failed is still owed.
  void answered(const Result<Response>& outcome, NtpTime now);

 private:
  void fail_once(const Result<Response>& outcome, NtpTime now);
  NotifierState state_;
  SubscribePolicy policy_;
};

// ---- client side
// -------------------------------------------------------------------------------------------

enum class Act : std::uint8_t {
  wait,         // until wake_at
  open,         // SUBSCRIBE outside a dialog, with body
  change,       // SUBSCRIBE in the dialog, with body
  refresh,      // SUBSCRIBE in the dialog, without body (keeps set and identity, PR-31)
  leave,        // SUBSCRIBE in the dialog with Expires 0
  fetch_token,  // take a new token, then token_fetched()
  stop,         // ended
};

enum class SubscriberPhase : std::uint8_t {
  idle,     // no subscription; next() says when to open one
  active,   // granted until expires_at
  leaving,  // SUBSCRIBE with Expires 0 is wanted, out, or its last NOTIFY awaited
  ended,    // by us; nothing more to do
};

struct SubscriberState {
  SubscriberPhase phase = SubscriberPhase::idle;
  DialogId dialog;  // empty: none
  NtpTime expires_at;
  NtpTime refresh_at;         // half of the granted life
  NtpTime retry_at;           // nothing is sent before, after a failure
  std::uint32_t wish = 3600;  // Expires that we ask for
  std::uint32_t failures = 0;
  bool changed = false;        // the set differs from the last one granted
  bool token_needed = false;   // 403: take a new one before the next SUBSCRIBE
  bool token_asked = false;    // fetch_token was given out
  bool token_renewed = false;  // a new one was taken since the last success
  bool outstanding = false;    // a SUBSCRIBE is out and not answered
  Act last = Act::wait;        // which one

  bool operator==(const SubscriberState&) const = default;
};

struct Step {
  Act act = Act::wait;
  NtpTime wake_at;   // for wait
  DialogId discard;  // a dialog that is over: forget it in the transport; may be empty
};

class Subscriber {
 public:
  // `random` spreads the back-off; it must outlive the subscriber.
  Subscriber(SubscriberState state, Random& random, SubscribePolicy policy = {});
  [[nodiscard]] const SubscriberState& state() const { return state_; }

  // What to do now. Ask again after each event and at wake_at.
  [[nodiscard]] Step next(NtpTime now);
  // SUBSCRIBE with Event, Expires, Accept for the act; the caller adds body and further headers.
  [[nodiscard]] Request subscribe(Act act) const;
  void sent(Act act, DialogId dialog);
  // Its answer: 2xx; 403 = one new token, then back off; 423 = wish raised; 481 or transport = new dialog.
  void answered(const Result<Response>& outcome, NtpTime now);
  void token_fetched(bool success, NtpTime now);

  // A NOTIFY in our dialog: the response to give. `content` tells whether its body is to be read.
  struct Notified {
    Response response;
    bool content = false;
  };
  [[nodiscard]] Notified notified(const Incoming& notify, NtpTime now);

  void change();  // the set of documents changed: SUBSCRIBE again with the full list
  void leave();   // unsubscribe
  // After a restart: the answer to an outstanding SUBSCRIBE can no longer come.
  void resume();

 private:
  void succeed(const Response& response, NtpTime now);
  void fail_with(int status, const Response* response, NtpTime now);
  void take_state(const Parameterised& state, NtpTime now);
  [[nodiscard]] Step waiting(NtpTime until) const;
  void back_off(NtpTime now, std::optional<std::uint32_t> retry_after = {});
  void drop_dialog();
  SubscriberState state_;
  Random& random_;
  SubscribePolicy policy_;
  DialogId discard_;
};

}  // namespace regroup::sip
