// SPDX-License-Identifier: Apache-2.0
// The Transport over Sofia; private to this room. One thread owns the su_root and every Sofia object; other
// threads hand it callables through a queue and an eventfd (Sofia's own message queue carries only fixed-size
// copies). The queue's lock guards the queue and the addresses, nothing of Sofia. sofia.cpp: thread,
// listeners, queue; sofia_client.cpp: requests of ours; sofia_server.cpp: requests of peers.
#pragma once

#include "sip/sofia.hpp"

namespace regroup::sip {
class SofiaTransport;
struct Attempt;
}  // namespace regroup::sip

// The types of the context pointers; they must be known before the headers (they are macros there).
#define SU_ROOT_MAGIC_T regroup::sip::SofiaTransport
#define SU_WAKEUP_ARG_T regroup::sip::SofiaTransport
#define SU_TIMER_ARG_T regroup::sip::SofiaTransport
#define NTA_AGENT_MAGIC_T regroup::sip::SofiaTransport
#define NTA_LEG_MAGIC_T regroup::sip::SofiaTransport
#define NTA_OUTGOING_MAGIC_T regroup::sip::Attempt

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <deque>
#include <future>
#include <set>
#include <thread>

#include "sip/endpoint.hpp"
#include "sip/sofia_message.hpp"

// After sip.h (see sofia_message.hpp).
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport_tag.h>

namespace regroup::sip {

using SteadyClock = std::chrono::steady_clock;

// A request on its way out, from transmit() to the call of on_answer.
struct Attempt {
  SofiaTransport* owner = nullptr;
  std::uint64_t id = 0;
  std::string next_hop;
  Request request;
  OnAnswer on_answer;
  SteadyClock::time_point deadline;
  bool in_window = false;  // counted by its lane; otherwise it waits
  nta_outgoing_t* transaction = nullptr;
};

class SofiaTransport final : public Endpoint {
 public:
  SofiaTransport(SofiaOptions options, Random& random) : Endpoint(random), options_(std::move(options)) {}
  ~SofiaTransport() override { SofiaTransport::stop(); }

  Result<void> start() override;
  void stop() override;
  std::vector<std::string> addresses() const override {
    const std::lock_guard guard(queue_lock_);
    return addresses_;
  }

 protected:
  void transmit(Outgoing out) override;
  void reply(TransactionId transaction, Response response) override;
  void later(std::function<void()> callback) override;

 private:
  // Requests to one next hop: those without an answer, and those that wait for the window.
  struct Lane {
    std::size_t in_flight = 0;
    std::deque<std::uint64_t> waiting;
  };
  struct Served {
    nta_incoming_t* transaction = nullptr;
    SteadyClock::time_point deadline;
  };
  using Deadline = std::pair<SteadyClock::time_point, std::uint64_t>;

  bool enqueue(std::function<void()> work);
  // From here on: the stack's thread only.
  void run(std::promise<Result<void>> started);
  Result<void> open_stack();
  Result<void> open_listeners();
  void close_stack();
  void drain();
  void admit(std::unique_ptr<Attempt> attempt);
  void launch(Attempt& attempt);
  void pump(const std::string& hop);
  void finish(std::uint64_t id, Result<Response> outcome);
  void finish_served(TransactionId id, const Response& response);
  int take(nta_incoming_t* transaction, const sip_t& sip);
  int refuse(nta_incoming_t* transaction, int status, std::string_view header = {});
  [[nodiscard]] bool passes_checks(nta_incoming_t* transaction, const sip_t& sip);
  void arm();
  void expire();

  static int on_wakeup(SofiaTransport*, su_wait_t*, SofiaTransport* self);
  static void on_timer(SofiaTransport*, su_timer_t*, SofiaTransport* self) { self->expire(); }
  static int on_request(SofiaTransport* self, nta_leg_t*, nta_incoming_t* transaction, const sip_t* sip) {
    return self->take(transaction, *sip);
  }
  static int on_response(Attempt* attempt, nta_outgoing_t* transaction, const sip_t* sip);

  const SofiaOptions options_;
  std::thread thread_;
  mutable std::mutex queue_lock_;
  std::deque<std::function<void()>> queue_;
  bool open_ = false;  // the queue takes work
  std::vector<std::string> addresses_;
  int wakeup_fd_ = -1;

  su_root_t* root_ = nullptr;
  su_timer_t* timer_ = nullptr;
  int wait_index_ = -1;
  nta_agent_t* agent_ = nullptr;
  nta_leg_t* leg_ = nullptr;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, std::unique_ptr<Attempt>> attempts_;
  std::map<std::string, Lane> lanes_;  // an entry lives while it has a request
  bool pumping_ = false;
  std::map<TransactionId, Served> served_;
  std::set<Deadline> deadlines_;  // of attempts and of served requests; their ids never collide
};

[[nodiscard]] Error lost(std::string_view what);

}  // namespace regroup::sip
