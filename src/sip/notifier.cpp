// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "sip/instant.hpp"
#include "sip/subscription.hpp"

namespace regroup::sip {
namespace {

// True when an Accept value allows `type`; the absent header allows the package's default.
bool accepts(std::string_view accept, std::string_view type) {
  if (accept.empty()) return true;
  const std::string_view family = type.substr(0, type.find('/'));
  while (!accept.empty()) {
    const std::size_t comma = std::min(accept.find(','), accept.size());
    const std::string range = split_parameters(accept.substr(0, comma)).value;
    accept.remove_prefix(std::min(comma + 1, accept.size()));
    if (range == "*/*" || same_token(range, type) || same_token(range, std::string(family) + "/*"))
      return true;
  }
  return false;
}

Verdict refuse(int status, std::vector<Header> headers = {}) {
  return {make_response(status, std::move(headers)), 0};
}

// RFC 5057 section 5: statuses after which the usage, or the whole dialog, is gone.
bool ends_usage(int status) {
  constexpr int kin[] = {404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604};
  return std::find(std::begin(kin), std::end(kin), status) != std::end(kin);
}

// Event type and id, which together name a subscription in its dialog (RFC 6665 8.2.1).
std::string event_name(std::string_view event) {
  const Parameterised parts = split_parameters(event);
  const std::optional<std::string> id = parts.parameter("id");
  return id ? parts.value + ";id=" + *id : parts.value;
}

}  // namespace

Verdict judge_subscribe(const Request& request, const SubscribePolicy& policy,
                        std::optional<std::uint32_t> ceiling) {
  // Compared octet by octet (RFC 6665 8.2.1).
  if (split_parameters(request.event).value != policy.event)
    return refuse(489, {{"Allow-Events", policy.event}});
  const std::uint32_t wish = request.expires.value_or(policy.usual);
  if (wish == 0) return {};  // leaving needs no Accept and no remaining life of a token
  if (!accepts(request.accept, policy.body_type)) return refuse(406, {{"Accept", policy.body_type}});
  if (wish < policy.shortest) return refuse(423, {{"Min-Expires", std::to_string(policy.shortest)}});
  const std::uint32_t granted = std::min({wish, policy.longest, ceiling.value_or(policy.longest)});
  if (granted == 0) return refuse(403);
  return {{}, granted};
}

Response granted(std::uint32_t expires) {
  Response response = make_response(200);
  response.expires = expires;
  return response;
}

Notifier::Notifier(NotifierState state, SubscribePolicy policy)
    : state_(std::move(state)), policy_(std::move(policy)) {}

Notifier Notifier::begin(DialogId dialog, const Request& subscribe, std::uint32_t expires, NtpTime now,
                         SubscribePolicy policy) {
  NotifierState state;
  state.dialog = std::move(dialog);
  state.event = subscribe.event;
  state.expires_at = now.plus(expires);
  Notifier notifier(std::move(state), std::move(policy));
  notifier.tick(now);  // Expires 0 is a single look: one NOTIFY, terminated
  return notifier;
}

Verdict Notifier::refresh(const Request& subscribe, NtpTime now, std::optional<std::uint32_t> ceiling) {
  tick(now);
  if (state_.phase != NotifierPhase::active) return refuse(481);
  if (event_name(subscribe.event) != event_name(state_.event))
    return refuse(489, {{"Allow-Events", policy_.event}});
  const Verdict verdict = judge_subscribe(subscribe, policy_, ceiling);
  if (verdict.refusal) return verdict;
  state_.expires_at = now.plus(verdict.expires);
  tick(now);
  return verdict;
}

void Notifier::close(std::string reason) {
  if (state_.phase != NotifierPhase::active) return;
  state_.phase = NotifierPhase::closing;
  state_.reason = std::move(reason);
}

void Notifier::resume() {
  if (state_.awaiting && state_.closed_out) state_.phase = NotifierPhase::gone;
  state_.awaiting = false;
}

void Notifier::tick(NtpTime now) {
  if (now >= state_.expires_at) close("timeout");
}

bool Notifier::may_send(NtpTime now) const {
  return state_.phase != NotifierPhase::gone && !state_.awaiting && now >= state_.retry_at;
}

Request Notifier::notify(NtpTime now) const {
  Request request;
  request.method = "NOTIFY";
  request.event = event_name(state_.event);
  const std::int64_t left = std::max<std::int64_t>(state_.expires_at.seconds - now.seconds, 0);
  request.subscription_state =
      state_.phase == NotifierPhase::active
          ? "active;expires=" + std::to_string(left)
          : "terminated;reason=" + (state_.reason.empty() ? "timeout" : state_.reason);
  return request;
}

void Notifier::sent() {
  RG_ASSERT(!state_.awaiting);
  state_.awaiting = true;
  state_.closed_out = state_.phase == NotifierPhase::closing;
}

void Notifier::answered(const Result<Response>& outcome, NtpTime now) {
  if (!state_.awaiting) return;
  state_.awaiting = false;
  if (state_.closed_out || (outcome.ok() && ends_usage(outcome->status))) {
    state_.phase = NotifierPhase::gone;
    return;
  }
  if (!outcome.ok() || !outcome->success()) return fail_once(outcome, now);
  state_.failures = 0;
  state_.retry_at = {};
}

void Notifier::fail_once(const Result<Response>& outcome, NtpTime now) {
  if (++state_.failures >= kMostFailures) {
    state_.phase = NotifierPhase::gone;
    return;
  }
  const std::uint32_t wait = outcome.ok() ? retry_after(outcome->headers).value_or(0) : 0;
  state_.retry_at = now.plus(std::clamp(wait, state_.failures, kLongestBackOff));
}

}  // namespace regroup::sip
