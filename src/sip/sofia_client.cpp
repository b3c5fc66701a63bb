// SPDX-License-Identifier: Apache-2.0
// Requests of ours: the window per next hop, their deadlines, what became of them.
#include "sip/sofia_transport.hpp"

namespace regroup::sip {

void SofiaTransport::transmit(Outgoing out) {
  auto attempt = std::make_shared<std::unique_ptr<Attempt>>(std::make_unique<Attempt>());
  Attempt& a = **attempt;
  a.owner = this;
  a.next_hop = std::move(out.next_hop);
  a.request = std::move(out.request);
  a.on_answer = out.on_answer;
  a.deadline = SteadyClock::now() + out.deadline;
  if (!enqueue([this, attempt] { admit(std::move(*attempt)); }))
    out.on_answer(lost("the transport is stopped"));
}

void SofiaTransport::admit(std::unique_ptr<Attempt> attempt) {
  const std::uint64_t id = ++last_id_;
  attempt->id = id;
  const std::string hop = attempt->next_hop;
  deadlines_.emplace(attempt->deadline, id);
  attempts_.emplace(id, std::move(attempt));
  Lane& lane = lanes_[hop];
  lane.waiting.push_back(id);
  if (lane.waiting.size() > options_.waiting)
    finish(id, fail(Errc::limit, "", "too many requests wait for one next hop", "slow down"));
  pump(hop);
  arm();
}

// Sends what the window of the lane allows. Not re-entered: a request that fails at once ends inside the
// loop, and the loop goes on with the next one.
void SofiaTransport::pump(const std::string& hop) {
  if (pumping_) return;
  pumping_ = true;
  for (auto at = lanes_.find(hop); at != lanes_.end(); at = lanes_.find(hop)) {
    Lane& lane = at->second;
    if (lane.waiting.empty() || lane.in_flight >= options_.window) {
      if (lane.waiting.empty() && lane.in_flight == 0) lanes_.erase(at);
      break;
    }
    const auto next = attempts_.find(lane.waiting.front());
    lane.waiting.pop_front();
    if (next == attempts_.end()) continue;  // its deadline passed while it waited
    ++lane.in_flight;
    next->second->in_window = true;
    launch(*next->second);
  }
  pumping_ = false;
}

void SofiaTransport::launch(Attempt& a) {
  msg_t* message = nta_msg_create(agent_, 0);
  if (!message || !write_request(message, a.request)) {
    if (message) msg_destroy(message);
    return finish(a.id, fail(Errc::usage, "RFC 3261 7.3", "the request has an unreadable URI or header",
                             "check the URI of the receiver and of the next hop"));
  }
  // The request goes to next_hop; its Request-URI stays.
  a.transaction =
      nta_outgoing_mcreate(agent_, &on_response, &a, URL_STRING_MAKE(a.next_hop.c_str()), message, TAG_END());
  if (!a.transaction) finish(a.id, lost("the stack refused the request"));
}

int SofiaTransport::on_response(Attempt* attempt, nta_outgoing_t* transaction, const sip_t* sip) {
  const int status = nta_outgoing_status(transaction);
  if (status < 200) return 0;
  // What the stack answers itself (503 no connection, 408 timer F) is no answer of the peer.
  if (!sip || nta_sip_is_internal(sip))
    attempt->owner->finish(attempt->id, lost("no connection to " + attempt->next_hop));
  else
    attempt->owner->finish(attempt->id, read_response(*sip));
  return 0;
}

void SofiaTransport::finish(std::uint64_t id, Result<Response> outcome) {
  const auto at = attempts_.find(id);
  if (at == attempts_.end()) return;
  const std::unique_ptr<Attempt> attempt = std::move(at->second);
  attempts_.erase(at);
  deadlines_.erase({attempt->deadline, id});
  if (attempt->transaction) nta_outgoing_destroy(attempt->transaction);
  attempt->on_answer(std::move(outcome));
  if (!attempt->in_window) return;  // its id in the lane is skipped when its turn comes
  --lanes_.at(attempt->next_hop).in_flight;
  pump(attempt->next_hop);
}

}  // namespace regroup::sip
