// SPDX-License-Identifier: Apache-2.0
// A network of Transports in memory, for tests of the rooms above: seeded loss, reordering and duplication,
// time that moves only when told. Messages lost on the way are lost for good (TCP does not repeat), so the
// sender sees its deadline pass. Single-threaded: all callbacks run inside run_until_quiet() and advance().
#pragma once

#include <memory>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "sip/transport.hpp"

namespace regroup::sip {

struct FakeWeather {
  double loss = 0;                        // probability per message, requests and answers alike
  std::chrono::milliseconds shortest{1};  // delay, drawn per message; unequal delays reorder
  std::chrono::milliseconds longest{1};
};

class FakeNetwork {
 public:
  explicit FakeNetwork(std::uint64_t seed, FakeWeather weather = {});
  ~FakeNetwork();
  FakeNetwork(const FakeNetwork&) = delete;
  FakeNetwork& operator=(const FakeNetwork&) = delete;

  // A host with the address "sip:NAME;transport=tcp". Must not outlive the network. Stopping or destroying it
  // and making another of the same name is a restart.
  [[nodiscard]] std::unique_ptr<Transport> host(std::string name);
  // Where a Request-URI without address goes, like a configured next hop: URI -> host name.
  void route(std::string uri, std::string name);
  void set_weather(FakeWeather weather);
  // Sees each message put on the wire: "SUBSCRIBE a->b", "200 b->a"; for tests that assert on the order.
  void watch(std::function<void(const std::string&)> watcher);

  // Delivers what is due now, and what follows from it, and then moves time to the next event until `span` is
  // over.
  void advance(std::chrono::milliseconds span);
  // Moves time as far as needed until no message and no deadline is left; false after `limit` of virtual
  // time.
  bool run_until_quiet(std::chrono::milliseconds limit = std::chrono::minutes(10));
  // Milliseconds since the network was made.
  [[nodiscard]] std::chrono::milliseconds now() const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace regroup::sip
