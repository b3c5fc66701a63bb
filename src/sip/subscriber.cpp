// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "sip/instant.hpp"
#include "sip/subscription.hpp"

namespace regroup::sip {
namespace {

constexpr std::int64_t kFinalNotifyWait = 5;  // seconds, after the 2xx to Expires 0
constexpr std::int64_t kAnswerWait = 32;      // an outstanding request has ended by then (RFC 3261 timer F)

// Statuses to a SUBSCRIBE in the dialog that leave no subscription behind (RFC 5057 section 5).
bool ends_subscription(int status) {
  constexpr int kin[] = {404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604};
  return std::find(std::begin(kin), std::end(kin), status) != std::end(kin);
}

}  // namespace

Subscriber::Subscriber(SubscriberState state, Random& random, SubscribePolicy policy)
    : state_(std::move(state)), random_(random), policy_(std::move(policy)) {}

Step Subscriber::waiting(NtpTime until) const { return {Act::wait, until, {}}; }

Step Subscriber::next(NtpTime now) {
  SubscriberState& s = state_;
  if (!s.dialog.empty() && !s.outstanding && s.phase != SubscriberPhase::idle && now >= s.expires_at)
    drop_dialog();
  Step step;
  if (s.phase == SubscriberPhase::ended)
    step = {Act::stop, {}, {}};
  else if (s.outstanding)
    step = waiting(now.plus(kAnswerWait));
  else if (s.phase == SubscriberPhase::leaving)
    step = s.last == Act::leave ? waiting(s.expires_at) : Step{Act::leave, {}, {}};
  else if (s.token_needed)
    step =
        std::exchange(s.token_asked, true) ? waiting(now.plus(kAnswerWait)) : Step{Act::fetch_token, {}, {}};
  else if (now < s.retry_at)
    step = waiting(s.phase == SubscriberPhase::active ? std::min(s.retry_at, s.expires_at) : s.retry_at);
  else if (s.phase == SubscriberPhase::idle)
    step = {Act::open, {}, {}};
  else if (s.changed)
    step = {Act::change, {}, {}};
  else if (now >= s.refresh_at)
    step = {Act::refresh, {}, {}};
  else
    step = waiting(s.refresh_at);
  step.discard = std::exchange(discard_, {});
  return step;
}

Request Subscriber::subscribe(Act act) const {
  Request request;
  request.method = "SUBSCRIBE";
  request.event = policy_.event;
  request.accept = policy_.body_type;
  request.expires = act == Act::leave ? 0 : state_.wish;
  return request;
}

void Subscriber::sent(Act act, DialogId dialog) {
  RG_ASSERT(!state_.outstanding);
  state_.outstanding = true;
  state_.last = act;
  state_.dialog = std::move(dialog);
  if (act != Act::refresh) state_.changed = false;
}

void Subscriber::answered(const Result<Response>& outcome, NtpTime now) {
  if (!std::exchange(state_.outstanding, false)) return;
  if (state_.dialog.empty()) return;  // a NOTIFY ended it meanwhile
  if (outcome.ok() && outcome->success()) return succeed(*outcome, now);
  if (state_.last == Act::leave) return drop_dialog();
  if (state_.last == Act::change) state_.changed = true;
  fail_with(outcome.ok() ? outcome->status : 0, outcome.ok() ? &*outcome : nullptr, now);
}

void Subscriber::succeed(const Response& response, NtpTime now) {
  SubscriberState& s = state_;
  s.failures = 0;
  s.token_renewed = false;
  s.retry_at = {};
  if (s.last == Act::leave) {
    s.expires_at = now.plus(kFinalNotifyWait);
    return;
  }
  const std::uint32_t granted = std::min(response.expires.value_or(s.wish), s.wish);
  s.expires_at = now.plus(granted);
  s.refresh_at = plus_milliseconds(now, granted * std::uint64_t{500});
  if (s.phase == SubscriberPhase::leaving) return;
  s.phase = SubscriberPhase::active;
  if (granted == 0) {  // a server that grants nothing must not be asked in a loop
    drop_dialog();
    back_off(now);
  }
}

// `status` 0: no answer of the peer. PR-31: 403 a new token once, 423 obey, 481 or a dead connection a new
// dialog.
void Subscriber::fail_with(int status, const Response* response, NtpTime now) {
  SubscriberState& s = state_;
  const std::optional<std::uint32_t> wait = response ? retry_after(response->headers) : std::nullopt;
  if (s.last == Act::open || status == 0 || ends_subscription(status)) drop_dialog();
  if (s.phase == SubscriberPhase::ended) return;
  if (status == 481 && s.failures == 0) {
    ++s.failures;  // at once, but not twice
    return;
  }
  if (status == 403 && !s.token_renewed) {
    s.token_needed = true;
    s.token_renewed = true;
    s.changed = s.phase == SubscriberPhase::active;  // the new token travels in a body
    return;
  }
  if (status == 423) {
    const std::uint32_t least = seconds_in(find(response->headers, "Min-Expires")).value_or(0);
    if (least > s.wish && least <= policy_.longest) {
      s.wish = least;
      return;
    }
  }
  back_off(now, wait);
}

// Doubles from 1 s to 5 min; the upper half of each step is drawn, so that the clients of a restarted server
// spread.
void Subscriber::back_off(NtpTime now, std::optional<std::uint32_t> wait) {
  ++state_.failures;
  const std::uint32_t doubled = 1u << std::min(state_.failures, 10u);
  const std::uint32_t step =
      std::clamp(std::max(doubled, wait.value_or(0)), 2 * kShortestBackOff, kLongestBackOff);
  const std::uint32_t half = step * 500;
  const std::uint32_t shortest = wait ? std::min(*wait, kLongestBackOff) * 1000 : 0;
  const std::uint32_t drawn = half + load_be32(random_.octets<4>()) % (half + 1);
  state_.retry_at = plus_milliseconds(now, std::max(drawn, shortest));
}

void Subscriber::drop_dialog() {
  if (!state_.dialog.empty()) discard_ = std::exchange(state_.dialog, {});
  state_.changed = false;  // the next SUBSCRIBE carries the whole set anyway
  const bool by_us = state_.phase == SubscriberPhase::leaving || state_.phase == SubscriberPhase::ended;
  state_.phase = by_us ? SubscriberPhase::ended : SubscriberPhase::idle;
}

void Subscriber::token_fetched(bool success, NtpTime now) {
  state_.token_asked = false;
  if (success)
    state_.token_needed = false;
  else {
    state_.token_needed = false;
    state_.token_renewed = false;  // ask for one again after the wait
    back_off(now);
  }
}

Subscriber::Notified Subscriber::notified(const Incoming& notify, NtpTime now) {
  const bool ours = notify.dialog && !state_.dialog.empty() && *notify.dialog == state_.dialog;
  if (!ours || state_.phase == SubscriberPhase::ended) return {make_response(481), false};
  if (split_parameters(notify.request.event).value != policy_.event)
    return {make_response(489, {{"Allow-Events", policy_.event}}), false};
  const Parameterised state = split_parameters(notify.request.subscription_state);
  if (state.value.empty()) return {make_response(400), false};
  take_state(state, now);
  return {make_response(200), true};
}

// RFC 6665 4.1.3. Unknown states count as active, unknown reasons as a plain end.
void Subscriber::take_state(const Parameterised& state, NtpTime now) {
  SubscriberState& s = state_;
  const std::optional<std::uint32_t> expires = seconds_in(state.parameter("expires").value_or(""));
  if (!same_token(state.value, "terminated")) {
    if (s.phase == SubscriberPhase::idle) {
      s.phase = SubscriberPhase::active;
      s.expires_at = now.plus(s.wish);
      s.refresh_at = now.plus(s.wish / 2);
    }
    // The server may shorten what it granted, never prolong it by a NOTIFY.
    if (expires && now.plus(*expires) < s.expires_at) {
      s.expires_at = now.plus(*expires);
      s.refresh_at = std::min(s.refresh_at, plus_milliseconds(now, *expires * std::uint64_t{500}));
    }
    return;
  }
  const std::string reason = state.parameter("reason").value_or("");
  const std::optional<std::uint32_t> wait = seconds_in(state.parameter("retry-after").value_or(""));
  drop_dialog();
  if (s.phase == SubscriberPhase::ended) return;
  const bool again = same_token(reason, "deactivated") || same_token(reason, "timeout");
  if (again && s.failures == 0)
    ++s.failures;
  else if (same_token(reason, "rejected") && !s.token_renewed)
    s.token_needed = s.token_renewed = true;
  else
    back_off(now, wait);
}

void Subscriber::change() { state_.changed = true; }

void Subscriber::leave() {
  if (state_.phase == SubscriberPhase::ended) return;
  if (state_.dialog.empty()) {
    state_.phase = SubscriberPhase::ended;
    return;
  }
  state_.phase = SubscriberPhase::leaving;
}

void Subscriber::resume() {
  state_.outstanding = false;
  state_.token_asked = false;
  if (state_.last == Act::change) state_.changed = true;  // it may not have arrived
  if (state_.last == Act::open && state_.phase == SubscriberPhase::idle) drop_dialog();
}

}  // namespace regroup::sip
